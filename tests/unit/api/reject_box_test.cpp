// SPDX-License-Identifier: Apache-2.0
#include "src/api/reject_box.hpp"

#include <gtest/gtest.h>

namespace tocsin::api {
namespace {

constexpr std::size_t kBoardLine = 60 * KiB;  ///< of the ledger

class RejectBoxTest : public ::testing::Test {
 protected:
  RejectBoxTest() { register_until(3); }

  void register_until(std::int32_t last) {
    std::vector<model::Instance> instances;
    for (std::int32_t id = 1; id <= last; ++id) {
      model::Instance one;
      one.data_id = id;
      instances.push_back(one);
    }
    registry_ = registry::Registry().with(instances);
  }
  void refuse(std::int32_t data_id, std::string_view code, std::string_view body = "{}") {
    box_.take({.data_id = data_id, .http_status = 400, .code = code, .message = "no", .body = body},
              {1'700'000'000'000 + now_ms_, true});
  }
  void send(std::int32_t data_id, int good, int bad) {
    for (int i = 0; i < good + bad; ++i) box_.count(data_id);
    for (int i = 0; i < bad; ++i) refuse(data_id, "data_empty");
  }
  std::optional<core::TakeRejects> due(bool is_last = false) {
    auto out = box_.take_due({now_ms_ * 1'000'000}, *registry_, open_, is_last);
    if (out) {
      for (const auto& alarm : out->alarms) {
        std::erase(open_, alarm.data_id);
        if (alarm.is_over) open_.push_back(alarm.data_id);
      }
      std::ranges::sort(open_);
    }
    return out;
  }
  /// Ticks of a second until then.
  void pass(std::int64_t ms) {
    for (const std::int64_t until = now_ms_ + ms; now_ms_ < until;) {
      now_ms_ += 1'000;
      static_cast<void>(due());
    }
  }

  std::uint32_t rejects_of(std::int32_t data_id) const {
    const auto* slot = activity_.find(data_id);
    return slot != nullptr ? slot->total_rejects : 0;
  }

  Budget memory_{"rejects", kBoardLine};
  Activity activity_{&memory_};
  RejectBox box_{&memory_, activity_, 10};
  registry::Registry::Pointer registry_;
  core::RejectAlarms open_;
  std::int64_t now_ms_ = 1'000;
};

TEST_F(RejectBoxTest, RefusalsOfAReasonGoTogetherWithTheFirstBody) {
  refuse(1, "data_empty", "one");
  now_ms_ += 500;
  refuse(1, "data_empty", "two");
  refuse(1, "data_type", "three");
  refuse(2, "data_empty", "four");
  const auto out = due();
  ASSERT_TRUE(out);
  ASSERT_EQ(out->refused.size(), 3U);
  const core::Refused& first = out->refused[0];
  EXPECT_EQ(first.count, 2U);
  EXPECT_EQ(first.body, "one");
  EXPECT_TRUE(first.is_whole);
  EXPECT_EQ(first.last_ms - first.first_ms, 500);
  EXPECT_EQ(box_.total(), 4U);
  EXPECT_EQ(rejects_of(1), 3U);
  EXPECT_EQ(rejects_of(3), 0U);
}

TEST_F(RejectBoxTest, WritesAtMostEveryTenSecondsAndAtTheEnd) {
  EXPECT_FALSE(due());
  refuse(1, "a");
  EXPECT_TRUE(due()) << "the first at once";
  EXPECT_FALSE(due());
  refuse(1, "a");
  now_ms_ += 9'999;
  EXPECT_FALSE(due());
  now_ms_ += 1;
  EXPECT_TRUE(due());
  refuse(1, "a");
  EXPECT_TRUE(due(true)) << "before a planned end";
  EXPECT_FALSE(due(true));
}

TEST_F(RejectBoxTest, WhatTheWriterDidNotTakeWaits) {
  refuse(1, "a");
  auto out = due();
  ASSERT_TRUE(out);
  box_.give_back(std::move(*out));
  now_ms_ += 1'000;
  out = due();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->refused.size(), 1U);
}

TEST_F(RejectBoxTest, PairsBeyondTheBoundAreCountedOnly) {
  for (std::size_t i = 0; i <= kRefusedWaitingMax; ++i) refuse(1, "r" + std::to_string(i));
  EXPECT_EQ(due()->refused.size(), kRefusedWaitingMax);
  EXPECT_EQ(box_.left_out(), 1U);
  EXPECT_EQ(box_.total(), kRefusedWaitingMax + 1);
}

TEST_F(RejectBoxTest, TheLineOfTheLedgerHoldsEverythingAndEndsIt) {
  register_until(model::kInstancesMax);
  for (std::int32_t id = 1; id <= static_cast<std::int32_t>(model::kInstancesMax); ++id) send(id, 1, 0);
  const std::string body(8 * KiB, 'x');
  std::vector<core::TakeRejects> on_their_way;  // a writer that is slow
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < 2 * kRefusedWaitingMax; ++i)
      refuse(static_cast<std::int32_t>(i + 1), std::string(model::kRejectCodeBytesMax, 'c'), body);
    EXPECT_LE(memory_.used_bytes(), kBoardLine);
    now_ms_ += kRejectWriteMs;
    if (auto out = due()) on_their_way.push_back(std::move(*out));
  }
  EXPECT_EQ(rejects_of(1), 5U) << "every instance is counted";
  EXPECT_GT(box_.left_out(), 0U);
  EXPECT_LE(memory_.used_bytes_peak(), kBoardLine);
  const auto& first = on_their_way.front().refused;
  EXPECT_EQ(first.size(), kRefusedWaitingMax) << "without a body rather than not at all";
  EXPECT_GE(std::ranges::count_if(first, [](const auto& one) { return one.body.size() == 4 * KiB; }), 3);
  on_their_way.clear();
  refuse(1, "again", body);
  now_ms_ += kRejectWriteMs;
  EXPECT_EQ(due()->refused.back().body.size(), 4 * KiB) << "room came back";
}

TEST_F(RejectBoxTest, WithoutMemoryNothingIsKeptOrCounted) {
  Activity nobody(nullptr);
  RejectBox none(nullptr, nobody, 10);
  none.count(1);
  none.take({.data_id = 1, .code = "a", .message = "m"}, {});
  EXPECT_EQ(none.total(), 0U);
  EXPECT_FALSE(none.take_due({}, *registry_, {}, true));
}

TEST_F(RejectBoxTest, TheShareIsJudgedFromTwentyRequestsOn) {
  send(1, 0, 19);
  pass(20'000);
  EXPECT_TRUE(open_.empty());
  send(1, 0, 1);
  pass(11'000);
  EXPECT_EQ(open_, (core::RejectAlarms{1}));
}

TEST_F(RejectBoxTest, TenInAHundredIsNotOverTheLimitAndElevenIs) {
  send(1, 90, 10);
  send(2, 89, 11);
  pass(20'000);
  EXPECT_EQ(open_, (core::RejectAlarms{2}));
}

TEST_F(RejectBoxTest, AShareOfMoreRequestsThanANumberHoldsIsTheSame) {
  for (int i = 0; i < 4; ++i) {
    send(1, 35'000, 5'000);
    send(2, 37'000, 3'000);
  }
  pass(20'000);
  EXPECT_EQ(open_, (core::RejectAlarms{1}));
  EXPECT_EQ(rejects_of(1), 20'000U);
}

TEST_F(RejectBoxTest, ItEndsWhenTheShareFallsToHalfOfTheLimit) {
  send(1, 50, 50);
  pass(20'000);
  EXPECT_EQ(open_, (core::RejectAlarms{1}));
  send(1, 899, 0);
  pass(20'000);
  EXPECT_EQ(open_, (core::RejectAlarms{1}));
  send(1, 1, 0);
  pass(20'000);
  EXPECT_TRUE(open_.empty());
}

TEST_F(RejectBoxTest, AWindowLaterWhatWasRefusedNoLongerCounts) {
  send(1, 10, 50);
  pass(20'000);
  ASSERT_EQ(open_, (core::RejectAlarms{1}));
  for (int i = 0; i < 30; ++i) {
    send(1, 1, 0);
    pass(10'000);
  }
  send(1, 20, 0);
  pass(20'000);
  EXPECT_TRUE(open_.empty());
}

TEST_F(RejectBoxTest, FewRequestsLeaveItAsItIsAndAWindowWithoutARefusedOneEndsIt) {
  send(1, 0, 30);
  pass(20'000);
  ASSERT_EQ(open_, (core::RejectAlarms{1}));
  pass(kRejectWindowMs / 2);
  send(1, 3, 1);
  pass(kRejectWindowMs / 2 + 20'000);
  EXPECT_EQ(open_, (core::RejectAlarms{1}));
  send(1, 5, 0);
  pass(kRejectWindowMs);
  EXPECT_TRUE(open_.empty());
}

TEST_F(RejectBoxTest, WhatWasOpenBeforeTheStartEndsAfterASilentWindow) {
  open_ = {2};
  pass(kRejectWindowMs - 10'000);
  EXPECT_EQ(open_, (core::RejectAlarms{2}));
  pass(20'000);
  EXPECT_TRUE(open_.empty());
}

TEST_F(RejectBoxTest, OfADeletedInstanceItEnds) {
  send(3, 0, 30);
  pass(20'000);
  ASSERT_EQ(open_, (core::RejectAlarms{3}));
  registry_ = registry_->without_instance(3);
  pass(20'000);
  EXPECT_TRUE(open_.empty());
  EXPECT_EQ(rejects_of(3), 0U);
}

TEST_F(RejectBoxTest, ALimitOfZeroOpensNoneAndEndsThoseThatAreOpen) {
  RejectBox off(&memory_, activity_, 0);
  for (int i = 0; i < 30; ++i) {
    off.count(1);
    off.take({.data_id = 1, .code = "a", .message = "m"}, {});
  }
  const auto out = off.take_due({}, *registry_, {1, 2}, false);
  ASSERT_TRUE(out);
  ASSERT_EQ(out->alarms.size(), 2U);
  EXPECT_FALSE(out->alarms[0].is_over);
}

TEST_F(RejectBoxTest, AWriteHasABoundOfAlarms) {
  register_until(100);
  for (std::int32_t id = 1; id <= 100; ++id) send(id, 0, 20);
  const auto out = due();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->alarms.size(), kRejectAlarmsPerWriteMax);
  pass(70'000);
  EXPECT_EQ(open_.size(), 100U);
}

}  // namespace
}  // namespace tocsin::api
