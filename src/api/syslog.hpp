// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory_resource>
#include <optional>
#include <string>

#include "src/api/named_instance.hpp"
#include "src/api/ports.hpp"
#include "src/api/rate_limit.hpp"
#include "src/core/status.hpp"
#include "src/ingest/syslog.hpp"
#include "src/ingest/syslog_write.hpp"
#include "src/port/inlet.hpp"
#include "src/port/random.hpp"

namespace tocsin::api {

/// What a syslog listener is made of. Everything referred to outlives it.
struct SyslogParts {
  Daemon& daemon;
  const port::Crypto& crypto;
  port::Random& random;
  std::pmr::memory_resource* intake;
  RateLimit& rate;
  TotalRate& total_rate;
};

struct SyslogSettings {
  std::string name;    ///< of the section, for status
  std::string plugin;  ///< a data id, or a plugin id that one instance has
  std::string event_name = "syslog";
  std::string own_host;
  bool prefers_hostname = false;
  std::uint32_t reply_shape = 0;  ///< what the answers of its batches carry in reply.shape, so that they find back
};

/// Turns syslog messages into inputs of the writer: many messages one input, as the events of one instance.
///
/// A batch leaves when it has kMessagesMax messages or kBatchBytes, or kDelayMs after its first message; one at a time
/// is in the writer's hands, the next one is filled meanwhile. Each message counts as one request of the instance's
/// rate and of the total one.
/// Nobody is answered. Without room (batch full) nothing is read until there is some: a burst of datagrams waits in the
/// kernel, for kPatienceMs at most, so that no program on the box hangs on a slow card. A datagram that is read and
/// finds no room or no memory, or that is over the rate, is dropped and counted; a stream waits. Where no instance
/// takes messages (none of that name, several of it, disabled, of type time_series, rate refusing all) both are dropped
/// and counted, so that no sender hangs on a mistake here. What the writer refuses is lost, and counted. Memory, all
/// from `intake`: two batches of kBatchBytes with what the last message added to it, usually at most 100 KiB each; none
/// while nothing waits. Threads: io.
class SyslogIntake final : public port::InletSink {
 public:
  static constexpr std::size_t kMessagesMax = 256;
  static constexpr std::size_t kBatchBytes = 64 * KiB;
  static constexpr std::int64_t kDelayMs = 100;
  static constexpr std::int64_t kPatienceMs = 1'000;
  static constexpr std::int64_t kAnswerMs = 60'000;  ///< an answer that is later than this does not come

  SyslogIntake(const SyslogParts& parts, SyslogSettings settings);

  [[nodiscard]] bool has_room() noexcept override;
  void on_datagram(Bytes message, bool is_cut, std::string_view peer) noexcept override;
  void on_stream_opened(std::size_t slot) noexcept override { frames_[slot] = {}; }
  [[nodiscard]] std::size_t on_stream(std::size_t slot, Bytes waiting, bool is_end,
                                      std::string_view peer) noexcept override;

  [[nodiscard]] const SyslogSettings& settings() const noexcept { return settings_; }
  /// The program calls it for each answer with settings().reply_shape.
  void on_answer(const core::Answer& answer) noexcept;
  /// Sends what is due. When to call again at the latest; nothing: nothing waits.
  [[nodiscard]] std::optional<Monotonic> on_time(Monotonic now) noexcept;
  /// Whether what was not read or not taken whole may be shown again; asked once after each on_time().
  [[nodiscard]] bool wants_more(Monotonic now) noexcept;
  /// Sends what waits, before the end; nothing is taken from then on.
  void finish() noexcept;
  /// Name, counts of messages; the socket's own numbers are the program's to add.
  [[nodiscard]] const core::SyslogStatus& status() const noexcept { return status_; }

 private:
  enum class Taken : std::uint8_t { yes, dropped, no_rate, no_room };
  [[nodiscard]] Taken take(std::string_view message, bool is_cut, std::string_view peer) noexcept;
  [[nodiscard]] Taken add(const model::Instance& instance, std::string_view message, bool is_cut,
                          std::string_view peer);
  [[nodiscard]] const model::Instance* find_instance() noexcept;
  [[nodiscard]] bool is_full() const noexcept;
  void begin(std::size_t message_bytes);
  [[nodiscard]] model::EventBatch& batch() noexcept { return std::get_if<core::Push>(&input_->what)->batch; }
  [[nodiscard]] const model::EventBatch& batch() const noexcept {
    return std::get_if<core::Push>(&input_->what)->batch;
  }
  [[nodiscard]] bool make_room(Monotonic now) noexcept;
  [[nodiscard]] bool flush(Monotonic now) noexcept;
  void lose(std::size_t messages) noexcept { status_.lost += messages; }

  SyslogParts parts_;
  SyslogSettings settings_;
  NamedInstance instance_;
  ingest::SyslogWriter writer_;
  std::array<ingest::SyslogFrames, kStreamsMax> frames_{};
  std::optional<core::Input> input_;  ///< with the batch that is being filled
  Monotonic due_{};                   ///< of the batch
  Monotonic more_due_{};              ///< when what waits may go on
  bool more_waits_ = false;
  Monotonic retry_at_{};  ///< when what take() had no room for may be tried again
  std::optional<Monotonic> full_since_;
  std::uint64_t sent_ = 0;         ///< number of the batch that the writer got last
  std::size_t sent_messages_ = 0;  ///< not 0: its answer is out
  Monotonic sent_at_{};
  bool is_over_ = false;
  core::SyslogStatus status_;
};

}  // namespace tocsin::api
