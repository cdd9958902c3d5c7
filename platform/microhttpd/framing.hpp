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

/// Why a request target is refused, null: it is good. Only a path, with or without a query; nothing blank, no control
/// character, and in the path no 8-bit character and no %00. `target`: as it was sent, before the library cuts it.
[[nodiscard]] const char* check_target(std::string_view target) noexcept;

/// Checks what libmicrohttpd lets through (two proxies must never disagree where a request ends): more than one or an
/// odd Content-Length, Content-Length beside Transfer-Encoding, any coding but `chunked`, a missing or repeated Host,
/// header names that are no tokens, folded lines, bare line feeds and carriage returns, NUL anywhere, unknown methods.
/// `target` is where the request target stood in the library's buffer, `version` the library's pointer right behind it.
[[nodiscard]] Framing check_framing(MHD_Connection& connection, std::string_view method, std::string_view target,
                                    const char* version) noexcept;

}  // namespace tocsin::microhttpd
