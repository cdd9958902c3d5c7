// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "src/programs/tocsinctl_bench_figures.hpp"

namespace tocsin::ctl {

/// SIGINT and SIGTERM as something to look at instead of the end of the process, for the calling thread and those it
/// starts, until it goes out of scope.
class Interrupts {
 public:
  Interrupts() noexcept;
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  /// Waits at most so long. True: one of them came, now or earlier.
  [[nodiscard]] bool wait(std::chrono::milliseconds at_most) noexcept;

 private:
  bool came_ = false;
};

struct Load {
  std::string url;
  std::string body;
  std::int64_t per_second = 0;
  std::int64_t seconds = 0;
  std::int64_t connections = 0;
};

struct LoadResult {
  Tally tally;
  double seconds = 0;  ///< that the load took: those asked for, or up to the last answer when it was cut or came later
  bool interrupted = false;
};

/// Sends the body `per_second * seconds` times, each when it is due, on so many connections with a thread each. A
/// latency counts from when the request was due, so that a slow answer is not hidden by the requests that it kept
/// waiting. What could not be sent within `seconds` is not sent. `show` is called with the time passed and the requests
/// sent so far. Throws std::system_error when there can be no more threads.
[[nodiscard]] LoadResult run_load(const Load& load, Interrupts& interrupts,
                                  const std::function<void(std::chrono::milliseconds, std::uint64_t)>& show);

}  // namespace tocsin::ctl
