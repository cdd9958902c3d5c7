// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/hex.hpp"
#include "src/base/result.hpp"
#include "src/model/facts.hpp"

namespace tocsin::model {

/// As shown in `state`. BlueKing's `status` says ABNORMAL for both of the first two; `is_ack` tells them apart.
enum class AlertState : std::uint8_t { abnormal = 1, acked = 2, recovered = 3, closed = 4 };
[[nodiscard]] const char* to_text(AlertState state) noexcept;       ///< ABNORMAL, ACK, RECOVERED, CLOSED
[[nodiscard]] const char* to_bk_status(AlertState state) noexcept;  ///< ABNORMAL, RECOVERED, CLOSED
[[nodiscard]] constexpr bool is_open(AlertState s) noexcept {
  return s == AlertState::abnormal || s == AlertState::acked;
}

inline constexpr std::size_t kMessageBytesMax = 512;  ///< what an operator says

/// One alert. About 0.6 KiB, at most 5 KiB (every text has a bound of facts.hpp).
struct Alert {
  std::uint64_t number = 0;  ///< from 1, never reused; the id shown is 10 digits of create time (s) and this number
  AlertState state = AlertState::abnormal;
  std::uint8_t severity = 3;
  bool create_time_trusted = false;
  std::int32_t data_id = 0;
  std::int32_t bk_biz_id = 0;
  Id128 dedupe{};
  std::int64_t create_ms = 0;  ///< server time
  std::int64_t update_ms = 0;
  std::int64_t begin_ms = 0;  ///< event time from here on
  std::int64_t first_anomaly_ms = 0;
  std::int64_t latest_ms = 0;
  std::int64_t end_ms = 0;        ///< 0 while open
  std::int64_t ack_ms = 0;        ///< server time; 0: never acknowledged
  std::uint64_t event_count = 0;  ///< events folded in, the first included
  std::uint64_t first_event_seq = 0;
  std::uint64_t last_event_seq = 0;  ///< folds up to here are counted
  std::string plugin_id;
  std::string alert_name;
  std::string target_type;
  std::string target;
  std::string description;  ///< of the representative event
  std::string metric;
  std::string category;
  std::string assignee;
  std::string event_id;  ///< of the representative event
  std::string dimensions_json;
  std::string ack_operator;
  std::string ack_message;
  std::string end_description;
};

void encode(const Alert& alert, std::string& out);
[[nodiscard]] Result<Alert> decode_alert(Bytes in);

/// "1700000000" + number. Ten digits also for a clock in 1970 (padded with zeros).
[[nodiscard]] std::string alert_id(const Alert& alert);
/// The number inside an alert id; 0: not an id.
[[nodiscard]] std::uint64_t alert_number(std::string_view id) noexcept;

}  // namespace tocsin::model
