// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/time.hpp"
#include "src/channel/feed.hpp"
#include "src/deliver/mind.hpp"
#include "src/deliver/news.hpp"
#include "src/deliver/record_window.hpp"
#include "src/port/consumer.hpp"

namespace tocsin::deliver {

/// A Kafka worker's mind: frames and what a consumer has in, frames and partitions to read out. No clock, no socket.
///
/// Promises: a partition is read from where the core says and from nowhere else; records leave in the order of their
/// partition; nothing is taken from the consumer while the window of unsettled records has no room for it. When no
/// broker is connected the session is over: what was not settled is read again in the next one, from the core's
/// positions. Blocks: in tick(), for kLookMsMax at most, while a broker is asked for partitions. Memory: kPartitionsMax
/// partitions, one record frame, the news. Threads: one owner. Throws std::bad_alloc; the worker is then of no more
/// use.
class PartitionSession {
 public:
  static constexpr std::size_t kPartitionsMax = 256;  ///< of all topics, as many as the core takes; more are not read
  static constexpr int kLookMsFirst = 500;
  static constexpr int kLookMsMax = 4'000;  ///< for an answer over the slowest line
  static constexpr std::int64_t kLookEveryMs = 30'000;
  static constexpr std::int64_t kLookAgainMs = 5'000;  ///< after no answer, or while a topic is absent
  static constexpr std::int64_t kOpenMsMax = 10'000;   ///< without any news, "connecting" becomes "disconnected"
  static constexpr std::int64_t kSteadyMs = 30'000;    ///< a connection that lasted so long forgives earlier failures

  PartitionSession(port::Consumer& consumer, RecordOut& out, std::string_view program)
      : consumer_(consumer), out_(out), program_(program) {}

  void start() { news_.hello(program_); }
  /// False: the core broke the protocol; the worker ends.
  [[nodiscard]] bool on_frame(channel::FrameReader& frame, Moment moment);
  /// Deadlines, the consumer's news and records, frames to the core; call it after all other inputs.
  void tick(Moment moment);

  /// When tick() wants to be called at the latest; nullopt: not before the next input.
  [[nodiscard]] std::optional<Monotonic> next_deadline() const noexcept;
  /// The core said stop; the worker ends.
  [[nodiscard]] bool ended() const noexcept { return phase_ == Phase::ended; }
  /// This process can not go on, another one can; the worker ends.
  [[nodiscard]] bool broken() const noexcept { return phase_ == Phase::broken; }

 private:
  enum class Phase : std::uint8_t { fresh, unusable, looking, up, ended, broken };

  struct Partition {
    enum class State : std::uint8_t { found, asked, reading, left };
    State state = State::found;
    bool from_start = false;   ///< appeared while we were looking: nothing of it is skipped
    bool wants_mark = false;   ///< begins at an end that the core does not know yet
    bool counts_lost = false;  ///< begins again, behind what the broker has no more
    std::int64_t next_offset = channel::kNoOffset;
  };
  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
    std::optional<std::int32_t> first_count = {};  ///< of partitions, when they were seen first
    bool absent = false;
    bool refused = false;
    bool crowded = false;  ///< has partitions that are not read
  };

  [[nodiscard]] bool on_source(Bytes body, Moment moment);
  [[nodiscard]] std::string settle_source(const channel::Source& source, std::vector<std::string>& topics);
  [[nodiscard]] bool on_position(Bytes body);
  [[nodiscard]] bool on_settle(Bytes body);
  void on_news(const port::ConsumerNews& news, Moment moment);

  void look_for_cluster(Moment moment);
  void look_around(Moment moment);
  /// False: the topic was made again; only a new session can read it.
  [[nodiscard]] bool take_look(std::size_t topic, const port::TopicLook& look);
  void begin_session(Moment moment);
  void end_session(channel::LinkState state, std::string_view why, Moment moment);
  [[nodiscard]] std::size_t partitions_count() const noexcept;

  void ask_positions();
  void pump();
  /// False: it has to wait.
  [[nodiscard]] bool take(const port::ConsumerRecord& record);
  [[nodiscard]] bool take_message(const port::ConsumerRecord& record, Partition& partition);
  void begin_again(const port::ConsumerRecord& record, Partition& partition);
  /// The first that there is after beginning again: says how many are missing.
  void count_lost(const port::ConsumerRecord& record, Partition& partition);
  [[nodiscard]] bool send_mark(const port::ConsumerRecord& record, Partition& partition);
  [[nodiscard]] bool send_record(channel::Record record);

  void set_state(channel::LinkState state, std::string_view reason);
  void flush();

  port::Consumer& consumer_;
  RecordOut& out_;
  std::string program_;

  // From the source frame.
  port::ConsumerLogin login_;
  std::string servers_text_;
  bool from_end_ = false;
  std::vector<Topic> topics_;

  Phase phase_ = Phase::fresh;
  Monotonic deadline_;  ///< of the next look
  Monotonic opened_;
  Monotonic up_since_;
  int look_ms_ = kLookMsFirst;
  std::uint32_t failures_ = 0;
  std::string trouble_;  ///< the last one, and what state it makes when no broker is left
  channel::LinkState trouble_state_ = channel::LinkState::disconnected;
  channel::LinkState state_ = channel::LinkState::connecting;
  std::string state_reason_;

  std::uint32_t session_ = 0;
  std::uint64_t number_ = 0;         ///< of the last record
  std::size_t answers_awaited_ = 0;  ///< positions that were asked for
  RecordWindow window_;

  News news_;
};

}  // namespace tocsin::deliver
