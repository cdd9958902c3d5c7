// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace tocsin {

/// Counts and caps the bytes of one subsystem.
/// Throws std::bad_alloc at the cap; only a named boundary catches it (src/ARCHITECTURE.md lists them).
/// Threads: any; what one thread allocates another may free (intake items travel from io to writer).
class Budget final : public std::pmr::memory_resource {
 public:
  Budget(const char* name, std::size_t limit_bytes,
         std::pmr::memory_resource& upstream = *std::pmr::new_delete_resource()) noexcept
      : name_(name), limit_bytes_(limit_bytes), upstream_(upstream) {}

  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] std::size_t limit_bytes() const noexcept { return limit_bytes_; }
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_.load(std::memory_order_relaxed); }
  /// How often something did not fit: tells a bad_alloc of the cap from one of the system.
  [[nodiscard]] std::uint64_t refusals() const noexcept { return refusals_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t used_bytes_peak() const noexcept { return peak_bytes_.load(std::memory_order_relaxed); }

  /// Reserves without allocating, for memory that a library holds for us. False: no room, nothing reserved.
  [[nodiscard]] bool try_charge(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept { used_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override;
  void do_deallocate(void* p, std::size_t bytes, std::size_t align) override;
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  const char* name_;
  std::size_t limit_bytes_;
  std::pmr::memory_resource& upstream_;
  std::atomic<std::size_t> used_bytes_{0};
  std::atomic<std::size_t> peak_bytes_{0};
  std::atomic<std::uint64_t> refusals_{0};
};

}  // namespace tocsin
