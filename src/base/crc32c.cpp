// SPDX-License-Identifier: Apache-2.0
#include "src/base/crc32c.hpp"

#include <array>

namespace tocsin {
namespace {

// Slicing by sixteen: portable, about two bytes a cycle, and the tables (16 KiB) are made by the compiler.
constexpr std::size_t kSlices = 16;
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, kSlices> t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1U) != 0 ? (c >> 1) ^ 0x82F63B78U : c >> 1;
    t[0][i] = c;
  }
  for (std::size_t s = 1; s < kSlices; ++s) {
    for (std::size_t i = 0; i < 256; ++i) t[s][i] = (t[s - 1][i] >> 8) ^ t[0][t[s - 1][i] & 0xFFU];
  }
  return t;
}
constexpr auto kTables = make_tables();

/// The part of the sum that the eight bytes of `word` make when `kBehind` bytes follow them in the same step.
template <std::size_t kBehind>
std::uint32_t sliced(std::uint64_t word) noexcept {
  std::uint32_t c = 0;
  for (std::size_t i = 0; i < 8; ++i) c ^= kTables[kBehind + 7 - i][(word >> (8 * i)) & 0xFFU];
  return c;
}

}  // namespace

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) noexcept {
  std::uint32_t c = ~seed;
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 16; n -= 16, p += 16) c = sliced<8>(load<std::uint64_t>(p) ^ c) ^ sliced<0>(load<std::uint64_t>(p + 8));
  if (n >= 8) {
    c = sliced<0>(load<std::uint64_t>(p) ^ c);
    n -= 8;
    p += 8;
  }
  for (; n > 0; --n, ++p) c = (c >> 8) ^ kTables[0][(c ^ static_cast<std::uint32_t>(*p)) & 0xFFU];
  return ~c;
}

}  // namespace tocsin
