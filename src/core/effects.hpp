// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/alert/document.hpp"
#include "src/core/input.hpp"
#include "src/log/log.hpp"
#include "src/model/identity.hpp"
#include "src/registry/registry.hpp"

namespace tocsin::core {

inline constexpr std::size_t kUpstreamsMax = 8;

/// The outcome of one input, let out only after its turn is on flash (or was refused).
struct Answer {
  ReplyTo reply;
  std::optional<Errc> refused;  ///< empty: done and durable
  std::string data;             ///< done: JSON for `data` (may be empty); refused: words for people
  std::int32_t data_id = 0;     ///< of a push
  std::uint32_t events = 0;     ///< of a push that is done: how many are on flash that were not there before
  Monotonic received{};         ///< and when it came
};

inline constexpr std::size_t kBootClocksMax = 64;  ///< boots whose records can still be re-dated

/// Wall offset of boots whose clock became known, for re-dating: wall_ms = offset + mono_ms.
struct BootClocks {
  std::uint32_t boot = 0;                                       ///< this boot
  std::vector<std::pair<std::uint32_t, std::int64_t>> offsets;  ///< newest last, at most 64
  std::vector<model::BootClock::Before>
      before;  ///< of those whose clock was wrong while alerts were opened; at most 64
  /// Received time of a record, re-dated when its boot's clock became known later. `trusted` tells which.
  [[nodiscard]] Wall date(std::uint32_t boot_of_record, bool trusted, std::int64_t wall_ms,
                          std::int64_t mono_ms) const noexcept;
  /// How the times of this alert are shown.
  [[nodiscard]] alert::Redate dates_of(const model::Alert& alert) const noexcept;
  /// Adds what is known of a boot, in the place of what was known of it; the oldest gives way.
  void add(std::uint32_t known_boot, const model::BootClock& clock);
};

/// What an open alert counts beyond its stored record: folds wait up to 30 s before they are written.
struct FoldNews {
  std::uint64_t number = 0;
  std::uint64_t event_count = 0;
  std::int64_t latest_ms = 0;
  std::int64_t update_ms = 0;
};
inline constexpr std::size_t kFoldNewsMax = 256;  ///< the newest; others show their stored count until it is written

/// Highest confirmed sequence on flash, per upstream and lane.
using CursorLost = std::array<bool, kUpstreamsMax>;
using Cursors = std::array<std::array<std::uint64_t, model::kLanes>, kUpstreamsMax>;

/// Data ids whose alert about their rejects is open, sorted.
using RejectAlarms = std::vector<std::int32_t>;

/// What other threads may know of the state after a turn. Copied, never shared.
struct View {
  std::uint64_t turn = 0;
  std::uint64_t generation = 0;  ///< of everything: changes with a reload
  log::Ends ends{};
  Cursors durable{};
  CursorLost
      cursor_lost{};  ///< of this start: nobody knows what this upstream has, so all that existed may be a repeat
  registry::Registry::Pointer registry;
  std::shared_ptr<const BootClocks> clocks;
  std::shared_ptr<const std::vector<FoldNews>> folds = std::make_shared<const std::vector<FoldNews>>();  ///< never null
  std::shared_ptr<const RejectAlarms> reject_alarms = std::make_shared<const RejectAlarms>();            ///< never null
};

/// Numbers for status and metrics.
struct Gauges {
  std::uint64_t next_seq = 1;
  std::uint64_t events_accepted = 0;  ///< since start
  std::uint64_t events_repeated = 0;
  std::uint64_t events_evicted = 0;  ///< since the store was made
  std::uint64_t alerts_open = 0;
  std::uint64_t alerts_opened = 0;  ///< since start
  std::uint64_t turns = 0;
  std::uint64_t turns_failed = 0;
  std::uint64_t reloads = 0;
  std::uint64_t commit_ns_last = 0;
  std::uint64_t commit_ns_max = 0;
  std::uint64_t store_used_bytes = 0;
  std::uint64_t store_quota_bytes = 0;
  std::uint64_t store_written_bytes = 0;
  std::uint64_t audit_rows = 0;
  std::uint64_t damaged_records = 0;  ///< found on read since start, in any table
  std::uint32_t boot = 0;
  bool ids_ready = false;  ///< the id window was rebuilt
  bool clock_trusted = false;
  bool store_ok = true;
};

/// What a turn lets out. The caller clears it between turns and keeps its capacity.
struct Effects {
  std::vector<Answer> answers;
  std::optional<std::int64_t> set_clock_ms;  ///< the operator's word: set the wall clock to this
  bool trust_clock = false;                  ///< the operator vouches for the wall clock of this boot
  bool changed = false;                      ///< something was committed: publish a new view
  void clear() noexcept {
    answers.clear();
    set_clock_ms.reset();
    trust_clock = false;
    changed = false;
  }
};

}  // namespace tocsin::core
