// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/core/turn.hpp"
#include "src/ingest/facts_again.hpp"
#include "src/ingest/request_key.hpp"
#include "src/json/writer.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

/// What io derived from the instance is what would be derived now; a recount after a crash will do so.
bool matches(const model::Instance& instance, const model::EventBatch& batch) {
  const bool is_metric = batch.kind == model::RecordKind::custom_metric;
  if (is_metric != (instance.type == model::InstanceType::time_series)) return false;
  if (batch.kind == model::RecordKind::standard_event || batch.items.empty()) return true;
  if (batch.lane != instance.lane) return false;
  if (is_metric) return true;
  if (batch.is_alerting != (instance.alert != 0)) return false;
  const std::byte* at = batch.bytes.data();
  for (const model::Item& item : batch.items) {
    at += item.json_bytes;
    if (item.facts_bytes == 0) continue;  // nothing, or to be made from what the instance is now
    const auto facts = model::decode_facts({at, item.facts_bytes});
    return facts.ok() && facts->severity == instance.alert && facts->bk_biz_id == instance.bk_biz_id;
  }
  return true;
}

/// The facts of the item that begins `at`: as they came along, or made from it as a recount would.
Result<model::EventFacts> facts_of(const port::Crypto& crypto, const model::EventBatch& batch,
                                   const model::Instance& instance, const model::Item& item, const std::byte* at,
                                   std::string& scratch) {
  if (item.facts_bytes != 0) return model::decode_facts({at + item.json_bytes, item.facts_bytes});
  return ingest::facts_of(crypto, batch.kind, instance, as_text({at, item.json_bytes}), scratch);
}

/// Whether the request came with a key; its first item then carries the key's hash.
bool has_key(const model::EventBatch& batch) noexcept {
  return ingest::has_request_keys(batch.kind) && !batch.items.empty() && batch.items.front().id_hash != 0;
}

/// What a source has read; damaged: nobody knows.
Result<std::int64_t> read_position(port::ReadTxn& txn, Bytes key, std::uint64_t& damaged) {
  const auto stored = txn.get(key);
  if (!stored.ok()) return stored.error();
  if (!*stored) return model::kNoOffset;
  const auto position = model::open_sealed(key, **stored, model::decode_source_position);
  if (position.ok()) return position->next_offset;
  ++damaged;
  return model::kNoOffset;
}

}  // namespace

bool Core::Turn::is_repeat(std::uint64_t id_hash) const noexcept {
  return state_.ids.holds(id_hash) || std::find(ids_.begin(), ids_.end(), id_hash) != ids_.end();
}

std::uint64_t Core::Turn::held_of_key(const model::EventBatch& batch) const noexcept {
  const std::uint64_t bucket = ingest::bucket_of_key(batch.request_id);
  const std::uint64_t id_hash = batch.items.front().id_hash;
  for (const RequestMark& key : keys_) {
    if (key.bucket == bucket && ((key.id_hash ^ id_hash) & ingest::kKeyPart) == 0) return key.id_hash;
  }
  return state_.ids.find(bucket, id_hash, ingest::kKeyPart);
}

bool Core::Turn::is_admitted(Input& input, const model::EventBatch& batch) {
  // The instance may have gone since io looked at the snapshot.
  const model::Instance* instance = registry_->instance(batch.data_id);
  if (instance == nullptr || !instance->enabled) {
    refuse(input, Errc::not_found, "the instance was removed or disabled meanwhile");
    return false;
  }
  if (batch.registry_generation != registry_->generation() && !matches(*instance, batch)) {
    refuse(input, Errc::unavailable, "the instance was changed meanwhile");
    return false;
  }
  const bool carries_ids =
      std::any_of(batch.items.begin(), batch.items.end(), [](const auto& item) { return item.id_hash != 0; });
  if (carries_ids && !state_.id_rebuild.is_done) {
    refuse(input, Errc::unavailable, "the window of event ids is being rebuilt");
    return false;
  }
  if (!has_key(batch)) return true;
  const std::uint64_t held = held_of_key(batch);
  if (held == 0) return true;
  if (held != batch.items.front().id_hash) {
    refuse(input, Errc::conflict, "Idempotency-Key came before with another body");
    return false;
  }
  repeated_ += batch.items.size();
  answer(input);  // its items are on flash, or will be with this turn
  return false;
}

Result<bool> Core::Turn::put_marks(const Push& push) {
  for (const SourceMark& mark : push.marks) {
    const model::Key key = model::source_position_key(ports_.crypto, push.source, mark.topic, mark.partition);
    const auto there = read_position(*txn_, key, damaged_);
    if (!there.ok()) return there.error().in("position of a source");
    if (*there != mark.from_offset) return false;
  }
  for (const SourceMark& mark : push.marks) {
    const model::Key key = model::source_position_key(ports_.crypto, push.source, mark.topic, mark.partition);
    const model::SourcePosition position{push.source, mark.topic, mark.partition, mark.next_offset};
    if (auto done = model::put_sealed(*txn_, key, position); !done.ok()) return done.error().in("position of a source");
  }
  return true;
}

Status Core::Turn::apply_push(Input& input, Push& push) {
  const model::EventBatch& batch = push.batch;
  const bool has_items = !batch.items.empty();
  if (has_items && !is_admitted(input, batch)) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  const auto marked = put_marks(push);
  if (!marked.ok()) return marked.error();
  if (!*marked) {
    refuse(input, Errc::conflict, "the source was read up to another place meanwhile");
    return {};
  }
  std::vector<Outcome> outcomes;
  const std::uint64_t accepted_before = accepted_;
  if (has_items) {
    if (has_key(batch)) keys_.push_back({ingest::bucket_of_key(batch.request_id), batch.items.front().id_hash});
    if (auto done = append_items(push, *registry_->instance(batch.data_id), outcomes); !done.ok()) return done;
  }
  if (input.reply.ticket == 0) return {};
  answer(input, push.wants_outcomes ? outcomes_json(push, outcomes) : std::string{});
  Answer& given = answers_.back();
  given.data_id = batch.data_id;
  given.events = static_cast<std::uint32_t>(accepted_ - accepted_before);
  given.received = batch.received.mono;
  return {};
}

Status Core::Turn::append_items(const Push& push, const model::Instance& instance, std::vector<Outcome>& outcomes) {
  const model::EventBatch& batch = push.batch;
  std::string scratch;
  if (push.wants_outcomes) outcomes.reserve(batch.items.size());
  const std::byte* at = batch.bytes.data();
  for (const model::Item& item : batch.items) {
    const std::string_view json = as_text({at, item.json_bytes});
    const std::byte* const item_at = at;
    at += item.json_bytes + item.facts_bytes;
    Outcome outcome{alert::Outcome::stored, 0, 0};
    const bool has_own_id = item.id_hash != 0 && !ingest::has_request_keys(batch.kind);
    if (has_own_id && is_repeat(item.id_hash)) {
      ++repeated_;
      outcome.what = alert::Outcome::repeat;
    } else {
      const std::uint64_t seq = next_seq_++;
      if (has_own_id) ids_.push_back(item.id_hash);
      ++accepted_;
      if (auto done = append(batch.lane,
                             {seq, batch.data_id, batch.kind, batch.received, &batch.request_id, item.id_hash, json});
          !done.ok()) {
        return done;
      }
      if (batch.is_alerting) {
        auto facts = facts_of(ports_.crypto, batch, instance, item, item_at, scratch);
        if (!facts.ok()) return facts.error().in("facts of an item");
        const alert::Arrival arrival{seq, batch.received.wall, batch.data_id, instance.plugin_id,
                                     batch.kind == model::RecordKind::standard_event};
        auto touched = touch_alert(*facts, arrival, batch.request_id);
        if (!touched.ok()) return touched.error();
        outcome = *touched;
      }
    }
    if (push.wants_outcomes) outcomes.push_back(outcome);
  }
  return {};
}

Status Core::Turn::append(model::Lane lane, const log::Appender::Entry& entry) {
  wrote_untrusted_ = wrote_untrusted_ || !entry.received.wall.trusted;
  lane_last_[static_cast<std::size_t>(lane)] = entry.seq;
  return appender_->add(lane, entry);
}

std::string Core::Turn::outcomes_json(const Push& push, const std::vector<Outcome>& outcomes) const {
  const model::Instance& instance = *registry_->instance(push.batch.data_id);  // apply_push() has looked
  std::string out;
  std::string scratch;
  json::Writer w(out);
  w.object().name("items").array();
  const std::byte* at = push.batch.bytes.data();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const model::Item& item = push.batch.items[i];
    const auto facts = facts_of(ports_.crypto, push.batch, instance, item, at, scratch);
    at += item.json_bytes + item.facts_bytes;
    w.object().member("event_id", facts.ok() ? facts->event_id : std::string_view{});
    w.member("outcome", alert::to_text(outcomes[i].what)).name("alert_id");
    if (outcomes[i].alert_number != 0) {
      model::Alert key;
      key.number = outcomes[i].alert_number;
      key.create_ms = outcomes[i].alert_create_ms;
      w.text(model::alert_id(key));
    } else {
      w.null();
    }
    w.end_object();
  }
  w.end_array().end_object();
  return out;
}

std::size_t item_bytes(const Input& input) noexcept {
  const auto* push = std::get_if<Push>(&input.what);
  return push != nullptr ? push->batch.bytes.size() : 0;
}

}  // namespace tocsin::core
