// SPDX-License-Identifier: Apache-2.0
#include "platform/gnutls/crypto.hpp"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <cstdlib>

namespace tocsin::gnutls {

namespace {

void must(int result) noexcept {
  if (result < 0) std::abort();
}

/// GnuTLS takes datums that are not const but never writes to these.
gnutls_datum_t datum(Bytes bytes) noexcept {
  static unsigned char nothing = 0;  // an empty key must still be a pointer
  if (bytes.empty()) return {&nothing, 0};
  return {const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data())),
          static_cast<unsigned>(bytes.size())};
}

}  // namespace

port::Digest256 Crypto::sha256(Bytes data) const noexcept {
  port::Digest256 out;
  must(gnutls_hash_fast(GNUTLS_DIG_SHA256, data.data(), data.size(), out.data()));
  return out;
}

port::Digest256 Crypto::hmac_sha256(Bytes key, Bytes data) const noexcept {
  port::Digest256 out;
  const gnutls_datum_t key_datum = datum(key);
  must(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key_datum.data, key_datum.size, data.data(), data.size(), out.data()));
  return out;
}

port::Digest128 Crypto::md5(Bytes data) const noexcept {
  port::Digest128 out;
  must(gnutls_hash_fast(GNUTLS_DIG_MD5, data.data(), data.size(), out.data()));
  return out;
}

port::Digest256 Crypto::pbkdf2(std::string_view password, Bytes salt, std::uint32_t iterations) const noexcept {
  port::Digest256 out;
  const gnutls_datum_t key = datum(as_bytes(password));
  const gnutls_datum_t salt_datum = datum(salt);
  must(gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &salt_datum, iterations, out.data(), out.size()));
  return out;
}

}  // namespace tocsin::gnutls
