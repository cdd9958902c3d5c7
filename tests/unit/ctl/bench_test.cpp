// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "src/programs/tocsinctl_bench_figures.hpp"

namespace tocsin::ctl {
namespace {

TEST(CtlHistogram, SmallValuesAreExact) {
  Histogram all;
  EXPECT_EQ(all.quantile_us(0.5), 0);
  for (std::int64_t us = 1; us <= 60; ++us) all.add(us);
  EXPECT_EQ(all.quantile_us(0), 1);
  EXPECT_EQ(all.quantile_us(0.5), 30);
  EXPECT_EQ(all.quantile_us(1), 60);
  EXPECT_EQ(all.count(), 60U);
}

TEST(CtlHistogram, LargeValuesAreAtMostAThirtySecondTooHigh) {
  for (std::int64_t us = 1; us < (std::int64_t{1} << 34); us = us * 5 / 4 + 1) {
    Histogram one;
    one.add(us);
    one.add(std::int64_t{1} << 35);
    const std::int64_t got = one.quantile_us(0.5);
    EXPECT_GE(got, us);
    EXPECT_LE(got, us + us / 32) << us;
  }
}

TEST(CtlHistogram, BucketsStandInOrder) {
  std::int64_t before = -1;
  for (std::int64_t us = 0; us < 5'000; ++us) {
    Histogram one;
    one.add(us);
    one.add(1'000'000'000);
    const std::int64_t got = one.quantile_us(0.5);
    ASSERT_GE(got, before) << us;
    ASSERT_GE(got, us);
    before = got;
  }
}

TEST(CtlHistogram, NoValueIsTooLargeOrTooSmall) {
  Histogram all;
  all.add(-5);
  all.add(INT64_MAX);
  EXPECT_EQ(all.quantile_us(0.5), 0);
  EXPECT_EQ(all.max_us(), INT64_MAX);
  EXPECT_GT(all.quantile_us(1), std::int64_t{1} << 35);
}

TEST(CtlTally, PartsAddUp) {
  Tally one;
  Tally other;
  for (const int status : {200, 200, 429, 503, 418}) one.count_status(status);
  other.count_status(200);
  other.failed = 2;
  other.latency.add(7);
  one.add(other);
  EXPECT_EQ(one.taken, 3U);
  EXPECT_EQ(one.too_many, 1U);
  EXPECT_EQ(one.busy, 1U);
  EXPECT_EQ(one.other, 1U);
  EXPECT_EQ(one.other_status, 418);
  EXPECT_EQ(one.failed, 2U);
  EXPECT_EQ(one.sent(), 8U);
  EXPECT_EQ(one.latency.max_us(), 7);
}

}  // namespace
}  // namespace tocsin::ctl
