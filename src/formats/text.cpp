// SPDX-License-Identifier: Apache-2.0
#include "src/base/utf8.hpp"
#include "src/formats/formats.hpp"
#include "src/formats/tree.hpp"

namespace tocsin::formats {
namespace {

constexpr std::string_view kBefore = R"({"text":")";
constexpr std::string_view kBehind = R"("})";
constexpr std::string_view kReplacement = "\uFFFD";

/// Bytes of the character at `at`; 0: none that JSON text can have.
std::size_t character_at(std::string_view body, std::size_t at) noexcept {
  return body[at] == '\0' ? 0 : utf8_size_at(body, at);
}

std::size_t bytes_between_quotes(std::string_view body) noexcept {
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = character_at(body, at);
    const auto c = static_cast<unsigned char>(body[at]);
    const bool pair = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
    bytes += size == 0 ? kReplacement.size() : pair ? 2 : c < 0x20 ? 6 : size;
    at += size == 0 ? 1 : size;
  }
  return bytes;
}

}  // namespace

Outcome text_to_json(std::string_view body, std::pmr::string& json, const Limits& limits) {
  json.clear();
  if (body.size() > limits.body_bytes_max) {
    return tl::unexpected(FormatError{FormatError::What::too_large, "the body is too long"});
  }
  const std::size_t bytes = kBefore.size() + bytes_between_quotes(body) + kBehind.size();
  if (bytes > limits.json_bytes_max) {
    return tl::unexpected(FormatError{FormatError::What::too_large, "too long when written as JSON"});
  }
  json.reserve(bytes + limits.spare_bytes);
  json.append(kBefore);
  std::size_t from = 0;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = character_at(body, at);
    if (size != 0) {
      at += size;
      continue;
    }
    append_escaped(body.substr(from, at - from), json);
    json.append(kReplacement);
    from = ++at;
  }
  append_escaped(body.substr(from), json);
  json.append(kBehind);
  return {};
}

}  // namespace tocsin::formats
