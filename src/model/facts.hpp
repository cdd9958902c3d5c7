// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/hex.hpp"
#include "src/base/result.hpp"

namespace tocsin::model {

enum class EventStatus : std::uint8_t { abnormal = 0, recovered = 1, closed = 2 };

/// Bounds of the texts an alert keeps; longer ones are cut at a character border when the facts are made.
inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr std::size_t kTargetBytesMax = 256;
inline constexpr std::size_t kDescriptionBytesMax = 1024;
inline constexpr std::size_t kDimensionsBytesMax = 1024;  ///< as JSON text; longer: cut to "{}" and flagged by length 2

/// What the alert engine needs of one event. Views: into the encoded form or the parser's memory.
/// The same facts come out of the same stored item at any later time (folds are derived again from the log).
struct EventFacts {
  Id128 dedupe{};  ///< BlueKing's dedupe md5 over the default keys and the event's own
  EventStatus status = EventStatus::abnormal;
  std::uint8_t severity = 3;  ///< 1 fatal, 2 warning, 3 remind
  std::int32_t bk_biz_id = 0;
  std::int64_t time_ms = 0;  ///< event time
  std::int64_t anomaly_time_ms = 0;
  std::string_view alert_name;
  std::string_view target_type;
  std::string_view target;
  std::string_view description;
  std::string_view metric;
  std::string_view category;
  std::string_view assignee;
  std::string_view event_id;
  std::string_view dimensions_json;  ///< a JSON object of strings
};

/// Appends the encoded facts; facts.cpp has their order. They live in memory only, so no format document binds them.
void encode(const EventFacts& facts, std::string& out);
/// Views into `in`. invalid_input: not such an encoding.
[[nodiscard]] Result<EventFacts> decode_facts(Bytes in);

/// `text` cut to at most `bytes_max`, never inside a UTF-8 character.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace tocsin::model
