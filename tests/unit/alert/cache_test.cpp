// SPDX-License-Identifier: Apache-2.0
#include "src/alert/cache.hpp"

#include <gtest/gtest.h>

namespace tocsin::alert {
namespace {

Id128 id(std::uint32_t n) {
  Id128 out{};
  store(out.data(), n);
  return out;
}

model::Alert an_alert(std::uint32_t n, std::size_t text_bytes = 100) {
  model::Alert a;
  a.number = n;
  a.dedupe = id(n);
  a.description.assign(text_bytes, 'd');
  return a;
}

TEST(AlertCache, HoldsNothingBeforeTheFirstAlert) {
  AlertCache cache(64 * KiB, 1);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.find(id(1)), nullptr);
}

TEST(AlertCache, FindsWhatWasPutAndReplacesIt) {
  AlertCache cache(64 * KiB, 1);
  EXPECT_TRUE(cache.put(an_alert(1), 0).empty());
  model::Alert newer = an_alert(1);
  newer.event_count = 7;
  EXPECT_TRUE(cache.put(newer, 0).empty());
  ASSERT_NE(cache.find(id(1)), nullptr);
  EXPECT_EQ(cache.find(id(1))->event_count, 7U);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(AlertCache, NeverPassesItsLimitAndDropsTheLeastRecentlyUsed) {
  AlertCache cache(64 * KiB, 1);
  for (std::uint32_t n = 1; n <= 1000; ++n) {
    EXPECT_TRUE(cache.put(an_alert(n, n % 1024), 0).empty());
    EXPECT_LE(cache.bytes(), cache.limit_bytes());
    ASSERT_NE(cache.find(id(1)), nullptr) << "used every time, so it stays";
    ASSERT_NE(cache.find(id(n)), nullptr);
  }
  EXPECT_EQ(cache.find(id(2)), nullptr);
  EXPECT_GT(cache.size(), 20U);
}

TEST(AlertCache, KeepsTheNewestAlsoWhenItAloneIsOverTheLimit) {
  AlertCache cache(100, 1);
  EXPECT_TRUE(cache.put(an_alert(1), 0).empty());
  EXPECT_NE(cache.find(id(1)), nullptr);
  EXPECT_EQ(cache.put(an_alert(2), 5).size(), 0U);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.put(an_alert(3), 6).size(), 1U);
}

TEST(AlertCache, HandsOutTheDirtyAlertsItHasNoRoomFor) {
  AlertCache cache(64 * KiB, 1);
  std::vector<bool> seen(401);
  for (std::uint32_t n = 1; n <= 400; ++n) {
    for (const model::Alert& evicted : cache.put(an_alert(n), n)) {
      EXPECT_EQ(evicted.description.size(), 100U);
      const auto number = static_cast<std::size_t>(evicted.number);
      EXPECT_FALSE(seen[number]);
      seen[number] = true;
      EXPECT_EQ(cache.find(evicted.dedupe), nullptr);
    }
    EXPECT_LE(cache.bytes(), cache.limit_bytes());
  }
  for (const model::Alert& rest : cache.take_dirty(400)) seen[static_cast<std::size_t>(rest.number)] = true;
  for (std::uint32_t n = 1; n <= 400; ++n) EXPECT_TRUE(seen[n]) << n << " was lost";
}

TEST(AlertCache, DropsCleanAlertsBeforeDirtyOnes) {
  AlertCache cache(64 * KiB, 1);
  EXPECT_TRUE(cache.put(an_alert(1), 1).empty());
  for (std::uint32_t n = 2; n <= 1000; ++n) EXPECT_TRUE(cache.put(an_alert(n), 0).empty());
  EXPECT_NE(cache.find(id(1)), nullptr);
  EXPECT_EQ(cache.dirty(), 1U);
}

TEST(AlertCache, KnowsTheFirstFoldThatTheStoreLacks) {
  AlertCache cache(64 * KiB, 1);
  EXPECT_EQ(cache.unwritten_from_seq(), 0U);
  (void)cache.put(an_alert(1), 50);
  (void)cache.put(an_alert(2), 40);
  (void)cache.put(an_alert(2), 60);
  EXPECT_EQ(cache.unwritten_from_seq(), 40U);
  (void)cache.put(an_alert(2), 0);
  EXPECT_EQ(cache.unwritten_from_seq(), 50U);
}

TEST(AlertCache, TakesDirtyAlertsOnceAndOldestFirst) {
  AlertCache cache(64 * KiB, 1);
  for (std::uint32_t n = 1; n <= 5; ++n) (void)cache.put(an_alert(n), n);
  EXPECT_GT(cache.dirty_bytes(), 0U);
  const auto first = cache.take_dirty(2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].number, 1U);
  EXPECT_EQ(first[1].number, 2U);
  EXPECT_EQ(cache.dirty(), 3U);
  EXPECT_EQ(cache.take_dirty(10).size(), 3U);
  EXPECT_EQ(cache.dirty(), 0U);
  EXPECT_EQ(cache.dirty_bytes(), 0U);
  EXPECT_TRUE(cache.take_dirty(10).empty());
  EXPECT_NE(cache.find(id(1)), nullptr);
}

TEST(AlertCache, GivesEveryByteBack) {
  AlertCache cache(64 * KiB, 1);
  for (std::uint32_t n = 1; n <= 300; ++n) (void)cache.put(an_alert(n, 3 * n), n % 2);
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.dirty(), 0U);
  (void)cache.put(an_alert(1), 1);
  EXPECT_EQ(cache.dirty(), 1U);
  cache.erase(id(1));
  cache.erase(id(2));
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.dirty_bytes(), 0U);
}

}  // namespace
}  // namespace tocsin::alert
