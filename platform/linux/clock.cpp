// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/clock.hpp"

#include <sys/timex.h>

#include <ctime>

namespace tocsin::linux {

namespace {
constexpr std::int64_t kAskAgainNs = 1'000'000'000;
}

Monotonic Clock::monotonic() const noexcept {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &now));
  return {std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec};
}

bool Clock::kernel_is_synchronised() const noexcept {
  const std::int64_t now_ns = monotonic().ns;
  if (now_ns < ask_again_ns_.load(std::memory_order_relaxed)) return synchronised_.load(std::memory_order_relaxed);
  timex state{};
  const int clock_state = ::adjtimex(&state);
  const bool synchronised = clock_state >= 0 && clock_state != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  synchronised_.store(synchronised, std::memory_order_relaxed);
  ask_again_ns_.store(now_ns + kAskAgainNs, std::memory_order_relaxed);
  return synchronised;
}

Wall Clock::wall() const noexcept {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_REALTIME, &now));
  const std::int64_t unix_ms = std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
  const bool battery = options_.has_battery_clock && unix_ms >= options_.not_before_unix_ms;
  return {unix_ms, battery || kernel_is_synchronised()};
}

const char* Clock::source() const noexcept {
  if (kernel_is_synchronised()) return "synchronised";
  return wall().trusted ? "battery" : "none";
}

bool Clock::set_wall(std::int64_t unix_ms) noexcept {
  timespec wanted{};
  wanted.tv_sec = static_cast<decltype(wanted.tv_sec)>(unix_ms / 1'000);
  if (unix_ms < 0 || std::int64_t{wanted.tv_sec} != unix_ms / 1'000) return false;  // 32-bit time_t ends in 2038
  wanted.tv_nsec = static_cast<decltype(wanted.tv_nsec)>((unix_ms % 1'000) * 1'000'000);
  return ::clock_settime(CLOCK_REALTIME, &wanted) == 0;
}

}  // namespace tocsin::linux
