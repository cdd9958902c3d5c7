// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_push_retry.hpp"

#include <algorithm>

namespace tocsin::ctl {
namespace {

constexpr std::int64_t kFirstWaitMs = 250;
constexpr std::int64_t kBackoffMaxMs = 30'000;
constexpr int kDoublingsMax = 7;  // beyond kBackoffMaxMs
constexpr std::int64_t kSpreadMaxMs = 500;
constexpr std::int64_t kRetryAfterMaxS = 86'400 * 365;

}  // namespace

bool may_be_taken_later(int status) noexcept {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

bool may_be_taken_later(const Error& failure) noexcept {
  return failure.code == Errc::unavailable || failure.code == Errc::timed_out || failure.code == Errc::io_failed;
}

std::int64_t wait_ms(std::int64_t retry_after_s, int tries_done, double dice) noexcept {
  if (retry_after_s > 0) {
    const std::int64_t told = std::min(retry_after_s, kRetryAfterMaxS) * 1000;
    return told + static_cast<std::int64_t>(dice * static_cast<double>(std::min(told / 4, kSpreadMaxMs)));
  }
  const int doublings = std::clamp(tries_done - 1, 0, kDoublingsMax);
  const std::int64_t full = std::min(kFirstWaitMs << doublings, kBackoffMaxMs);
  return full / 2 + static_cast<std::int64_t>(dice * static_cast<double>(full));
}

}  // namespace tocsin::ctl
