// SPDX-License-Identifier: Apache-2.0
#include "src/core/delivery.hpp"

#include <gtest/gtest.h>

namespace tocsin::core {
namespace {

using model::Lane;
constexpr std::uint64_t kWindow = 1'000;
constexpr std::uint32_t kCredit = 100'000;

log::Ends normal_ends(std::uint64_t last) {
  log::Ends ends{};
  ends[2] = {last == 0 ? 0U : 1U, last};
  return ends;
}
std::array<std::uint64_t, model::kLanes> normal_at(std::uint64_t seq) { return {0, 0, seq}; }

/// One upstream with `head` events in the normal lane, `durable` of them confirmed before this run.
class DeliveryTest : public ::testing::Test {
 protected:
  void begin(std::uint64_t head, std::uint64_t durable) {
    delivery.begin(normal_ends(head), normal_at(durable));
    connect(1);
  }
  void connect(std::uint32_t session) {
    delivery.on_connected(session);
    delivery.on_credit(kCredit);
  }
  /// The reader answers a request with items up to `last`.
  bool fed(const FeedRequest& request, std::uint64_t last, std::uint64_t cost, std::size_t frame_bytes = 100) {
    FeedResult result;
    result.last_seq = last;
    result.cost_bytes = cost;
    result.items = 1;
    result.start_window_bytes = request.start_window_bytes;
    std::optional<std::uint64_t> passed;
    return delivery.on_fed(request, result, frame_bytes, passed);
  }
  Delivery delivery{kWindow, {true, true, true}};
};

TEST_F(DeliveryTest, AsksForNothingWithoutAConnectionOrCredit) {
  delivery.begin(normal_ends(10), normal_at(0));
  EXPECT_FALSE(delivery.next_feed());
  delivery.on_connected(1);
  EXPECT_FALSE(delivery.next_feed());
  delivery.on_credit(kCredit);
  EXPECT_TRUE(delivery.next_feed());
}

TEST_F(DeliveryTest, BeginsBehindTheDurableCursorAndAsksOneThingAtATime) {
  begin(10, 4);
  const auto request = delivery.next_feed();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->from_seq, 5U);
  EXPECT_EQ(request->head_seq, 10U);
  EXPECT_EQ(request->window_left_bytes, kWindow);
  EXPECT_FALSE(delivery.next_feed());
  delivery.on_feed_failed();
  EXPECT_TRUE(delivery.next_feed());
}

TEST_F(DeliveryTest, OffersNothingBeyondTheWindowUntilTheCursorIsDurable) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 5, kWindow));
  EXPECT_FALSE(delivery.next_feed());
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 5));
  EXPECT_FALSE(delivery.next_feed()) << "confirmed is not durable";
  delivery.on_view(normal_ends(10), normal_at(5));
  const auto next = delivery.next_feed();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->from_seq, 6U);
  EXPECT_EQ(next->window_left_bytes, kWindow);
}

TEST_F(DeliveryTest, OneByteOfWindowIsEnoughToAsk) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 5, kWindow - 1));
  const auto next = delivery.next_feed();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->window_left_bytes, 1U);
}

TEST_F(DeliveryTest, AfterAStartTheFirstWindowMayBeRepeats) {
  begin(10, 4);
  const auto request = delivery.next_feed();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->repeat_to_seq, 4U);
  EXPECT_EQ(request->start_head_seq, 10U);
  EXPECT_EQ(request->start_window_bytes, kWindow);
}

TEST_F(DeliveryTest, AfterAReconnectTheRepeatBorderIsWhatWasEverOffered) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 7, 500));
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 7));
  delivery.on_disconnected();
  EXPECT_FALSE(delivery.next_feed());
  connect(2);
  const auto request = delivery.next_feed();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->session, 2U);
  EXPECT_EQ(request->from_seq, 8U);
  EXPECT_EQ(request->repeat_to_seq, 7U);
}

TEST_F(DeliveryTest, WhatWasNotConfirmedIsAskedForAgain) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 3, 100));
  ASSERT_TRUE(fed(*delivery.next_feed(), 7, 100));
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 3));
  delivery.on_disconnected();
  connect(2);
  const auto request = delivery.next_feed();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->from_seq, 4U);
  EXPECT_EQ(request->repeat_to_seq, 7U);
  EXPECT_EQ(request->window_left_bytes, kWindow - 100) << "3 is confirmed and not durable";
}

TEST_F(DeliveryTest, AnAnswerForAnEarlierConnectionIsDropped) {
  begin(10, 0);
  const auto late = delivery.next_feed();
  ASSERT_TRUE(late);
  delivery.on_disconnected();
  connect(1);  // a new worker process counts its sessions from 1 again
  EXPECT_FALSE(fed(*late, 5, 100));
  EXPECT_EQ(delivery.lane(Lane::normal).offered, 0U);
  const auto request = delivery.next_feed();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->from_seq, 1U);
}

TEST_F(DeliveryTest, CreditIsCountedToTheByte) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 1, 10, kCredit - 8 * 1024));
  const auto request = delivery.next_feed();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->frame_bytes_max, 8U * 1024);
  EXPECT_FALSE(fed(*request, 2, 10, 8 * 1024 + 1));
  ASSERT_TRUE(fed(*delivery.next_feed(), 2, 10, 8 * 1024));
  EXPECT_FALSE(delivery.next_feed());
  delivery.on_credit(8 * 1024 - 1);
  EXPECT_FALSE(delivery.next_feed()) << "too little for a batch";
  delivery.on_credit(1);
  EXPECT_TRUE(delivery.next_feed());
}

TEST_F(DeliveryTest, ARecordThatDoesNotFitWaitsForNews) {
  begin(10, 0);
  std::optional<std::uint64_t> passed;
  EXPECT_FALSE(delivery.on_fed(*delivery.next_feed(), FeedResult{}, 0, passed));
  EXPECT_FALSE(delivery.next_feed());
  delivery.on_credit(1);
  EXPECT_TRUE(delivery.next_feed());
}

TEST_F(DeliveryTest, NewsThatCameWhileTheReaderWasBusyCounts) {
  begin(10, 0);
  const auto request = delivery.next_feed();
  delivery.on_credit(1);
  std::optional<std::uint64_t> passed;
  EXPECT_FALSE(delivery.on_fed(*request, FeedResult{}, 0, passed));
  EXPECT_TRUE(delivery.next_feed()) << "else nothing would ever ask again";
}

TEST_F(DeliveryTest, HolesArePassedOnceAllBeforeThemIsConfirmed) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 4, 100));
  FeedResult holes;
  holes.last_seq = 10;
  std::optional<std::uint64_t> passed;
  EXPECT_FALSE(delivery.on_fed(*delivery.next_feed(), holes, 0, passed));
  EXPECT_FALSE(passed);
  EXPECT_FALSE(delivery.next_feed());
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 4));
  EXPECT_FALSE(delivery.on_fed(*delivery.next_feed(), holes, 0, passed));
  EXPECT_EQ(passed, 10U);
  EXPECT_EQ(delivery.lane(Lane::normal).confirmed, 10U);
  EXPECT_FALSE(delivery.next_feed());
}

TEST_F(DeliveryTest, AConfirmationOfWhatWasNotOfferedIsIgnored) {
  begin(10, 2);
  ASSERT_TRUE(fed(*delivery.next_feed(), 5, 100));
  EXPECT_FALSE(delivery.on_confirm(Lane::normal, 6));
  EXPECT_FALSE(delivery.on_confirm(Lane::normal, 2));
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 5));
  EXPECT_FALSE(delivery.on_confirm(Lane::normal, 5));
  EXPECT_EQ(delivery.confirmed_items(), 1U);
}

TEST_F(DeliveryTest, HalfAWindowUnrecordedMustBeRecorded) {
  begin(10, 0);
  ASSERT_TRUE(fed(*delivery.next_feed(), 3, kWindow / 2 - 1));
  ASSERT_TRUE(fed(*delivery.next_feed(), 4, 1));
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 3));
  EXPECT_FALSE(delivery.must_record(Lane::normal));
  EXPECT_TRUE(delivery.on_confirm(Lane::normal, 4));
  EXPECT_TRUE(delivery.must_record(Lane::normal));
  delivery.on_view(normal_ends(10), normal_at(4));
  EXPECT_FALSE(delivery.must_record(Lane::normal));
}

TEST_F(DeliveryTest, BatchesInFlightAreBounded) {
  Delivery wide(1ULL << 40U, {true, true, true});
  wide.begin(normal_ends(10'000), normal_at(0));
  wide.on_connected(1);
  wide.on_credit(kCredit);
  std::optional<std::uint64_t> passed;
  std::uint64_t seq = 0;
  for (auto request = wide.next_feed(); request; request = wide.next_feed()) {
    FeedResult one;
    one.last_seq = ++seq;
    one.cost_bytes = one.items = 1;
    ASSERT_TRUE(wide.on_fed(*request, one, 1, passed));
    ASSERT_LE(seq, Delivery::kBatchesMax);
  }
  EXPECT_EQ(seq, Delivery::kBatchesMax);
}

TEST(DeliveryLanes, AlertsGoFirstAndUnwantedLanesNever) {
  log::Ends ends{};
  for (auto& lane : ends) lane = {1, 5};
  Delivery all(kWindow, {true, true, true});
  all.begin(ends, {});
  all.on_connected(1);
  all.on_credit(kCredit);
  EXPECT_EQ(all.next_feed()->lane, Lane::alert);
  Delivery events(kWindow, {false, true, true});
  events.begin(ends, {});
  events.on_connected(1);
  events.on_credit(kCredit);
  EXPECT_EQ(events.next_feed()->lane, Lane::critical);
}

}  // namespace
}  // namespace tocsin::core
