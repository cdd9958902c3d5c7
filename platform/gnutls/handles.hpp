// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <memory>

namespace tocsin::gnutls {

/// Owners of the library's objects. Made by the library, empty when it had no memory.
template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
inline void free_datum(unsigned char* data) noexcept { gnutls_free(data); }
inline void free_trust_list(gnutls_x509_trust_list_t list) noexcept { gnutls_x509_trust_list_deinit(list, 1); }

using Certificate = std::unique_ptr<gnutls_x509_crt_int, Freed<gnutls_x509_crt_deinit>>;
using PrivateKey = std::unique_ptr<gnutls_x509_privkey_int, Freed<gnutls_x509_privkey_deinit>>;
using TrustList = std::unique_ptr<gnutls_x509_trust_list_st, Freed<free_trust_list>>;
using Credentials = std::unique_ptr<gnutls_certificate_credentials_st, Freed<gnutls_certificate_free_credentials>>;
using OwnedBytes = std::unique_ptr<unsigned char, Freed<free_datum>>;

[[nodiscard]] inline Certificate new_certificate() noexcept {
  gnutls_x509_crt_t out = nullptr;
  return Certificate(gnutls_x509_crt_init(&out) < 0 ? nullptr : out);
}
[[nodiscard]] inline PrivateKey new_private_key() noexcept {
  gnutls_x509_privkey_t out = nullptr;
  return PrivateKey(gnutls_x509_privkey_init(&out) < 0 ? nullptr : out);
}
[[nodiscard]] inline TrustList new_trust_list() noexcept {
  gnutls_x509_trust_list_t out = nullptr;
  return TrustList(gnutls_x509_trust_list_init(&out, 0) < 0 ? nullptr : out);
}
[[nodiscard]] inline Credentials new_credentials() noexcept {
  gnutls_certificate_credentials_t out = nullptr;
  return Credentials(gnutls_certificate_allocate_credentials(&out) < 0 ? nullptr : out);
}

}  // namespace tocsin::gnutls
