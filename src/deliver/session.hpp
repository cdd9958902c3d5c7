// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "src/base/time.hpp"
#include "src/channel/feed.hpp"
#include "src/channel/writer.hpp"
#include "src/deliver/confirms.hpp"
#include "src/deliver/envelope.hpp"
#include "src/port/broker.hpp"

namespace tocsin::deliver {

/// What every input brings along.
struct Moment {
  Monotonic now;
  std::uint32_t random = 0;
};

/// The way to the core.
class FrameOut {
 public:
  virtual ~FrameOut() = default;
  /// False: no room now; the frame is dropped and the caller asks again later.
  [[nodiscard]] virtual bool send(std::string frame) = 0;
};

/// An MQTT worker's mind: frames and broker events in, frames and broker actions out. No clock, no socket.
///
/// Promises: what is confirmed was acknowledged by the broker, and so was all before it in its lane. When a connection
/// ends, everything unacknowledged is thrown away, and nothing of it is sent again unless the core offers it again.
/// Memory: frames for one session's credit (600 KiB), the one message being handed over, at most kMessagesOutMax of
/// them unacknowledged in the client, kLogsMax log lines.
/// Threads: one owner. Throws std::bad_alloc; the worker is then of no more use.
class Session {
 public:
  static constexpr std::size_t kMessagesOutMax = 20;
  static constexpr std::size_t kLogsMax = 16;
  static constexpr std::int64_t kOpenMsMax = 10'000;
  static constexpr std::int64_t kGoodbyeMsMax = 700;
  static constexpr std::int64_t kSteadyMs = 30'000;  ///< a connection that lasted so long forgives earlier failures

  Session(port::Broker& broker, FrameOut& out, std::string_view program)
      : broker_(broker), out_(out), program_(program) {}

  void start() { hello_ = channel::write_hello({.program = program_}); }
  /// False: the core broke the protocol; the worker ends.
  [[nodiscard]] bool on_frame(channel::FrameReader& frame, Moment moment);
  void on_broker(const port::BrokerEvent& event, Moment moment);
  /// Deadlines. Also hands queued messages over and frames to the core; call it after other inputs.
  void tick(Moment moment);

  /// When tick() wants to be called at the latest; nullopt: not before the next input.
  [[nodiscard]] std::optional<Monotonic> next_deadline() const noexcept;
  /// Goodbye was said to the broker; the worker ends once its frames are written.
  [[nodiscard]] bool ended() const noexcept { return phase_ == Phase::ended; }

 private:
  enum class Phase : std::uint8_t { fresh, unusable, waiting, opening, up, draining, ended };

  [[nodiscard]] bool on_configure(Bytes body, Moment moment);
  [[nodiscard]] bool on_data(std::string body);
  [[nodiscard]] bool on_stop(Moment moment);
  Status settle_configuration(const channel::Configure& configure);

  void open(Moment moment);
  void on_connected(const port::BrokerEvent& event, Moment moment);
  void on_acked(const port::BrokerEvent& event, Moment moment);
  /// The connection, or the attempt at one, is over.
  void fail(channel::LinkState state, std::string_view why, Moment moment);

  void hand_over(Moment moment);
  [[nodiscard]] bool hand_over_one(Moment moment);
  [[nodiscard]] port::MqttVersion version() const noexcept;

  void set_state(channel::LinkState state, std::string_view reason);
  void log(channel::LogLevel level, std::string_view text);
  void flush();

  port::Broker& broker_;
  FrameOut& out_;
  std::string program_;

  // From configure.
  Origin origin_;
  std::string name_;
  std::string topic_template_;
  port::BrokerLogin login_;
  std::vector<port::BrokerServer> servers_;

  Phase phase_ = Phase::fresh;
  Monotonic deadline_;  ///< of waiting, opening and draining
  Monotonic up_since_;
  std::size_t server_ = 0;
  std::size_t first_tried_ = 0;      ///< of this round
  std::uint32_t failed_rounds_ = 0;  ///< how often all servers in a row failed
  std::uint32_t silent_losses_ = 0;  ///< attempts in a row that a broker took and ended without an answer
  port::MqttVersion version_in_use_ = port::MqttVersion::v5;
  bool only_v311_ = false;    ///< a broker said that it does not speak MQTT 5, or the configuration does
  bool only_v5_ = false;      ///< the configuration says so
  bool forced_v311_ = false;  ///< the configuration says so

  std::uint32_t session_ = 0;
  std::uint32_t message_bytes_max_ = 0;
  struct Queued {
    Packer packer;
    std::uint32_t cost_bytes;
  };
  std::deque<Queued> queue_;
  Confirms confirms_;
  std::uint32_t held_bytes_ = 0;  ///< of frames queued or unacknowledged
  std::array<std::uint64_t, channel::kLanes> offered_seq_{};

  // What the core has not been told yet. Newer news replaces older, so that a core that does not read costs no memory.
  std::optional<std::string> state_frame_;
  std::array<std::uint64_t, channel::kLanes> confirm_{};
  std::uint32_t credit_ = 0;
  std::optional<std::uint64_t> pong_;
  std::optional<std::string> hello_;
  std::deque<std::string> logs_;
};

}  // namespace tocsin::deliver
