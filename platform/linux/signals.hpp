// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "platform/linux/handle.hpp"
#include "platform/linux/loop.hpp"
#include "src/base/result.hpp"

namespace tocsin::linux {

struct SignalArrived {
  void* self = nullptr;
  void (*call)(void* self, int signal) noexcept = nullptr;
};

/// SIGTERM, SIGINT and SIGHUP as events of the loop; SIGPIPE is ignored.
/// Blocks those signals for the calling thread and all threads it starts later: open it before any thread.
class Signals {
 public:
  Signals() = default;
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  [[nodiscard]] Status open(Loop& loop, SignalArrived arrived) noexcept;

 private:
  void on_ready(std::uint32_t events) noexcept;
  Loop* loop_ = nullptr;
  Loop::Watch watch_;
  Handle fd_;
  SignalArrived arrived_;
};

}  // namespace tocsin::linux
