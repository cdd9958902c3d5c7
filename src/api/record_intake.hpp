// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/api/named_instance.hpp"
#include "src/api/profiles.hpp"
#include "src/api/reject_box.hpp"
#include "src/api/services.hpp"
#include "src/api/topic_levels.hpp"
#include "src/channel/frames.hpp"
#include "src/core/effects.hpp"
#include "src/core/status.hpp"
#include "src/ingest/standard.hpp"

namespace tocsin::api {

/// What a RecordIntake uses of the api. Everything outlives it.
struct RecordParts {
  const Services& services;
  ingest::StandardReader& reader;
  RejectBox& rejects;
};

struct RecordSettings {
  std::string name;                 ///< of the section; keys the stored positions
  std::string plugin;               ///< a data id, or a plugin id that one instance has
  std::vector<std::string> topics;  ///< filters with named levels; empty: topics say nothing
  bool has_offsets = false;         ///< positions are kept; else every record has kNoOffset
  std::uint32_t reply_shape = 0;    ///< what the answers of its batches carry in reply.shape, so that they find back
};

/// Turns the records of one source into inputs of the writer: what waits becomes one batch with the positions behind
/// it, one batch at a time. So their order is that of the records, and after a refusal exactly the same is tried again.
///
/// What cannot be read goes to the reject box, before the position moves behind it. While no instance takes records,
/// or its profile cannot be used, they wait, and so does the broker.
/// Memory: 64 KiB of records, taken with the first of them; a batch from the intake. Threads: io. Nothing is thrown.
class RecordIntake {
 public:
  static constexpr std::size_t kBatchBytes = 256 * KiB;  ///< of events, before the last record of a batch
  static constexpr std::int64_t kRetryMs = 200;          ///< after a refusal, or without room
  static constexpr std::int64_t kLookMs = 1'000;         ///< for an instance, or for a profile that can be used
  static constexpr std::int64_t kAnswerMs = 60'000;      ///< an answer that is later than this does not come

  RecordIntake(const RecordParts& parts, RecordSettings settings);
  ~RecordIntake();
  RecordIntake(const RecordIntake&) = delete;
  RecordIntake& operator=(const RecordIntake&) = delete;

  /// Forgets what is not settled. 0: there is no session now.
  void begin_session(std::uint32_t session) noexcept;
  /// The answer to `assigned`. False: more than core::kSourceMarksMax partitions, or no memory.
  [[nodiscard]] bool set_position(std::string_view topic, std::int32_t partition, std::int64_t next_offset) noexcept;
  /// One record frame. False: the worker broke the protocol, or there is no memory: it must be started again.
  [[nodiscard]] bool take(Bytes body) noexcept;

  /// The program calls it for each answer with settings().reply_shape.
  void on_answer(const core::Answer& answer) noexcept;
  /// Sends what is due. When to call again at the latest; nothing: nothing waits.
  [[nodiscard]] std::optional<Monotonic> on_time(Monotonic now) noexcept;
  /// What the worker has not been told yet.
  [[nodiscard]] std::optional<channel::Settle> take_settled() noexcept;
  /// What was read here is not what the store has: a new worker must begin at the positions on flash. Asked once.
  [[nodiscard]] bool take_restart() noexcept { return std::exchange(must_restart_, false); }

  /// A batch is in the writer's hands: the store may be about to say another position.
  [[nodiscard]] bool is_busy() const noexcept { return sent_.has_value(); }

  [[nodiscard]] const RecordSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] const core::SourceCounts& counts() const noexcept { return counts_; }
  /// Why nothing is taken now, for people; empty: it is.
  [[nodiscard]] const std::string& obstacle() const noexcept { return obstacle_; }

 private:
  struct Position {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t next_offset = channel::kNoOffset;
  };
  class Round;
  class ProfileJob;

  void pump(Monotonic now) noexcept;
  [[nodiscard]] bool send(Monotonic now);
  void hold(Monotonic until, const char* why) noexcept;
  [[nodiscard]] const ReadyProfile* find_profile(const model::Instance& instance, Monotonic now);
  void on_profile(std::int32_t data_id, std::uint32_t revision, const Status& outcome,
                  const model::Profile& profile) noexcept;
  [[nodiscard]] Position* find_position(std::string_view topic, std::int32_t partition) noexcept;
  struct Sent {
    std::uint32_t session = 0;
    std::int32_t data_id = 0;
    std::uint64_t number = 0;  ///< of its last record
    std::size_t bytes = 0;     ///< of waiting_
    std::uint64_t records = 0;
    Monotonic at;
    std::vector<core::SourceMark> marks;
  };
  void settle(const Sent& sent) noexcept;
  [[nodiscard]] std::size_t used_bytes() const noexcept {
    return waiting_.empty() ? 0 : waiting_.size() - json::kPaddingBytes;
  }

  RecordParts parts_;
  RecordSettings settings_;
  NamedInstance instance_;
  TopicLevels levels_;
  std::uint32_t session_ = 0;
  std::uint64_t last_number_ = 0;     ///< taken in this session
  std::uint64_t settled_number_ = 0;  ///< of this session
  std::uint64_t told_number_ = 0;     ///< the worker knows
  std::uint64_t counted_number_ = 0;  ///< refusals up to here are in the reject box
  std::size_t held_bytes_ = 0;        ///< whole frames that are not settled
  std::vector<std::byte> waiting_;    ///< u32 length and body of each record, then padding for the parser
  std::vector<Position> positions_;   ///< as the store will have them once the batch is on flash
  std::optional<Sent> sent_;          ///< in the writer's hands
  std::uint64_t ticket_ = 0;          ///< of the batch that went last
  Monotonic not_before_;              ///< nothing is tried
  bool waits_for_profile_ = false;
  bool must_restart_ = false;
  std::string obstacle_;
  core::SourceCounts counts_;
  std::shared_ptr<RecordIntake*> self_;  ///< jobs on the reader may outlive the intake; they look here first
};

}  // namespace tocsin::api
