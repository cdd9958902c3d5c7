// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory_resource>
#include <span>
#include <string_view>

#include "src/json/value.hpp"

namespace tocsin::normalise {

inline constexpr std::size_t kHttpPartsMax = 64;  ///< headers, and as many query parameters; those behind are left out

struct HttpPart {
  std::string_view name;
  std::string_view value;
};

/// The headers as an object: names as Go writes them ("X-Forwarded-For"), of several the first value. What proves who
/// sends is left out: Authorization, Proxy-Authorization, Cookie, X-Bk-Token, X-Bk-Fta-Token, X-Tps-Tenantid. So is
/// what is not UTF-8 or has a U+0000. Keeps views of values; names are copied. Throws what `arena` throws.
[[nodiscard]] json::Value header_object(std::span<const HttpPart> headers, std::pmr::memory_resource& arena);

/// The same for query parameters that are decoded, names as they are, without `token`, `X-BK-TOKEN`
/// and `X-Tps-TenantID`. `source` is one of them.
[[nodiscard]] json::Value query_object(std::span<const HttpPart> parameters, std::pmr::memory_resource& arena);

/// The object `event` with __http_headers__ and __http_query_params__ in the place of its own; null: without. `fields`
/// go in the place of its own too. Throws what `arena` throws.
[[nodiscard]] json::Value with_http_parts(const json::Value& event, const json::Value& headers,
                                          const json::Value& query_params, std::span<const json::Member> fields,
                                          std::pmr::memory_resource& arena);

}  // namespace tocsin::normalise
