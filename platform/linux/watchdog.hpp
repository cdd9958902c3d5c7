// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "platform/linux/handle.hpp"
#include "src/port/watchdog.hpp"

namespace tocsin::linux {

/// systemd's notify protocol, spoken by hand: datagrams to NOTIFY_SOCKET (a path, or '@' for an abstract name),
/// WATCHDOG_USEC and WATCHDOG_PID. Without NOTIFY_SOCKET everything is a no-op.
class Watchdog final : public port::Watchdog {
 public:
  /// Reads the environment once and removes the variables from it: children must not speak for us.
  Watchdog() noexcept;
  void ready() noexcept override;
  void alive() noexcept override;
  void stopping() noexcept override;
  void status(std::string_view text) noexcept override;
  [[nodiscard]] int period_ms() const noexcept override { return period_ms_; }

 private:
  void send(std::string_view message) noexcept;
  Handle socket_;
  sockaddr_un to_{};
  socklen_t to_bytes_ = 0;
  int period_ms_ = 0;
};

}  // namespace tocsin::linux
