// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/port/crypto.hpp"

namespace tocsin::gnutls {

/// The crypto port with GnuTLS. A library that refuses one of these algorithms (a broken installation, or FIPS mode
/// forbidding MD5) ends the process: an answer that is silently wrong would be worse.
class Crypto final : public port::Crypto {
 public:
  [[nodiscard]] port::Digest256 sha256(Bytes data) const noexcept override;
  [[nodiscard]] port::Digest256 hmac_sha256(Bytes key, Bytes data) const noexcept override;
  [[nodiscard]] port::Digest128 md5(Bytes data) const noexcept override;
  [[nodiscard]] port::Digest256 pbkdf2(std::string_view password, Bytes salt,
                                       std::uint32_t iterations) const noexcept override;
};

}  // namespace tocsin::gnutls
