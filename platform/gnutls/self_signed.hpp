// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/result.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::gnutls {

struct SelfSignedOptions {
  std::string name;                    ///< subject; cut to 64 bytes
  std::vector<std::string> dns_names;  ///< what clients may call the server
  std::vector<std::string> addresses;  ///< the same, numeric
  std::int64_t from_unix_s = 0;
  std::int64_t until_unix_s = 0;
};

struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;
  port::Digest256 fingerprint{};  ///< SHA-256 of the certificate
};

/// A new ECDSA P-256 key and a certificate of its own for a server. Errors: invalid_input (an address that is none),
/// io_failed (the library refused; no random numbers).
[[nodiscard]] Result<SelfSigned> make_self_signed(const SelfSignedOptions& options);

}  // namespace tocsin::gnutls
