// SPDX-License-Identifier: Apache-2.0
#include "src/log/log.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace tocsin::log {
namespace {

using model::Lane;
using model::SegmentReader;

bool is_in_lane(const std::optional<port::Entry>& entry, Lane lane) noexcept {
  return entry && entry->key.size() == 10 && model::is_in(entry->key, model::Table::lane) &&
         entry->key[1] == static_cast<std::byte>(lane);
}

Result<std::optional<port::Entry>> first_of(port::ReadTxn& txn, Lane lane, std::uint64_t from) {
  auto entry = txn.at_or_after(model::segment_key(lane, from));
  if (!entry.ok()) return entry.error().in("log: seek");
  return is_in_lane(*entry, lane) ? entry : std::optional<port::Entry>{};
}

Result<std::optional<port::Entry>> last_before(port::ReadTxn& txn, Lane lane, std::uint64_t seq) {
  auto entry = txn.before(model::segment_key(lane, seq));
  if (!entry.ok()) return entry.error().in("log: seek back");
  return is_in_lane(*entry, lane) ? entry : std::optional<port::Entry>{};
}

bool is_sound(const std::optional<port::Entry>& entry) noexcept {
  const auto segment = SegmentReader::open(entry->key, entry->value);
  return segment.ok() || segment.error().code == Errc::unsupported;
}

std::uint64_t first_seq_of(const port::Entry& entry) noexcept { return load_be64(entry.key.data() + 2); }

}  // namespace

Result<Ends> find_ends(port::ReadTxn& txn) {
  Ends ends{};
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = static_cast<Lane>(i);
    auto first = first_of(txn, lane, 0);
    if (!first.ok()) return first.error();
    if (!*first) continue;
    ends[i].first_seq = first_seq_of(**first);
    auto last = last_before(txn, lane, ~0ULL);
    if (!last.ok()) return last.error();
    if (!*last) last = first;
    auto segment = SegmentReader::open((*last)->key, (*last)->value);
    ends[i].last_seq = segment.ok() ? segment->last_seq() : first_seq_of(**last) + kSequencesPerSegmentMax;
  }
  return ends;
}

Result<bool> has_sound_ends(port::ReadTxn& txn) {
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = static_cast<Lane>(i);
    auto first = txn.at_or_after(model::segment_key(lane, 0));
    if (!first.ok()) return first.error();
    if (!is_in_lane(*first, lane)) continue;
    if (!is_sound(*first)) return false;
    auto last = txn.before(model::segment_key(lane, ~0ULL));
    if (!last.ok()) return last.error();
    if (!is_in_lane(*last, lane) || !is_sound(*last)) return false;
  }
  return true;
}

Appender::Appender(port::WriteTxn& txn, std::uint32_t boot, Buffers& buffers)
    : txn_(txn),
      builders_{model::SegmentBuilder{Lane::alert, boot, buffers[0]},
                model::SegmentBuilder{Lane::critical, boot, buffers[1]},
                model::SegmentBuilder{Lane::normal, boot, buffers[2]}} {}

Status Appender::add(Lane lane, const Entry& entry) {
  auto& builder = builders_[static_cast<std::size_t>(lane)];
  if (!builder.fits(entry.json.size()) || !builder.shares_clocks(entry.received)) {
    if (auto done = put(lane); !done.ok()) return done;
  }
  builder.add(entry.seq, entry.data_id, entry.kind, entry.received, *entry.request_id, entry.id_hash, entry.json);
  return {};
}

Status Appender::put(Lane lane) {
  auto& builder = builders_[static_cast<std::size_t>(lane)];
  const std::uint64_t first = builder.first_seq();
  const Bytes value = builder.finish();
  bytes_ += value.size();
  if (auto done = txn_.put(model::segment_key(lane, first), value); !done.ok())
    return done.error().in("log: put segment");
  return {};
}

Status Appender::finish() {
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    if (builders_[i].empty()) continue;
    if (auto done = put(static_cast<Lane>(i)); !done.ok()) return done;
  }
  return {};
}

Result<std::optional<port::Entry>> segment_at(port::ReadTxn& txn, Lane lane, std::uint64_t seq) {
  // The segment that holds `seq` begins at or before it, unless there is a hole there.
  if (seq < ~0ULL) {
    auto entry = last_before(txn, lane, seq + 1);
    if (!entry.ok()) return entry.error();
    if (*entry) {
      auto segment = SegmentReader::open((*entry)->key, (*entry)->value);
      const bool holds = segment.ok() ? segment->last_seq() >= seq : first_seq_of(**entry) == seq;
      if (holds) return entry;
    }
  }
  return first_of(txn, lane, seq);
}

Result<WalkResult> walk(port::ReadTxn& txn, Lane lane, std::uint64_t from, int segments_max, const Visit& visit) {
  WalkResult out;
  std::uint64_t at = from;
  for (int n = 0; n < segments_max; ++n) {
    auto entry = segment_at(txn, lane, at);
    if (!entry.ok()) return entry.error();
    if (!*entry) return out;
    auto segment = SegmentReader::open((*entry)->key, (*entry)->value);
    if (!segment.ok()) {
      if (segment.error().code == Errc::unsupported) return segment.error();
      ++out.damaged;
      at = std::max(at, first_seq_of(**entry)) + 1;
      continue;
    }
    while (auto record = segment->next(at)) {
      if (!visit(segment->header(), *record)) {
        out.damaged += segment->damaged();
        out.next_seq = record->seq + 1;
        return out;
      }
    }
    out.damaged += segment->damaged();
    at = segment->last_seq() + 1;
  }
  out.next_seq = at;
  return out;
}

Result<std::optional<Oldest>> oldest(port::ReadTxn& txn, Lane lane) {
  auto entry = first_of(txn, lane, 0);
  if (!entry.ok()) return entry.error();
  if (!*entry) return std::optional<Oldest>{};
  Oldest out;
  out.first_seq = first_seq_of(**entry);
  out.value_bytes = (*entry)->value.size();
  auto segment = SegmentReader::open((*entry)->key, (*entry)->value);
  if (segment.ok()) {
    const auto& h = segment->header();
    out.last_seq = segment->last_seq();
    out.count = h.count;
    out.boot = h.boot;
    out.newest_wall_ms = h.wall_ms + h.time_span_ms;
    out.newest_mono_ms = h.mono_ms + h.time_span_ms;
    out.wall_trusted = (h.flags & model::kSegmentTrusted) != 0;
    if (h.count == 1) {
      const auto record = segment->next();
      out.is_gap = record && record->kind == model::RecordKind::gap;
      const auto gap = out.is_gap ? parse_gap(record->json) : std::nullopt;
      if (gap) out.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(gap->events, 0xFFFF'FFFFU));
    }
    return std::optional<Oldest>{out};
  }
  out.damaged = true;
  auto next = first_of(txn, lane, out.first_seq + 1);
  if (!next.ok()) return next.error();
  out.last_seq = *next ? first_seq_of(**next) - 1 : out.first_seq;
  out.count = 1;
  return std::optional<Oldest>{out};
}

std::string gap_json(const Gap& gap) {
  return R"({"gap":{"first":)" + std::to_string(gap.first_seq) + R"(,"last":)" + std::to_string(gap.last_seq) +
         R"(,"events":)" + std::to_string(gap.events) + R"(,"reason":"room"}})";
}

std::optional<Gap> parse_gap(std::string_view json) {
  const auto number = [&json](std::string_view name, std::uint64_t& out) {
    const std::size_t at = json.find(name);
    if (at == std::string_view::npos) return false;
    const char* from = json.data() + at + name.size();
    return std::from_chars(from, json.data() + json.size(), out).ec == std::errc{};
  };
  Gap gap;
  if (!json.starts_with(R"({"gap":)") || !number(R"("first":)", gap.first_seq) || !number(R"("last":)", gap.last_seq) ||
      !number(R"("events":)", gap.events)) {
    return std::nullopt;
  }
  return gap;
}

Status drop_oldest(port::WriteTxn& txn, Lane lane, const Oldest& what) {
  return txn.erase(model::segment_key(lane, what.first_seq));
}

Result<Gap> replace_by_gap(port::WriteTxn& txn, Lane lane, const Oldest& what, std::uint64_t merge_after_seq,
                           std::uint32_t boot, Now now) {
  Gap gap{what.first_seq, what.last_seq, what.count};
  std::uint64_t first = what.first_seq;
  if (what.is_gap) {
    // The oldest is an undelivered gap: it grows over the segment behind it instead of making a second one.
    auto entry = first_of(txn, lane, what.first_seq + 1);
    if (!entry.ok()) return entry.error();
    auto own = segment_at(txn, lane, what.first_seq);
    if (!own.ok()) return own.error();
    auto reader = SegmentReader::open((*own)->key, (*own)->value);
    const auto record = reader.ok() ? reader->next() : std::nullopt;
    const auto old = record ? parse_gap(record->json) : std::nullopt;
    if (!old || what.last_seq <= merge_after_seq) return error(Errc::invalid_input, "log: that gap cannot grow");
    entry = first_of(txn, lane, what.first_seq + 1);
    if (!entry.ok()) return entry.error();
    if (!*entry) return error(Errc::not_found, "log: nothing behind the gap");
    auto next = SegmentReader::open((*entry)->key, (*entry)->value);
    const std::uint64_t next_first = first_seq_of(**entry);
    gap = *old;
    gap.last_seq = next.ok() ? next->last_seq() : next_first;
    gap.events += next.ok() ? next->header().count : 1;
    if (auto done = txn.erase(model::segment_key(lane, next_first)); !done.ok()) return done.error();
  }
  if (auto done = txn.erase(model::segment_key(lane, first)); !done.ok()) return done.error();
  std::vector<std::byte> buffer;
  model::SegmentBuilder builder{lane, boot, buffer};
  const std::string json = gap_json(gap);
  builder.add(gap.last_seq, 0, model::RecordKind::gap, now, Id128{}, 0, json);
  const Bytes value = builder.finish();
  if (auto done = txn.put(model::segment_key(lane, gap.last_seq), value); !done.ok()) return done.error();
  return gap;
}

}  // namespace tocsin::log
