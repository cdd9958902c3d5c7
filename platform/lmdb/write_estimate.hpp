// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <bitset>
#include <cstdint>

#include "src/base/bytes.hpp"

namespace tocsin::lmdb {

/// Guesses what the commits hand to write(). The library does not say how many pages it dirtied, the kernel's own
/// figures need a readable /proc, and the block counters of new kernels count whole folios; so pages are counted from
/// what is known: values in runs of their own exactly, leaves by table (first byte of the key) and by bytes put,
/// branches and free list by the depth of their trees, one page of meta. One writing thread; total() from any.
class WriteEstimate {
 public:
  void begin() noexcept {
    tables_.reset();
    drained_.reset();
    leaf_bytes_ = 0;
    run_pages_ = 0;
  }
  /// `run_pages`: overflow pages that the value takes, 0 when it stays in its leaf.
  void put(Bytes key, std::size_t leaf_bytes, std::uint64_t run_pages) noexcept {
    tables_.set(std::to_integer<std::size_t>(key.front()));
    leaf_bytes_ += leaf_bytes;
    run_pages_ += run_pages;
  }
  void erase(Bytes key) noexcept { drained_.set(std::to_integer<std::size_t>(key.front())); }
  void committed(std::uint32_t page_bytes, unsigned main_depth, unsigned free_depth) noexcept {
    if (tables_.none() && drained_.none()) return;
    const std::uint64_t leaves = tables_.count() + drained_.count() + leaf_bytes_ / page_bytes;
    const std::uint64_t branches = main_depth > 1 ? 1 + (main_depth - 2) * leaves : 0;
    const std::uint64_t free_list = free_depth > 1 ? 2 * free_depth - 1 : 1;
    add((leaves + branches + free_list + run_pages_ + 1) * page_bytes);
  }
  void add(std::uint64_t bytes) noexcept { total_.fetch_add(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_.load(std::memory_order_relaxed); }

 private:
  std::bitset<256> tables_;   ///< written at one end, by first byte of the key
  std::bitset<256> drained_;  ///< erased at the other
  std::uint64_t leaf_bytes_ = 0;
  std::uint64_t run_pages_ = 0;
  std::atomic<std::uint64_t> total_{0};
};

}  // namespace tocsin::lmdb
