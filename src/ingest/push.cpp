// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/push.hpp"

#include <algorithm>
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

constexpr std::size_t kAddedBytesMax = 48;  // an empty dimension, a timestamp, and their names
constexpr std::size_t kFactsBytesGuess = 128;
constexpr std::size_t kNameShownBytesMax = 64;  // of a dimension's name in a message

tl::unexpected<Refusal> refuse_item(const char* code, std::string message, std::size_t index) {
  return refuse(code, message.append(" (data[").append(std::to_string(index)).append("])"));
}

tl::unexpected<Refusal> refuse_type(const char* code, const char* expectation, std::string_view json,
                                    std::size_t index) {
  return refuse_item(code, std::string{expectation} + " type, got " + go_type(json), index);
}

/// Whole seconds; far values stay far.
std::int64_t seconds_of(double ms) noexcept {
  constexpr double kBound = 9.0e15;
  return static_cast<std::int64_t>(std::clamp(ms / 1000.0, -kBound, kBound));
}

/// The latest timestamp that needs no second look at the clock.
std::int64_t timestamp_max(Now now) noexcept {
  if (!now.wall.trusted) return std::numeric_limits<std::int64_t>::max();
  return (now.wall.unix_ms / 1000 + kFutureSecondsMax) * 1000;
}

void append_dimension(std::string_view dimension, ItemSink& sink) {
  sink.append("{");
  if (!dimension.empty()) {
    bool first = true;
    json::Cursor at{dimension};
    std::string_view name;
    for (at.enter('{'); at.next_member(name);) {
      const std::string_view value = at.skip();
      const Kind kind = json::kind_of(value);
      if (kind == Kind::null) continue;
      sink.append(first ? "\"" : ",\"");
      first = false;
      sink.append(name);
      sink.append(kind == Kind::string ? "\":" : "\":\"");
      sink.append(value);
      if (kind != Kind::string) sink.append("\"");
    }
  }
  sink.append("}");
}

}  // namespace

/// One item of the list as written; empty: absent.
struct PushReader::Item {
  std::string_view event_name, target, event, dimension, timestamp;

  [[nodiscard]] std::string_view* member(std::string_view name) {
    if (name == "event_name") return &event_name;
    if (name == "target") return &target;
    if (name == "event") return &event;
    if (name == "dimension") return &dimension;
    return name == "timestamp" ? &timestamp : nullptr;
  }
};

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

Checked<void> PushReader::check_dimension(Item& item, std::size_t index) {
  if (item.dimension.empty()) return {};
  if (!is(item.dimension, Kind::object)) {
    return refuse_type("dimension_type", "dimension expected map[string]any", item.dimension, index);
  }
  names_.clear();
  json::Cursor at{item.dimension};
  std::string_view name;
  bool escapes = false;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (is(value, Kind::object) || is(value, Kind::array)) {
      std::string shown;
      json::append_unescaped(name, shown, kNameShownBytesMax);
      return refuse_item("dimension_value_type",
                         "dimension '" + shown + "' value expected string type, got " + go_type(value), index);
    }
    if (names_.size() == kDimensionsMax)
      return refuse_item("dimension_too_many", "dimension has more than 256 members", index);
    escapes = escapes || json::has_escapes(name);
    names_.push_back(name);
  }
  std::string plain_names;
  if (escapes) {
    std::size_t room = 0;
    for (const std::string_view one : names_) room += one.size();
    plain_names.reserve(room);  // the views below stay good: unescaped text is never longer
    for (std::string_view& one : names_) {
      const std::size_t from = plain_names.size();
      json::append_unescaped(one, plain_names);
      one = std::string_view{plain_names}.substr(from);
    }
  }
  std::sort(names_.begin(), names_.end());
  if (std::adjacent_find(names_.begin(), names_.end()) != names_.end()) {
    return refuse_item("dimension_repeated", "dimension has a name twice", index);
  }
  return {};
}

Checked<PushReader::Item> PushReader::split_item(json::Cursor& at, std::size_t index) {
  if (at.kind() != Kind::object) {
    return refuse_type("item_type", "event each item expected map[string]any", at.skip(), index);
  }
  Item item;
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    std::string plain;
    if (json::has_escapes(name)) {
      json::append_unescaped(name, plain, kNameShownBytesMax);  // longer than every name that means something
      name = plain;
    }
    const std::string_view value = at.skip();
    std::string_view* const member = item.member(name);
    if (member == nullptr) continue;
    if (!member->empty()) return refuse_item("member_repeated", std::string{name} + " appears twice", index);
    *member = value;
  }
  return item;
}

Checked<void> PushReader::check_item(Item& item, std::size_t index, Now now) {
  if (item.target.empty()) return refuse_item("event_target_missing", "target missing", index);
  if (!is(item.target, Kind::string))
    return refuse_type("event_target_type", "target expected string", item.target, index);
  if (item.target == "\"\"") return refuse_item("event_target_empty", "target cannot be empty", index);
  if (item.event_name.empty()) return refuse_item("event_name_missing", "event_name missing", index);
  if (!is(item.event_name, Kind::string)) {
    return refuse_type("event_name_type", "eventName expected string", item.event_name, index);
  }
  if (item.event_name == "\"\"") return refuse_item("event_name_empty", "event_name cannot be empty", index);
  if (item.event_name.size() > kEventNameCharactersMax + 2 &&
      json::count_characters(json::inside_of(item.event_name)) > kEventNameCharactersMax) {
    return refuse_item("event_name_too_long", "event_name is longer than 128 characters", index);
  }
  if (item.event.empty()) return refuse_item("event_missing", "event missing", index);
  if (!is(item.event, Kind::object))
    return refuse_type("event_type", "event expected map[string]any", item.event, index);
  json::Cursor inner{item.event};
  std::string_view name;
  bool has_content = false;
  for (inner.enter('{'); inner.next_member(name); static_cast<void>(inner.skip())) {
    has_content = has_content || json::stands_for(name, "content");
  }
  if (!has_content) return refuse_item("event_content_missing", "event.content missing", index);
  if (auto dimension = check_dimension(item, index); !dimension) return tl::unexpected(dimension.error());
  if (item.timestamp.empty()) return {};
  if (!is(item.timestamp, Kind::number)) {
    return refuse_type("timestamp_type", "timestamp expected float64", item.timestamp, index);
  }
  const double ms = json::to_double(item.timestamp);
  const std::int64_t server_seconds = now.wall.unix_ms / 1000;
  if (now.wall.trusted && seconds_of(ms) - server_seconds > kFutureSecondsMax) {
    return refuse_item("timestamp_future",
                       "reject future timestamp, dataTs=" + std::to_string(seconds_of(ms)) + ", serverTs=" +
                           std::to_string(server_seconds) + ", offset=" + std::to_string(kFutureSecondsMax) + "(s)",
                       index);
  }
  if (ms == 0) item.timestamp = {};
  return {};
}

void PushReader::append_item(const Item& item, std::string_view now_ms, ItemSink& sink) {
  sink.append("{\"event_name\":");
  sink.append(item.event_name);
  sink.append(",\"target\":");
  sink.append(item.target);
  sink.append(",\"event\":");
  json::append_compact(item.event, sink);
  sink.append(",\"dimension\":");
  append_dimension(item.dimension, sink);
  sink.append(",\"timestamp\":");
  sink.append(item.timestamp.empty() ? std::string_view{now_ms} : item.timestamp);
  sink.append("}");
}

Checked<void> PushReader::read_items(const model::Instance& instance, Now now, model::EventBatch& out) {
  if (instance.type == model::InstanceType::time_series) {
    return refuse("time_series", "time series are not accepted by this release");
  }
  if (instance.type == model::InstanceType::alert_source) {
    return refuse("alert_source", "this data id takes alert-source events, at /api/v1/events");
  }
  if (!is(data_, Kind::array)) {
    return refuse("data_type", std::string{"event data expected []any, got "} + go_type(data_));
  }
  if (data_count_ == 0) return refuse("data_empty", "event data cannot be empty");

  ItemSink sink{out};
  const bool with_facts = instance.alert != 0;
  sink.reserve(data_.size() + data_count_ * (kAddedBytesMax + (with_facts ? kFactsBytesGuess : 0)), data_count_);
  const std::string now_ms = std::to_string(now.wall.unix_ms);
  const std::int64_t plain_timestamp_max = timestamp_max(now);
  json::Cursor at{data_};
  at.enter('[');
  for (std::size_t index = 0; at.next_element(); ++index) {
    if (const std::size_t size = stored_form_size(at.rest(), plain_timestamp_max); size != 0) {
      sink.append(at.rest().substr(0, size));
      at.pass(size);
    } else {
      auto item = split_item(at, index);
      if (!item) return tl::unexpected(item.error());
      if (auto good = check_item(*item, index, now); !good) return good;
      append_item(*item, now_ms, sink);
    }
    const std::string_view stored = sink.end_json(0);
    if (!with_facts) continue;
    const auto facts = facts_of(crypto_, model::RecordKind::custom_event, instance, stored, facts_scratch_);
    if (!facts.ok()) return refuse("facts", "the event cannot be read back", 500);
    facts_encoded_.clear();
    model::encode(*facts, facts_encoded_);
    sink.add_facts(facts_encoded_);
  }
  out.data_id = instance.data_id;
  out.lane = instance.lane;
  out.kind = model::RecordKind::custom_event;
  sink.keep();
  return {};
}

}  // namespace tocsin::ingest
