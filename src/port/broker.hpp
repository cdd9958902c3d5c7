// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::port {

enum class MqttVersion : std::uint8_t { v311, v5 };

struct BrokerServer {
  std::string host;  ///< name or address, without brackets
  std::uint16_t port = 1883;
  bool tls = false;
};

/// How to introduce ourselves; the same for every server.
struct BrokerLogin {
  std::string client_id;
  std::string username;  ///< empty: no credentials
  std::string password;
  std::string ca_pem;  ///< contents; needed for TLS
  std::string cert_pem;
  std::string key_pem;
};

struct BrokerProperty {
  std::string_view name;
  std::string_view value;
};

/// Sent with QoS 1, not retained.
struct BrokerMessage {
  std::string_view topic;
  std::string_view payload;
  std::span<const BrokerProperty> properties;  ///< left out on 3.1.1
};

struct BrokerEvent {
  enum class Kind : std::uint8_t {
    connected,
    refused,     ///< the other side answered and said no; the connection is over
    lost,        ///< the connection broke, or never came up; it is over
    acked,       ///< one message is safe at the broker, or was refused by it
    subscribed,  ///< of a connection that reads: the broker has answered to what was asked for
  };
  Kind kind = Kind::lost;
  std::string text = {};                ///< for people; empty with connected, and where nothing is amiss
  std::uint32_t message_bytes_max = 0;  ///< connected: largest packet that the broker takes; 0: no limit
  bool silent = false;                  ///< lost: the broker took the connection and ended it without an answer
  bool wrong_version = false;           ///< refused: the broker does not speak this version of the protocol
  bool resumed = false;                 ///< connected: the broker has kept a session for us
  bool too_large = false;               ///< lost: a message came that there is not memory enough for
  int message = 0;                      ///< acked: the number that publish() gave
  bool failed = false;                  ///< acked: the broker did not keep the message; subscribed: it says no
};

enum class Published : std::uint8_t { yes, too_large, refused, lost };
struct PublishResult {
  Published outcome = Published::lost;
  int message = 0;  ///< with yes: its number in the acked event; never used twice at a time
};

/// One connection at a time to an MQTT broker. Owner: one thread. Nothing survives a connection: what was not
/// acknowledged when it ends is gone.
class Broker {
 public:
  virtual ~Broker() = default;
  /// Begins an attempt; how it ends comes as an event. May block for as long as a name takes to resolve.
  virtual void open(const BrokerServer& server, const BrokerLogin& login, MqttVersion version) = 0;
  /// Only after a connected event. Copies the message. Anything but `yes`: the message was not taken, close() must
  /// follow.
  [[nodiscard]] virtual PublishResult publish(const BrokerMessage& message) = 0;
  /// Ends the connection and everything unacknowledged with it. No event follows, also not of what happened before.
  virtual void close() noexcept = 0;
};

}  // namespace tocsin::port
