// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace tocsin {

/// Time since this boot. Deadlines and durations use it; never goes backwards within a boot.
struct Monotonic {
  std::int64_t ns = 0;
  auto operator<=>(const Monotonic&) const = default;
  [[nodiscard]] constexpr std::int64_t ms() const noexcept { return ns / 1'000'000; }
  [[nodiscard]] constexpr Monotonic after_ms(std::int64_t ms) const noexcept { return {ns + ms * 1'000'000}; }
};

/// Time as people see it. `trusted`: a source that people rely on has set it (design: kernel, battery clock, operator).
struct Wall {
  std::int64_t unix_ms = 0;
  bool trusted = false;
};

/// One reading of every clock; all of one turn shares one.
struct Now {
  Monotonic mono;
  Wall wall;
};

}  // namespace tocsin
