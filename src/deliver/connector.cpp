// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/connector.hpp"

#include <utility>

#include "src/deliver/backoff.hpp"
#include "src/deliver/topic.hpp"

namespace tocsin::deliver {

Status Connector::configure(std::string_view kind, std::span<const std::string_view> servers, bool has_ca) {
  if (kind == "mqtt-5") {
    only_v5_ = true;
  } else if (kind == "mqtt-3.1.1") {
    only_v311_ = forced_v311_ = true;
  } else if (kind != "mqtt") {
    return error(Errc::invalid_input, "this worker speaks mqtt only");
  }
  for (const auto url : servers) {
    auto server = parse_server(url);
    if (!server.ok()) return server.error();
    if (server->tls && !has_ca) return error(Errc::invalid_input, "mqtts needs ca_file");
    servers_.push_back(std::move(*server));
  }
  return {};
}

/// A broker that does not know MQTT 5 should say so; some only hang up. After two silent losses the third attempt tries
/// 3.1.1, which is not remembered: brokers that are just starting hang up too.
port::MqttVersion Connector::version() const noexcept {
  if (only_v5_) return port::MqttVersion::v5;
  return only_v311_ || silent_losses_ % 3 == 2 ? port::MqttVersion::v311 : port::MqttVersion::v5;
}

port::MqttVersion Connector::begin() noexcept {
  version_in_use_ = version();
  return version_in_use_;
}

void Connector::connected(Monotonic now) noexcept {
  up_since_ = now;
  silent_losses_ = 0;
}

bool Connector::falls_back(const port::BrokerEvent& refused) noexcept {
  if (refused.wrong_version && !only_v311_ && !only_v5_) {
    only_v311_ = true;
    return true;
  }
  only_v311_ = forced_v311_ || (only_v311_ && !refused.wrong_version);
  return false;
}

std::int64_t Connector::pause_ms(bool was_up, Moment moment) noexcept {
  std::int64_t wait_ms = 0;
  if (was_up) {  // the same server first: it may only have been restarted
    if (moment.now >= up_since_.after_ms(kSteadyMs)) failed_rounds_ = 0;
    wait_ms = backoff_ms(failed_rounds_++, moment.random);
  } else {
    server_ = (server_ + 1) % servers_.size();
    if (server_ == first_tried_) wait_ms = backoff_ms(failed_rounds_++, moment.random);
  }
  if (wait_ms != 0) first_tried_ = server_;
  return wait_ms;
}

std::string Connector::server_text() const { return servers_.empty() ? std::string() : to_text(server()); }

}  // namespace tocsin::deliver
