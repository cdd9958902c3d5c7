// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/bytes.hpp"
#include "src/base/hex.hpp"
#include "src/base/refusal_code.hpp"
#include "src/base/time.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::port {

enum class Listener : std::uint8_t { push, admin, control };
enum class Method : std::uint8_t { get, head, post, put, del, other };
enum class ContentType : std::uint8_t { json, text, html, css, javascript, svg, prometheus, ndjson };

/// Names one request that waits for its answer. A ticket that is no longer waiting is ignored by answer().
struct Ticket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  ///< 0: no ticket
  auto operator<=>(const Ticket&) const = default;
};

struct HttpResponse {
  std::uint16_t status = 200;
  ContentType type = ContentType::json;
  std::string body;                  ///< used when static_body is empty
  std::string_view static_body;      ///< lives as long as the program (page assets)
  std::uint16_t retry_after_s = 0;   ///< 0: no Retry-After
  std::string_view allow;            ///< literal for 405; empty: no Allow
  bool ask_for_credentials = false;  ///< WWW-Authenticate: Basic
  bool clock_untrusted = false;      ///< X-Tocsin-Clock: untrusted
  RefusalCode error;                 ///< X-Tocsin-Error; none: no such header
  Id128 request_id{};                ///< X-Request-ID; zero: no such header
};

/// A header as sent, or a member of the query, percent-decoded.
struct HttpMember {
  std::string name;
  std::string value;
};

/// One request as far as it is known. Valid during the call that passes it; views too.
class HttpRequest {
 public:
  virtual ~HttpRequest() = default;
  [[nodiscard]] virtual Listener listener() const noexcept = 0;
  [[nodiscard]] virtual Method method() const noexcept = 0;
  [[nodiscard]] virtual std::string_view path() const noexcept = 0;  ///< raw, without query; never decoded
  /// Percent-decoded value of the first query member of that name; nullopt: absent. "+" stays "+".
  [[nodiscard]] virtual std::optional<std::string> query(std::string_view name) const = 0;
  /// First header of that name, any case; empty: absent, or (data() is not null) without a value.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const noexcept = 0;
  /// All of them in their order, at most `max`; in the query's "+" is a blank. Throw std::bad_alloc.
  [[nodiscard]] virtual std::vector<HttpMember> headers(std::size_t max) const = 0;
  [[nodiscard]] virtual std::vector<HttpMember> query_members(std::size_t max) const = 0;
  [[nodiscard]] virtual std::string_view peer()
      const noexcept = 0;  ///< address without port; "unix" on the control socket
  [[nodiscard]] virtual bool peer_is_loopback() const noexcept = 0;
  /// Control socket only: the peer may act as admin (root, our own uid, or group tocsin-admin).
  [[nodiscard]] virtual bool peer_is_admin() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t peer_uid() const noexcept = 0;
  /// SHA-256 of the certificate (DER) that the peer has shown over TLS and that was verified; null: none.
  [[nodiscard]] virtual const Digest256* peer_certificate() const noexcept { return nullptr; }
};

/// Implemented by src/api, called by platform/microhttpd on the io thread. Nothing may be thrown out of these.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// After the headers, before the body. A response refuses the request (the connection closes afterwards);
  /// nullopt admits a body of at most `body_bytes_max` (set by the handler; 0: no body allowed).
  [[nodiscard]] virtual std::optional<HttpResponse> on_head(const HttpRequest& request,
                                                            std::size_t& body_bytes_max) noexcept = 0;
  /// The whole request. `body` is writable, and 64 more bytes are readable after it.
  /// A response answers at once; nullopt: answer(ticket) follows.
  [[nodiscard]] virtual std::optional<HttpResponse> on_request(const HttpRequest& request, Ticket ticket,
                                                               std::span<std::byte> body) noexcept = 0;
  /// A body over the limit, a broken framing and the like: the text of the refusal, in the shape that path's callers
  /// expect.
  [[nodiscard]] virtual HttpResponse refusal(const HttpRequest& request, std::uint16_t status,
                                             std::string_view why) noexcept = 0;
};

/// io thread only.
class HttpAnswers {
 public:
  virtual ~HttpAnswers() = default;
  virtual void answer(Ticket ticket, HttpResponse response) noexcept = 0;
};

}  // namespace tocsin::port
