// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace tocsin::port {

/// Thread-safe. Fills with bytes nobody can guess. Never fails (a system that has no randomness does not start).
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) noexcept = 0;
};

}  // namespace tocsin::port
