// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/clock.hpp"

namespace tocsin::sim {

bool Clock::set_wall(std::int64_t unix_ms) noexcept {
  wall_ms_ = unix_ms;
  return true;
}

void Clock::advance(std::int64_t ms) noexcept {
  mono_ms_ += ms;
  wall_ms_ += ms;
}

void Clock::restart(Battery battery) noexcept {
  mono_ms_ = 1'000;
  if (battery == Battery::none) {
    wall_ms_ = 1'000;
    trusted_ = false;
  }
}

}  // namespace tocsin::sim
