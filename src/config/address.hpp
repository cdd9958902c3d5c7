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
  std::string host = {};  ///< name or address, without brackets
  std::uint16_t port = 0;
};

/// "mqtt://host[:port]" (1883) or "mqtts://host[:port]" (8883); no user, no path. invalid_input: anything else, with
/// the reason as context.
[[nodiscard]] Result<ServerUrl> parse_server(std::string_view text);

/// "host[:port]" (9092); no scheme, no user, no path. invalid_input: anything else, with the reason as context.
[[nodiscard]] Result<ServerUrl> parse_kafka_server(std::string_view text);

/// A topic filter of MQTT, in which a level may also be {name}: such a name begins with a-z, has at most 32 characters
/// of a-z, 0-9 and _, and stands there once. Empty: good; else what is wrong.
[[nodiscard]] std::string check_topic_filter(std::string_view text);
/// "{site}/{device}/alarm" -> "+/+/alarm". Precondition: check_topic_filter() says good.
[[nodiscard]] std::string plain_filter(std::string_view filter);

}  // namespace tocsin::config
