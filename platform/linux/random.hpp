// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <mutex>

#include "src/port/random.hpp"

namespace tocsin::linux {

/// The kernel's random numbers. Small requests come from a pool that is filled 512 bytes at a time and wiped as it is
/// used; larger ones go to the kernel directly. A kernel without randomness ends the process.
class Random final : public port::Random {
 public:
  void fill(std::span<std::byte> out) noexcept override;

 private:
  std::mutex mutex_;
  std::array<std::byte, 512> pool_{};
  std::size_t left_ = 0;
};

}  // namespace tocsin::linux
