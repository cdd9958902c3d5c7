// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "platform/gnutls/server_tls.hpp"
#include "src/config/config.hpp"
#include "src/programs/tocsind_clock.hpp"

namespace tocsin::programs {

/// What the TLS listeners show and ask for. The certificate is made when there is none.
class ListenersTls {
 public:
  /// Before the listeners. Does nothing when none has TLS. False: said why on stderr.
  [[nodiscard]] bool open(const config::Config& config, const BoxClock& clock);
  [[nodiscard]] port::TlsListener* push() const noexcept { return push_.get(); }
  [[nodiscard]] port::TlsListener* admin() const noexcept { return admin_.get(); }

 private:
  std::unique_ptr<gnutls::ServerTls> push_;
  std::unique_ptr<gnutls::ServerTls> admin_;
};

}  // namespace tocsin::programs
