// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "platform/mosquitto/connection.hpp"
#include "src/port/broker_reader.hpp"

struct mosquitto_message;

namespace tocsin::mosquitto {

/// A connection that reads, with a session that the broker keeps.
///
/// The library makes an acknowledgement before it shows the message. In its mode for programs with threads of their own
/// it only queues what it wants to send; so nothing is written while a message waits for acknowledge(), not even a
/// ping: after one and a half kKeepAliveS without it the broker gives the connection up. Memory: one message in the
/// library (twice, at its whole size) and kUntakenBytesMax of those that were not taken; a broker that sends several in
/// one TLS record makes the library read them all.
class Reader final : public Connection, public port::BrokerReader {
 public:
  static constexpr int kUnacknowledgedMax = 20;  ///< what an MQTT 5 broker may send before the first acknowledgement
  static constexpr int kSlowKeepAliveS = 600;
  static constexpr std::size_t kUntakenBytesMax = 1280 * 1024;

  ~Reader() override { close(); }

  void open(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version,
            const port::BrokerWish& wish) override;
  [[nodiscard]] std::optional<port::BrokerMessageIn> take() override;
  void set_reading(bool on) noexcept override { is_reading_ = on; }
  void acknowledge() noexcept override { is_held_ = false; }  ///< precondition: take() has nothing left
  void close() noexcept override;

 private:
  void receive(const mosquitto_message& message) noexcept;

  [[nodiscard]] bool starts_clean() const noexcept override { return false; }
  [[nodiscard]] int prepare_more() override;
  [[nodiscard]] int connect(const port::BrokerServer& server) override;
  [[nodiscard]] int keep_properties();
  void on_up() override;
  void on_debug(const char* text) noexcept override;
  [[nodiscard]] bool may_read() const noexcept override;
  [[nodiscard]] bool may_write() const noexcept override { return !is_held_; }

  port::BrokerWish wish_;
  std::string repeat_line_;  ///< how the library's line about a repeated message begins
  bool is_reading_ = true;
  bool is_held_ = false;         ///< the library has queued an acknowledgement that must not leave
  bool is_next_repeat_ = false;  ///< the message that is about to come was sent before
  std::uint32_t left_out_ = 0;   ///< since the last message that found room
  std::size_t untaken_bytes_ = 0;
  std::deque<port::BrokerMessageIn> untaken_;
};

}  // namespace tocsin::mosquitto
