// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/core/effects.hpp"
#include "src/model/segment.hpp"

namespace tocsin::api {

/// Which records of the log a caller wants to see.
struct EventsFilter {
  std::optional<std::int32_t> data_id;
  std::optional<std::int64_t> since_ms;  ///< received at or after
  std::optional<std::int64_t> until_ms;  ///< received before
  std::string text;                      ///< contained in the stored JSON as written, case counts; empty: any
  std::string dimension_name;            ///< empty: any
  std::string dimension_value;
  std::shared_ptr<const core::BootClocks> clocks;  ///< may be null

  /// Whether a segment can be left out unread.
  [[nodiscard]] bool may_hold(const model::SegmentReader& segment) const noexcept;
  [[nodiscard]] bool matches(const model::SegmentHeader& header, const model::Record& record) const;
  /// When the record was received, dated with what is known of its boot's clock now.
  [[nodiscard]] Wall received(const model::SegmentHeader& header, const model::Record& record) const noexcept;
};

/// Whether the stored item has that dimension (custom events) or tag (standard events).
[[nodiscard]] bool has_dimension(std::string_view item, std::string_view name, std::string_view value);

}  // namespace tocsin::api
