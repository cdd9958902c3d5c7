// SPDX-License-Identifier: Apache-2.0
#include "src/base/crc32c.hpp"

#include <array>

namespace tocsin {
namespace {

// Slicing by eight: portable, about a byte a cycle, and the tables are made by the compiler.
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1U) != 0 ? (c >> 1) ^ 0x82F63B78U : c >> 1;
    t[0][i] = c;
  }
  for (std::size_t s = 1; s < 8; ++s) {
    for (std::size_t i = 0; i < 256; ++i) t[s][i] = (t[s - 1][i] >> 8) ^ t[0][t[s - 1][i] & 0xFFU];
  }
  return t;
}
constexpr auto kTables = make_tables();

}  // namespace

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) noexcept {
  std::uint32_t c = ~seed;
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const auto word = load<std::uint64_t>(p) ^ c;
    c = 0;
    for (std::size_t s = 0; s < 8; ++s) c ^= kTables[7 - s][(word >> (8 * s)) & 0xFFU];
  }
  for (; n > 0; --n, ++p) c = (c >> 8) ^ kTables[0][(c ^ static_cast<std::uint32_t>(*p)) & 0xFFU];
  return ~c;
}

}  // namespace tocsin
