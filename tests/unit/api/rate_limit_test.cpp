// SPDX-License-Identifier: Apache-2.0
#include "src/api/rate_limit.hpp"

#include <gtest/gtest.h>

namespace tocsin::api {
namespace {

int admitted(RateLimit& limit, std::int32_t max_rate, Monotonic now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limit.take(1, max_rate, now) == 0 ? 1 : 0;
  return count;
}

TEST(RateLimit, AllowsAMinutesWorthAtOnceAndThenTheRate) {
  RateLimit limit;
  EXPECT_EQ(admitted(limit, 60, {1}, 100), 60);
  EXPECT_EQ(admitted(limit, 60, Monotonic{1}.after_ms(999), 5), 0);
  EXPECT_EQ(admitted(limit, 60, Monotonic{1}.after_ms(1'000), 5), 1);
  EXPECT_EQ(admitted(limit, 60, Monotonic{1}.after_ms(11'000), 50), 10);
  EXPECT_EQ(admitted(limit, 60, Monotonic{1}.after_ms(3'600'000), 100), 60) << "no more than a minute is saved up";
}

TEST(RateLimit, MinusOneIsAThousandAMinute) {
  RateLimit limit;
  EXPECT_EQ(admitted(limit, -1, {1}, 2'000), 1'000);
}

TEST(RateLimit, ZeroIsNoLimitAndLessThanMinusOneRefusesAll) {
  RateLimit limit;
  EXPECT_EQ(admitted(limit, 0, {1}, 5'000), 5'000);
  EXPECT_EQ(limit.take(1, -2, {1}), 60);
  EXPECT_EQ(limit.size(), 0U);
}

TEST(RateLimit, SaysHowLongToWait) {
  RateLimit limit;
  EXPECT_EQ(limit.take(1, 1, {1}), 0);
  EXPECT_EQ(limit.take(1, 1, {1}), 60);
  EXPECT_EQ(limit.take(1, 1, Monotonic{1}.after_ms(59'500)), 1);
  EXPECT_EQ(limit.take(1, 1, Monotonic{1}.after_ms(60'000)), 0);
}

TEST(RateLimit, TheLargestRateDoesNotOverflow) {
  RateLimit limit;
  EXPECT_EQ(admitted(limit, 0x7FFF'FFFF, {INT64_MAX / 2}, 10'000), 10'000);
}

TEST(RateLimit, IsBoundedAndForgetsInstancesThatAreGone) {
  RateLimit limit;
  for (std::int32_t id = 1; id <= static_cast<std::int32_t>(model::kInstancesMax); ++id)
    EXPECT_EQ(limit.take(id, 10, {1}), 0);
  EXPECT_EQ(limit.take(5000, 10, {1}), 1);
  model::Instance kept;
  kept.data_id = 7;
  limit.follow(*registry::Registry().with(kept));
  EXPECT_EQ(limit.size(), 1U);
}

}  // namespace
}  // namespace tocsin::api
