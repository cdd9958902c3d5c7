// SPDX-License-Identifier: Apache-2.0
#include "src/core/id_window.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tocsin::core {
namespace {

/// As ingest makes them: 56 bits, the lowest always set.
std::uint64_t id(std::mt19937_64& random) { return (random() & 0x00FF'FFFF'FFFF'FFFFULL) | 1U; }

TEST(IdWindow, HoldsNothingAndTakesNothingBeforeItHasMemory) {
  IdWindow window;
  EXPECT_FALSE(window.holds(5));
  window.insert(5);
  EXPECT_FALSE(window.holds(5));
  EXPECT_EQ(window.inserted(), 0U);
  window.reserve();
  window.insert(5);
  EXPECT_TRUE(window.holds(5));
}

TEST(IdWindow, CountsAnIdOnceAndNeverTheZero) {
  IdWindow window;
  window.reserve();
  window.insert(0);
  EXPECT_FALSE(window.holds(0));
  window.insert(7);
  window.insert(7);
  EXPECT_EQ(window.inserted(), 1U);
}

TEST(IdWindow, TheTopByteIsNoPartOfAnId) {
  IdWindow window;
  window.reserve();
  window.insert(0xAB00'0000'0000'0007ULL);
  EXPECT_TRUE(window.holds(7));
}

TEST(IdWindow, NineInOneBucketForgetTheOldest) {
  IdWindow window;
  window.reserve();
  std::mt19937_64 random(1);
  const auto in_bucket = [](std::uint64_t n) { return (n << 30U) | 1U; };  // the same bucket bits in all
  window.insert(in_bucket(1));
  for (std::uint64_t n = 2; n <= IdWindow::kBucket; ++n) {
    // Another generation for each, so that their ages differ.
    for (std::size_t i = 0; i < IdWindow::kEntries / 256; ++i) window.insert(id(random) | 0x100U);
    window.insert(in_bucket(n));
  }
  EXPECT_TRUE(window.holds(in_bucket(1)));
  window.insert(in_bucket(IdWindow::kBucket + 1));
  EXPECT_FALSE(window.holds(in_bucket(1)));
  for (std::uint64_t n = 2; n <= IdWindow::kBucket + 1; ++n) EXPECT_TRUE(window.holds(in_bucket(n))) << n;
}

TEST(IdWindow, RemembersNearlyAllOfTheNewestHalf) {
  IdWindow window;
  window.reserve();
  std::mt19937_64 random(2);
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < 3 * IdWindow::kEntries; ++i) {
    ids.push_back(id(random));
    window.insert(ids.back());
  }
  std::size_t held = 0;
  for (std::size_t i = ids.size() - IdWindow::kEntries / 2; i < ids.size(); ++i) held += window.holds(ids[i]) ? 1 : 0;
  EXPECT_GT(held, IdWindow::kEntries / 2 * 95 / 100);
}

TEST(IdWindow, FindsInABucketWhatAgreesInTheBitsAskedFor) {
  constexpr std::uint64_t kUpper = 0x00FF'FFFF'0000'0000ULL;
  IdWindow window;
  EXPECT_EQ(window.find(3, 0x0012'0000'0000'0001ULL, kUpper), 0U);
  window.reserve();
  window.insert(3, 0x0012'3456'0000'0001ULL);
  EXPECT_EQ(window.find(3, 0x0012'3456'0000'0777ULL, kUpper), 0x0012'3456'0000'0001ULL);
  EXPECT_EQ(window.find(3, 0x0012'3457'0000'0001ULL, kUpper), 0U);
  EXPECT_EQ(window.find(4, 0x0012'3456'0000'0001ULL, kUpper), 0U);
  EXPECT_EQ(window.find(3 + IdWindow::kEntries / IdWindow::kBucket, 0x0012'3456'0000'0001ULL, kUpper),
            0x0012'3456'0000'0001ULL);
  EXPECT_EQ(window.find(3, 0, kUpper), 0U) << "a free place is no id";
}

TEST(IdWindow, ForgetsAllWhenCleared) {
  IdWindow window;
  window.reserve();
  window.insert(9);
  window.clear();
  EXPECT_FALSE(window.holds(9));
  EXPECT_EQ(window.inserted(), 0U);
}

}  // namespace
}  // namespace tocsin::core
