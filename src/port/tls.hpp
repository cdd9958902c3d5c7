// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "src/port/crypto.hpp"

namespace tocsin::port {

/// What is kept of one TLS connection beside the TLS library's own session. Ends when that has ended.
class TlsConnection {
 public:
  virtual ~TlsConnection() = default;
  /// SHA-256 of the certificate (DER) that the client showed and that was verified; nullopt: it showed none.
  /// Precondition: the handshake is over, the session lives.
  [[nodiscard]] virtual std::optional<Digest256> client_certificate() const noexcept = 0;
  /// A part of a request came out of what was read. What a client may send without is bounded.
  virtual void progressed() noexcept = 0;
};

/// The TLS side of a listener. One thread; outlives its listeners and connections.
class TlsListener {
 public:
  virtual ~TlsListener() = default;
  /// PEM, NUL-terminated.
  [[nodiscard]] virtual const char* certificate_pem() const noexcept = 0;
  [[nodiscard]] virtual const char* key_pem() const noexcept = 0;
  /// Protocols and ciphers that are offered, in the words of the TLS library.
  [[nodiscard]] virtual const char* priorities() const noexcept = 0;
  /// A connection came, its handshake has not begun. `session`: the TLS library's handle, made to read and
  /// write `fd`.
  /// Null: no memory; the connection must be closed.
  [[nodiscard]] virtual std::unique_ptr<TlsConnection> accept(void* session, int fd) noexcept = 0;
};

}  // namespace tocsin::port
