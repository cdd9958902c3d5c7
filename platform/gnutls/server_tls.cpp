// SPDX-License-Identifier: Apache-2.0
#include "platform/gnutls/server_tls.hpp"

#include <gnutls/crypto.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <new>
#include <optional>
#include <utility>

#include "platform/gnutls/records.hpp"

namespace tocsin::gnutls {

namespace {

constexpr const char* kPriorities =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%NO_TICKETS";
constexpr unsigned kChainMax = 8;
constexpr unsigned kProfileShift = 24;  // GNUTLS_PROFILE_TO_VFLAGS has a cast of the old style

gnutls_datum_t datum(const std::string& text) noexcept {
  // The library takes datums that are not const but does not write to these.
  return {const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

Status check_own(const ServerTlsOptions& options) noexcept {
  const Credentials credentials = new_credentials();
  if (credentials == nullptr) return error(Errc::out_of_budget, "TLS credentials");
  const gnutls_datum_t certificate = datum(options.certificate_pem);
  const gnutls_datum_t key = datum(options.key_pem);
  switch (gnutls_certificate_set_x509_key_mem(credentials.get(), &certificate, &key, GNUTLS_X509_FMT_PEM)) {
    case GNUTLS_E_SUCCESS: return {};
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
      return error(Errc::invalid_input, "certificate and key do not belong together");
    case GNUTLS_E_MEMORY_ERROR: return error(Errc::out_of_budget, "TLS credentials");
    default: return error(Errc::invalid_input, "the certificate or the key is not in PEM, or not of a known kind");
  }
}

/// Whether it may be used at that time. A date that the machine's time_t cannot hold is not judged.
std::optional<gnutls_alert_description_t> date_fault(gnutls_x509_crt_t certificate, std::int64_t now_s) noexcept {
  const std::time_t from = gnutls_x509_crt_get_activation_time(certificate);
  const std::time_t until = gnutls_x509_crt_get_expiration_time(certificate);
  if (from != std::time_t{-1} && now_s < std::int64_t{from}) return GNUTLS_A_BAD_CERTIFICATE;
  if (until != std::time_t{-1} && now_s > std::int64_t{until}) return GNUTLS_A_CERTIFICATE_EXPIRED;
  return std::nullopt;
}

}  // namespace

class ServerTls::Connection final : public port::TlsConnection {
 public:
  Connection(const ServerTls& owner, gnutls_session_t session, int fd) noexcept
      : owner_(owner), session_(session), reader_(fd) {
    gnutls_transport_ptr_t receives = nullptr;
    gnutls_transport_ptr_t sends = nullptr;
    gnutls_transport_get_ptr2(session, &receives, &sends);
    gnutls_transport_set_ptr2(session, this, sends);
    gnutls_transport_set_pull_function(session, on_pull);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
    if (owner.options_.ask == AskClient::never) return;
    const bool is_required = owner.options_.ask == AskClient::required;
    gnutls_certificate_server_set_request(session, is_required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(session, on_verify);
  }

  [[nodiscard]] std::optional<port::Digest256> client_certificate() const noexcept override {
    if (owner_.options_.ask == AskClient::never) return std::nullopt;
    unsigned count = 0;
    const gnutls_datum_t* chain = gnutls_certificate_get_peers(session_, &count);
    port::Digest256 out;
    if (chain == nullptr || count == 0 ||
        gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, out.data()) < 0)
      return std::nullopt;
    return out;
  }
  void progressed() noexcept override { reader_.progressed(); }

 private:
  static Connection& of(gnutls_session_t session) noexcept {
    gnutls_transport_ptr_t receives = nullptr;
    gnutls_transport_ptr_t sends = nullptr;
    gnutls_transport_get_ptr2(session, &receives, &sends);
    return *static_cast<Connection*>(receives);
  }
  static ssize_t on_pull(gnutls_transport_ptr_t self, void* to, std::size_t size) noexcept {
    return static_cast<Connection*>(self)->reader_.read(to, size);
  }
  static int on_finished(gnutls_session_t session, unsigned, unsigned, unsigned is_incoming,
                         const gnutls_datum_t*) noexcept {
    if (is_incoming != 0) of(session).reader_.handshake_is_over();
    return 0;
  }
  static int on_verify(gnutls_session_t session) noexcept {
    unsigned count = 0;
    const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
    if (chain == nullptr || count == 0) return 0;  // whoever must show one does not get here
    const auto fault = of(session).owner_.fault_of(chain, count);
    if (!fault) return 0;
    static_cast<void>(gnutls_alert_send(session, GNUTLS_AL_FATAL, *fault));
    return GNUTLS_E_CERTIFICATE_ERROR;
  }

  const ServerTls& owner_;
  gnutls_session_t session_;
  RecordReader reader_;
};

Result<std::unique_ptr<ServerTls>> ServerTls::make(ServerTlsOptions options) {
  if (auto done = check_own(options); !done.ok()) return done.error();
  std::unique_ptr<ServerTls> out(new ServerTls(std::move(options)));
  if (out->options_.ask == AskClient::never) return out;
  out->clients_ = new_trust_list();
  if (out->clients_ == nullptr) return error(Errc::out_of_budget, "CA of the clients");
  const gnutls_datum_t ca = datum(out->options_.client_ca_pem);
  const int count = gnutls_x509_trust_list_add_trust_mem(out->clients_.get(), &ca, nullptr, GNUTLS_X509_FMT_PEM, 0, 0);
  if (count <= 0) return error(Errc::invalid_input, "the CA file of the clients has no certificate in PEM");
  return out;
}

const char* ServerTls::priorities() const noexcept { return kPriorities; }

std::unique_ptr<port::TlsConnection> ServerTls::accept(void* session, int fd) noexcept {
  return std::unique_ptr<port::TlsConnection>(new (std::nothrow)
                                                  Connection(*this, static_cast<gnutls_session_t>(session), fd));
}

std::optional<gnutls_alert_description_t> ServerTls::fault_of(const gnutls_datum_t* chain,
                                                              unsigned count) const noexcept {
  if (count > kChainMax) return GNUTLS_A_BAD_CERTIFICATE;
  std::array<Certificate, kChainMax> owned;
  std::array<gnutls_x509_crt_t, kChainMax> certificates{};
  const Wall now = options_.wall();
  for (unsigned i = 0; i < count; ++i) {
    owned[i] = new_certificate();
    if (owned[i] == nullptr) return GNUTLS_A_INTERNAL_ERROR;
    certificates[i] = owned[i].get();
    if (gnutls_x509_crt_import(certificates[i], &chain[i], GNUTLS_X509_FMT_DER) < 0) return GNUTLS_A_BAD_CERTIFICATE;
    if (!now.trusted) continue;
    if (const auto fault = date_fault(certificates[i], now.unix_ms / 1000)) return fault;
  }
  gnutls_typed_vdata_st purpose{};
  purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
  purpose.data = reinterpret_cast<unsigned char*>(const_cast<char*>(GNUTLS_KP_TLS_WWW_CLIENT));
  // Dates are judged above, by the box's clock and only while that is trusted.
  const unsigned flags = unsigned{GNUTLS_VERIFY_DISABLE_TIME_CHECKS} |
                         unsigned{GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS} |
                         unsigned{GNUTLS_PROFILE_MEDIUM} << kProfileShift;
  unsigned status = 0;
  if (gnutls_x509_trust_list_verify_crt2(clients_.get(), certificates.data(), count, &purpose, 1, flags, &status,
                                         nullptr) < 0)
    return GNUTLS_A_INTERNAL_ERROR;
  if (status == 0) return std::nullopt;
  return (status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0 ? GNUTLS_A_UNKNOWN_CA : GNUTLS_A_BAD_CERTIFICATE;
}

}  // namespace tocsin::gnutls
