// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/push.hpp"

#include <array>
#include <limits>

#include "src/ingest/facts_again.hpp"
#include "src/ingest/go_type.hpp"
#include "src/ingest/item_sink.hpp"
#include "src/ingest/stored_form.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

using json::Kind;

constexpr std::size_t kAddedBytesMax = 64;  // usually: an empty target and dimension, a timestamp, and their names
constexpr std::size_t kFactsBytesUsual = 128;

/// The latest timestamp that needs no second look at the clock.
std::int64_t timestamp_max(Now now) noexcept {
  if (!now.wall.trusted) return std::numeric_limits<std::int64_t>::max();
  return (now.wall.unix_ms / 1000 + kFutureSecondsMax) * 1000;
}

}  // namespace

Checked<PushEnvelope> PushReader::read_envelope(std::span<const std::byte> body) {
  data_ = {};
  data_count_ = 0;
  std::array<json::Pick, 3> picks{{{"data_id"}, {"access_token"}, {"data"}}};
  const auto checked = parser_.check(as_text(body), picks);
  if (!checked) return refuse(checked.error());
  if (checked->kind != Kind::object) {
    return refuse("body_type", std::string{"request body expected a JSON object, got "} + json::to_text(checked->kind));
  }
  PushEnvelope envelope;
  const auto& [data_id, token, data] = picks;
  if (!data_id.text.empty() && !is(data_id.text, Kind::null)) {
    const auto value = is(data_id.text, Kind::number) ? json::to_integer(data_id.text) : std::nullopt;
    if (!value) {
      return refuse("data_id_type", std::string{"data_id expected an integer, got "} +
                                        (is(data_id.text, Kind::number) ? "another number"
                                                                        : json::to_text(json::kind_of(data_id.text))));
    }
    envelope.data_id = *value;
  }
  if (!token.text.empty() && !is(token.text, Kind::null)) {
    if (!is(token.text, Kind::string)) {
      return refuse("access_token_type",
                    std::string{"access_token expected a string, got "} + json::to_text(json::kind_of(token.text)));
    }
    envelope.access_token = json::inside_of(token.text);
    if (envelope.access_token.size() > model::kTokenBytesMax) {
      return refuse("access_token_too_long", "access_token is longer than 512 bytes");
    }
    if (json::has_escapes(envelope.access_token)) {
      token_.clear();
      json::append_unescaped(envelope.access_token, token_);
      envelope.access_token = token_;
    }
  }
  data_ = data.text;
  data_count_ = data.elements;
  return envelope;
}

Checked<void> PushReader::read_item(PushKind kind, json::Cursor& at, std::size_t index, Now now,
                                    std::string_view now_ms, ItemSink& sink) {
  auto item = PushItem::split(kind, at, index);
  if (!item) return tl::unexpected(std::move(item.error()));
  auto good = kind == PushKind::event ? check_event(*item, index) : check_metric(*item, index, names_);
  if (good) good = check_dimension(kind, *item, index, names_);
  if (good) good = check_timestamp(*item, index, now);
  if (!good) return good;
  kind == PushKind::event ? append_event(*item, now_ms, sink) : append_metric(*item, now_ms, sink);
  return {};
}

Checked<void> PushReader::read_items(const model::Instance& instance, Now now, model::EventBatch& out) {
  if (instance.type == model::InstanceType::alert_source) {
    return refuse("alert_source", "this data id takes alert-source events, at /api/v1/events");
  }
  const PushKind kind = instance.type == model::InstanceType::event ? PushKind::event : PushKind::metric;
  const std::string what = kind == PushKind::event ? "event" : "timeseries";
  if (!is(data_, Kind::array)) return refuse("data_type", what + " data expected []any, got " + go_type(data_));
  if (data_count_ == 0) return refuse("data_empty", what + " data cannot be empty");

  const bool with_facts = kind == PushKind::event && instance.alert != 0;
  const std::size_t json_bytes = data_.size() + data_count_ * kAddedBytesMax;
  const ItemRoom guess{data_count_, json_bytes, with_facts ? facts_room(data_count_, kFactsBytesUsual, json_bytes) : 0};
  auto written =
      write_items(out, guess, [&](ItemSink& sink) { return write_all(kind, instance, now, with_facts, sink); });
  if (!written) return written;
  out.data_id = instance.data_id;
  out.lane = instance.lane;
  out.kind = kind == PushKind::event ? model::RecordKind::custom_event : model::RecordKind::custom_metric;
  out.is_alerting = with_facts;
  return {};
}

Checked<void> PushReader::write_all(PushKind kind, const model::Instance& instance, Now now, bool with_facts,
                                    ItemSink& sink) {
  const std::string now_ms = std::to_string(now.wall.unix_ms);
  const std::int64_t plain_timestamp_max = timestamp_max(now);
  json::Cursor at{data_};
  at.enter('[');
  for (std::size_t index = 0; at.next_element(); ++index) {
    const std::size_t size = kind == PushKind::event ? stored_form_size(at.rest(), plain_timestamp_max) : 0;
    if (size != 0) {
      sink.append(at.rest().substr(0, size));
      at.pass(size);
    } else if (auto good = read_item(kind, at, index, now, now_ms, sink); !good) {
      return good;
    }
    const std::string_view stored = sink.end_json(0);
    if (!with_facts || !sink.fits()) continue;
    const auto facts = facts_of(crypto_, model::RecordKind::custom_event, instance, stored, facts_scratch_);
    if (!facts.ok()) return refuse("facts", "the event cannot be read back", 500);
    facts_encoded_.clear();
    model::encode(*facts, facts_encoded_);
    sink.add_facts(facts_encoded_);
  }
  return {};
}

}  // namespace tocsin::ingest
