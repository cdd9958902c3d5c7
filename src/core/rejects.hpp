// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace tocsin::core {

/// Bounds of the reject box on flash; the entry that was changed longest ago leaves first.
inline constexpr std::size_t kRejectBoxEntriesMax = 256;
inline constexpr std::uint64_t kRejectBoxShare =
    2;  ///< hundredths of the quota; values with pages of their own count those

/// One for each instance, so that one that recovers does not hide another.
inline constexpr const char* kRejectAlertName = "requests refused";

}  // namespace tocsin::core
