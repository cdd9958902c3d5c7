// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory_resource>
#include <string>
#include <string_view>

namespace tocsin::api {

/// Puts the first model::kRejectBodyBytesMax bytes of a refused body into `out`, valid UTF-8, with every token masked
/// by asterisks: what "access_token" names, wherever that stands, and every occurrence of `token` (empty: not
/// known). In a JSON text a token of less than kTokenBytesSought bytes is sought only where
/// "access_token" names it: "1" would be everywhere.
/// True: `out` is the whole body, and nothing was masked but the token of the sender's own place, a member of the root.
/// Throws std::bad_alloc.
[[nodiscard]] bool keep_body(std::string_view body, std::string_view token, bool is_json, std::pmr::string& out);
inline constexpr std::size_t kTokenBytesSought = 8;
/// The same for a message, which may quote a part of the body.
void hide_token(std::string_view token, std::pmr::string& message) noexcept;

}  // namespace tocsin::api
