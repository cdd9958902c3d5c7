// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_bench_figures.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tocsin::ctl {

// Above kExact a value's six highest bits say the bucket: the position of the highest, and the five behind it.
std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
  if (value < kExact) return static_cast<std::size_t>(value);
  const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 6;
  return std::min(kExact + (shift - 1) * kPerDouble + static_cast<std::size_t>(value >> shift) - kPerDouble,
                  kBuckets - 1);
}

std::uint64_t Histogram::last_of(std::size_t bucket) noexcept {
  if (bucket < kExact) return bucket;
  const std::size_t shift = (bucket - kExact) / kPerDouble + 1;
  const std::uint64_t high = (bucket - kExact) % kPerDouble + kPerDouble;
  return ((high + 1) << shift) - 1;
}

void Histogram::add(std::int64_t microseconds) noexcept {
  const std::int64_t value = std::max<std::int64_t>(microseconds, 0);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
  ++count_;
  max_us_ = std::max(max_us_, value);
}

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_us_ = std::max(max_us_, other.max_us_);
}

std::int64_t Histogram::quantile_us(double part) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets && count_ > 0; ++i) {
    seen += buckets_[i];
    if (seen >= wanted && seen > 0) return std::min(static_cast<std::int64_t>(last_of(i)), max_us_);
  }
  return max_us_;
}

void Tally::add(const Tally& more) noexcept {
  latency.add(more.latency);
  taken += more.taken;
  too_many += more.too_many;
  busy += more.busy;
  other += more.other;
  failed += more.failed;
  if (more.other_status != 0) other_status = more.other_status;
}

void Tally::count_status(int status) noexcept {
  switch (status) {
    case 200: ++taken; return;
    case 429: ++too_many; return;
    case 503: ++busy; return;
    default: ++other; other_status = status;
  }
}

}  // namespace tocsin::ctl
