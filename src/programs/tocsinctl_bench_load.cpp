// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_bench_load.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "platform/curl/client.hpp"

namespace tocsin::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t kBenchAnswerBytesMax = 64 * 1024;
constexpr std::int64_t kTimeoutMs = 10'000;
constexpr auto kNapMax = std::chrono::milliseconds(100);  // how late an end is noticed

sigset_t ending_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

/// What the threads share.
struct Shared {
  const Load& load;
  SteadyClock::time_point begin;
  std::atomic<std::uint64_t> next{0};   ///< the request that is sent next
  std::atomic<std::uint64_t> sent{0};   ///< and answered, or failed
  std::atomic<std::size_t> running{0};  ///< threads
  std::atomic<bool> stop{false};        ///< also in the middle of an exchange
};

/// One connection with its thread.
class Sending {
 public:
  explicit Sending(Shared& shared)
      : last_answer(shared.begin),
        shared_(shared),
        client_(curl::Options{.unix_socket = {}, .response_bytes_max = kBenchAnswerBytesMax, .stop = &shared.stop}) {}

  void run() noexcept {
    try {
      send_all();
    } catch (const std::bad_alloc&) {
      ++tally.failed;
    }
    --shared_.running;
  }

  Tally tally;
  SteadyClock::time_point last_answer;

 private:
  void send_all() {
    curl::Request request;
    request.is_post = true;
    request.url = shared_.load.url;
    request.headers = {"Content-Type: application/json"};
    request.body = shared_.load.body;
    request.timeout_ms = kTimeoutMs;
    const auto total = static_cast<std::uint64_t>(shared_.load.per_second * shared_.load.seconds);
    const auto end = shared_.begin + std::chrono::seconds(shared_.load.seconds);
    while (!shared_.stop) {
      const std::uint64_t number = shared_.next++;
      if (number >= total) return;
      // In two parts, so that no product leaves 64 bits.
      const auto rate = static_cast<std::uint64_t>(shared_.load.per_second);
      const auto due = shared_.begin + std::chrono::seconds(number / rate) +
                       std::chrono::nanoseconds(number % rate * 1'000'000'000U / rate);
      if (!wait_until(due) || SteadyClock::now() >= end) return;
      const auto response = client_.request(request);
      if (shared_.stop) return;
      last_answer = SteadyClock::now();
      if (response.ok()) {
        tally.count_status(response->status);
        tally.latency.add(std::chrono::duration_cast<std::chrono::microseconds>(last_answer - due).count());
      } else {
        ++tally.failed;
      }
      ++shared_.sent;
    }
  }

  [[nodiscard]] bool wait_until(SteadyClock::time_point due) const {
    while (!shared_.stop) {
      const auto left = due - SteadyClock::now();
      if (left <= SteadyClock::duration::zero()) return true;
      std::this_thread::sleep_for(std::min<SteadyClock::duration>(left, kNapMax));
    }
    return false;
  }

  Shared& shared_;
  curl::Client client_;
};

/// Ends its threads whatever happens to the one that started them.
class Crew {
 public:
  explicit Crew(Shared& shared) noexcept : shared_(shared) {}
  ~Crew() {
    shared_.stop = true;
    join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  void start(Sending& one) {
    ++shared_.running;
    try {
      threads_.emplace_back([&one] { one.run(); });
    } catch (...) {
      --shared_.running;
      throw;
    }
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Shared& shared_;
  std::vector<std::thread> threads_;
};

}  // namespace

Interrupts::Interrupts() noexcept {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Interrupts::~Interrupts() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool Interrupts::wait(std::chrono::milliseconds at_most) noexcept {
  if (came_) return true;
  const sigset_t set = ending_signals();
  timespec left{};
  left.tv_sec = static_cast<decltype(left.tv_sec)>(at_most.count() / 1000);
  left.tv_nsec = static_cast<decltype(left.tv_nsec)>(at_most.count() % 1000 * 1'000'000);
  came_ = sigtimedwait(&set, nullptr, &left) > 0;
  return came_;
}

LoadResult run_load(const Load& load, Interrupts& interrupts,
                    const std::function<void(std::chrono::milliseconds, std::uint64_t)>& show) {
  Shared shared{.load = load, .begin = SteadyClock::now()};
  std::vector<std::unique_ptr<Sending>> all;
  for (std::int64_t i = 0; i < load.connections; ++i) all.push_back(std::make_unique<Sending>(shared));
  shared.begin = SteadyClock::now();
  Crew crew(shared);
  for (const auto& one : all) crew.start(*one);
  LoadResult out;
  while (shared.running > 0 && !out.interrupted) {
    out.interrupted = interrupts.wait(kNapMax);
    show(std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - shared.begin), shared.sent);
  }
  if (out.interrupted) shared.stop = true;
  crew.join();
  auto last = shared.begin + (out.interrupted ? SteadyClock::duration::zero() : std::chrono::seconds(load.seconds));
  for (const auto& one : all) {
    out.tally.add(one->tally);
    last = std::max(last, one->last_answer);
  }
  out.seconds = std::chrono::duration<double>(last - shared.begin).count();
  return out;
}

}  // namespace tocsin::ctl
