// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.hpp"

namespace tocsin::config {

/// A numeric address to listen on. Host names are refused: what a listener binds must not depend on a resolver.
struct ListenAddress {
  std::string host;        ///< without brackets
  std::uint16_t port = 0;  ///< 0: any free port
  bool is_ipv6 = false;
  bool is_loopback = false;
};

/// "127.0.0.1:10205" or "[::1]:10205". invalid_input: anything else, with the reason as context.
[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);

/// Where messages are taken that nobody answers.
struct MessageListen {
  bool is_stream = false;
  ListenAddress address;  ///< when unix_path is empty
  std::string unix_path;  ///< absolute, at most 107 bytes
};

/// "udp://ADDRESS:PORT", "tcp://ADDRESS:PORT", "unix:///PATH" (datagrams) or "unix-stream:///PATH". invalid_input:
/// anything else, with the reason as context.
[[nodiscard]] Result<MessageListen> parse_message_listen(std::string_view text);

struct ServerUrl {
  bool is_tls = false;
  std::string host;  ///< name or address, without brackets
  std::uint16_t port = 0;
};

/// "mqtt://host[:port]" (1883) or "mqtts://host[:port]" (8883); no user, no path. invalid_input: anything else, with
/// the reason as context.
[[nodiscard]] Result<ServerUrl> parse_server(std::string_view text);

}  // namespace tocsin::config
