// SPDX-License-Identifier: Apache-2.0
#include "platform/gnutls/self_signed.hpp"

#include <arpa/inet.h>
#include <gnutls/crypto.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <utility>

#include "platform/gnutls/handles.hpp"

namespace tocsin::gnutls {

namespace {

constexpr std::size_t kCommonNameBytesMax = 64;  // RFC 5280, upper bound of a common name

/// A 32-bit time_t ends in 2038, and so do the certificates that are made with it.
std::time_t to_time(std::int64_t unix_s) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::time_t>::max();
  return static_cast<std::time_t>(unix_s < kMax ? unix_s : kMax);
}

Status add_address(gnutls_x509_crt_t certificate, const std::string& text) noexcept {
  std::array<unsigned char, 16> bytes{};
  unsigned size = 4;
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) != 1) {
    size = 16;
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1)
      return error(Errc::invalid_input, "an address of the certificate is none");
  }
  const int done =
      gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, bytes.data(), size, GNUTLS_FSAN_APPEND);
  return done < 0 ? Status{error(Errc::io_failed, "address of the certificate")} : Status{};
}

Status describe(gnutls_x509_crt_t certificate, const SelfSignedOptions& options) noexcept {
  std::array<unsigned char, 16> serial{};
  bool ok = gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()) >= 0;
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3FU) | 0x40U);  // positive, and as long as it looks
  const auto name_bytes = static_cast<unsigned>(std::min(options.name.size(), kCommonNameBytesMax));
  ok = ok && gnutls_x509_crt_set_version(certificate, 3) >= 0 &&
       gnutls_x509_crt_set_serial(certificate, serial.data(), serial.size()) >= 0 &&
       gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, options.name.data(), name_bytes) >=
           0 &&
       gnutls_x509_crt_set_activation_time(certificate, to_time(options.from_unix_s)) >= 0 &&
       gnutls_x509_crt_set_expiration_time(certificate, to_time(options.until_unix_s)) >= 0 &&
       gnutls_x509_crt_set_basic_constraints(certificate, 0, -1) >= 0 &&
       gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE) >= 0 &&
       gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0) >= 0;
  for (const std::string& name : options.dns_names) {
    ok = ok && gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name.data(),
                                                    static_cast<unsigned>(name.size()), GNUTLS_FSAN_APPEND) >= 0;
  }
  for (const std::string& address : options.addresses) {
    if (auto done = add_address(certificate, address); !done.ok()) return done;
  }
  return ok ? Status{} : Status{error(Errc::io_failed, "fields of the certificate")};
}

Result<std::string> pem_of(auto object, auto export_it) {
  gnutls_datum_t data{};
  if (export_it(object, GNUTLS_X509_FMT_PEM, &data) < 0) return error(Errc::io_failed, "PEM of the certificate");
  const OwnedBytes owner(data.data);
  return std::string(reinterpret_cast<const char*>(data.data), data.size);
}

}  // namespace

Result<SelfSigned> make_self_signed(const SelfSignedOptions& options) {
  const PrivateKey key = new_private_key();
  const Certificate certificate = new_certificate();
  if (key == nullptr || certificate == nullptr) return error(Errc::out_of_budget, "certificate");
  if (gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0)
    return error(Errc::io_failed, "key of the certificate");
  if (auto done = describe(certificate.get(), options); !done.ok()) return done.error();
  if (gnutls_x509_crt_set_key(certificate.get(), key.get()) < 0 ||
      gnutls_x509_crt_sign2(certificate.get(), certificate.get(), key.get(), GNUTLS_DIG_SHA256, 0) < 0)
    return error(Errc::io_failed, "signature of the certificate");
  SelfSigned out;
  auto text = pem_of(certificate.get(), gnutls_x509_crt_export2);
  if (!text.ok()) return text.error();
  out.certificate_pem = std::move(*text);
  text = pem_of(key.get(), gnutls_x509_privkey_export2);
  if (!text.ok()) return text.error();
  out.key_pem = std::move(*text);
  std::size_t size = out.fingerprint.size();
  if (gnutls_x509_crt_get_fingerprint(certificate.get(), GNUTLS_DIG_SHA256, out.fingerprint.data(), &size) < 0)
    return error(Errc::io_failed, "fingerprint of the certificate");
  return out;
}

}  // namespace tocsin::gnutls
