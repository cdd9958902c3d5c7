// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_threads.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <new>

namespace tocsin::programs {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

SteadyTime in_ns(std::int64_t ns) {
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(std::max<std::int64_t>(ns, 0));
}

constexpr std::int64_t kHourNs = 3'600'000'000'000LL;
constexpr std::chrono::microseconds kBetweenTries{200};

}  // namespace

WriterThread::WriterThread(core::Core& core, const BoxClock& clock, std::int64_t commit_delay_ms)
    : core_(core), clock_(clock), commit_delay_ms_(commit_delay_ms) {}

void WriterThread::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "writer");
    run();
  });
}

void WriterThread::stop() noexcept {
  inputs_.close();
  if (thread_.joinable()) thread_.join();
}

void WriterThread::wait_for_company(std::vector<core::Input>& inputs) {
  const SteadyTime until = in_ns(commit_delay_ms_ * 1'000'000);
  while (inputs.size() < core::kTurnInputsMax && std::chrono::steady_clock::now() < until && !inputs_.closed()) {
    static_cast<void>(inputs_.drain(inputs, core::kTurnInputsMax - inputs.size(), until));
  }
}

void WriterThread::run() noexcept {
  std::vector<core::Input> inputs;
  inputs.reserve(core::kTurnInputsMax);
  bool has_background = true;
  for (;;) {
    inputs.clear();
    const Now before = clock_.now();
    const auto due = core_.next_deadline();
    const std::int64_t wait_ns = has_background ? 0 : due ? due->ns - before.mono.ns : kHourNs;
    const std::size_t count = inputs_.drain(inputs, core::kTurnInputsMax, in_ns(std::min(wait_ns, kHourNs)));
    if (count == 0 && inputs_.closed()) break;
    if (count > 0 && commit_delay_ms_ > 0) wait_for_company(inputs);
    const Now now = clock_.now();
    const auto due_now = core_.next_deadline();
    if (!inputs.empty() || (due_now && *due_now <= now.mono)) {
      turn_began_ns_ = now.mono.ns;
      core::Effects effects;
      core_.turn(inputs, now, effects);
      const Now after = clock_.now();
      turn_began_ns_ = 0;
      inputs.clear();  // before the report: whoever waits for the intake finds its room
      report(std::move(effects), static_cast<std::uint64_t>(after.mono.ns - now.mono.ns));
    }
    const bool had_background = has_background;
    has_background = core_.background(now);
    if (had_background && !has_background) report({}, 0);  // "the id window is ready" is news too
  }
  core::Effects effects;
  core_.flush(clock_.now(), effects);
}

core::View WriterThread::copy_of_view() const noexcept {
  for (;;) {
    try {
      return core_.view();
    } catch (const std::bad_alloc&) {
      // What was committed must be told: wait for others to give back memory. The watchdog ends a wait without end.
      std::this_thread::sleep_for(kBetweenTries);
    }
  }
}

void WriterThread::report(core::Effects&& effects, std::uint64_t turn_ns) noexcept {
  TurnReport out{std::move(effects), copy_of_view(), core_.gauges()};
  turn_ns_max_ = std::max(turn_ns_max_, turn_ns);
  out.gauges.commit_ns_last = turn_ns;
  out.gauges.commit_ns_max = turn_ns_max_;
  // io drains this queue on every turn of its loop; when it is full the writer has nothing better to do than wait.
  // What a full queue refuses stays with the caller. NOLINTNEXTLINE(bugprone-use-after-move)
  while (!reports_.push(std::move(out))) std::this_thread::sleep_for(kBetweenTries);
}

void ReaderThread::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "reader");
    run();
  });
}

void ReaderThread::stop() noexcept {
  stopping_ = true;
  jobs_.close();
  if (thread_.joinable()) thread_.join();
}

bool ReaderThread::step(std::unique_ptr<core::Job>& job) noexcept {
  Status outcome;
  try {
    auto txn = store_.begin_read();
    if (!txn.ok()) {
      outcome = txn.error();
    } else {
      auto done = job->step(**txn);
      if (done.ok() && !*done) return false;
      if (!done.ok()) outcome = done.error();
    }
  } catch (const std::bad_alloc&) {
    outcome = error(Errc::out_of_budget, "reader: memory");
  }
  FinishedJob finished{std::move(job), outcome};
  // What a full queue refuses stays with the caller. NOLINTNEXTLINE(bugprone-use-after-move)
  while (!finished_.push(std::move(finished)) && !stopping_) std::this_thread::sleep_for(kBetweenTries);
  return true;
}

void ReaderThread::run() noexcept {
  std::vector<std::unique_ptr<core::Job>> arrived;
  arrived.reserve(kJobsMax);
  std::vector<std::unique_ptr<core::Job>> urgent;
  std::vector<std::unique_ptr<core::Job>> others;
  urgent.reserve(kJobsMax);  // nothing is allocated once jobs are here
  others.reserve(kJobsMax);
  while (!stopping_) {
    arrived.clear();
    const bool idle = urgent.empty() && others.empty();
    const std::size_t room = kJobsMax > urgent.size() + others.size() ? kJobsMax - urgent.size() - others.size() : 0;
    if (room > 0) static_cast<void>(jobs_.drain(arrived, room, in_ns(idle ? kHourNs : 0)));
    if (idle && arrived.empty() && jobs_.closed()) return;
    for (auto& job : arrived) (job->is_urgent() ? urgent : others).push_back(std::move(job));
    if (!urgent.empty()) {
      if (step(urgent.front())) {
        urgent.erase(urgent.begin());
      } else {
        std::rotate(urgent.begin(), urgent.begin() + 1, urgent.end());
      }
      continue;
    }
    if (others.empty()) continue;
    // Two at a time: a long one does not hold up the next, and no more than two answers grow in memory at once.
    if (step(others.front())) {
      others.erase(others.begin());
    } else if (others.size() > 1) {
      std::swap(others[0], others[1]);
    }
  }
}

}  // namespace tocsin::programs
