// SPDX-License-Identifier: Apache-2.0
#include "src/api/api.hpp"

#include <algorithm>
#include <charconv>
#include <new>

namespace tocsin::api {
namespace {

/// Whether a body follows the headers of this request.
bool has_body(const port::HttpRequest& request) noexcept {
  const std::string_view length = request.header("Content-Length");
  return !request.header("Transfer-Encoding").empty() || (!length.empty() && length != "0");
}

bool is_longer(const port::HttpRequest& request, std::size_t bytes_max) noexcept {
  const std::string_view text = request.header("Content-Length");
  std::size_t length = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), length);
  return parsed.ec == std::errc::result_out_of_range || (parsed.ec == std::errc{} && length > bytes_max);
}

/// How the callers of that path expect to be told; a fault of health is told as one of the operator API.
Shape shape_of(const port::HttpRequest& request) noexcept {
  const Shape shape = match(request.listener(), request.method(), request.path()).shape;
  return shape == Shape::text ? Shape::admin : shape;
}

/// As a browser's form sends it: "+" is a blank.
Reply read_query(const port::HttpRequest& request, Call& call) {
  auto members = request.query_members(kQueryMembersMax + 1);
  if (members.size() > kQueryMembersMax)
    return call.fail(400, "the query has more than " + std::to_string(kQueryMembersMax) + " members");
  for (auto& member : members) {
    if (std::ranges::find(kQueryNames, member.name) == kQueryNames.end()) continue;
    if (member.value.size() > kQueryBytesMax) return call.fail(400, member.name + ": at most 1024 bytes");
    call.query_members.push_back(std::move(member));
  }
  return std::nullopt;
}

std::string too_long(std::size_t bytes_max) {
  return "the body is larger than " + std::to_string(bytes_max) + " bytes";
}

}  // namespace

Api::Api(const Parts& parts)
    : parts_(parts),
      parser_({.bytes_max = std::max(parts.push_body_bytes_max, kAdminBodyBytesMax)}),
      profiles_(parser_, *parts.profiles),
      activity_(parts.reject_memory),
      rejects_(parts.reject_memory, activity_, parts.reject_alert_percent),
      services_{parts_, parser_, profiles_, counters_, emergency_room_, rejects_, activity_, *this},
      access_(services_),
      total_rate_(parts.push_requests_per_second_max),
      push_reader_(parser_, parts_.crypto),
      standard_reader_(parser_, parts_.crypto, parts_.secret, {parts_.timezone_offset_minutes}) {}

/// The named boundary: what is thrown inside ends here.
template <class Work>
std::optional<port::HttpResponse> Api::guard(const port::HttpRequest& request, Work&& work) noexcept {
  request_id_ = fresh_request_id(parts_.random);
  std::optional<Response> out;
  try {
    // The last answer without memory took it along.
    if (emergency_room_.capacity() < kRoomBytes) emergency_room_.reserve(kRoomBytes);
    out = work();
  } catch (const std::bad_alloc&) {
    ++counters_.out_of_memory;
    out = emergency_reply(shape_of(request), 503, request_id(), emergency_room_);
  } catch (...) {
    ++counters_.internal_errors;
    out = emergency_reply(shape_of(request), 500, request_id(), emergency_room_);
  }
  if (out) {
    out->clock_untrusted = !parts_.daemon.now().wall.trusted;
    if (out->request_id == Id128{}) out->request_id = request_id();
  }
  return out;
}

std::optional<port::HttpResponse> Api::on_head(const port::HttpRequest& request, std::size_t& body_bytes_max) noexcept {
  body_bytes_max = 0;
  return guard(request, [&] { return head(request, body_bytes_max); });
}

std::optional<port::HttpResponse> Api::on_request(const port::HttpRequest& request, port::Ticket ticket,
                                                  std::span<std::byte> body) noexcept {
  return guard(request, [&] { return carry_out(request, ticket, body); });
}

port::HttpResponse Api::refusal(const port::HttpRequest& request, std::uint16_t status, std::string_view why) noexcept {
  const RefusalCode code = status == 400 ? RefusalCode("framing_invalid") : code_of_status(status);
  return *guard(request, [&]() -> Reply { return refuse(shape_of(request), status, why, request_id(), code); });
}

port::HttpResponse Api::refuse_unmatched(const Match& found, std::string_view path) {
  if (found.allow.empty()) {
    const bool lacks_slash = path == "/v2/push";
    return refuse(found.shape, 404, lacks_slash ? "unknown path; did you mean /v2/push/ ?" : "unknown path",
                  request_id(), "path_unknown");
  }
  auto out = refuse(found.shape == Shape::text ? Shape::admin : found.shape, 405, "this path does not take this method",
                    request_id());
  out.allow = found.allow;
  return out;
}

/// Without a body there is nothing to save the network from, and an answer after the request keeps the connection.
Reply Api::head(const port::HttpRequest& request, std::size_t& body_bytes_max) {
  if (!has_body(request)) return std::nullopt;
  const Match found = match(request.listener(), request.method(), request.path());
  if (found.route == nullptr) return refuse_unmatched(found, request.path());
  const Route& route = *found.route;
  if (role_of(route.need) != model::Role::anyone) {
    auto decision = access_.decide(request, route, request_id());
    if (decision.verdict == Access::Verdict::refused) return std::move(decision.refusal);
  }
  if (route.intake != Intake::none && is_foreign(encoding_of(request)))
    return refuse(route.shape, 415, kForeignEncoding, request_id());
  body_bytes_max = route.body_bytes_max == kPushBody ? parts_.push_body_bytes_max : route.body_bytes_max;
  if (!is_longer(request, body_bytes_max)) return std::nullopt;
  return refuse(route.shape == Shape::text ? Shape::admin : route.shape, 413, too_long(body_bytes_max), request_id());
}

Reply Api::carry_out(const port::HttpRequest& request, port::Ticket ticket, std::span<std::byte> body) {
  const Match found = match(request.listener(), request.method(), request.path());
  if (found.route == nullptr) return refuse_unmatched(found, request.path());
  return found.route->intake == Intake::none ? operate(request, found, ticket, body)
                                             : take_in(request, found, ticket, body);
}

Reply Api::operate(const port::HttpRequest& request, const Match& found, port::Ticket ticket,
                   std::span<std::byte> body) {
  const Route& route = *found.route;
  Call call;
  call.ticket = ticket;
  call.request_id = request_id();
  call.now = parts_.daemon.now();
  auto decision = access_.decide(request, route, call.request_id);
  if (decision.verdict == Access::Verdict::refused) return std::move(decision.refusal);
  if (body.size() > route.body_bytes_max) return call.fail(413, too_long(route.body_bytes_max));
  call.who = std::move(decision.who);
  call.parameter = found.parameter;
  call.body.assign(as_text(body));
  if (auto refusal = read_query(request, call)) return refusal;
  if (decision.verdict == Access::Verdict::allowed) return run(route, call);
  return access_.check_password(request, route, std::move(call),
                                [this](Call&& later, const Route& to) { go_on(to, later); });
}

Reply Api::run(const Route& route, Call& call) {
  if (route.handle != nullptr) return route.handle(services_, call);
  if (parts_.find_asset != nullptr) {
    if (auto asset = parts_.find_asset(route.path)) return asset;
  }
  return call.fail(404, "unknown path", "path_unknown");
}

/// The second half of a call whose password had to be checked first.
void Api::go_on(const Route& route, Call& call) noexcept {
  try {
    if (auto response = run(route, call)) services_.answer(call.ticket, std::move(*response));
  } catch (const std::bad_alloc&) {
    services_.answer_out_of_memory(call.ticket, Shape::admin, call.request_id);
  } catch (...) {
    ++counters_.internal_errors;
    services_.answer(call.ticket, emergency_reply(Shape::admin, 500, call.request_id, emergency_room_));
  }
}

void Api::on_tick(bool is_last) noexcept {
  try {
    access_.record_left_out(is_last);
    post_rejects(rejects_, parts_.daemon, is_last);
  } catch (const std::bad_alloc&) {
    ++counters_.out_of_memory;  // the next tick tries again
  }
}

void Api::on_answer(core::Answer&& answer) noexcept {
  if (answer.reply.ticket == 0) return;
  // Of what the turn refuses only this is the sender's doing; the body is gone by then.
  if (answer.refused == Errc::conflict && answer.data_id != 0 &&
      static_cast<Shape>(answer.reply.shape) == Shape::push) {
    rejects_.take(
        {.data_id = answer.data_id, .http_status = 409, .code = RefusalCode("conflict").text(), .message = answer.data},
        parts_.daemon.now().wall);
  }
  const port::Ticket ticket = unpack(answer.reply.ticket);
  try {
    services_.answer(ticket, reply_to(answer));
  } catch (const std::bad_alloc&) {
    // The turn is on flash or was refused whatever is said now; 503 makes the sender ask again.
    services_.answer_out_of_memory(ticket, static_cast<Shape>(answer.reply.shape), answer.reply.request_id);
  }
}

}  // namespace tocsin::api
