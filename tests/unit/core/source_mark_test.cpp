// SPDX-License-Identifier: Apache-2.0
// Positions of sources: in the transaction of the events before them, and never twice.
#include "src/model/seal.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using test::CoreBox;

class SourceMarks : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.start().ok());
    static_cast<void>(box.add_instance(0, kData, model::InstanceType::alert_source));
  }
  core::Input records(const std::string& event, std::vector<core::SourceMark> marks) {
    auto input = box.push_standard(event, kData);
    auto& push = std::get<core::Push>(input.what);
    push.source = "plant";
    push.marks = std::move(marks);
    return input;
  }
  core::Input only_marks(std::vector<core::SourceMark> marks) {
    core::Push push{model::EventBatch(std::pmr::new_delete_resource()), false, "plant", std::move(marks)};
    return {box.next_reply(), std::move(push)};
  }
  std::optional<Errc> send(core::Input input) { return box.turn(std::move(input)).answers.at(0).refused; }
  std::int64_t position(std::string_view topic, std::int32_t partition, std::string_view source = "plant") {
    auto txn = box.store.begin_read();
    const auto key = model::source_position_key(box.crypto, source, topic, partition);
    const auto stored = (*txn)->get(key);
    if (!stored.ok() || !*stored) return model::kNoOffset;
    const auto opened = model::open_sealed(key, **stored, model::decode_source_position);
    EXPECT_TRUE(opened.ok());
    EXPECT_EQ(opened->topic, topic);
    return opened->next_offset;
  }
  [[nodiscard]] std::uint64_t stored() const { return box.core->gauges().events_accepted; }

  static constexpr std::int32_t kData = 10000001;
  CoreBox box;
};

TEST_F(SourceMarks, BecomeDurableWithTheEventsBeforeThem) {
  EXPECT_FALSE(send(records(CoreBox::event("a"), {{"t", 0, model::kNoOffset, 5}, {"t", 1, model::kNoOffset, 9}})));
  EXPECT_EQ(stored(), 1U);
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_EQ(position("t", 0), 5);
  EXPECT_EQ(position("t", 1), 9);
  EXPECT_EQ(position("t", 2), model::kNoOffset);
  EXPECT_EQ(position("t", 0, "other"), model::kNoOffset) << "each source has positions of its own";
}

TEST_F(SourceMarks, ABatchThatDoesNotGoOnWhereTheStoreIsChangesNothing) {
  EXPECT_FALSE(send(records(CoreBox::event("a"), {{"t", 0, model::kNoOffset, 5}})));
  EXPECT_EQ(send(records(CoreBox::event("a"), {{"t", 0, model::kNoOffset, 5}})), Errc::conflict) << "once more";
  EXPECT_EQ(send(records(CoreBox::event("c"), {{"t", 0, 7, 8}})), Errc::conflict) << "a hole";
  EXPECT_EQ(send(records(CoreBox::event("c"), {{"u", 0, model::kNoOffset, 1}, {"t", 0, 7, 8}})), Errc::conflict);
  EXPECT_EQ(position("u", 0), model::kNoOffset) << "all marks or none";
  EXPECT_EQ(stored(), 1U);
  EXPECT_FALSE(send(records(CoreBox::event("c"), {{"t", 0, 5, 8}})));
  EXPECT_EQ(position("t", 0), 8);
}

TEST_F(SourceMarks, OneBatchAfterTheOtherInOneTurn) {
  std::vector<core::Input> both;
  both.push_back(records(CoreBox::event("a"), {{"t", 0, model::kNoOffset, 5}}));
  both.push_back(records(CoreBox::event("b"), {{"t", 0, 5, 6}}));
  both.push_back(records(CoreBox::event("c"), {{"t", 0, 5, 6}}));
  const auto out = box.turn(std::move(both));
  EXPECT_FALSE(out.answers.at(0).refused);
  EXPECT_FALSE(out.answers.at(1).refused);
  EXPECT_EQ(out.answers.at(2).refused, Errc::conflict);
  EXPECT_EQ(position("t", 0), 6);
  EXPECT_EQ(stored(), 2U);
}

TEST_F(SourceMarks, MoveWithoutEventsToo) {
  EXPECT_FALSE(send(only_marks({{"t", 3, model::kNoOffset, 100}})));
  EXPECT_EQ(position("t", 3), 100);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(SourceMarks, StayWhereTheyAreWhenTheTurnFails) {
  EXPECT_FALSE(send(only_marks({{"t", 0, model::kNoOffset, 5}})));
  box.store.fail_next_commit(sim::CommitFault::failed_not_durable);
  EXPECT_TRUE(send(records(CoreBox::event("a"), {{"t", 0, 5, 6}})));
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_EQ(position("t", 0), 5);
}

TEST_F(SourceMarks, ADamagedPositionCountsAsNoneAndIsTold) {
  EXPECT_FALSE(send(only_marks({{"t", 0, model::kNoOffset, 5}})));
  const auto key = model::source_position_key(box.crypto, "plant", "t", 0);
  {
    auto txn = box.store.begin_write();
    ASSERT_TRUE((*txn)->put(key, as_bytes(std::string_view("damaged"))).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  const auto before = box.core->gauges().damaged_records;
  EXPECT_EQ(send(only_marks({{"t", 0, 5, 6}})), Errc::conflict);
  EXPECT_FALSE(send(only_marks({{"t", 0, model::kNoOffset, 6}})));
  EXPECT_GT(box.core->gauges().damaged_records, before);
  EXPECT_EQ(position("t", 0), 6);
}

}  // namespace
}  // namespace tocsin
