// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "src/base/result.hpp"
#include "src/model/segment.hpp"
#include "src/port/store.hpp"

namespace tocsin::log {

/// Where a lane begins and ends. All zero: the lane is empty.
struct LaneEnds {
  std::uint64_t first_seq = 0;  ///< a sequence at the lane's beginning when it was last looked for
  std::uint64_t last_seq = 0;   ///< last sequence of the newest
  auto operator<=>(const LaneEnds&) const = default;
};
using Ends = std::array<LaneEnds, model::kLanes>;

/// Reads both borders of every lane: two seeks a lane. A newest segment with a damaged header still bounds the
/// counter: its own first sequence plus the largest delta a segment can have is taken.
[[nodiscard]] Result<Ends> find_ends(port::ReadTxn& txn);

/// False: a lane begins or ends in something that is no segment of it.
[[nodiscard]] Result<bool> has_sound_ends(port::ReadTxn& txn);

/// A segment holds at most this many records, so its last sequence is at most this far from its first.
inline constexpr std::uint64_t kSequencesPerSegmentMax = 1U << 20;

/// Appends the records of one turn to their lanes and puts each finished segment. One per turn.
/// Memory: one segment buffer a lane in use, kept by the caller between turns (`Buffers`).
class Appender {
 public:
  using Buffers = std::array<std::vector<std::byte>, model::kLanes>;
  Appender(port::WriteTxn& txn, std::uint32_t boot, Buffers& buffers);

  struct Entry {
    std::uint64_t seq = 0;
    std::int32_t data_id = 0;
    model::RecordKind kind{};
    Now received;
    const Id128* request_id = nullptr;
    std::uint64_t id_hash = 0;
    std::string_view json;
  };
  /// Precondition: sequences rise from call to call.
  [[nodiscard]] Status add(model::Lane lane, const Entry& entry);
  /// Puts what is open. Call once, last.
  [[nodiscard]] Status finish();
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }  ///< values put so far

 private:
  [[nodiscard]] Status put(model::Lane lane);
  port::WriteTxn& txn_;
  std::array<model::SegmentBuilder, model::kLanes> builders_;
  std::uint64_t bytes_ = 0;
};

/// Walks records of one lane upward from `from`, at most `segments_max` segments a call, and hands each intact record
/// to `visit` with its segment's header; `visit` returns false to stop.
/// Answers where to go on: the sequence after the last one looked at; nullopt: the lane's end was reached.
struct WalkResult {
  std::optional<std::uint64_t> next_seq;
  std::uint32_t damaged = 0;  ///< records skipped; a segment with a broken header counts as one
};
using Visit = std::function<bool(const model::SegmentHeader&, const model::Record&)>;
[[nodiscard]] Result<WalkResult> walk(port::ReadTxn& txn, model::Lane lane, std::uint64_t from, int segments_max,
                                      const Visit& visit);

/// The segment that holds `seq`, or the first one after it. nullopt: none.
[[nodiscard]] Result<std::optional<port::Entry>> segment_at(port::ReadTxn& txn, model::Lane lane, std::uint64_t seq);

/// Facts of the oldest segment of a lane, for removal. nullopt: the lane is empty.
struct Oldest {
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::uint32_t count = 0;  ///< events in it; of a gap: those it stands for
  std::uint32_t boot = 0;
  std::int64_t newest_wall_ms = 0;
  std::int64_t newest_mono_ms = 0;
  bool wall_trusted = false;
  bool is_gap = false;
  bool damaged = false;  ///< header cannot be believed: count and last_seq are guesses
  std::size_t value_bytes = 0;
};
[[nodiscard]] Result<std::optional<Oldest>> oldest(port::ReadTxn& txn, model::Lane lane);

/// What a gap record says. As JSON: {"gap":{"first":…,"last":…,"events":…,"reason":"room"}}
struct Gap {
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::uint64_t events = 0;
};
[[nodiscard]] std::string gap_json(const Gap& gap);
/// nullopt: not a gap record's text.
[[nodiscard]] std::optional<Gap> parse_gap(std::string_view json);

/// Removes the oldest segment of the lane.
[[nodiscard]] Status drop_oldest(port::WriteTxn& txn, model::Lane lane, const Oldest& what);
/// Replaces the oldest segment by a gap record under its last sequence, merged with a gap record right before it
/// when that one is newer than `merge_after_seq` (a gap that an upstream already has is left alone).
[[nodiscard]] Result<Gap> replace_by_gap(port::WriteTxn& txn, model::Lane lane, const Oldest& what,
                                         std::uint64_t merge_after_seq, std::uint32_t boot, Now now);

}  // namespace tocsin::log
