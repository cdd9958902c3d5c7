// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/channel/feed.hpp"
#include "src/deliver/connector.hpp"
#include "src/deliver/mind.hpp"
#include "src/deliver/news.hpp"
#include "src/deliver/record_window.hpp"
#include "src/port/broker_reader.hpp"

namespace tocsin::deliver {

/// The mind of an MQTT worker that brings records in, from its `source` frame on. No clock, no socket.
///
/// Promises: a message is acknowledged to the broker after the core has settled its record, and not before; what was
/// not settled when a connection ends comes again from the broker.
/// Acknowledgements leave for all messages that were read at once: with the first settle the reading stops until the
/// last one of them is settled, so that a stream without a pause cannot put them off.
/// Memory: one record that waits for room, the window's list, the news.
/// Threads: one owner. Throws std::bad_alloc; the worker is then of no more use.
class SourceSession {
 public:
  static constexpr std::int64_t kOpenMsMax = Connector::kOpenMsMax;
  static constexpr std::int64_t kGoodbyeMsMax = 700;
  /// What the broker is asked to leave out larger packets than, for a while, after one for which memory was not enough.
  static constexpr std::uint32_t kMessageBytesMax = 512 * KiB;
  static constexpr std::int64_t kLimitedMs = 60'000;

  SourceSession(port::BrokerReader& broker, RecordOut& out) noexcept : broker_(broker), out_(out) {}

  /// False: the core broke the protocol; the worker ends.
  [[nodiscard]] bool on_frame(channel::FrameReader& frame, Moment moment);
  void on_broker(const port::BrokerEvent& event, Moment moment);
  /// Deadlines. Also takes messages and hands frames to the core; call it after other inputs.
  void tick(Moment moment);

  /// When tick() wants to be called at the latest; nullopt: not before the next input.
  [[nodiscard]] std::optional<Monotonic> next_deadline() const noexcept;
  /// Goodbye was said to the broker; the worker ends once its frames are written.
  [[nodiscard]] bool ended() const noexcept { return phase_ == Phase::ended; }

 private:
  enum class Phase : std::uint8_t { fresh, unusable, waiting, opening, subscribing, up, draining, ended };

  [[nodiscard]] bool on_source(Bytes body, Moment moment);
  [[nodiscard]] bool on_settle(Bytes body);
  [[nodiscard]] bool on_stop(Moment moment);
  Status settle_configuration(const channel::Source& source);

  void open(Moment moment);
  void on_connected(const port::BrokerEvent& event, Moment moment);
  void on_subscribed(const port::BrokerEvent& event, Moment moment);
  void on_lost(const port::BrokerEvent& event, Moment moment);
  void begin_session();
  /// The connection, or the attempt at one, is over.
  void fail(channel::LinkState state, std::string_view why, Moment moment);
  void forget() noexcept;

  void bring_in();
  [[nodiscard]] bool has_record();
  [[nodiscard]] bool all_settled() const noexcept { return window_.empty() && record_.empty(); }
  [[nodiscard]] bool reads() const noexcept { return phase_ == Phase::subscribing || phase_ == Phase::up; }

  void set_state(channel::LinkState state, std::string_view reason);
  void flush();

  port::BrokerReader& broker_;
  RecordOut& out_;

  // From the settings.
  port::BrokerLogin login_;
  port::BrokerWish wish_;

  Phase phase_ = Phase::fresh;
  Monotonic deadline_;       ///< of waiting, opening, subscribing and draining
  Monotonic limited_until_;  ///< of a connection with a limit
  Connector connector_;
  News news_;

  std::uint32_t session_ = 0;
  std::uint64_t number_ = 0;  ///< of the last record made in this session
  std::string record_;        ///< a frame that waits for room; empty: none
  RecordWindow window_;
  bool is_settling_ = false;  ///< reading stops until everything is settled
};

}  // namespace tocsin::deliver
