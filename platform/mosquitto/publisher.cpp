// SPDX-License-Identifier: Apache-2.0
#include "platform/mosquitto/publisher.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <string>
#include <utility>

namespace tocsin::mosquitto {
namespace {

using port::BrokerEvent;

}  // namespace

int Publisher::prepare_more() {
  mosquitto_publish_v5_callback_set(
      handle(), [](::mosquitto*, void* self, int message, int reason, const mosquitto_property*) noexcept {
        noted<Publisher>(self, [&](Publisher& publisher) {
          BrokerEvent event{.kind = BrokerEvent::Kind::acked, .message = message, .failed = reason >= 128};
          if (event.failed) event.text = std::string("message not kept: ") + mosquitto_reason_string(reason);
          publisher.note(std::move(event));
        });
      });
  return mosquitto_int_option(handle(), MOSQ_OPT_SEND_MAXIMUM, kInFlightMax);
}

port::PublishResult Publisher::publish(const port::BrokerMessage& message) {
  if (!is_usable()) return {};
  mosquitto_property* properties = nullptr;
  int rc = MOSQ_ERR_SUCCESS;
  if (is_v5()) {
    for (const auto& property : message.properties) {
      if (rc == MOSQ_ERR_SUCCESS)
        rc =
            mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, std::string(property.name).c_str(),
                                               std::string(property.value).c_str());
    }
  }
  port::PublishResult out;
  if (rc == MOSQ_ERR_SUCCESS)
    rc = mosquitto_publish_v5(handle(), &out.message, std::string(message.topic).c_str(),
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

}  // namespace tocsin::mosquitto
