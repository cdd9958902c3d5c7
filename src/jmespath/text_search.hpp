// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include "src/jmespath/machine.hpp"

namespace tocsin::jmespath {

/// Bytes of the character at the start of `text`. Precondition: valid UTF-8, not empty.
[[nodiscard]] inline std::size_t character_size(std::string_view text) noexcept {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
  return size;
}

/// Counts a search of `wanted` in `text` at its worst, where each place differs only in the last byte.
[[nodiscard]] inline bool charge_find(Machine& machine, std::string_view text, std::string_view wanted) noexcept {
  if (wanted.empty() || wanted.size() > text.size()) return machine.charge(1);
  const std::size_t places = text.size() - wanted.size() + 1;
  const std::size_t rows = wanted.size() / kBytesPerStep + 1;  // memcmp reads a row at a time
  return machine.charge_bytes(places > SIZE_MAX / rows ? SIZE_MAX - 1 : places * rows);
}

}  // namespace tocsin::jmespath
