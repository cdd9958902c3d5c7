// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tocsin::programs {

inline constexpr const char* kVersion = "0.1.0";
/// No box lives before the release it runs: an earlier wall clock is wrong. 2026-11-01T00:00:00Z, raised with each
/// release.
inline constexpr std::int64_t kBuildTimeMs = 1'793'491'200'000;

}  // namespace tocsin::programs
