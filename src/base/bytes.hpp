// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace tocsin {

static_assert(std::endian::native == std::endian::little, "add byte swapping before supporting this target");

using Bytes = std::span<const std::byte>;

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Unaligned little-endian load. Precondition: `from` has sizeof(T) bytes.
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] T load(const std::byte* from) noexcept {
  T out;
  std::memcpy(&out, from, sizeof(T));
  return out;
}

template <class T>
requires std::is_trivially_copyable_v<T>
void store(std::byte* to, const T& value) noexcept { std::memcpy(to, &value, sizeof(T)); }

/// Big-endian, for keys: byte order is numeric order.
inline void store_be64(std::byte* to, std::uint64_t value) noexcept { store(to, __builtin_bswap64(value)); }
[[nodiscard]] inline std::uint64_t load_be64(const std::byte* from) noexcept {
  return __builtin_bswap64(load<std::uint64_t>(from));
}
inline void store_be32(std::byte* to, std::uint32_t value) noexcept { store(to, __builtin_bswap32(value)); }
[[nodiscard]] inline std::uint32_t load_be32(const std::byte* from) noexcept {
  return __builtin_bswap32(load<std::uint32_t>(from));
}

}  // namespace tocsin
