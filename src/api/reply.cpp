// SPDX-License-Identifier: Apache-2.0
#include "src/api/reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "src/json/text.hpp"
#include "src/model/facts.hpp"

namespace tocsin::api {
namespace {

constexpr std::uint16_t kBusyRetryS = 1;
constexpr std::uint16_t kFullRetryS = 5;

/// What is said when nothing can be put together: literals, because they must not need memory.
struct Emergency {
  std::string_view out_of_memory;
  std::string_view internal_error;
};
constexpr Emergency kPushEmergency{
    R"({"code":"503","message":"out of memory for now","request_id":"","result":"false"})",
    R"({"code":"500","message":"internal error","request_id":"","result":"false"})"};
constexpr Emergency kItemsEmergency{
    R"({"result":false,"code":503,"message":"out of memory for now","request_id":"","data":{"items":[]}})",
    R"({"result":false,"code":500,"message":"internal error","request_id":"","data":{"items":[]}})"};
constexpr Emergency kEmergency{
    R"({"result":false,"code":503,"message":"out of memory for now","request_id":"","data":null})",
    R"({"result":false,"code":500,"message":"internal error","request_id":"","data":null})"};
constexpr Emergency kFtaEmergency{R"({"error":"out of memory for now","status":"error"})",
                                  R"({"error":"internal error","status":"error"})"};
constexpr Emergency kEventEmergency{R"({"result":false,"data":null,"message":"out of memory for now","request_id":""})",
                                    R"({"result":false,"data":null,"message":"internal error","request_id":""})"};
constexpr std::size_t kUuidBytes = 36;

const Emergency& emergency_of(Shape shape) noexcept {
  switch (shape) {
    case Shape::push: return kPushEmergency;
    case Shape::items: return kItemsEmergency;
    case Shape::fta: return kFtaEmergency;
    case Shape::event: return kEventEmergency;
    case Shape::admin:
    case Shape::text: return kEmergency;
  }
  return kEmergency;
}

static_assert(kItemsEmergency.out_of_memory.size() + kUuidBytes <= kRoomBytes);

void append_number(std::uint64_t value, std::string& out) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_uuid(const Id128& id, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    const auto byte = std::to_integer<unsigned>(id[i]);
    out.push_back(kHex[byte >> 4U]);
    out.push_back(kHex[byte & 15U]);
  }
}

/// "message" and "request_id", as every answer of ours has them.
void append_words(std::string_view message, const Id128& request_id, std::string& out) {
  out.append(R"("message":")");
  json::append_escaped(model::cut_utf8(message, kReasonBytesMax), out);
  out.append(R"(","request_id":")");
  append_uuid(request_id, out);
  out.push_back('"');
}

}  // namespace

Id128 fresh_request_id(port::Random& random) noexcept {
  Id128 id;
  random.fill(id);
  id[6] = (id[6] & std::byte{0x0F}) | std::byte{0x40};  // a UUID of version 4
  id[8] = (id[8] & std::byte{0x3F}) | std::byte{0x80};
  return id;
}

port::HttpResponse push_reply(std::uint16_t status, std::string_view message, const Id128& request_id) {
  port::HttpResponse out;
  out.status = status;
  out.body.reserve(112 + std::min(message.size(), kReasonBytesMax));
  out.body.append(R"({"code":")");
  append_number(status, out.body);
  out.body.append(R"(",)");
  append_words(message, request_id, out.body);
  out.body.append(status == 200 ? R"(,"result":"true"})" : R"(,"result":"false"})");
  out.request_id = request_id;
  return out;
}

port::HttpResponse admin_reply(std::uint16_t status, std::string_view message, const Id128& request_id,
                               std::string_view data) {
  port::HttpResponse out;
  out.status = status;
  out.body.reserve(112 + std::min(message.size(), kReasonBytesMax) + data.size());
  out.body.append(status == 200 ? R"({"result":true,"code":)" : R"({"result":false,"code":)");
  append_number(status, out.body);
  out.body.push_back(',');
  append_words(message, request_id, out.body);
  out.body.append(R"(,"data":)");
  out.body.append(data.empty() ? std::string_view("null") : data);
  out.body.push_back('}');
  out.request_id = request_id;
  return out;
}

port::HttpResponse fta_reply(std::uint16_t status, std::string_view error, std::string_view data) {
  port::HttpResponse out;
  out.status = status;
  if (status == 200) {
    out.body = R"({"status": "success")";  // with the blank that upstream has
    if (!data.empty()) out.body.append(R"(,"data":)").append(data);
    out.body.push_back('}');
    return out;
  }
  out.body = R"({"error":")";
  json::append_escaped(model::cut_utf8(error, kReasonBytesMax), out.body);
  out.body += R"(","status":"error"})";
  return out;
}

port::HttpResponse event_reply(std::uint16_t status, std::string_view message, const Id128& request_id,
                               std::string_view data) {
  port::HttpResponse out;
  out.status = status;
  out.body.reserve(112 + std::min(message.size(), kReasonBytesMax) + data.size());
  out.body.append(status == 200 ? R"({"result":true,"data":)" : R"({"result":false,"data":)");
  out.body.append(data.empty() ? std::string_view("null") : data);
  out.body.push_back(',');
  append_words(message, request_id, out.body);
  out.body.push_back('}');
  out.request_id = request_id;
  return out;
}

port::HttpResponse source_success(Shape shape, const Id128& request_id, std::string_view data) {
  auto out = shape == Shape::fta ? fta_reply(200, {}, data) : event_reply(200, "success", request_id, data);
  out.request_id = request_id;
  return out;
}

RefusalCode code_of_status(std::uint16_t status) noexcept {
  switch (status) {
    case 400: return "invalid_input";
    case 401: return "token_invalid";
    case 403: return "role_too_low";
    case 404: return "not_found";
    case 405: return "method_not_allowed";
    case 409: return "conflict";
    case 413: return "body_too_long";
    case 415: return "encoding_unknown";
    case 429: return "rate_limited";
    case 501: return "unsupported";
    case 503: return "unavailable";
    default: return "internal_error";
  }
}

RefusalCode code_of(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return "not_found";
    case Errc::invalid_input: return "invalid_input";
    case Errc::out_of_budget: return "out_of_budget";
    case Errc::storage_full: return "storage_full";
    case Errc::storage_corrupt: return "storage_corrupt";
    case Errc::io_failed: return "io_failed";
    case Errc::timed_out: return "timed_out";
    case Errc::unavailable: return "unavailable";
    case Errc::conflict: return "conflict";
    case Errc::unsupported: return "unsupported";
  }
  return "internal_error";
}

port::HttpResponse refuse(Shape shape, std::uint16_t status, std::string_view why, const Id128& request_id,
                          RefusalCode code) {
  port::HttpResponse out;
  switch (shape) {
    case Shape::push: out = push_reply(status, why, request_id); break;
    case Shape::items: out = admin_reply(status, why, request_id, R"({"items":[]})"); break;
    case Shape::admin: out = admin_reply(status, why, request_id); break;
    case Shape::fta: out = fta_reply(status, why); break;
    case Shape::event: out = event_reply(status, why, request_id); break;
    case Shape::text:
      out.status = status;
      out.type = port::ContentType::text;
      out.body.assign(why).push_back('\n');
      break;
  }
  if (status == 503) out.retry_after_s = kBusyRetryS;
  out.error = code.is_none() ? code_of_status(status) : code;
  out.request_id = request_id;
  return out;
}

port::HttpResponse emergency_reply(Shape shape, std::uint16_t status, const Id128& request_id,
                                   std::string& room) noexcept {
  const Emergency& words = emergency_of(shape);
  const std::string_view text = status == 503 ? words.out_of_memory : words.internal_error;
  constexpr std::string_view kBeforeId = R"("request_id":")";
  port::HttpResponse out;
  out.status = status;
  out.error = status == 503 ? RefusalCode("out_of_memory") : RefusalCode("internal_error");
  out.request_id = request_id;
  if (status == 503) out.retry_after_s = kBusyRetryS;
  if (room.capacity() < kRoomBytes || shape == Shape::fta) {
    out.static_body = text;
    return out;
  }
  const std::size_t at = text.find(kBeforeId) + kBeforeId.size();
  room.assign(text.substr(0, at));
  append_uuid(request_id, room);
  room.append(text.substr(at));
  out.body = std::move(room);
  return out;
}

StatusOf status_of(Errc code, Shape shape) noexcept {
  switch (code) {
    // An instance that went away between the check and the turn: its token is no longer one.
    case Errc::not_found: return {static_cast<std::uint16_t>(is_intake(shape) ? 401 : 404), 0};
    case Errc::invalid_input: return {400, 0};
    case Errc::conflict: return {409, 0};
    case Errc::out_of_budget:
    case Errc::timed_out:
    case Errc::unavailable: return {503, kBusyRetryS};
    case Errc::storage_full: return {503, kFullRetryS};
    case Errc::unsupported: return {501, 0};
    case Errc::storage_corrupt:
    case Errc::io_failed: return is_intake(shape) ? StatusOf{503, kFullRetryS} : StatusOf{500, 0};
  }
  return {500, 0};
}

port::HttpResponse reply_to(const core::Answer& answer) {
  const auto shape = static_cast<Shape>(answer.reply.shape);
  if (!answer.refused) {
    if (shape == Shape::push) return push_reply(200, "success", answer.reply.request_id);
    if (shape == Shape::fta || shape == Shape::event) return source_success(shape, answer.reply.request_id);
    return admin_reply(200, "success", answer.reply.request_id, answer.data);
  }
  const StatusOf how = status_of(*answer.refused, shape);
  const std::string_view why = answer.data.empty() ? std::string_view(to_text(*answer.refused)) : answer.data;
  // An instance that went away between the check and the turn.
  const RefusalCode code = how.status == 401 ? RefusalCode("token_invalid") : code_of(*answer.refused);
  auto out = refuse(shape, how.status, why, answer.reply.request_id, code);
  out.retry_after_s = how.retry_after_s;
  return out;
}

}  // namespace tocsin::api
