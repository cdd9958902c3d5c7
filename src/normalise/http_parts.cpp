// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/http_parts.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "src/base/utf8.hpp"

namespace tocsin::normalise {
namespace {

using json::Value;
using Parts = std::pmr::vector<json::Member>;

constexpr std::string_view kHeaders = "__http_headers__";
constexpr std::string_view kQueryParams = "__http_query_params__";
constexpr std::array<std::string_view, 6> kSecretHeaders{"Authorization",  "Cookie",     "Proxy-Authorization",
                                                         "X-Bk-Fta-Token", "X-Bk-Token", "X-Tps-Tenantid"};
constexpr std::array<std::string_view, 3> kSecretParameters{"token", "X-BK-TOKEN", "X-Tps-TenantID"};

/// Each part of a name between dashes gets one capital.
std::string as_go_writes(std::string_view name) {
  std::string out{name};
  bool is_first = true;
  for (char& c : out) {
    if (is_first && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!is_first && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    is_first = c == '-';
  }
  return out;
}

bool is_text(std::string_view bytes) noexcept {
  return utf8_valid_bytes(bytes) == bytes.size() && bytes.find('\0') == std::string_view::npos;
}

void add_first(Parts& to, std::string_view name, std::string_view value, std::pmr::memory_resource& arena) {
  if (to.size() >= kHttpPartsMax || !is_text(name) || !is_text(value)) return;
  if (std::ranges::find(to, name, &json::Member::name) != to.end()) return;
  to.push_back({json::copy_text(name, arena), Value::text(value)});
}

}  // namespace

Value header_object(std::span<const HttpPart> headers, std::pmr::memory_resource& arena) {
  Parts parts{&arena};
  for (const HttpPart& header : headers) {
    const std::string name = as_go_writes(header.name);
    if (std::ranges::find(kSecretHeaders, name) == kSecretHeaders.end()) add_first(parts, name, header.value, arena);
  }
  return Value::object(parts, arena);
}

Value query_object(std::span<const HttpPart> parameters, std::pmr::memory_resource& arena) {
  Parts parts{&arena};
  for (const HttpPart& parameter : parameters) {
    const bool is_secret = std::ranges::find(kSecretParameters, parameter.name) != kSecretParameters.end();
    if (!is_secret) add_first(parts, parameter.name, parameter.value, arena);
  }
  return Value::object(parts, arena);
}

Value with_http_parts(const Value& event, const Value& headers, const Value& query_params,
                      std::span<const json::Member> fields, std::pmr::memory_resource& arena) {
  if (headers.is_null() && query_params.is_null() && fields.empty()) return event;
  Parts members{&arena};
  members.assign(event.members().begin(), event.members().end());
  if (!headers.is_null()) members.push_back({kHeaders, headers});
  if (!query_params.is_null()) members.push_back({kQueryParams, query_params});
  members.insert(members.end(), fields.begin(), fields.end());
  return Value::object(members, arena);
}

}  // namespace tocsin::normalise
