// SPDX-License-Identifier: Apache-2.0
#include "src/model/reject.hpp"

#include <algorithm>
#include <charconv>

#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

template <class Op, class R>
void reject_fields(Op& op, R& reject) {
  op.number(reject.order);
  op.number(reject.data_id);
  op.text(reject.code, kRejectCodeBytesMax);
  op.text(reject.message, kRejectMessageBytesMax);
  op.number(reject.http_status);
  op.choice(reject.way, 0, 2);
  op.flag(reject.is_time_trusted);
  op.flag(reject.is_whole);
  op.number(reject.count);
  op.number(reject.first_ms);
  op.number(reject.last_ms);
  op.number(reject.body_bytes);
  op.text(reject.body, kRejectBodyBytesMax);
}

bool is_code(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kRejectCodeBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

const char* to_text(RejectWay way) noexcept {
  switch (way) {
    case RejectWay::push: return "push";
    case RejectWay::items: return "events";
    case RejectWay::source: return "alert_source";
  }
  return "unknown";
}

void encode(const Reject& reject, std::string& out) {
  FieldWriter writer(out);
  reject_fields(writer, reject);
}

Result<Reject> decode_reject(Bytes in) {
  return read_record<Reject>(in, "reject", [](auto& op, auto& out) { reject_fields(op, out); });
}

std::string reject_id(std::int32_t data_id, std::string_view code) {
  return std::to_string(data_id).append(".").append(code);
}

Result<Key> key_of_reject(std::string_view id) {
  std::int32_t data_id = 0;
  const char* const end = id.data() + id.size();
  const auto parsed = std::from_chars(id.data(), end, data_id);
  const bool is_number = parsed.ec == std::errc{} && data_id > 0 && parsed.ptr != end && *parsed.ptr == '.';
  if (!is_number) return error(Errc::invalid_input, "no id of a refusal");
  const std::string_view code(parsed.ptr + 1, static_cast<std::size_t>(end - parsed.ptr - 1));
  if (!is_code(code)) return error(Errc::invalid_input, "no id of a refusal");
  return reject_key(data_id, code);
}

}  // namespace tocsin::model
