// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "src/api/activity.hpp"
#include "src/api/ports.hpp"
#include "src/base/budget.hpp"
#include "src/base/time.hpp"
#include "src/core/effects.hpp"
#include "src/core/input.hpp"
#include "src/registry/registry.hpp"

namespace tocsin::api {

inline constexpr std::size_t kRefusedWaitingMax = 16;               ///< pairs of instance and reason between two writes
inline constexpr std::int64_t kRejectWriteMs = 10'000;              ///< from one write to the next, at least
inline constexpr std::int64_t kRejectWindowMs = kActivityWindowMs;  ///< at most so long back the share of rejects looks
inline constexpr std::uint64_t kRejectRequestsMin = 20;             ///< in the window, before the share says anything
inline constexpr std::size_t kRejectAlarmsPerWriteMax = 16;

/// What was refused of senders that had shown who they are, until a turn writes it. A refusal of a sender that is not
/// known is none of these.
///
/// How many they were of an instance's requests is Activity's to know.
///
/// Memory: `memory` and nothing else, for what waits, also on its way to the writer. What finds no room there is
/// counted, not kept. Threads: io; what take_due() gives may be freed on any.
class RejectBox {
 public:
  /// `memory` outlives the box and what it gave, `activity` the box; null: nothing is kept or counted. alert_percent 0:
  /// no alert.
  RejectBox(Budget* memory, Activity& activity, std::uint32_t alert_percent) noexcept;

  struct Refusal {
    std::int32_t data_id = 0;
    model::RejectWay way = model::RejectWay::push;
    std::uint16_t http_status = 0;
    std::string_view code;
    std::string_view message;
    std::string_view body = {};   ///< as it came, inflated
    std::string_view token = {};  ///< that the sender showed, in its head or in the body
    bool is_json = true;          ///< the body
  };
  /// A request of a sender that is known, whatever becomes of it.
  void count(std::int32_t data_id) noexcept { activity_.on_request(data_id); }
  /// One of them was refused.
  void take(const Refusal& refusal, Wall now) noexcept;

  /// About every second: what should be written now. `open`: whose alert is open as far as the core knows.
  [[nodiscard]] std::optional<core::TakeRejects> take_due(Monotonic now, const registry::Registry& registry,
                                                          const core::RejectAlarms& open, bool is_last);
  /// The writer had no room for it: it waits on.
  void give_back(core::TakeRejects&& what) noexcept;

  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }        ///< since start
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }  ///< not kept, for want of room

 private:
  using Slot = Activity::Slot;
  void add(const Refusal& refusal, Wall now);
  [[nodiscard]] std::vector<core::RejectAlarm> alarms(const registry::Registry& registry,
                                                      const core::RejectAlarms& open) const;
  [[nodiscard]] bool is_over(const Slot& slot, bool was_over) const noexcept;

  Budget* memory_;
  Activity& activity_;
  std::uint32_t alert_percent_;
  std::pmr::vector<core::Refused> waiting_;
  std::optional<Monotonic> written_;
  std::uint64_t total_ = 0;
  std::uint64_t left_out_ = 0;
};

/// Hands what is due to the writer; what that has no room for waits on. False: it had none. Throws std::bad_alloc.
bool post_rejects(RejectBox& box, Daemon& daemon, bool is_last);

}  // namespace tocsin::api
