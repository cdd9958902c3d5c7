// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <string_view>

#include "src/port/http.hpp"

namespace tocsin::microhttpd {

/// What the head says about the message's borders.
struct Framing {
  const char* fault = nullptr;  ///< why the request is refused; null: none
  port::Method method = port::Method::other;
  std::uint64_t content_bytes = 0;  ///< Content-Length; 0 when chunked
  bool chunked = false;
  bool expects_continue = false;
};

/// Checks what libmicrohttpd lets through (two proxies must never disagree where a request ends): more than one or an
/// odd Content-Length, Content-Length beside Transfer-Encoding, any coding but `chunked`, a missing or repeated Host,
/// spaces before a colon, folded lines, bare line feeds, NUL anywhere, %00 in the path, unknown methods.
/// `target` is where the request target stood in the library's buffer, `path` its part before the query as it was sent,
/// `version` the library's pointer right behind it.
[[nodiscard]] Framing check_framing(MHD_Connection& connection, std::string_view method, std::string_view target,
                                    std::string_view path, const char* version) noexcept;

}  // namespace tocsin::microhttpd
