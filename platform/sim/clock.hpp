// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/port/clock.hpp"

namespace tocsin::sim {

/// Time in hand. Monotonic time only rises within a boot and begins anew with restart(); wall time runs beside it,
/// can be stepped, and is believed or not. Threads: one.
class Clock final : public port::Clock {
 public:
  explicit Clock(std::int64_t wall_ms) noexcept : wall_ms_(wall_ms) {}

  [[nodiscard]] Monotonic monotonic() const noexcept override { return {mono_ms_ * 1'000'000}; }
  [[nodiscard]] Wall wall() const noexcept override { return {wall_ms_, trusted_}; }
  [[nodiscard]] const char* source() const noexcept override { return trusted_ ? "battery" : "none"; }
  [[nodiscard]] bool set_wall(std::int64_t unix_ms) noexcept override;
  [[nodiscard]] Now now() const noexcept { return {monotonic(), wall()}; }

  /// Precondition: ms >= 0.
  void advance(std::int64_t ms) noexcept;
  /// A battery that lied, an NTP server, an operator.
  void step_wall(std::int64_t by_ms) noexcept { wall_ms_ += by_ms; }
  void trust(bool trusted) noexcept { trusted_ = trusted; }
  /// A new boot: monotonic time begins again; without a battery it is 1970 and nobody believes it.
  enum class Battery : bool { none, present };
  void restart(Battery battery) noexcept;

 private:
  std::int64_t mono_ms_ = 1'000;
  std::int64_t wall_ms_;
  bool trusted_ = true;
};

}  // namespace tocsin::sim
