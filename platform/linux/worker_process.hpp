// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tocsin::linux {

inline constexpr int kWorkerFd = 3;  ///< a worker's end of the socket to tocsind

/// First thing in a worker's main, before any thread. False: descriptor 3 is no stream socket of this machine, so
/// nobody who knows us started us. Else: the process ends with its parent, ignores SIGPIPE and the
/// terminal's signals (the parent says when to stop), keeps its heap tight, and asks name servers at most twice for 2
/// s.
[[nodiscard]] bool begin_worker() noexcept;

struct Interest {
  int fd = -1;  ///< -1: none
  bool write = false;
  bool read = true;
};
struct Readiness {
  bool read = false;
  bool write = false;
  bool hung_up = false;  ///< the peer will send no more, or the connection is broken; data may still be there
};

/// A worker's whole wait: its link and one other descriptor, for `wait_ms` at most.
void worker_wait(Interest link, Interest other, std::int64_t wait_ms, Readiness& link_ready,
                 Readiness& other_ready) noexcept;

}  // namespace tocsin::linux
