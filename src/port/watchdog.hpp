// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tocsin::port {

/// Who supervises the daemon (systemd, or nobody). io thread only. Never fails: a supervisor that is away is not our
/// trouble.
class Watchdog {
 public:
  virtual ~Watchdog() = default;
  virtual void ready() noexcept = 0;  ///< serving; said once
  virtual void alive() noexcept = 0;  ///< at least twice per watchdog period
  virtual void stopping() noexcept = 0;
  virtual void status(std::string_view text) noexcept = 0;   ///< one line for people
  [[nodiscard]] virtual int period_ms() const noexcept = 0;  ///< 0: nobody watches
};

}  // namespace tocsin::port
