// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "platform/linux/loop.hpp"
#include "platform/linux/process.hpp"
#include "platform/linux/worker_link.hpp"
#include "src/api/ports.hpp"
#include "src/channel/feed.hpp"
#include "src/config/config.hpp"
#include "src/core/delivery.hpp"
#include "src/core/feed.hpp"
#include "src/model/identity.hpp"
#include "src/port/random.hpp"
#include "src/programs/tocsind_clock.hpp"

namespace tocsin::programs {

/// What every upstream needs of the daemon. Outlives them.
struct UpstreamParts {
  linux::Loop& loop;
  api::Daemon& daemon;
  const BoxClock& clock;
  port::Random& random;
  model::Identity identity;
  std::string worker_dir;  ///< where the worker programs are
  std::string appliance_name;
  std::string hostname;
  std::string ip;
  std::string timezone;
  std::size_t worker_data_bytes_max = 0;
};

/// One upstream: its worker process, started and restarted with backoff, its channel, and what it is offered.
/// io thread only. Memory: one data frame on its way, kControlOutstandingMax control frames.
class UpstreamRunner final : public channel::FrameHandler {
 public:
  UpstreamRunner(const UpstreamParts& parts, config::Upstream config, std::uint8_t index);
  ~UpstreamRunner() override;
  UpstreamRunner(const UpstreamRunner&) = delete;
  UpstreamRunner& operator=(const UpstreamRunner&) = delete;

  /// Takes the log as it is on flash and starts the worker.
  void start(const core::View& view);
  void on_view(const core::View& view);
  /// Says goodbye to the worker; it ends within a second.
  void begin_stop() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return process_.running(); }
  void kill() noexcept { process_.kill(); }
  [[nodiscard]] core::UpstreamStatus status() const;
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
  [[nodiscard]] static std::array<bool, model::kLanes> lanes_of(const config::Upstream& config) noexcept;

  [[nodiscard]] bool on_frame(channel::FrameReader& frame) override;

 private:
  [[nodiscard]] bool on_state(Bytes body);
  void launch() noexcept;
  void configure();
  void on_link(std::uint32_t events) noexcept;
  void on_exit(linux::ChildExit how) noexcept;
  void on_timer(std::uint32_t) noexcept;
  void on_restart(std::uint32_t) noexcept;
  void wait_until_allowed() noexcept;
  void on_allowed(std::uint32_t) noexcept;
  void drop_link() noexcept;
  void update_interest() noexcept;
  void pump() noexcept;
  void on_fed(const core::FeedRequest& request, const Status& outcome, const core::FeedResult& result,
              std::string&& frame);
  void forward_confirm(model::Lane lane, std::uint64_t seq) noexcept;
  void take_fed(const core::FeedRequest& request, const Status& outcome, const core::FeedResult& result,
                std::string&& frame) noexcept;
  void set_state(std::string state, std::string detail);
  /// The same where nothing may be thrown; a number of 0 or more is put behind `detail`.
  void note_state(const char* state, const char* detail, int number = -1) noexcept;

  const UpstreamParts& parts_;
  config::Upstream config_;
  std::uint8_t index_;
  core::Delivery delivery_;
  linux::Process process_;
  std::unique_ptr<channel::FrameFeed> feed_;
  std::unique_ptr<linux::WorkerLink> link_;
  linux::Loop::Watch watch_;
  std::uint32_t interest_ = 0;
  linux::Loop::Timer timer_;
  linux::Loop::Timer restart_timer_;
  linux::Loop::Timer allowed_timer_;
  Monotonic allowed_at_;  ///< bytes_per_second: nothing is read for the worker before
  bool is_waiting_ = false;
  bool waits_for_files_ = false;  ///< the worker has no settings yet, because a file of them cannot be read
  std::string state_ = "starting";
  std::string detail_;
  std::int64_t since_ms_ = 0;
  std::uint32_t restarts_ = 0;
  std::uint32_t failures_ = 0;  ///< starts in a row that did not last
  Monotonic launched_;
  Monotonic heard_;  ///< the last sign of life
  std::uint32_t message_bytes_max_ = 0;
  std::uint64_t damaged_ = 0;
  bool stopping_ = false;
  std::shared_ptr<UpstreamRunner*> self_;  ///< jobs on the reader may outlive the runner; they look here first
};

}  // namespace tocsin::programs
