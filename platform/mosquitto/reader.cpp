// SPDX-License-Identifier: Apache-2.0
#include "platform/mosquitto/reader.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::mosquitto {
namespace {

constexpr std::size_t kUntakenHeadBytes = 128;  // what a message costs beside its topic and payload

std::size_t cost_bytes(const port::BrokerMessageIn& message) noexcept {
  return kUntakenHeadBytes + message.topic.size() + message.payload.size();
}

/// What the broker granted for each topic, in the order in which they were asked for.
port::BrokerEvent to_event(const std::vector<std::string>& topics, int count, const int* granted) {
  port::BrokerEvent event{.kind = port::BrokerEvent::Kind::subscribed};
  event.failed = std::cmp_not_equal(count, topics.size());
  if (event.failed) event.text = "the broker's answer is not about the topics asked for";
  for (std::size_t i = 0; !event.failed && i < topics.size(); ++i) {
    event.failed = granted[i] >= MQTT_RC_UNSPECIFIED;
    if (event.failed) event.text = "topic " + topics[i] + ": " + mosquitto_reason_string(granted[i]);
    if (granted[i] == 0) event.text = "topic " + topics[i] + ": the broker grants QoS 0 only, so it may lose messages";
  }
  return event;
}

}  // namespace

void Reader::open(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version,
                  const port::BrokerWish& wish) {
  close();
  wish_ = wish;
  repeat_line_ = "Client " + login.client_id + " received PUBLISH (d1,";
  is_reading_ = true;
  is_next_repeat_ = false;
  begin(server, login, version);
}

int Reader::prepare_more() {
  mosquitto_message_v5_callback_set(
      handle(), [](::mosquitto*, void* self, const mosquitto_message* message, const mosquitto_property*) noexcept {
        static_cast<Reader*>(static_cast<Connection*>(self))->receive(*message);
      });
  mosquitto_subscribe_v5_callback_set(
      handle(), [](::mosquitto*, void* self, int, int count, const int* granted, const mosquitto_property*) noexcept {
        noted<Reader>(self, [&](Reader& reader) { reader.note(to_event(reader.wish_.topics, count, granted)); });
      });
  if (const int rc = mosquitto_threaded_set(handle(), true); rc != MOSQ_ERR_SUCCESS) return rc;
  return mosquitto_int_option(handle(), MOSQ_OPT_RECEIVE_MAXIMUM, kUnacknowledgedMax);
}

/// 2.0.11 has no call that takes properties and does not wait for the network. The one that waits keeps the properties
/// before it looks at the host; without a host it ends there, and the next call finds them.
int Reader::keep_properties() {
  mosquitto_property* properties = nullptr;
  int rc = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                        std::numeric_limits<std::uint32_t>::max());  // never
  if (rc == MOSQ_ERR_SUCCESS && wish_.message_bytes_max != 0)
    rc = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, wish_.message_bytes_max);
  if (rc == MOSQ_ERR_SUCCESS) {
    rc = mosquitto_connect_bind_v5(handle(), nullptr, 0, kSlowKeepAliveS, nullptr, properties);
    if (rc == MOSQ_ERR_INVAL) rc = MOSQ_ERR_SUCCESS;
  }
  mosquitto_property_free_all(&properties);
  return rc;
}

int Reader::connect(const port::BrokerServer& server) {
  int rc = is_v5() ? keep_properties() : MOSQ_ERR_SUCCESS;
  if (rc == MOSQ_ERR_SUCCESS) rc = connect_without_waiting(server, kSlowKeepAliveS);
  if (rc != MOSQ_ERR_SUCCESS) return rc;
  const auto set = [fd = mosquitto_socket(handle())](int level, int option, int value) {
    static_cast<void>(::setsockopt(fd, level, option, &value, sizeof value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  return rc;
}

/// Asked for anew with each connection, because settings change. Retained messages come only the first time, where the
/// protocol can say so.
void Reader::on_up() {
  std::vector<char*> topics;
  for (auto& topic : wish_.topics) topics.push_back(topic.data());
  const int rc = mosquitto_subscribe_multiple(handle(), nullptr, static_cast<int>(topics.size()), topics.data(), 1,
                                              is_v5() ? MQTT_SUB_OPT_SEND_RETAIN_NEW : 0, nullptr);
  if (rc == MOSQ_ERR_INVAL || rc == MOSQ_ERR_MALFORMED_UTF8 || rc == MOSQ_ERR_OVERSIZE_PACKET)
    return end_as(port::BrokerEvent::Kind::refused, "one of the topics is none, or they are too long for the broker");
  if (rc != MOSQ_ERR_SUCCESS) end_with(rc);
}

/// The only place where the library tells a repeat from a first time.
void Reader::on_debug(const char* text) noexcept {
  if (std::string_view(text).starts_with(repeat_line_)) is_next_repeat_ = true;
}

void Reader::receive(const mosquitto_message& message) noexcept {
  const bool is_repeat = std::exchange(is_next_repeat_, false);
  came_ = true;
  if (message.qos > 0) is_held_ = true;
  try {
    const std::size_t whole = static_cast<std::size_t>(message.payloadlen);
    const std::string_view payload(static_cast<const char*>(message.payload), whole);
    port::BrokerMessageIn in{.topic = message.topic,
                             .payload = std::string(payload.substr(0, wish_.payload_bytes_kept)),
                             .payload_bytes = whole,
                             .is_repeat = is_repeat};
    if (cost_bytes(in) > kUntakenBytesMax - untaken_bytes_) {
      if (message.qos > 0)
        end_as(port::BrokerEvent::Kind::lost, "the broker sent more at once than there is room for");
      else
        ++left_out_;
      return;
    }
    in.left_out = std::exchange(left_out_, 0);
    untaken_bytes_ += cost_bytes(in);
    untaken_.push_back(std::move(in));
  } catch (const std::bad_alloc&) {
    lacks_memory_ = true;
  }
}

std::optional<port::BrokerMessageIn> Reader::take() {
  if (untaken_.empty()) return std::nullopt;
  port::BrokerMessageIn out = std::move(untaken_.front());
  untaken_bytes_ -= cost_bytes(out);
  untaken_.pop_front();
  return out;
}

/// What is not held back is written first, so that nothing of it waits behind the next message.
bool Reader::may_read() const noexcept {
  if (!is_usable()) return true;
  return is_reading_ && untaken_.empty() && (is_held_ || !mosquitto_want_write(handle()));
}

void Reader::close() noexcept {
  finish();
  untaken_.clear();
  untaken_bytes_ = 0;
  left_out_ = 0;
  is_held_ = false;
}

}  // namespace tocsin::mosquitto
