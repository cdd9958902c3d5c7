// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string_view>

#include "src/port/clock.hpp"

namespace tocsin::programs {

/// The box's clocks as everything in the daemon sees them: the machine's, and the operator's word on top.
/// Thread-safe.
class BoxClock {
 public:
  explicit BoxClock(port::Clock& clock) noexcept : clock_(clock) {}

  [[nodiscard]] Now now() const noexcept {
    Wall wall = clock_.wall();
    wall.unix_ms += offset_ms_.load(std::memory_order_relaxed);
    wall.trusted = wall.trusted || vouched_.load(std::memory_order_relaxed);
    return {clock_.monotonic(), wall};
  }
  /// Who says that the time may be believed: "synchronised", "operator", "battery" or "none". An operator's word stands
  /// until the system's own clock is synchronised.
  [[nodiscard]] const char* source() const noexcept {
    const char* const said = clock_.source();
    const bool is_ours = offset_ms_.load(std::memory_order_relaxed) != 0 || said != std::string_view("synchronised");
    return is_ours && vouched_.load(std::memory_order_relaxed) ? "operator" : said;
  }
  [[nodiscard]] const port::Clock& machine() const noexcept { return clock_; }

  /// The operator says that it is `unix_ms` now. Where the system's clock may not be set, ours runs beside it.
  void set(std::int64_t unix_ms) noexcept {
    offset_ms_ = 0;
    if (!clock_.set_wall(unix_ms)) offset_ms_ = unix_ms - clock_.wall().unix_ms;
  }
  void vouch() noexcept { vouched_ = true; }

 private:
  port::Clock& clock_;
  std::atomic<std::int64_t> offset_ms_{0};
  std::atomic<bool> vouched_{false};
};

}  // namespace tocsin::programs
