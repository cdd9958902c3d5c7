// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "src/port/broker.hpp"

struct mosquitto;

namespace tocsin::mosquitto {

/// libmosquitto as a broker connection without a thread: the owner waits on fd() and calls back. (The library's own
/// thread ends for good on one malformed packet, and its reconnects have neither jitter nor mercy for clean starts.)
/// A client object of the library lives as long as one connection, so that nothing is resent behind our back.
/// Blocks: begin() while a name is resolved. TLS: 1.2 and later, the server's name is checked against its certificate.
/// What is done with a connection is up to the classes that derive from this.
class Connection {
 public:
  static constexpr int kKeepAliveS = 30;

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// False: the library cannot make a client here.
  [[nodiscard]] bool works() const noexcept;
  [[nodiscard]] static std::string library_name();

  [[nodiscard]] int fd() const noexcept;  ///< -1: nothing to wait for
  [[nodiscard]] bool wants_read() const noexcept;
  [[nodiscard]] bool wants_write() const noexcept;
  [[nodiscard]] int wait_ms_max() const noexcept;  ///< call on_ready() and next_event() at least so often
  /// Also with nothing ready.
  void on_ready(bool readable, bool writable, bool hung_up);
  [[nodiscard]] std::optional<port::BrokerEvent> next_event();

 protected:
  Connection() noexcept;
  ~Connection();

  void begin(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version);
  void finish() noexcept;
  [[nodiscard]] int connect_without_waiting(const port::BrokerServer& server, int keep_alive_s);
  void end(port::BrokerEvent event);
  void end_as(port::BrokerEvent::Kind kind, std::string text);
  void end_with(int rc);
  void note(port::BrokerEvent event) { events_.push_back(std::move(event)); }
  [[nodiscard]] bool is_usable() const noexcept { return handle_ != nullptr && is_connected_ && !is_over_; }
  [[nodiscard]] bool is_v5() const noexcept { return v5_; }
  [[nodiscard]] ::mosquitto* handle() const noexcept { return handle_; }

  // What a derived class decides; ints are the library's codes.
  [[nodiscard]] virtual bool starts_clean() const noexcept { return true; }
  [[nodiscard]] virtual int prepare_more() = 0;
  [[nodiscard]] virtual int connect(const port::BrokerServer& server) {
    return connect_without_waiting(server, kKeepAliveS);
  }
  /// The broker has taken the connection; the library may be called.
  virtual void on_up() {}
  /// A line for whoever debugs the library.
  virtual void on_debug(const char*) noexcept {}
  [[nodiscard]] virtual bool may_read() const noexcept { return true; }
  [[nodiscard]] virtual bool may_write() const noexcept { return true; }

  /// For the library's callbacks, which come in C from inside begin() and on_ready(): they only note what happened. The
  /// library must not be called from there, and nothing may be thrown through it.
  template <class Self, class Note>
  static void noted(void* self, Note note) noexcept {
    auto& connection = *static_cast<Connection*>(self);
    try {
      note(static_cast<Self&>(connection));
    } catch (const std::bad_alloc&) {
      connection.out_of_memory_ = true;
    }
  }

  bool came_ = false;          ///< set by whoever takes a message: TLS may have read the next one already
  bool lacks_memory_ = false;  ///< a message did not fit: on_ready() ends the connection

 private:
  struct Callbacks;
  [[nodiscard]] int prepare(const port::BrokerLogin& login);
  [[nodiscard]] int prepare_tls_and_connect(const port::BrokerServer& server, const port::BrokerLogin& login);
  [[nodiscard]] bool attempt_failed();
  [[nodiscard]] bool nothing_is_left() const noexcept;
  [[nodiscard]] bool in_handshake() const noexcept { return tls_ && !is_connected_; }
  [[nodiscard]] bool reads_unasked() const noexcept { return tls_ && came_ && may_read(); }

  ::mosquitto* handle_ = nullptr;
  bool tls_ = false;
  bool v5_ = true;
  bool tcp_is_up_ = false;
  bool is_connected_ = false;
  bool came_up_ = false;        ///< on_up() is due
  bool out_of_memory_ = false;  ///< an event could not be noted
  bool is_over_ = true;         ///< the event that ends this connection was given
  std::string last_error_;      ///< what the library last logged as an error
  std::deque<port::BrokerEvent> events_;
};

}  // namespace tocsin::mosquitto
