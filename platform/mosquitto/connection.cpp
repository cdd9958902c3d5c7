// SPDX-License-Identifier: Apache-2.0
#include "platform/mosquitto/connection.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "platform/mosquitto/memory_file.hpp"

namespace tocsin::mosquitto {

using port::BrokerEvent;

struct Connection::Callbacks {
  static void on_connect(::mosquitto*, void* self, int reason, int flags,
                         const mosquitto_property* properties) noexcept {
    noted<Connection>(self, [&](Connection& client) {
      if (reason != 0) {
        const bool wrong_version = reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION || (reason == 1 && !client.v5_);
        const char* text = reason >= 128 ? mosquitto_reason_string(reason) : mosquitto_connack_string(reason);
        return client.end({.kind = BrokerEvent::Kind::refused, .text = text, .wrong_version = wrong_version});
      }
      client.is_connected_ = client.came_up_ = true;
      BrokerEvent event{.kind = BrokerEvent::Kind::connected, .resumed = (flags & 1) != 0};
      mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &event.message_bytes_max, false);
      client.events_.push_back(std::move(event));
    });
  }

  static void on_disconnect(::mosquitto*, void* self, int reason, const mosquitto_property*) noexcept {
    noted<Connection>(self, [&](Connection& client) {
      if (reason >= 128)
        return client.end({.kind = BrokerEvent::Kind::refused, .text = mosquitto_reason_string(reason)});
      client.end_with(reason);
    });
  }

  static void on_log(::mosquitto*, void* self, int level, const char* text) noexcept {
    noted<Connection>(self, [&](Connection& client) {
      if (level == MOSQ_LOG_ERR) client.last_error_ = text;
      if (level == MOSQ_LOG_DEBUG) client.on_debug(text);
    });
  }
};

Connection::Connection() noexcept { mosquitto_lib_init(); }

Connection::~Connection() { mosquitto_lib_cleanup(); }

bool Connection::works() const noexcept {
  ::mosquitto* const probe = mosquitto_new(nullptr, true, nullptr);
  mosquitto_destroy(probe);
  return probe != nullptr;
}

std::string Connection::library_name() {
  int major = 0;
  int minor = 0;
  int revision = 0;
  mosquitto_lib_version(&major, &minor, &revision);
  return "libmosquitto " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(revision);
}

void Connection::begin(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version) {
  finish();
  tls_ = server.tls;
  v5_ = version == port::MqttVersion::v5;
  tcp_is_up_ = is_connected_ = came_up_ = is_over_ = came_ = lacks_memory_ = false;
  last_error_.clear();
  handle_ = mosquitto_new(login.client_id.c_str(), starts_clean(), static_cast<Connection*>(this));
  if (handle_ == nullptr) return end_as(BrokerEvent::Kind::lost, "out of memory");
  int rc = prepare(login);
  if (rc == MOSQ_ERR_SUCCESS && tls_)
    rc = prepare_tls_and_connect(server, login);
  else if (rc == MOSQ_ERR_SUCCESS)
    rc = connect(server);
  if (rc == MOSQ_ERR_EAI) return end_as(BrokerEvent::Kind::lost, std::string("name: ") + gai_strerror(errno));
  if (rc != MOSQ_ERR_SUCCESS) end_with(rc);
}

int Connection::prepare(const port::BrokerLogin& login) {
  mosquitto_connect_v5_callback_set(handle_, &Callbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(handle_, &Callbacks::on_disconnect);
  mosquitto_log_callback_set(handle_, &Callbacks::on_log);
  mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, v5_ ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1);
  if (const int rc = prepare_more(); rc != MOSQ_ERR_SUCCESS || login.username.empty()) return rc;
  return mosquitto_username_pw_set(handle_, login.username.c_str(),
                                   login.password.empty() ? nullptr : login.password.c_str());
}

/// The library reads the files while it begins to connect, so they need not live longer.
int Connection::prepare_tls_and_connect(const port::BrokerServer& server, const port::BrokerLogin& login) {
  const MemoryFile ca(login.ca_pem);
  const MemoryFile cert(login.cert_pem);
  const MemoryFile key(login.key_pem);
  if (!ca.ok() || !cert.ok() || !key.ok()) return MOSQ_ERR_NOMEM;
  const bool own = !login.cert_pem.empty();
  int rc = mosquitto_tls_set(handle_, ca.path().c_str(), nullptr, own ? cert.path().c_str() : nullptr,
                             own ? key.path().c_str() : nullptr, nullptr);
  if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_tls_opts_set(handle_, 1, "tlsv1.2", nullptr);  // that and later ones
  return rc == MOSQ_ERR_SUCCESS ? connect(server) : rc;
}

int Connection::connect_without_waiting(const port::BrokerServer& server, int keep_alive_s) {
  return mosquitto_connect_async(handle_, server.host.c_str(), server.port, keep_alive_s);
}

void Connection::finish() noexcept {
  is_over_ = true;
  events_.clear();
  if (handle_ == nullptr) return;
  // Whoever may not write does not say goodbye either: that would send what is held back.
  if (is_connected_ && mosquitto_socket(handle_) >= 0 && may_write() &&
      mosquitto_disconnect(handle_) == MOSQ_ERR_SUCCESS)
    static_cast<void>(mosquitto_loop_write(handle_, 1));  // where disconnecting has only queued it
  is_connected_ = false;
  mosquitto_destroy(std::exchange(handle_, nullptr));
}

int Connection::fd() const noexcept { return handle_ == nullptr || is_over_ ? -1 : mosquitto_socket(handle_); }

bool Connection::wants_read() const noexcept { return fd() >= 0 && may_read(); }

bool Connection::wants_write() const noexcept {
  if (handle_ == nullptr || is_over_ || !may_write()) return false;
  if (!tcp_is_up_) return true;
  // In a TLS handshake 2.0.11 goes on wanting to write after it has written, which would spin: wait_ms_max() drives it.
  return !in_handshake() && mosquitto_want_write(handle_);
}

int Connection::wait_ms_max() const noexcept {
  if (!events_.empty() || reads_unasked()) return 0;
  if (fd() < 0) return 60'000;
  return tls_ && tcp_is_up_ && !is_connected_ ? 100 : 1'000;
}

void Connection::on_ready(bool readable, bool writable, bool hung_up) {
  if (fd() < 0) return;
  if (!tcp_is_up_) {
    if (!writable && !hung_up) return;
    if (attempt_failed()) return;
    tcp_is_up_ = true;
  }
  // A handshake is driven by reading, whatever it waits for.
  const bool handshake = in_handshake();
  int rc = MOSQ_ERR_SUCCESS;
  if ((readable || handshake || reads_unasked()) && may_read()) {
    came_ = false;
    rc = mosquitto_loop_read(handle_, 1);
  }
  if (rc == MOSQ_ERR_SUCCESS && lacks_memory_) rc = MOSQ_ERR_NOMEM;
  if (rc == MOSQ_ERR_SUCCESS && std::exchange(came_up_, false)) on_up();
  if (rc == MOSQ_ERR_SUCCESS && fd() >= 0 && (writable || handshake) && may_write())
    rc = mosquitto_loop_write(handle_, 1);
  if (rc == MOSQ_ERR_SUCCESS && fd() >= 0) rc = mosquitto_loop_misc(handle_);
  if (out_of_memory_) throw std::bad_alloc();
  if (rc != MOSQ_ERR_SUCCESS) return end_with(rc);
  if (is_over_) return;
  if (fd() < 0) return end_with(MOSQ_ERR_CONN_LOST);
  // The library takes a connection that ends in the middle of a handshake for one that goes on.
  if (hung_up && (!may_read() || nothing_is_left())) end_with(MOSQ_ERR_CONN_LOST);
}

bool Connection::nothing_is_left() const noexcept {
  char next = 0;
  const auto got = ::recv(fd(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/// The first news of a connect that was begun without waiting.
bool Connection::attempt_failed() {
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0) return false;
  end_as(BrokerEvent::Kind::lost, std::strerror(failure));
  return true;
}

std::optional<BrokerEvent> Connection::next_event() {
  if (events_.empty()) return std::nullopt;
  BrokerEvent out = std::move(events_.front());
  events_.pop_front();
  return out;
}

void Connection::end(BrokerEvent event) {
  if (std::exchange(is_over_, true)) return;
  event.silent = event.kind == BrokerEvent::Kind::lost && tcp_is_up_ && !is_connected_;
  events_.push_back(std::move(event));
}

void Connection::end_as(BrokerEvent::Kind kind, std::string text) { end({.kind = kind, .text = std::move(text)}); }

void Connection::end_with(int rc) {
  const int os_error = errno;
  const auto lost = BrokerEvent::Kind::lost;
  if (rc == MOSQ_ERR_TLS) return end_as(BrokerEvent::Kind::refused, "TLS: " + last_error_);
  if (rc == MOSQ_ERR_ERRNO) return end_as(lost, std::strerror(os_error));
  if (rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_CONN_LOST) return end_as(lost, "closed by the broker");
  if (rc == MOSQ_ERR_NOMEM && is_connected_)
    return end({.kind = lost, .text = "a message is larger than there is memory for", .too_large = true});
  end_as(lost, mosquitto_strerror(rc));
}

}  // namespace tocsin::mosquitto
