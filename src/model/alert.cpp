// SPDX-License-Identifier: Apache-2.0
#include "src/model/alert.hpp"

#include <algorithm>
#include <charconv>

#include "src/model/fields.hpp"
#include "src/model/instance.hpp"

namespace tocsin::model {
namespace {

constexpr std::size_t kIdSecondsDigits = 10;
constexpr std::int64_t kIdSecondsMax = 9'999'999'999;

template <class Op, class A>
void fields(Op& op, A& alert) {
  op.number(alert.number);
  op.choice(alert.state, 1, 4);
  op.choice(alert.severity, 1, 3);
  op.flag(alert.create_time_trusted);
  op.number(alert.data_id);
  op.number(alert.bk_biz_id);
  op.array(alert.dedupe);
  op.number(alert.create_ms);
  op.number(alert.update_ms);
  op.number(alert.begin_ms);
  op.number(alert.first_anomaly_ms);
  op.number(alert.latest_ms);
  op.number(alert.end_ms);
  op.number(alert.ack_ms);
  op.number(alert.event_count);
  op.number(alert.first_event_seq);
  op.number(alert.last_event_seq);
  op.text(alert.plugin_id, kPluginIdBytesMax);
  op.text(alert.alert_name, kNameBytesMax);
  op.text(alert.target_type, kNameBytesMax);
  op.text(alert.target, kTargetBytesMax);
  op.text(alert.description, kDescriptionBytesMax);
  op.text(alert.metric, kNameBytesMax);
  op.text(alert.category, kNameBytesMax);
  op.text(alert.assignee, kNameBytesMax);
  op.text(alert.event_id, kNameBytesMax);
  op.text(alert.dimensions_json, kDimensionsBytesMax);
  op.text(alert.ack_operator, kNameBytesMax);
  op.text(alert.ack_message, kMessageBytesMax);
  op.text(alert.end_description, kNameBytesMax);
}

}  // namespace

const char* to_text(AlertState state) noexcept {
  switch (state) {
    case AlertState::abnormal: return "ABNORMAL";
    case AlertState::acked: return "ACK";
    case AlertState::recovered: return "RECOVERED";
    case AlertState::closed: return "CLOSED";
  }
  return "UNKNOWN";
}

const char* to_bk_status(AlertState state) noexcept {
  return to_text(state == AlertState::acked ? AlertState::abnormal : state);
}

void encode(const Alert& alert, std::string& out) {
  FieldWriter writer(out);
  fields(writer, alert);
}

Result<Alert> decode_alert(Bytes in) {
  return read_record<Alert>(in, "alert", [](auto& op, auto& out) { fields(op, out); });
}

std::string alert_id(const Alert& alert) {
  const std::int64_t seconds = std::clamp<std::int64_t>(alert.create_ms / 1000, 0, kIdSecondsMax);
  std::string id = std::to_string(seconds);
  id.insert(0, kIdSecondsDigits - id.size(), '0');
  return id += std::to_string(alert.number);
}

std::uint64_t alert_number(std::string_view id) noexcept {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (id.size() <= kIdSecondsDigits || !std::all_of(id.begin(), id.end(), is_digit)) return 0;
  const std::string_view digits = id.substr(kIdSecondsDigits);
  if (digits.front() == '0') return 0;  // one alert, one spelling
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return failure == std::errc{} && end == digits.data() + digits.size() ? number : 0;
}

}  // namespace tocsin::model
