// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "platform/gnutls/handles.hpp"
#include "src/base/result.hpp"
#include "src/base/time.hpp"
#include "src/port/tls.hpp"

namespace tocsin::gnutls {

/// Whether a client is asked for a certificate. One that is shown must be good, whatever this says.
enum class AskClient : std::uint8_t { never, optional, required };

struct ServerTlsOptions {
  std::string certificate_pem;  ///< the server's own, with the chain above it
  std::string key_pem;
  AskClient ask = AskClient::never;
  std::string client_ca_pem = {};  ///< who may issue certificates of clients; needed unless `ask` is never
  std::function<Wall()> wall =
      {};  ///< dates of clients' certificates are judged by it; while it is not trusted, not at all
};

/// TLS 1.2 and 1.3 with ECDHE and AEAD only; no tickets, no resumption, no renegotiation.
/// Memory: the files' contents; what is bounded for each connection is in records.hpp.
class ServerTls final : public port::TlsListener {
 public:
  /// invalid_input: certificate and key are not what they should be, or do not belong together (the context says what).
  [[nodiscard]] static Result<std::unique_ptr<ServerTls>> make(ServerTlsOptions options);

  [[nodiscard]] const char* certificate_pem() const noexcept override { return options_.certificate_pem.c_str(); }
  [[nodiscard]] const char* key_pem() const noexcept override { return options_.key_pem.c_str(); }
  [[nodiscard]] const char* priorities() const noexcept override;
  [[nodiscard]] std::unique_ptr<port::TlsConnection> accept(void* session, int fd) noexcept override;

 private:
  class Connection;
  explicit ServerTls(ServerTlsOptions options) : options_(std::move(options)) {}
  /// Of what the client shows in the handshake; no alert: it is good.
  [[nodiscard]] std::optional<gnutls_alert_description_t> fault_of(const gnutls_datum_t* chain,
                                                                   unsigned count) const noexcept;

  ServerTlsOptions options_;
  TrustList clients_;
};

}  // namespace tocsin::gnutls
