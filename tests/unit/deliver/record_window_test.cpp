// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/record_window.hpp"

#include <gtest/gtest.h>

namespace tocsin::deliver {
namespace {

TEST(RecordWindow, TakesTheLargestFrameWhenEmptyAndNothingBesideIt) {
  RecordWindow window;
  EXPECT_TRUE(window.fits(channel::kRecordFrameBytesMax));
  window.add(1, channel::kRecordFrameBytesMax);
  EXPECT_FALSE(window.fits(1));
  EXPECT_TRUE(window.settle(1));
  EXPECT_TRUE(window.fits(channel::kRecordFrameBytesMax));
}

TEST(RecordWindow, IsFullToTheByte) {
  RecordWindow window;
  window.add(1, 100);
  EXPECT_TRUE(window.fits(channel::kRecordWindowBytes - 100));
  EXPECT_FALSE(window.fits(channel::kRecordWindowBytes - 99));
}

TEST(RecordWindow, SettlesEverythingUpToANumber) {
  RecordWindow window;
  for (const std::uint64_t number : {1, 2, 5, 9}) window.add(number, 10);
  EXPECT_TRUE(window.settle(5));
  EXPECT_EQ(window.bytes(), 10u);
  EXPECT_TRUE(window.settle(5)) << "again";
  EXPECT_FALSE(window.empty());
  EXPECT_TRUE(window.settle(9));
  EXPECT_TRUE(window.empty());
}

TEST(RecordWindow, RefusesANumberThatWasNotSent) {
  RecordWindow window;
  EXPECT_FALSE(window.settle(1));
  window.add(1, 10);
  EXPECT_FALSE(window.settle(0));
  EXPECT_FALSE(window.settle(2));
  window.clear();
  EXPECT_TRUE(window.empty());
  EXPECT_FALSE(window.settle(1)) << "of the session before";
}

}  // namespace
}  // namespace tocsin::deliver
