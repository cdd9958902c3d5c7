// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace tocsin::deliver {

inline constexpr std::int64_t kBackoffFirstMs = 1'000;
inline constexpr std::int64_t kBackoffMaxMs = 60'000;

/// How long to wait after failure number `failures` (from 0): 1 s doubling to 60 s, then 50 % to 150 % of that, so that
/// a fleet does not come back in step. `random`: any number that differs between appliances and calls.
[[nodiscard]] constexpr std::int64_t backoff_ms(std::uint32_t failures, std::uint32_t random) noexcept {
  const std::int64_t base = std::min(kBackoffMaxMs, kBackoffFirstMs << std::min(failures, 6U));
  return base / 2 + static_cast<std::int64_t>(random) % (base + 1);
}

}  // namespace tocsin::deliver
