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

int taken(TotalRate& rate, Monotonic now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) {
    if (rate.wait(now) != 0) continue;
    rate.take(now);
    ++count;
  }
  return count;
}

TEST(TotalRate, AllowsASecondsWorthAtOnceAndThenTheRate) {
  TotalRate rate(10);
  EXPECT_EQ(taken(rate, {1}, 50), 10);
  EXPECT_EQ(rate.wait({1}), 1);
  EXPECT_EQ(taken(rate, Monotonic{1}.after_ms(99), 5), 0);
  EXPECT_EQ(taken(rate, Monotonic{1}.after_ms(100), 5), 1);
  EXPECT_EQ(taken(rate, Monotonic{1}.after_ms(600), 50), 5);
  EXPECT_EQ(taken(rate, Monotonic{1}.after_ms(60'000), 50), 10) << "no more than a second is saved up";
}

TEST(TotalRate, HoldsAtBothEndsOfWhatCanBeConfigured) {
  TotalRate one(1);
  EXPECT_EQ(taken(one, {1}, 5), 1);
  EXPECT_EQ(taken(one, Monotonic{1}.after_ms(999), 5), 0);
  EXPECT_EQ(taken(one, Monotonic{1}.after_ms(1'000), 5), 1);
  TotalRate most(1'000'000);
  EXPECT_EQ(taken(most, {INT64_MAX / 2}, 1'000'100), 1'000'000);
  TotalRate none(0);
  EXPECT_EQ(taken(none, {1}, 5'000), 5'000);
}

}  // namespace
}  // namespace tocsin::api
