// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "src/config/config.hpp"
#include "src/core/delivery.hpp"
#include "src/core/feed.hpp"
#include "src/core/status.hpp"
#include "src/programs/tocsind_worker.hpp"

namespace tocsin::programs {

/// One upstream: its worker, and what it is offered. io thread only.
class UpstreamRunner final : public WorkerRunner {
 public:
  UpstreamRunner(const WorkerParts& parts, config::Upstream config, std::uint8_t index, std::size_t data_bytes_max);
  ~UpstreamRunner() override;

  /// Takes the log as it is on flash and starts the worker.
  void start(const core::View& view);
  void on_view(const core::View& view);
  [[nodiscard]] core::UpstreamStatus status() const;
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
  [[nodiscard]] static std::array<bool, model::kLanes> lanes_of(const config::Upstream& config) noexcept;

 private:
  [[nodiscard]] Result<std::string> first_frame(std::string& unreadable) override;
  [[nodiscard]] bool on_own_frame(channel::FrameReader& frame) override;
  void on_disconnected() noexcept override { delivery_.on_disconnected(); }
  void on_pause() noexcept override;
  void pump() noexcept override;
  [[nodiscard]] bool on_state(Bytes body);
  void wait_until_allowed() noexcept;
  void on_allowed(std::uint32_t) noexcept;
  void on_fed(const core::FeedRequest& request, const Status& outcome, const core::FeedResult& result,
              std::string&& frame);
  void forward_confirm(model::Lane lane, std::uint64_t seq) noexcept;
  void take_fed(const core::FeedRequest& request, const Status& outcome, const core::FeedResult& result,
                std::string&& frame) noexcept;

  config::Upstream config_;
  std::uint8_t index_;
  core::Delivery delivery_;
  linux::Loop::Timer allowed_timer_;
  Monotonic allowed_at_;  ///< bytes_per_second: nothing is read for the worker before
  bool is_waiting_ = false;
  std::uint32_t message_bytes_max_ = 0;
  std::uint64_t damaged_ = 0;
  std::shared_ptr<UpstreamRunner*> self_;  ///< jobs on the reader may outlive the runner; they look here first
};

}  // namespace tocsin::programs
