// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "platform/mosquitto/connection.hpp"

namespace tocsin::mosquitto {

/// A connection that publishes.
class Publisher final : public Connection, public port::Broker {
 public:
  static constexpr int kInFlightMax = 20;

  ~Publisher() override { finish(); }

  void open(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version) override {
    begin(server, login, version);
  }
  [[nodiscard]] port::PublishResult publish(const port::BrokerMessage& message) override;
  void close() noexcept override { finish(); }

 private:
  [[nodiscard]] int prepare_more() override;
};

}  // namespace tocsin::mosquitto
