// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace tocsin::ctl {

/// How often which latency was seen. 9 KiB, whatever is added; a figure that is read from it is at most 1/32 too high.
class Histogram {
 public:
  /// Negative counts as 0; more than about 19 hours as that.
  void add(std::int64_t microseconds) noexcept;
  void add(const Histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t max_us() const noexcept { return max_us_; }
  /// At least `part` (0 to 1) of all are not above it. 0 without any.
  [[nodiscard]] std::int64_t quantile_us(double part) const noexcept;

 private:
  static constexpr std::size_t kExact = 64;      // values below have a bucket each
  static constexpr std::size_t kPerDouble = 32;  // buckets for each doubling above
  static constexpr std::size_t kDoublings = 30;
  static constexpr std::size_t kBuckets = kExact + kPerDouble * kDoublings;
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept;
  [[nodiscard]] static std::uint64_t last_of(std::size_t bucket) noexcept;

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t max_us_ = 0;
};

/// What became of the requests.
struct Tally {
  Histogram latency;           ///< of those that were answered, whatever the status
  std::uint64_t taken = 0;     ///< 200
  std::uint64_t too_many = 0;  ///< 429
  std::uint64_t busy = 0;      ///< 503
  std::uint64_t other = 0;     ///< any other status
  std::uint64_t failed = 0;    ///< no answer
  int other_status = 0;        ///< one of those

  void add(const Tally& more) noexcept;
  void count_status(int status) noexcept;
  [[nodiscard]] std::uint64_t sent() const noexcept { return taken + too_many + busy + other + failed; }
};

}  // namespace tocsin::ctl
