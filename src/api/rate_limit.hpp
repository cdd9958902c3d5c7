// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/time.hpp"
#include "src/registry/registry.hpp"

namespace tocsin::api {

/// How many requests an instance may send. One bucket an instance: it refills at `max_rate` requests a minute and
/// holds one minute's worth, so a silent minute earns a full burst.
/// Memory: 16 bytes for each instance that has sent something, at most kInstancesMax of them. Threads: io.
class RateLimit {
 public:
  /// Takes one request off the bucket. 0: admitted; else the seconds to wait (at least 1). max_rate: -1 is
  /// kMaxRateDefault, 0 no limit, less than -1 refuses all.
  [[nodiscard]] std::uint16_t take(std::int32_t data_id, std::int32_t max_rate, Monotonic now);
  /// Forgets instances that are no longer registered. Cheap while the generation stays.
  void follow(const registry::Registry& registry);
  [[nodiscard]] std::size_t size() const noexcept { return buckets_.size(); }

 private:
  struct Bucket {
    std::int32_t data_id = 0;
    std::int64_t full_at_ns = 0;  ///< when the bucket will be full again; in the past: it is full
  };
  std::vector<Bucket> buckets_;  ///< by data id
  std::uint64_t generation_ = 0;
};

/// How many requests all instances together may send. One bucket that holds a second's worth.
/// Threads: io.
class TotalRate {
 public:
  /// 0: no limit.
  explicit TotalRate(std::int64_t per_second) noexcept : per_second_(per_second) {}
  /// Seconds to wait; 0: a request may come now.
  [[nodiscard]] std::uint16_t wait(Monotonic now) const noexcept;
  /// Takes one off the bucket, where wait() said 0.
  void take(Monotonic now) noexcept;
  [[nodiscard]] std::int64_t per_second() const noexcept { return per_second_; }

 private:
  std::int64_t per_second_;
  std::int64_t full_at_ns_ = 0;
};

}  // namespace tocsin::api
