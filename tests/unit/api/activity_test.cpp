// SPDX-License-Identifier: Apache-2.0
#include "src/api/activity.hpp"

#include <gtest/gtest.h>

#include "src/api/look_limit.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

class ActivityTest : public ::testing::Test {
 protected:
  ActivityTest() { register_until(3); }
  void register_until(std::int32_t last) {
    std::vector<model::Instance> instances;
    for (std::int32_t id = 1; id <= last; ++id) {
      model::Instance one;
      one.data_id = id;
      instances.push_back(one);
    }
    registry_ = registry::Registry().with(instances);
  }
  /// Ticks of a second until then.
  void pass(std::int64_t ms) {
    for (const std::int64_t until = now_ms_ + ms; now_ms_ < until;) {
      now_ms_ += 1'000;
      activity_.turn(now(), *registry_);
    }
  }
  Monotonic now() const { return {now_ms_ * 1'000'000}; }

  Budget memory_{"rejects", 60 * KiB};
  Activity activity_{&memory_};
  registry::Registry::Pointer registry_;
  std::int64_t now_ms_ = 1'000;
};

TEST_F(ActivityTest, CountsOfTheLastMinutesLeaveAfterFiveAtTheLatest) {
  pass(1'000);
  activity_.on_request(2);
  activity_.on_request(2);
  activity_.on_reject(2);
  activity_.on_stored(2, 40, now());
  pass(kActivityWindowMs / 2);
  activity_.on_stored(2, 2, now());
  const Activity::Slot* slot = activity_.find(2);
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(slot->events(), 42U);
  EXPECT_EQ(slot->requests(), 2U);
  EXPECT_EQ(slot->rejects(), 1U);
  EXPECT_EQ(activity_.window_ms(now()), kActivityWindowMs / 2);
  pass(kActivityWindowMs / 2);
  EXPECT_EQ(slot->events(), 2U);
  EXPECT_EQ(slot->requests(), 0U);
  pass(kActivityWindowMs);
  EXPECT_EQ(slot->events(), 0U);
  EXPECT_EQ(slot->total_rejects, 1U) << "since start";
  EXPECT_LE(activity_.window_ms(now()), kActivityWindowMs);
  EXPECT_EQ(activity_.find(1), nullptr);
}

TEST_F(ActivityTest, WhenItWasHeardLastIsOfThisStartBeforeAnyOfTheLog) {
  activity_.on_found(1, {1'700'000'000'123, true});
  EXPECT_EQ(activity_.find(1)->heard, Activity::Heard::before);
  EXPECT_EQ(activity_.find(1)->last_ms(), 1'700'000'000'123);
  activity_.on_found(1, {1'800'000'000'000, true});
  EXPECT_EQ(activity_.find(1)->last_ms(), 1'700'000'000'123) << "the first that is found is the newest";
  activity_.on_stored(1, 0, now());
  EXPECT_EQ(activity_.find(1)->heard, Activity::Heard::before) << "repeats alone are no data";
  activity_.on_stored(1, 1, {5'004'000'000});
  activity_.on_stored(1, 1, {5'003'000'000});
  EXPECT_EQ(activity_.find(1)->heard, Activity::Heard::this_start);
  EXPECT_EQ(activity_.find(1)->last_ms(), 5'004) << "answers may overtake each other";
  activity_.on_found(1, {1'900'000'000'000, true});
  EXPECT_EQ(activity_.find(1)->last_ms(), 5'004);
  activity_.on_found(2, {7, false});
  EXPECT_EQ(activity_.find(2)->heard, Activity::Heard::before_undated);
  activity_.on_found(3, {std::int64_t{1} << 50, true});
  EXPECT_GT(activity_.find(3)->last_ms(), 4'000'000'000'000) << "as late as it can be kept";
}

TEST_F(ActivityTest, EveryInstanceFitsAndNoOther) {
  register_until(model::kInstancesMax);
  const auto most = static_cast<std::int32_t>(model::kInstancesMax);
  for (std::int32_t id = most; id > 0; --id) activity_.on_request(id);
  activity_.on_request(most + 1);
  EXPECT_EQ(activity_.slots().size(), model::kInstancesMax);
  EXPECT_EQ(activity_.find(most + 1), nullptr);
  EXPECT_EQ(memory_.used_bytes(), model::kInstancesMax * sizeof(Activity::Slot));
  registry_ = registry_->without_instance(most);
  pass(1'000);
  EXPECT_EQ(activity_.find(most), nullptr) << "who is gone gives its place back";
}

TEST_F(ActivityTest, WithoutMemoryNothingIsCounted) {
  Budget small("small", 1 * KiB);
  Activity poor(&small);
  Activity none(nullptr);
  for (Activity* one : {&poor, &none}) {
    one->on_request(1);
    one->on_stored(1, 1, {});
    one->on_found(1, {});
    EXPECT_TRUE(one->slots().empty());
  }
}

TEST(LookLimit, EndsByBytesAndByTheClock) {
  FakeDaemon daemon;
  LookLimit limit(daemon);
  limit.begin_slice();
  limit.count(LookLimit::kSliceBytes - 1);
  EXPECT_FALSE(limit.is_slice_over());
  limit.count(1);
  EXPECT_TRUE(limit.is_slice_over());
  limit.begin_slice();
  EXPECT_FALSE(limit.is_slice_over());
  limit.count(LookLimit::kAnswerBytes - LookLimit::kSliceBytes - 1);
  EXPECT_FALSE(limit.is_over());
  limit.count(1);
  EXPECT_TRUE(limit.is_over());
  LookLimit slow(daemon);
  daemon.time.mono = daemon.time.mono.after_ms(LookLimit::kAnswerMs - 1);
  EXPECT_FALSE(slow.is_over());
  daemon.time.mono = daemon.time.mono.after_ms(1);
  EXPECT_TRUE(slow.is_over());
}

}  // namespace
}  // namespace tocsin::api
