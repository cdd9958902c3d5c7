// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/core/note.hpp"
#include "src/core/state.hpp"
#include "src/model/seal.hpp"
#include "src/model/segment.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

/// Numbers are taken from the ends of the table: an end that is not what its key says must not give them.
bool is_sound(const port::Entry& entry) { return model::unseal(entry.key, entry.value).ok(); }

/// The highest boot number that anything else tells of.
Result<std::uint32_t> find_boot(port::ReadTxn& txn) {
  std::uint32_t boot = 0;
  auto clock = txn.before(Key(Table::boot).u32(~0U));
  if (!clock.ok()) return clock.error();
  if (*clock && model::is_in((*clock)->key, Table::boot) && is_sound(**clock))
    boot = load_be32((*clock)->key.data() + 1);
  auto row = txn.before(Key(Table::audit_row).u64(~0ULL));
  if (!row.ok()) return row.error();
  if (*row && model::is_in((*row)->key, Table::audit_row)) {
    const auto opened = model::open_sealed((*row)->key, (*row)->value, model::decode_audit_row);
    if (opened.ok()) boot = std::max(boot, opened->boot);
  }
  for (std::size_t lane = 0; lane < model::kLanes; ++lane) {
    auto newest = txn.before(model::segment_key(static_cast<model::Lane>(lane), ~0ULL));
    if (!newest.ok()) return newest.error();
    if (!*newest || !model::is_in((*newest)->key, Table::lane)) continue;
    const auto segment = model::SegmentReader::open((*newest)->key, (*newest)->value);
    if (segment.ok()) boot = std::max(boot, segment->header().boot);
  }
  return boot;
}

Status load_counters(port::ReadTxn& txn, Core::State& state) {
  const Key key(Table::state);
  auto value = txn.get(key);
  if (!value.ok()) return value.error();
  bool is_known = false;
  if (*value) {
    auto record = model::open_sealed(key, **value, model::decode_state);
    is_known = record.ok();
    if (is_known) {
      state.record = *record;
    } else {
      // All but the number of evicted events is found again; folds are recounted from the beginning.
      ++state.gauges.damaged_records;
      state.record = {};
      state.record.folds_from_seq = 1;
    }
  }
  if (!is_known) {
    auto boot = find_boot(txn);
    if (!boot.ok()) return boot.error();
    state.record.boot = *boot;
  }
  auto ends = log::find_ends(txn);
  if (!ends.ok()) return ends.error();
  state.ends = *ends;
  state.next_seq = state.record.next_seq;
  for (const auto& lane : state.ends) state.next_seq = std::max(state.next_seq, lane.last_seq + 1);
  return {};
}

Result<std::uint64_t> count_alerts(port::ReadTxn& txn) {
  std::uint64_t count = 0;
  for (std::uint64_t number = 0;; ++count) {
    auto entry = txn.at_or_after(Key(Table::alert).u64(number));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::alert)) return count;
    number = load_be64((*entry)->key.data() + 1) + 1;
    if (number == 0) return count + 1;
  }
}

Status load_alerts(port::ReadTxn& txn, Core::State& state) {
  state.next_alert = std::max<std::uint64_t>(state.record.next_alert, 1);
  state.oldest_alert = 0;
  state.alerts_stored = 0;
  auto first = txn.at_or_after(Key(Table::alert));
  if (!first.ok()) return first.error();
  if (*first && model::is_in((*first)->key, Table::alert)) {
    state.oldest_alert = load_be64((*first)->key.data() + 1);
    auto last = txn.before(Key(Table::alert).u64(~0ULL));
    if (!last.ok()) return last.error();
    state.is_doubtful = state.is_doubtful || !is_sound(**first) || !is_sound(**last);
    const std::uint64_t newest = load_be64((*last)->key.data() + 1);
    state.next_alert = std::max(state.next_alert, newest + 1);
    state.alerts_stored = state.record.alerts_stored;
    if (state.alerts_stored == model::StateRecord::kNotCounted || state.is_put_in_order) {
      auto count = count_alerts(txn);
      if (!count.ok()) return count.error();
      state.alerts_stored = *count;
    }
  }
  state.alerts_open = 0;
  Key at(Table::open_alert);
  std::array<std::byte, 18> next{};
  Bytes from = at;
  for (;;) {
    auto entry = txn.at_or_after(from);
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::open_alert) || (*entry)->key.size() != 17) return {};
    ++state.alerts_open;
    std::copy((*entry)->key.begin(), (*entry)->key.end(), next.begin());
    next[17] = std::byte{0};
    from = next;
  }
}

Status load_clocks(port::ReadTxn& txn, Core::State& state) {
  auto clocks = std::make_shared<BootClocks>();
  clocks->boot = state.boot;
  std::array<std::byte, 6> next{};
  Key start(Table::boot);
  Bytes from = start;
  for (;;) {
    auto entry = txn.at_or_after(from);
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::boot) || (*entry)->key.size() != 5) break;
    const auto clock = model::open_sealed((*entry)->key, (*entry)->value, model::decode_boot_clock);
    if (clock.ok()) {
      clocks->add(load_be32((*entry)->key.data() + 1), *clock);
    } else {
      ++state.gauges.damaged_records;
    }
    std::copy((*entry)->key.begin(), (*entry)->key.end(), next.begin());
    next[5] = std::byte{0};
    from = next;
  }
  state.clocks = std::move(clocks);
  return {};
}

/// The walk goes from instance to instance: what was refused is not read.
Status load_reject_alarms(port::ReadTxn& txn, Core::State& state) {
  auto alarms = std::make_shared<RejectAlarms>();
  for (std::uint32_t next = 0;;) {
    auto entry = txn.at_or_after(Key(Table::reject).u32(next));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::reject) || (*entry)->key.size() < 5) break;
    const std::uint32_t data_id = load_be32((*entry)->key.data() + 1);
    if ((*entry)->key.size() == 5 && is_sound(**entry)) alarms->push_back(static_cast<std::int32_t>(data_id));
    if (data_id == ~0U) break;
    next = data_id + 1;
  }
  state.reject_alarms = std::move(alarms);
  return {};
}

/// Of the newest block that can be read; 1 without one. Blocks: one for 256 rows or a day.
Result<std::uint32_t> newest_epoch(port::ReadTxn& txn) {
  for (Key at = Key(Table::audit_block).u64(~0ULL);;) {
    auto entry = txn.before(at);
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::audit_block)) return 1;
    const auto block = model::open_sealed((*entry)->key, (*entry)->value, model::decode_audit_block);
    if (block.ok()) return block->epoch;
    at = Key(Table::audit_block).u64(load_be64((*entry)->key.data() + 1));
  }
}

/// The chain's head: the newest intact block, then every row behind it (about a block's worth).
Status load_audit(port::ReadTxn& txn, const port::Crypto& crypto, Core::State& state) {
  state.audit = audit::begin();
  state.is_audit_broken = false;
  auto last_block = txn.before(Key(Table::audit_block).u64(~0ULL));
  if (!last_block.ok()) return last_block.error();
  if (*last_block && model::is_in((*last_block)->key, Table::audit_block)) {
    const auto block = model::open_sealed((*last_block)->key, (*last_block)->value, model::decode_audit_block);
    if (block.ok()) {
      state.audit = audit::head_after(*block);
    } else {
      const auto epoch = newest_epoch(txn);
      if (!epoch.ok()) return epoch.error();
      state.audit.epoch = *epoch;
      state.audit.next_block = load_be64((*last_block)->key.data() + 1) + 1;
      state.is_audit_broken = true;
      state.is_doubtful = true;
    }
  }
  std::uint64_t index = state.audit.next_row;
  for (;;) {
    auto entry = txn.at_or_after(Key(Table::audit_row).u64(index));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::audit_row)) break;
    const std::uint64_t number = load_be64((*entry)->key.data() + 1);
    const bool follows = number == index;
    if (number == ~0ULL) {
      state.is_audit_broken = state.is_doubtful = true;
      break;
    }
    index = number + 1;
    const auto row = model::open_sealed((*entry)->key, (*entry)->value, model::decode_audit_row);
    const bool continues = !state.is_audit_broken && row.ok() && audit::resume(state.audit, *row, crypto).ok();
    if (!continues) state.is_audit_broken = true;
    state.is_doubtful = state.is_doubtful || (!follows && !row.ok());
  }
  if (state.is_audit_broken) {
    ++state.gauges.damaged_records;
    state.audit.next_row = index;  // a row is never written over, also when the chain before it is broken
  }
  return {};
}

}  // namespace

Wall BootClocks::date(std::uint32_t boot_of_record, bool trusted, std::int64_t wall_ms,
                      std::int64_t mono_ms) const noexcept {
  if (trusted) return {wall_ms, true};
  for (const auto& [known_boot, offset] : offsets) {
    if (known_boot == boot_of_record) return {offset + mono_ms, true};
  }
  return {wall_ms, false};
}

alert::Redate BootClocks::dates_of(const model::Alert& alert) const noexcept {
  if (alert.create_time_trusted) return {};
  for (const auto& one : before) {
    if (alert.number >= one.first_alert && alert.number < one.end_alert) {
      return {one.from_ms, one.end_ms, one.shift_ms};
    }
  }
  return {};
}

void BootClocks::add(std::uint32_t known_boot, const model::BootClock& clock) {
  std::erase_if(offsets, [&](const auto& one) { return one.first == known_boot; });
  std::erase_if(before, [&](const auto& one) { return one.first_alert == clock.before.first_alert; });
  if (offsets.size() >= kBootClocksMax) offsets.erase(offsets.begin());
  offsets.emplace_back(known_boot, clock.wall_offset_ms);
  if (clock.before.first_alert == clock.before.end_alert) return;
  if (before.size() >= kBootClocksMax) before.erase(before.begin());
  before.push_back(clock.before);
}

Status load_state(port::ReadTxn& txn, const Ports& ports, const Settings& settings, Core::State& state) {
  if (auto done = load_counters(txn, state); !done.ok()) return done.error().in("loading counters");
  std::uint32_t damaged = 0;
  auto registry = registry::Registry::load(txn, state.registry->generation() + 1, damaged);
  if (!registry.ok()) return registry.error();
  state.registry = *registry;
  state.gauges.damaged_records += damaged;
  const auto sound_ends = log::has_sound_ends(txn);
  if (!sound_ends.ok()) return sound_ends.error();
  state.is_doubtful = !*sound_ends;
  if (auto done = load_alerts(txn, state); !done.ok()) return done.error().in("loading alerts");
  if (auto done = load_clocks(txn, state); !done.ok()) return done.error().in("loading clocks");
  if (auto done = load_reject_alarms(txn, state); !done.ok()) return done.error().in("loading the reject box");
  if (auto done = load_audit(txn, ports.crypto, state); !done.ok()) return done.error().in("loading the audit head");
  const auto intact = has_intact_cursors(txn);
  if (!intact.ok()) return intact.error();
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    auto cursor = read_cursor(txn, settings.upstreams[i].name);
    if (!cursor.ok()) return cursor.error();
    state.durable[i] = cursor->value_or(LaneCursors{});
    state.cursor_lost[i] = !*cursor && !*intact;
    if (state.cursor_lost[i]) ++state.gauges.damaged_records;
  }
  std::array<std::byte, port::kNoteBytesMax> note{};
  const auto note_bytes = ports.store.get_note(note);
  if (note_bytes.ok())
    merge_note(Bytes(note).first(*note_bytes), state.identity.store, settings.upstreams, state.durable);
  // What was confirmed was given once, also when the log's end is gone: it is not given again.
  for (const auto& upstream : state.durable) {
    for (const std::uint64_t seq : upstream) state.next_seq = std::max(state.next_seq, seq + 1);
  }
  // What brokers confirmed in this run is still true, whatever made the state be read again.
  bool is_behind = false;
  for (std::size_t u = 0; u < state.confirmed.size(); ++u) {
    for (std::size_t lane = 0; lane < model::kLanes; ++lane) {
      auto& seq = state.confirmed[u][lane];
      seq = std::max(std::min(seq, state.next_seq - 1), state.durable[u][lane]);
      is_behind = is_behind || seq != state.durable[u][lane];
    }
  }
  if (!is_behind) {
    state.unrecorded_since.reset();
    state.must_record = false;
  }
  state.cache.clear();
  state.ids.clear();
  state.id_rebuild = {};
  state.id_rebuild.lane = static_cast<std::size_t>(model::Lane::critical);
  state.id_rebuild.until_seq = state.next_seq;
  state.oldest = {};
  state.folds_since.reset();
  state.folds_waiting = 0;
  ++state.generation;
  state.is_loaded = true;
  return {};
}

}  // namespace tocsin::core
