// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace tocsin {

/// Bytes of the UTF-8 character at `at` (Unicode table 3-7: shortest forms, no surrogates, up to U+10FFFF); 0 when what
/// is there is none. Precondition: at < text.size().
[[nodiscard]] constexpr std::size_t utf8_size_at(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t offset) { return static_cast<unsigned char>(text[at + offset]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first <= 0xDF ? 2U : (first & 0xF0U) == 0xE0 ? 3U : 4U;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < size) return 0;
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  return size;
}

/// Offset of the first byte that is not part of a UTF-8 character; text.size() when there is none.
[[nodiscard]] constexpr std::size_t utf8_valid_bytes(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = utf8_size_at(text, at);
    if (size == 0) break;
    at += size;
  }
  return at;
}

}  // namespace tocsin
