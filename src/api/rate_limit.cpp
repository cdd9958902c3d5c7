// SPDX-License-Identifier: Apache-2.0
#include "src/api/rate_limit.hpp"

#include <algorithm>

namespace tocsin::api {
namespace {

constexpr std::int64_t kMinuteNs = 60'000'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::uint16_t kRefusedForGoodS = 60;

}  // namespace

std::uint16_t RateLimit::take(std::int32_t data_id, std::int32_t max_rate, Monotonic now) {
  if (max_rate < -1) return kRefusedForGoodS;
  if (max_rate == 0) return 0;
  const std::int64_t per_minute = max_rate == -1 ? model::kMaxRateDefault : max_rate;
  auto at = std::ranges::lower_bound(buckets_, data_id, {}, &Bucket::data_id);
  if (at == buckets_.end() || at->data_id != data_id) {
    // Unregistered ids never come here, so a full table means stale entries; follow() sorts that out.
    if (buckets_.size() >= model::kInstancesMax) return 1;
    at = buckets_.insert(at, Bucket{data_id, now.ns});
  }
  const std::int64_t interval_ns = std::max<std::int64_t>(kMinuteNs / per_minute, 1);
  const std::int64_t next_full_ns = std::max(at->full_at_ns, now.ns) + interval_ns;
  const std::int64_t over_ns = next_full_ns - now.ns - interval_ns * per_minute;
  if (over_ns > 0) return static_cast<std::uint16_t>((over_ns + kSecondNs - 1) / kSecondNs);
  at->full_at_ns = next_full_ns;
  return 0;
}

void RateLimit::follow(const registry::Registry& registry) {
  if (registry.generation() == generation_) return;
  generation_ = registry.generation();
  std::erase_if(buckets_, [&](const Bucket& bucket) { return registry.instance(bucket.data_id) == nullptr; });
}

std::uint16_t TotalRate::wait(Monotonic now) const noexcept {
  // Never more than a second: that is what the bucket holds.
  return per_second_ != 0 && full_at_ns_ - now.ns > kSecondNs - kSecondNs / per_second_ ? 1 : 0;
}

void TotalRate::take(Monotonic now) noexcept {
  if (per_second_ != 0) full_at_ns_ = std::max(full_at_ns_, now.ns) + kSecondNs / per_second_;
}

}  // namespace tocsin::api
