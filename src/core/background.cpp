// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <new>

#include "src/core/state.hpp"
#include "src/ingest/request_key.hpp"

namespace tocsin::core {
namespace {

constexpr int kSegmentsPerSlice = 256;
constexpr std::uint32_t kFailuresMax = 16;

std::uint64_t ids_in(model::SegmentReader& segment) {
  std::uint64_t ids = 0;
  while (const auto record = segment.next()) ids += record->id_hash != 0 ? 1U : 0U;
  return ids;
}

/// Looks back from the lane's end for the place where the newest kEntries ids begin.
Status look_back(port::ReadTxn& txn, IdRebuild& rebuild) {
  for (int n = 0; n < kSegmentsPerSlice; ++n) {
    const auto lane = static_cast<model::Lane>(rebuild.lane);
    auto entry = txn.before(model::segment_key(lane, rebuild.at_seq));
    if (!entry.ok()) return entry.error();
    const bool in_lane = *entry && (*entry)->key.size() == 10 && model::is_in((*entry)->key, model::Table::lane) &&
                         (*entry)->key[1] == static_cast<std::byte>(lane);
    if (!in_lane || rebuild.ids_seen >= IdWindow::kEntries) {
      if (!in_lane) rebuild.at_seq = 0;
      rebuild.is_looking_back = false;
      return {};
    }
    auto segment = model::SegmentReader::open((*entry)->key, (*entry)->value);
    rebuild.at_seq = load_be64((*entry)->key.data() + 2);
    // Counted one by one: of a request with a key only the first item has an id.
    if (segment.ok() && (segment->header().flags & model::kSegmentHasIds) != 0) rebuild.ids_seen += ids_in(*segment);
  }
  return {};
}

/// Reads upward; ids go in oldest first, so that the oldest are forgotten first.
Status read_up(port::ReadTxn& txn, IdRebuild& rebuild, IdWindow& ids) {
  for (int n = 0; n < kSegmentsPerSlice; ++n) {
    auto entry = log::segment_at(txn, static_cast<model::Lane>(rebuild.lane), rebuild.at_seq);
    if (!entry.ok()) return entry.error();
    if (!*entry || load_be64((*entry)->key.data() + 2) >= rebuild.until_seq) {
      ++rebuild.lane;
      rebuild.is_looking_back = true;
      rebuild.at_seq = ~0ULL;
      rebuild.ids_seen = 0;
      rebuild.is_done = rebuild.lane >= model::kLanes;
      return {};
    }
    const std::uint64_t first = load_be64((*entry)->key.data() + 2);
    auto segment = model::SegmentReader::open((*entry)->key, (*entry)->value);
    rebuild.at_seq = std::max(rebuild.at_seq, segment.ok() ? segment->last_seq() : first) + 1;
    if (!segment.ok() || (segment->header().flags & model::kSegmentHasIds) == 0) continue;
    ids.reserve();
    while (const auto record = segment->next()) {
      if (record->id_hash == 0) continue;
      if (ingest::has_request_keys(record->kind)) {
        ids.insert(ingest::bucket_of_key(record->request_id), record->id_hash);
      } else {
        ids.insert(record->id_hash);
      }
    }
  }
  return {};
}

}  // namespace

bool Core::background(Now) noexcept {
  if (!state_->is_loaded || state_->id_rebuild.is_done) return false;
  try {
    auto txn = ports_.store.begin_read();
    if (!txn.ok()) return false;
    auto& rebuild = state_->id_rebuild;
    const Status done = rebuild.is_looking_back ? look_back(**txn, rebuild) : read_up(**txn, rebuild, state_->ids);
    // A log that cannot be walked, time after time, leaves the window as far as it came: a repeat may then be stored
    // twice, which is the lesser harm than refusing every event with an id for good.
    if (!done.ok() && ++rebuild.failures >= kFailuresMax) rebuild.is_done = true;
  } catch (const std::bad_alloc&) {
    return true;
  }
  return !state_->id_rebuild.is_done;
}

std::optional<Monotonic> Core::next_deadline() const noexcept {
  if (!state_->is_loaded) return state_->retry_at;
  std::optional<Monotonic> due;
  const auto take = [&due](Monotonic at) {
    if (!due || at < *due) due = at;
  };
  if (state_->unrecorded_since)
    take(state_->must_record ? *state_->unrecorded_since : state_->unrecorded_since->after_ms(kConfirmFlushMs));
  if (state_->old_tokens_at) take(*state_->old_tokens_at);
  if (state_->folds_since) take(state_->folds_since->after_ms(kFoldFlushMs));
  return due;
}

View Core::view() const {
  View out;
  out.turn = state_->gauges.turns;
  out.generation = state_->generation;
  out.ends = state_->ends;
  out.durable = state_->durable;
  out.cursor_lost = state_->cursor_lost;
  out.registry = state_->registry;
  out.clocks = state_->clocks;
  out.folds = state_->folds;
  out.reject_alarms = state_->reject_alarms;
  return out;
}

Gauges Core::gauges() const noexcept {
  Gauges g = state_->gauges;
  const auto use = ports_.store.use();
  g.next_seq = state_->next_seq;
  g.events_evicted = state_->record.evicted_events;
  g.alerts_open = state_->alerts_open;
  g.store_used_bytes = use.used_bytes;
  g.store_quota_bytes = use.quota_bytes;
  g.store_written_bytes = use.written_bytes;
  g.audit_rows = state_->audit.next_row - 1;
  g.boot = state_->boot;
  g.ids_ready = state_->id_rebuild.is_done;
  return g;
}

const model::Identity& Core::identity() const noexcept { return state_->identity; }

}  // namespace tocsin::core
