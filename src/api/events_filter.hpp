// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/core/effects.hpp"
#include "src/json/needle.hpp"
#include "src/model/segment.hpp"

namespace tocsin::api {

inline constexpr std::size_t kDimensionFiltersMax = 8;
/// By how much a clock that people rely on may have been set back, so that later events are dated earlier, and none of
/// them be missed.
inline constexpr std::int64_t kClockSetBackMs = 3'600'000;

inline constexpr std::int64_t kOldestRealTimeMs = 1'577'836'800'000;  ///< 2020-01-01

/// Which records of the log a caller wants to see.
struct EventsFilter {
  struct Dimension {
    std::string name;
    std::string value;
    json::Needle value_somewhere;  ///< quick to see that it is not there
  };
  std::optional<std::int32_t> data_id;
  std::optional<std::int64_t> since_ms;  ///< received at or after
  std::optional<std::int64_t> until_ms;  ///< received before
  json::Needle text;                     ///< somewhere in the stored JSON as people read it, case counts; empty: any
  std::vector<Dimension> dimensions;     ///< all of them; at most kDimensionFiltersMax
  std::shared_ptr<const core::BootClocks> clocks;  ///< may be null

  /// Whether a segment can be left out unread.
  [[nodiscard]] bool may_hold(const model::SegmentReader& segment) const noexcept;
  /// The segment and all before it (from kClockSetBackMs on) came before `since_ms`; so nothing is there any more.
  [[nodiscard]] bool is_before(const model::SegmentReader& segment) const noexcept;
  /// The same of all after it and `until_ms`; nullopt: it has no date that can be believed.
  [[nodiscard]] std::optional<bool> is_behind(const model::SegmentReader& segment) const noexcept;
  /// Whether nothing is lost when segments are passed by unseen to get to `until_ms`: what a clock dated that was not
  /// set (1970 and after) is not asked for.
  [[nodiscard]] bool may_leap() const noexcept { return until_ms && since_ms && *since_ms >= kOldestRealTimeMs; }
  [[nodiscard]] bool matches(const model::SegmentHeader& header, const model::Record& record) const noexcept;
  /// When the record was received, dated with what is known of its boot's clock now.
  [[nodiscard]] Wall received(const model::SegmentHeader& header, const model::Record& record) const noexcept;

 private:
  [[nodiscard]] Wall begin_of(const model::SegmentHeader& header) const noexcept;
};

/// Whether the stored item has that dimension (custom events) or tag (standard events).
[[nodiscard]] bool has_dimension(std::string_view item, std::string_view name, std::string_view value) noexcept;

}  // namespace tocsin::api
