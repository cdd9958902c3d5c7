// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "src/channel/feed.hpp"
#include "src/channel/writer.hpp"
#include "src/deliver/confirms.hpp"
#include "src/deliver/connector.hpp"
#include "src/deliver/envelope.hpp"
#include "src/deliver/mind.hpp"
#include "src/deliver/news.hpp"
#include "src/port/broker.hpp"

namespace tocsin::deliver {

/// An MQTT worker's mind: frames and broker events in, frames and broker actions out. No clock, no socket.
///
/// Promises: what is confirmed was acknowledged by the broker, and so was all before it in its lane. When a connection
/// ends, everything unacknowledged is thrown away, and nothing of it is sent again unless the core offers it again.
/// Memory: frames for one session's credit (600 KiB), the one message being handed over, at most kMessagesOutMax of
/// them unacknowledged in the client, and the news.
/// Threads: one owner. Throws std::bad_alloc; the worker is then of no more use.
class Session {
 public:
  static constexpr std::size_t kMessagesOutMax = 20;
  static constexpr std::int64_t kOpenMsMax = Connector::kOpenMsMax;
  static constexpr std::int64_t kGoodbyeMsMax = 700;

  Session(port::Broker& broker, FrameOut& out, std::string_view program)
      : broker_(broker), out_(out), program_(program) {}

  void start() { news_.hello(program_); }
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

  void set_state(channel::LinkState state, std::string_view reason);
  void flush();

  port::Broker& broker_;
  FrameOut& out_;
  std::string program_;

  // From configure.
  Origin origin_;
  std::string name_;
  std::string topic_template_;
  port::BrokerLogin login_;

  Phase phase_ = Phase::fresh;
  Monotonic deadline_;  ///< of waiting, opening and draining
  Connector connector_;

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

  // What the core has not been told yet.
  News news_;
  std::array<std::uint64_t, channel::kLanes> confirm_{};
  std::uint32_t credit_ = 0;
};

}  // namespace tocsin::deliver
