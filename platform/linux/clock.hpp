// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "src/port/clock.hpp"

namespace tocsin::linux {

/// The machine's clocks. Monotonic is CLOCK_BOOTTIME: time asleep counts, as deadlines of people do.
/// Wall is trusted when the kernel says it is synchronised, or the board has a battery clock and the time is not before
/// `not_before_unix_ms` (the build date). The kernel is asked at most once a second.
class Clock final : public port::Clock {
 public:
  struct Options {
    bool has_battery_clock = false;
    std::int64_t not_before_unix_ms = 0;
  };
  explicit Clock(Options options) noexcept : options_(options) {}

  [[nodiscard]] Monotonic monotonic() const noexcept override;
  [[nodiscard]] Wall wall() const noexcept override;
  [[nodiscard]] const char* source() const noexcept override;
  [[nodiscard]] bool set_wall(std::int64_t unix_ms) noexcept override;

 private:
  [[nodiscard]] bool kernel_is_synchronised() const noexcept;
  Options options_;
  mutable std::atomic<std::int64_t> ask_again_ns_{0};
  mutable std::atomic<bool> synchronised_{false};
};

}  // namespace tocsin::linux
