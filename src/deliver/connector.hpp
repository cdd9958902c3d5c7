// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.hpp"
#include "src/base/time.hpp"
#include "src/deliver/mind.hpp"
#include "src/port/broker.hpp"

namespace tocsin::deliver {

/// Where an MQTT worker connects next, when, and in which version: servers in turn, with a pause after a whole round
/// or a lost connection, and MQTT 3.1.1 for brokers that do not know 5. Decides only; its owner opens and closes.
class Connector {
 public:
  static constexpr std::int64_t kOpenMsMax = 10'000;
  static constexpr std::int64_t kSteadyMs = 30'000;  ///< a connection that lasted so long forgives earlier failures

  /// Kind as in the settings of a worker. invalid_input: with words for people.
  [[nodiscard]] Status configure(std::string_view kind, std::span<const std::string_view> servers, bool has_ca);

  // Precondition of these: configured.
  [[nodiscard]] const port::BrokerServer& server() const noexcept { return servers_[server_]; }
  /// An attempt at server() begins: the version to try.
  [[nodiscard]] port::MqttVersion begin() noexcept;
  [[nodiscard]] port::MqttVersion version_in_use() const noexcept { return version_in_use_; }
  void connected(Monotonic now) noexcept;
  /// The connection did what it is for.
  void proven() noexcept { failed_rounds_ = 0; }
  /// After a refusal. True: the same server is to be tried again at once, in 3.1.1.
  [[nodiscard]] bool falls_back(const port::BrokerEvent& refused) noexcept;
  void lost(const port::BrokerEvent& lost) noexcept { silent_losses_ = lost.silent ? silent_losses_ + 1 : 0; }
  /// The connection, or the attempt at one, is over: how long to wait before the next. server() may be another one.
  [[nodiscard]] std::int64_t pause_ms(bool was_up, Moment moment) noexcept;

  [[nodiscard]] std::string server_text() const;  ///< for people; empty when not configured

 private:
  [[nodiscard]] port::MqttVersion version() const noexcept;

  std::vector<port::BrokerServer> servers_;
  std::size_t server_ = 0;
  std::size_t first_tried_ = 0;      ///< of this round
  std::uint32_t failed_rounds_ = 0;  ///< how often all servers in a row failed
  std::uint32_t silent_losses_ = 0;  ///< attempts in a row that a broker took and ended without an answer
  Monotonic up_since_;
  port::MqttVersion version_in_use_ = port::MqttVersion::v5;
  bool only_v311_ = false;    ///< a broker said that it does not speak MQTT 5, or the configuration does
  bool only_v5_ = false;      ///< the configuration says so
  bool forced_v311_ = false;  ///< the configuration says so
};

}  // namespace tocsin::deliver
