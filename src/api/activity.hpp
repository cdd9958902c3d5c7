// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

#include "src/base/budget.hpp"
#include "src/base/time.hpp"
#include "src/registry/registry.hpp"

namespace tocsin::api {

/// How far the log was looked through, from its end backwards, for instances that were not heard in this start.
struct LookedBack {
  std::array<std::uint64_t, 2> next{~0ULL - 1, ~0ULL - 1};  ///< where to go on in each of kEventLanes; 0: at its begin
  [[nodiscard]] bool is_done() const noexcept { return next[0] == 0 && next[1] == 0; }
};

inline constexpr std::int64_t kActivityWindowMs = 5 * 60'000;  ///< at most so long back the counts look

/// What each instance did lately: requests of it, those refused, events of it that were stored, and when the last was.
///
/// Memory: `memory` and nothing else: 40 bytes for each of kInstancesMax instances, all at once when the first one is
/// heard. What finds no room is not counted. Work: a search among the instances heard, for each call. Threads: io.
class Activity {
 public:
  struct Counts {
    std::uint32_t events = 0;
    std::uint32_t requests = 0;
    std::uint32_t rejects = 0;
  };
  enum class Heard : std::uint8_t {
    never,       ///< not in this start, as far as is known
    this_start,  ///< last_ms() is monotonic
    before,      ///< of this start; last_ms() is wall time, from the log and a clock that could be believed
    before_undated
  };
  struct Slot {
    std::int32_t data_id = 0;
    std::uint32_t total_rejects = 0;  ///< since start
    Counts now;                       ///< in the half of the window that runs
    Counts before;                    ///< in the half before it
    std::uint32_t last_s = 0;
    std::uint16_t last_part_ms = 0;
    Heard heard = Heard::never;
    [[nodiscard]] std::int64_t last_ms() const noexcept { return std::int64_t{last_s} * 1000 + last_part_ms; }
    void set_last(Heard how, std::int64_t ms) noexcept;
    [[nodiscard]] std::uint64_t requests() const noexcept { return std::uint64_t{now.requests} + before.requests; }
    [[nodiscard]] std::uint64_t rejects() const noexcept { return std::uint64_t{now.rejects} + before.rejects; }
    [[nodiscard]] std::uint64_t events() const noexcept { return std::uint64_t{now.events} + before.events; }
  };
  static_assert(sizeof(Slot) == 40);

  /// `memory` outlives it; null: nothing is counted.
  explicit Activity(Budget* memory) noexcept;

  void on_request(std::int32_t data_id) noexcept;  ///< of a sender that is known, whatever becomes of it
  void on_reject(std::int32_t data_id) noexcept;
  void on_stored(std::int32_t data_id, std::uint32_t events, Monotonic received) noexcept;
  /// The newest event of it in the log of earlier starts; what was heard in this start stays.
  void on_found(std::int32_t data_id, Wall received) noexcept;

  /// About every second: halves of the window end, instances that are no longer registered are forgotten.
  void turn(Monotonic now, const registry::Registry& registry) noexcept;
  /// Halves of the window that ended since start.
  [[nodiscard]] std::uint32_t halves() const noexcept { return halves_; }

  /// By data id.
  [[nodiscard]] std::span<const Slot> slots() const noexcept { return slots_; }
  /// nullptr: nothing was heard of it.
  [[nodiscard]] const Slot* find(std::int32_t data_id) const noexcept;
  /// How far back the counts look: up to kActivityWindowMs, of which they say the more the longer it is up.
  [[nodiscard]] std::int64_t window_ms(Monotonic now) const noexcept;

  [[nodiscard]] const LookedBack& looked_back() const noexcept { return looked_back_; }
  void set_looked_back(const LookedBack& so_far) noexcept {
    for (std::size_t i = 0; i < so_far.next.size(); ++i)
      looked_back_.next[i] = std::min(looked_back_.next[i], so_far.next[i]);
  }

 private:
  [[nodiscard]] Slot* slot_of(std::int32_t data_id) noexcept;

  Budget* memory_;
  std::pmr::vector<Slot> slots_;
  std::optional<Monotonic> half_began_;
  std::uint32_t halves_ = 0;
  std::uint64_t generation_ = 0;
  LookedBack looked_back_;
};

}  // namespace tocsin::api
