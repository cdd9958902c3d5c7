// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/json/value.hpp"

namespace tocsin::normalise {

/// How the time of a field is written. Texts of all forms but rfc822 are read alike.
enum class TimeForm : std::uint8_t {
  automatic,  ///< numbers by their size, texts as any of the others
  epoch_minute,
  epoch_second,
  epoch_millis,
  epoch_micros,
  epoch_nanos,
  rfc822,
  calendar,
};

struct TimeOption {
  TimeForm form = TimeForm::automatic;
  int offset_minutes = 0;  ///< of texts without a zone, ahead of UTC
};

/// The form of BlueKing's name for it, such as "epoch_second" or "datetime".
[[nodiscard]] std::optional<TimeForm> time_form_of(std::string_view name) noexcept;
/// Minutes ahead of UTC from hours (8, 5.5, "8"), "+08:00", "UTC" or "Z"; -14 to 14 hours in steps of 15 minutes.
[[nodiscard]] std::optional<int> time_zone_of(const json::Value& zone) noexcept;

/// Epoch seconds from 1 to the year 9999; nothing for what is no such time.
/// Numbers, and texts that are numbers: in the unit of the form; else seconds, milliseconds, microseconds or
/// nanoseconds by their size (the first three change over at 10^11, 10^14, 10^17).
/// Texts: "2023-10-01[ T]12:00[:00[.fraction]][zone]" or the date alone, also with dots or slashes in the date;
/// "[Sun, ]01 Oct [20]23 12:00[:00][ zone]" as rfc822. A zone is Z, UTC, GMT or an offset: other names mean several.
[[nodiscard]] std::optional<std::int64_t> epoch_seconds(const json::Value& value, TimeOption option) noexcept;

}  // namespace tocsin::normalise
