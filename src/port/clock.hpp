// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/base/time.hpp"

namespace tocsin::port {

/// Thread-safe. Never fails. monotonic() never goes backwards within a boot.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Monotonic monotonic() const noexcept = 0;
  /// `trusted` here is the kernel's and the board's word only; an operator's word is kept by the core.
  [[nodiscard]] virtual Wall wall() const noexcept = 0;
  /// Who says that wall() may be believed: "synchronised", "battery", or "none" when nobody does. A literal.
  [[nodiscard]] virtual const char* source() const noexcept = 0;
  /// Sets the system's wall clock. io_failed: not permitted or refused by the system; nothing changed.
  [[nodiscard]] virtual bool set_wall(std::int64_t unix_ms) noexcept = 0;
};

}  // namespace tocsin::port
