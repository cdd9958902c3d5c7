// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/core/effects.hpp"
#include "src/port/http.hpp"
#include "src/port/random.hpp"

namespace tocsin::api {

/// How an answer is worded. Travels through the core in ReplyTo.shape.
enum class Shape : std::uint8_t {
  push = 0,   ///< /v2/push/: four strings
  items = 1,  ///< /api/v1/events: the envelope, `data` always an object
  admin = 2,  ///< the envelope of the operator API
  text = 3,   ///< health: a line of text
  fta = 4,    ///< /fta/v1/event, as bk-collector: {"status": "success"}
  event = 5,  ///< /event/<receiver>, as BlueKing's ingester: {"result", "data", "message", "request_id"}
};
/// Whether senders use the paths of that shape.
[[nodiscard]] constexpr bool is_intake(Shape shape) noexcept { return shape != Shape::admin && shape != Shape::text; }

inline constexpr std::size_t kReasonBytesMax = 512;  ///< of a message in an answer; longer ones are cut

[[nodiscard]] Id128 fresh_request_id(port::Random& random) noexcept;

/// {"code":"200","message":"success","request_id":"…","result":"true"}; any other status: result "false".
[[nodiscard]] port::HttpResponse push_reply(std::uint16_t status, std::string_view message, const Id128& request_id);

/// {"result":…,"code":…,"message":"…","request_id":"…","data":…}. `data` is JSON; empty: null.
[[nodiscard]] port::HttpResponse admin_reply(std::uint16_t status, std::string_view message, const Id128& request_id,
                                             std::string_view data = {});

/// The answers of /fta/v1/event. `data` is JSON, shown by `debug`; empty: there is none.
[[nodiscard]] port::HttpResponse fta_reply(std::uint16_t status, std::string_view error, std::string_view data = {});
/// The answers of /event/<receiver>. `data` is JSON; empty: null.
[[nodiscard]] port::HttpResponse event_reply(std::uint16_t status, std::string_view message, const Id128& request_id,
                                             std::string_view data = {});
/// 200 in the shape of an alert source.
[[nodiscard]] port::HttpResponse source_success(Shape shape, const Id128& request_id, std::string_view data = {});

/// A refusal in that shape, with the headers that belong to the status (503: Retry-After 1). Every one bears a code:
/// that of its status when none is given.
[[nodiscard]] port::HttpResponse refuse(Shape shape, std::uint16_t status, std::string_view why,
                                        const Id128& request_id, RefusalCode code = {});
/// The code of a refusal that has no closer one.
[[nodiscard]] RefusalCode code_of_status(std::uint16_t status) noexcept;
[[nodiscard]] RefusalCode code_of(Errc code) noexcept;

/// The answer after std::bad_alloc (503, Retry-After 1) or another exception (500), in that shape. It is written into
/// `room`, which is taken away, and needs no other memory while that has kRoomBytes; with less the request id stays
/// empty.
[[nodiscard]] port::HttpResponse emergency_reply(Shape shape, std::uint16_t status, const Id128& request_id,
                                                 std::string& room) noexcept;
inline constexpr std::size_t kRoomBytes = 192;  ///< of the longest of them

/// The HTTP status of an error, and how long a client should wait before it tries again (0: trying again is no use).
struct StatusOf {
  std::uint16_t status = 500;
  std::uint16_t retry_after_s = 0;
};
[[nodiscard]] StatusOf status_of(Errc code, Shape shape) noexcept;

/// The answer to an input, worded as ReplyTo.shape says.
[[nodiscard]] port::HttpResponse reply_to(const core::Answer& answer);

/// Tickets travel through the core as one number. 0 is no ticket.
[[nodiscard]] constexpr std::uint64_t pack(port::Ticket ticket) noexcept {
  return (static_cast<std::uint64_t>(ticket.generation) << 32U) | ticket.slot;
}
[[nodiscard]] constexpr port::Ticket unpack(std::uint64_t packed) noexcept {
  return {static_cast<std::uint32_t>(packed), static_cast<std::uint32_t>(packed >> 32U)};
}

}  // namespace tocsin::api
