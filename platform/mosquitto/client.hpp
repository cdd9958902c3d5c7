// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "src/port/broker.hpp"

struct mosquitto;

namespace tocsin::mosquitto {

/// libmosquitto as a broker connection without a thread: the owner waits on fd() and calls back. (The library's own
/// thread ends for good on one malformed packet, and its reconnects have neither jitter nor mercy for clean starts.)
/// A client object of the library lives as long as one connection, so that nothing is resent behind our back.
/// Blocks: open() while a name is resolved. TLS: 1.2 and later, the server's name is checked against its certificate.
/// One per process: it starts and ends the library.
class Client final : public port::Broker {
 public:
  static constexpr int kKeepAliveS = 30;
  static constexpr int kInFlightMax = 20;

  Client() noexcept;
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False: the library cannot make a client here.
  [[nodiscard]] bool works() const noexcept;
  [[nodiscard]] static std::string library_name();

  void open(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version) override;
  [[nodiscard]] port::PublishResult publish(const port::BrokerMessage& message) override;
  void close() noexcept override;

  [[nodiscard]] int fd() const noexcept;  ///< -1: nothing to wait for
  [[nodiscard]] bool wants_write() const noexcept;
  [[nodiscard]] int wait_ms_max() const noexcept;  ///< call on_ready() and next_event() at least so often
  /// Also with nothing ready.
  void on_ready(bool readable, bool writable, bool hung_up);
  [[nodiscard]] std::optional<port::BrokerEvent> next_event();

 private:
  struct Callbacks;
  [[nodiscard]] int prepare(const port::BrokerLogin& login);
  [[nodiscard]] int prepare_tls_and_connect(const port::BrokerServer& server, const port::BrokerLogin& login);
  void end(port::BrokerEvent::Kind kind, std::string text, bool wrong_version = false);
  void end_with(int rc);
  [[nodiscard]] bool attempt_failed();
  [[nodiscard]] bool nothing_is_left() const noexcept;

  ::mosquitto* handle_ = nullptr;
  bool tls_ = false;
  bool v5_ = true;
  bool tcp_is_up_ = false;
  bool is_connected_ = false;
  bool out_of_memory_ = false;  ///< an event could not be noted
  bool is_over_ = true;         ///< the event that ends this connection was given
  std::string last_error_;      ///< what the library last logged as an error
  std::deque<port::BrokerEvent> events_;
};

}  // namespace tocsin::mosquitto
