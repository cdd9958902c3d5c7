// SPDX-License-Identifier: Apache-2.0
#include "src/json/needle.hpp"

#include <cstring>

#include "src/json/text.hpp"

namespace tocsin::json {

Needle::Needle(std::string plain) : plain_(std::move(plain)), border_(plain_.size()) {
  const std::size_t size = plain_.size();
  skip_.fill(static_cast<std::uint16_t>(size));
  for (std::size_t i = 0; i + 1 < size; ++i)
    skip_[static_cast<unsigned char>(plain_[i])] = static_cast<std::uint16_t>(size - 1 - i);
  for (std::size_t i = 1, held = 0; i < size; ++i) {
    while (held > 0 && plain_[i] != plain_[held]) held = border_[held - 1];
    if (plain_[i] == plain_[held]) ++held;
    border_[i] = static_cast<std::uint16_t>(held);
  }
}

bool Needle::is_in(std::string_view json) const noexcept {
  if (plain_.empty()) return true;
  // Every escape is longer than what it stands for.
  if (json.size() < plain_.size()) return false;
  return has_escapes(json) ? is_in_escaped(json) : is_in_plain(json);
}

bool Needle::is_in_plain(std::string_view text) const noexcept {
  const std::size_t before_last = plain_.size() - 1;
  if (before_last == 0) return std::memchr(text.data(), plain_[0], text.size()) != nullptr;
  const char* at = text.data();
  const char* const last_start = at + (text.size() - plain_.size());
  while (at <= last_start) {
    const char last = at[before_last];
    if (last == plain_[before_last] && std::memcmp(at, plain_.data(), before_last) == 0) return true;
    at += skip_[static_cast<unsigned char>(last)];
  }
  return false;
}

bool Needle::is_in_escaped(std::string_view json) const noexcept {
  std::size_t held = 0;
  const auto take = [&](char c) noexcept {
    while (held > 0 && plain_[held] != c) held = border_[held - 1];
    if (plain_[held] == c) ++held;
    return held == plain_.size();
  };
  const char* p = json.data();
  const char* const end = p + json.size();
  while (p < end) {
    if (*p != '\\') {
      if (take(*p++)) return true;
      continue;
    }
    const Character one = escape_at({p, static_cast<std::size_t>(end - p)});
    for (std::size_t i = 0; i < one.size; ++i) {
      if (take(one.bytes[i])) return true;
    }
    p += one.source;
  }
  return false;
}

}  // namespace tocsin::json
