// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "src/api/record_intake.hpp"
#include "src/config/config.hpp"
#include "src/core/status.hpp"
#include "src/programs/tocsind_worker.hpp"

namespace tocsin::programs {

/// One source: its worker, and what it brings. io thread only.
class SourceRunner final : public WorkerRunner {
 public:
  /// `reply_shape`: of the answers of its batches.
  SourceRunner(const WorkerParts& parts, const api::RecordParts& records, config::Source config,
               std::uint32_t reply_shape, std::size_t data_bytes_max);
  ~SourceRunner() override;

  void start() noexcept { launch(); }
  /// Sends what waits. When to call again at the latest; nothing: nothing waits.
  [[nodiscard]] std::optional<Monotonic> on_time(Monotonic now) noexcept;
  void on_answer(const core::Answer& answer) noexcept { intake_.on_answer(answer); }
  [[nodiscard]] core::SourceStatus status() const;

 private:
  class PositionJob;
  [[nodiscard]] Result<std::string> first_frame(std::string& unreadable) override;
  [[nodiscard]] bool on_own_frame(channel::FrameReader& frame) override;
  void on_disconnected() noexcept override;
  void on_pause() noexcept override {}
  void pump() noexcept override;
  [[nodiscard]] bool on_state(Bytes body);
  [[nodiscard]] bool on_assigned(Bytes body);
  void ask_position(std::string topic, std::int32_t partition) noexcept;
  void on_position(const Status& outcome, std::uint32_t session, const model::SourcePosition& found) noexcept;

  config::Source config_;
  api::RecordIntake intake_;
  std::uint32_t session_ = 0;            ///< 0: none
  std::uint32_t launches_ = 0;           ///< positions asked for another worker are of no use
  std::shared_ptr<SourceRunner*> self_;  ///< jobs on the reader may outlive the runner; they look here first
};

/// The sources of a configuration, and the time between them. io thread only.
class Sources {
 public:
  explicit Sources(linux::Loop& loop) : loop_(loop) {}
  ~Sources() { clear(); }
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  struct DataBytes {
    std::size_t mqtt = 0;
    std::size_t kafka = 0;
  };
  /// Starts a worker for each. False: said why on stderr.
  [[nodiscard]] bool open(const std::vector<config::Source>& all, const WorkerParts& parts,
                          const api::RecordParts& records, DataBytes data_bytes_max);
  /// False: this answer is not one of ours.
  [[nodiscard]] bool take_answer(const core::Answer& answer) noexcept;
  void begin_stop() noexcept;
  void kill() noexcept;
  [[nodiscard]] bool is_running() const noexcept;
  void clear() noexcept;
  [[nodiscard]] std::vector<core::SourceStatus> status() const;

 private:
  Monotonic on_turn_end(Monotonic now) noexcept;

  linux::Loop& loop_;
  std::vector<std::unique_ptr<SourceRunner>> all_;
};

}  // namespace tocsin::programs
