// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin::ingest {

/// Epoch milliseconds of "2023-10-01T12:00:00[.fraction]Z", the same with an offset such as +08:00, or with a space
/// for the T. Without zone the time is `offset_minutes` ahead of UTC. Nothing for any other text; leap seconds are
/// the second before. Years 1970-9999.
[[nodiscard]] std::optional<std::int64_t> parse_time_text(std::string_view text, int offset_minutes) noexcept;

/// Epoch milliseconds of a number: from 100,000,000,000 on it is milliseconds, below seconds (with fraction).
/// Nothing for negative numbers and for times behind the year 9999.
[[nodiscard]] std::optional<std::int64_t> time_of_number(double value) noexcept;

}  // namespace tocsin::ingest
