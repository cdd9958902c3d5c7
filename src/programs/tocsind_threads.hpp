// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/linux/queue.hpp"
#include "src/core/core.hpp"
#include "src/core/job.hpp"
#include "src/programs/tocsind_clock.hpp"

namespace tocsin::programs {

/// Inputs that may wait for a turn; their items are bounded by the intake's budget besides.
inline constexpr std::size_t kInputsMax = 1'024;
inline constexpr std::size_t kJobsMax = 64;
inline constexpr std::size_t kTurnsAheadMax = 64;

/// What a turn tells the io thread.
struct TurnReport {
  core::Effects effects;
  core::View view;
  core::Gauges gauges;
};

/// The writer: owns the core and the only write transaction, takes turns, sleeps otherwise.
class WriterThread {
 public:
  WriterThread(core::Core& core, const BoxClock& clock, std::int64_t commit_delay_ms);
  /// Ends the thread after what was posted is on flash.
  ~WriterThread() { stop(); }

  /// `on_report` runs on the loop's thread; it drains reports(). Before start().
  [[nodiscard]] Status open(linux::Loop& loop, linux::Callback on_report) { return reports_.open(loop, on_report); }
  void start();
  void stop() noexcept;

  /// io thread. False: full; `input` is untouched.
  [[nodiscard]] bool post(core::Input&& input) noexcept { return inputs_.push(std::move(input)); }
  [[nodiscard]] std::size_t drain(std::vector<TurnReport>& out) { return reports_.drain(out, kTurnsAheadMax); }
  /// Since when the present turn runs; 0: none does. For the stall report.
  [[nodiscard]] std::int64_t turn_began_ns() const noexcept { return turn_began_ns_.load(std::memory_order_relaxed); }

 private:
  void run() noexcept;
  void wait_for_company(std::vector<core::Input>& inputs);
  [[nodiscard]] core::View copy_of_view() const noexcept;
  void report(core::Effects&& effects, std::uint64_t turn_ns) noexcept;

  core::Core& core_;
  const BoxClock& clock_;
  std::int64_t commit_delay_ms_;
  linux::Queue<core::Input> inputs_{kInputsMax};
  linux::LoopQueue<TurnReport> reports_{kTurnsAheadMax};
  std::atomic<std::int64_t> turn_began_ns_{0};
  std::uint64_t turn_ns_max_ = 0;
  std::thread thread_;
};

/// A job that is over, on its way back to io.
struct FinishedJob {
  std::unique_ptr<core::Job> job;
  Status outcome;
};

/// The reader: owns every read transaction, runs jobs slice by slice, feeding of workers first.
class ReaderThread {
 public:
  explicit ReaderThread(port::Store& store) : store_(store) {}
  ~ReaderThread() { stop(); }

  [[nodiscard]] Status open(linux::Loop& loop, linux::Callback on_finished) {
    return finished_.open(loop, on_finished);
  }
  void start();
  /// Jobs that wait are dropped, unfinished.
  void stop() noexcept;

  [[nodiscard]] bool post(std::unique_ptr<core::Job> job) noexcept { return jobs_.push(std::move(job)); }
  [[nodiscard]] std::size_t drain(std::vector<FinishedJob>& out) { return finished_.drain(out, kJobsMax); }

 private:
  void run() noexcept;
  [[nodiscard]] bool step(std::unique_ptr<core::Job>& job) noexcept;

  port::Store& store_;
  linux::Queue<std::unique_ptr<core::Job>> jobs_{kJobsMax};
  linux::LoopQueue<FinishedJob> finished_{kJobsMax};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tocsin::programs
