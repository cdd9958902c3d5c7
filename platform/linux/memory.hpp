// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "src/base/result.hpp"

namespace tocsin::linux {

/// Resident memory of a process as the kernel counts it. Budgets speak of `anonymous`: mapped files are not ours.
struct Memory {
  std::size_t anonymous_bytes = 0;  ///< RssAnon
  std::size_t resident_bytes = 0;   ///< VmRSS
};

/// Of `pid`, or of this process for 0. Allocates nothing. Errors: not_found, io_failed.
[[nodiscard]] Result<Memory> memory_of(pid_t pid = 0) noexcept;

/// Keeps the largest sample; peaks between samples are not seen. One owner thread.
class MemoryPeak {
 public:
  /// Reads now and returns the reading; the last one again when reading failed.
  Memory sample() noexcept;
  [[nodiscard]] std::size_t anonymous_bytes_peak() const noexcept { return anonymous_bytes_peak_; }

 private:
  Memory last_;
  std::size_t anonymous_bytes_peak_ = 0;
};

/// One arena for all threads, blocks of 64 KiB and more straight from the kernel and straight back. Before any thread.
void tune_malloc() noexcept;

/// Where private memory has a limit at all (RLIMIT_DATA), makes it what is used now and `spare_bytes` more, if that is
/// less: allocations beyond that fail. For the rest of the process's life, or until called again.
void tighten_data_limit(std::size_t spare_bytes) noexcept;

/// Gives unused heap back to the kernel. Cost: milliseconds on a large heap.
void trim_malloc() noexcept;

}  // namespace tocsin::linux
