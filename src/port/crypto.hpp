// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "src/base/bytes.hpp"

namespace tocsin::port {

using Digest256 = std::array<std::byte, 32>;
using Digest128 = std::array<std::byte, 16>;

/// The one crypto stack of the core. Thread-safe, stateless.
class Crypto {
 public:
  virtual ~Crypto() = default;
  [[nodiscard]] virtual Digest256 sha256(Bytes data) const noexcept = 0;
  [[nodiscard]] virtual Digest256 hmac_sha256(Bytes key, Bytes data) const noexcept = 0;
  /// BlueKing's dedupe identities are MD5; never used where an adversary matters.
  [[nodiscard]] virtual Digest128 md5(Bytes data) const noexcept = 0;
  /// PBKDF2-HMAC-SHA256. Cost: `iterations` HMACs on the calling thread, about 0.3 s for 600,000.
  [[nodiscard]] virtual Digest256 pbkdf2(std::string_view password, Bytes salt,
                                         std::uint32_t iterations) const noexcept = 0;
};

/// Time depends on the sizes only.
[[nodiscard]] inline bool equal_constant_time(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  std::byte difference{0};
  for (std::size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return difference == std::byte{0};
}

}  // namespace tocsin::port
