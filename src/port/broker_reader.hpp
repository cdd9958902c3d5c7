// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/port/broker.hpp"

namespace tocsin::port {

/// What a connection that reads wants from the broker.
struct BrokerWish {
  std::vector<std::string> topics;      ///< filters, asked for with QoS 1
  std::uint32_t message_bytes_max = 0;  ///< the broker drops larger packets (MQTT 5 only); 0: it does not
  std::size_t payload_bytes_kept = 0;   ///< of each message
};

struct BrokerMessageIn {
  std::string topic;
  std::string payload;            ///< cut at payload_bytes_kept
  std::size_t payload_bytes = 0;  ///< of the whole message
  bool is_repeat = false;         ///< the broker says that it may have come before
  std::uint32_t left_out = 0;     ///< messages of QoS 0 before it for which there was no room
};

/// One connection at a time to an MQTT broker that keeps a session for us: what is not acknowledged when a connection
/// ends comes again in a later one. Owner: one thread.
class BrokerReader {
 public:
  virtual ~BrokerReader() = default;
  /// Begins an attempt; how it ends comes as an event: connected, and subscribed after that. Messages may come before
  /// subscribed. May block for as long as a name takes to resolve.
  virtual void open(const BrokerServer& server, const BrokerLogin& login, MqttVersion version,
                    const BrokerWish& wish) = 0;
  /// The oldest message that has come and was not taken. Asking is what makes more be read: while a message waits here,
  /// the connection is left alone.
  [[nodiscard]] virtual std::optional<BrokerMessageIn> take() = 0;
  /// Whether the connection may be read at all.
  virtual void set_reading(bool on) noexcept = 0;
  /// Acknowledges every message that has come. Until then none is.
  virtual void acknowledge() noexcept = 0;
  /// Ends the connection. No event follows, also not of what happened before, and no message.
  virtual void close() noexcept = 0;
};

}  // namespace tocsin::port
