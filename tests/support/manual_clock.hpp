// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/port/clock.hpp"

namespace tocsin::test {

/// Stands still until the test moves it. It has no wall clock.
class ManualClock final : public port::Clock {
 public:
  [[nodiscard]] Monotonic monotonic() const noexcept override { return now; }
  [[nodiscard]] Wall wall() const noexcept override { return {}; }
  [[nodiscard]] const char* source() const noexcept override { return "none"; }
  [[nodiscard]] bool set_wall(std::int64_t) noexcept override { return false; }
  Monotonic now{1'000'000'000};
};

}  // namespace tocsin::test
