// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "platform/linux/handle.hpp"
#include "platform/linux/loop.hpp"
#include "src/base/result.hpp"

namespace tocsin::linux {

/// How a child ended: an exit status, or the signal that ended it.
struct ChildExit {
  bool by_signal = false;
  int code = 0;
};

struct ChildExited {
  void* self = nullptr;
  void (*call)(void* self, ChildExit how) noexcept = nullptr;
};

/// One worker program at a time. The child gets: descriptor 3 = its end of a stream socket, /dev/null as 0 and 1, our
/// stderr, nothing else; its name as only argument; a fixed small environment; a 256 KiB stack limit, no core file and
/// `data_bytes_max` of private memory; SIGKILL when we end. Owner: the loop's thread.
class Process {
 public:
  struct Options {
    std::string program = {};        ///< path; found beside our own program by the caller
    std::size_t data_bytes_max = 0;  ///< RLIMIT_DATA; 0: unlimited
    std::string timezone = {};       ///< TZ; empty: not set
  };

  Process() = default;
  /// Kills a running child and waits for it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Starts the child; `exited` is called from the loop exactly once when it ends, and this object may then start
  /// another. A program that cannot be executed is an exit with code 127.
  /// Errors: conflict (one is running), io_failed.
  [[nodiscard]] Status start(Loop& loop, const Options& options, ChildExited exited) noexcept;

  /// Our end of the socket: non-blocking, close-on-exec. Valid from start() until close_channel() or the next start().
  [[nodiscard]] int channel() const noexcept { return channel_.get(); }
  void close_channel() noexcept { channel_.reset(); }

  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void term() noexcept;
  void kill() noexcept;

 private:
  void on_exit(std::uint32_t events) noexcept;
  void send(int signal) noexcept;

  Loop* loop_ = nullptr;
  pid_t pid_ = -1;
  Handle pidfd_;
  Handle channel_;
  Loop::Watch watch_;
  ChildExited exited_;
};

}  // namespace tocsin::linux
