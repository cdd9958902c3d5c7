// SPDX-License-Identifier: Apache-2.0
#include "platform/mosquitto/client.hpp"

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

/// Called by the library, in C, from inside open() and on_ready(). They only note what happened: the library must not
/// be called from there, and nothing may be thrown through it.
struct Client::Callbacks {
  template <class Note>
  static void noted(void* self, Note note) noexcept {
    auto& client = *static_cast<Client*>(self);
    try {
      note(client);
    } catch (const std::bad_alloc&) {
      client.out_of_memory_ = true;
    }
  }

  static void on_connect(::mosquitto*, void* self, int reason, int, const mosquitto_property* properties) noexcept {
    noted(self, [&](Client& client) {
      if (reason != 0) {
        const bool wrong_version = reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION || (reason == 1 && !client.v5_);
        const char* text = reason >= 128 ? mosquitto_reason_string(reason) : mosquitto_connack_string(reason);
        return client.end(BrokerEvent::Kind::refused, text, wrong_version);
      }
      client.is_connected_ = true;
      BrokerEvent event{.kind = BrokerEvent::Kind::connected};
      mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &event.message_bytes_max, false);
      client.events_.push_back(std::move(event));
    });
  }

  static void on_disconnect(::mosquitto*, void* self, int reason, const mosquitto_property*) noexcept {
    noted(self, [&](Client& client) {
      if (reason >= 128) return client.end(BrokerEvent::Kind::refused, mosquitto_reason_string(reason));
      client.end_with(reason);
    });
  }

  static void on_publish(::mosquitto*, void* self, int message, int reason, const mosquitto_property*) noexcept {
    noted(self, [&](Client& client) {
      BrokerEvent event{.kind = BrokerEvent::Kind::acked, .message = message, .failed = reason >= 128};
      if (event.failed) event.text = std::string("message not kept: ") + mosquitto_reason_string(reason);
      client.events_.push_back(std::move(event));
    });
  }

  static void on_log(::mosquitto*, void* self, int level, const char* text) noexcept {
    if (level == MOSQ_LOG_ERR) noted(self, [&](Client& client) { client.last_error_ = text; });
  }
};

Client::Client() noexcept { mosquitto_lib_init(); }

Client::~Client() {
  close();
  mosquitto_lib_cleanup();
}

bool Client::works() const noexcept {
  ::mosquitto* const probe = mosquitto_new(nullptr, true, nullptr);
  mosquitto_destroy(probe);
  return probe != nullptr;
}

std::string Client::library_name() {
  int major = 0;
  int minor = 0;
  int revision = 0;
  mosquitto_lib_version(&major, &minor, &revision);
  return "libmosquitto " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(revision);
}

void Client::open(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version) {
  close();
  tls_ = server.tls;
  v5_ = version == port::MqttVersion::v5;
  tcp_is_up_ = is_connected_ = is_over_ = false;
  last_error_.clear();
  handle_ = mosquitto_new(login.client_id.c_str(), true, this);
  if (handle_ == nullptr) return end(BrokerEvent::Kind::lost, "out of memory");
  int rc = prepare(login);
  if (rc == MOSQ_ERR_SUCCESS && tls_)
    rc = prepare_tls_and_connect(server, login);
  else if (rc == MOSQ_ERR_SUCCESS)
    rc = mosquitto_connect_async(handle_, server.host.c_str(), server.port, kKeepAliveS);
  if (rc == MOSQ_ERR_EAI) return end(BrokerEvent::Kind::lost, std::string("name: ") + gai_strerror(errno));
  if (rc != MOSQ_ERR_SUCCESS) end_with(rc);
}

int Client::prepare(const port::BrokerLogin& login) {
  mosquitto_connect_v5_callback_set(handle_, &Callbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(handle_, &Callbacks::on_disconnect);
  mosquitto_publish_v5_callback_set(handle_, &Callbacks::on_publish);
  mosquitto_log_callback_set(handle_, &Callbacks::on_log);
  mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, v5_ ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle_, MOSQ_OPT_SEND_MAXIMUM, kInFlightMax);
  mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1);
  if (login.username.empty()) return MOSQ_ERR_SUCCESS;
  return mosquitto_username_pw_set(handle_, login.username.c_str(),
                                   login.password.empty() ? nullptr : login.password.c_str());
}

/// The library reads the files while it begins to connect, so they need not live longer.
int Client::prepare_tls_and_connect(const port::BrokerServer& server, const port::BrokerLogin& login) {
  const MemoryFile ca(login.ca_pem);
  const MemoryFile cert(login.cert_pem);
  const MemoryFile key(login.key_pem);
  if (!ca.ok() || !cert.ok() || !key.ok()) return MOSQ_ERR_NOMEM;
  const bool own = !login.cert_pem.empty();
  int rc = mosquitto_tls_set(handle_, ca.path().c_str(), nullptr, own ? cert.path().c_str() : nullptr,
                             own ? key.path().c_str() : nullptr, nullptr);
  if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_tls_opts_set(handle_, 1, "tlsv1.2", nullptr);  // that and later ones
  if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_connect_async(handle_, server.host.c_str(), server.port, kKeepAliveS);
  return rc;
}

port::PublishResult Client::publish(const port::BrokerMessage& message) {
  if (handle_ == nullptr || !is_connected_ || is_over_) return {};
  mosquitto_property* properties = nullptr;
  int rc = MOSQ_ERR_SUCCESS;
  if (v5_) {
    for (const auto& property : message.properties) {
      if (rc == MOSQ_ERR_SUCCESS)
        rc =
            mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, std::string(property.name).c_str(),
                                               std::string(property.value).c_str());
    }
  }
  port::PublishResult out;
  if (rc == MOSQ_ERR_SUCCESS)
    rc = mosquitto_publish_v5(handle_, &out.message, std::string(message.topic).c_str(),
                              static_cast<int>(message.payload.size()), message.payload.data(), 1, false, properties);
  mosquitto_property_free_all(&properties);
  switch (rc) {
    case MOSQ_ERR_SUCCESS: out.outcome = port::Published::yes; break;
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_PAYLOAD_SIZE: out.outcome = port::Published::too_large; break;
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8: out.outcome = port::Published::refused; break;
    default: out.outcome = port::Published::lost;  // some of these have queued the message: close() forgets it
  }
  return out;
}

void Client::close() noexcept {
  is_over_ = true;
  events_.clear();
  if (handle_ == nullptr) return;
  if (is_connected_ && mosquitto_socket(handle_) >= 0) mosquitto_disconnect(handle_);
  is_connected_ = false;
  mosquitto_destroy(std::exchange(handle_, nullptr));
}

int Client::fd() const noexcept { return handle_ == nullptr || is_over_ ? -1 : mosquitto_socket(handle_); }

bool Client::wants_write() const noexcept {
  if (handle_ == nullptr || is_over_) return false;
  if (!tcp_is_up_) return true;
  // In a TLS handshake 2.0.11 goes on wanting to write after it has written, which would spin: wait_ms_max() drives it.
  return (!tls_ || is_connected_) && mosquitto_want_write(handle_);
}

int Client::wait_ms_max() const noexcept {
  if (!events_.empty()) return 0;
  if (fd() < 0) return 60'000;
  return tls_ && tcp_is_up_ && !is_connected_ ? 100 : 1'000;
}

void Client::on_ready(bool readable, bool writable, bool hung_up) {
  if (fd() < 0) return;
  if (!tcp_is_up_) {
    if (!writable && !hung_up) return;
    if (attempt_failed()) return;
    tcp_is_up_ = true;
  }
  // A handshake is driven by reading, whatever it waits for.
  const bool handshake = tls_ && !is_connected_;
  int rc = MOSQ_ERR_SUCCESS;
  if (readable || handshake) rc = mosquitto_loop_read(handle_, 1);
  if (rc == MOSQ_ERR_SUCCESS && fd() >= 0 && (writable || handshake)) rc = mosquitto_loop_write(handle_, 1);
  if (rc == MOSQ_ERR_SUCCESS && fd() >= 0) rc = mosquitto_loop_misc(handle_);
  if (out_of_memory_) throw std::bad_alloc();
  if (rc != MOSQ_ERR_SUCCESS) return end_with(rc);
  if (is_over_) return;
  if (fd() < 0) return end_with(MOSQ_ERR_CONN_LOST);
  // The library takes a connection that ends in the middle of a handshake for one that goes on.
  if (hung_up && nothing_is_left()) end_with(MOSQ_ERR_CONN_LOST);
}

bool Client::nothing_is_left() const noexcept {
  char next = 0;
  const auto got = ::recv(fd(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/// The first news of a connect that was begun without waiting.
bool Client::attempt_failed() {
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0) return false;
  end(BrokerEvent::Kind::lost, std::strerror(failure));
  return true;
}

std::optional<BrokerEvent> Client::next_event() {
  if (events_.empty()) return std::nullopt;
  BrokerEvent out = std::move(events_.front());
  events_.pop_front();
  return out;
}

void Client::end(BrokerEvent::Kind kind, std::string text, bool wrong_version) {
  if (std::exchange(is_over_, true)) return;
  const bool silent = kind == BrokerEvent::Kind::lost && tcp_is_up_ && !is_connected_;
  events_.push_back({.kind = kind, .text = std::move(text), .silent = silent, .wrong_version = wrong_version});
}

void Client::end_with(int rc) {
  const int os_error = errno;
  if (rc == MOSQ_ERR_TLS) return end(BrokerEvent::Kind::refused, "TLS: " + last_error_);
  if (rc == MOSQ_ERR_ERRNO) return end(BrokerEvent::Kind::lost, std::strerror(os_error));
  if (rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_CONN_LOST) return end(BrokerEvent::Kind::lost, "closed by the broker");
  end(BrokerEvent::Kind::lost, mosquitto_strerror(rc));
}

}  // namespace tocsin::mosquitto
