// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>

namespace tocsin::test {

/// All chance of a world. The same seed gives the same throws with every compiler and library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// 0 … n - 1. Precondition: n > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  [[nodiscard]] std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(last - first + 1)));
  }
  [[nodiscard]] bool once_in(std::uint64_t n) { return n != 0 && below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tocsin::test
