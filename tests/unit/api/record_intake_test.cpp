// SPDX-License-Identifier: Apache-2.0
#include "src/api/record_intake.hpp"

#include "src/channel/reader.hpp"
#include "src/channel/writer.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using channel::kNoOffset;

class RecordIntakeTest : public ApiTest {
 protected:
  RecordIntakeTest() {
    plant();
    open({.name = "plant", .plugin = "plant", .topics = {"{site}/{target}/alarm"}, .reply_shape = 99});
  }
  ~RecordIntakeTest() override {
    daemon.inputs.clear();
    records.reset();
    EXPECT_EQ(intake.used_bytes(), 0U);
  }
  void plant(bool is_enabled = true, model::InstanceType type = model::InstanceType::alert_source,
             std::uint32_t revision = 0) {
    model::Instance one = instance(1500009, "plant", "plant-token");
    one.type = type;
    one.enabled = is_enabled;
    one.profile_revision = revision;
    add(one);
  }
  void open(RecordSettings settings) {
    const bool has_offsets = settings.has_offsets;
    records = std::make_unique<RecordIntake>(api->record_parts(), std::move(settings));
    records->begin_session(1);
    number = 0;
    if (has_offsets) {
      EXPECT_TRUE(records->set_position("t", 0, kNoOffset));
    }
  }
  bool take(std::string_view payload, std::string_view topic = "north/pump/alarm", std::int64_t offset = kNoOffset) {
    return take(channel::Record{.session = 1,
                                .number = ++number,
                                .topic = topic,
                                .offset = offset,
                                .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                                .payload = payload});
  }
  bool take(const channel::Record& record) {
    channel::FrameReader reader(channel::Sender::worker);
    const std::string frame = channel::write_record(record);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(*reader.next(in));
    return records->take(reader.body());
  }
  auto on_time() { return records->on_time(daemon.time.mono); }
  void pass(std::int64_t ms) { daemon.time.mono = daemon.time.mono.after_ms(ms); }
  void answer(std::optional<Errc> refused = {}) {
    records->on_answer({daemon.inputs.back().reply, refused, refused ? "words" : ""});
  }
  std::uint64_t settled() {
    const auto got = records->take_settled();
    return got ? got->number : 0;
  }
  std::string stored(std::size_t item = 0) {
    const auto& batch = last<core::Push>().batch;
    std::size_t at = 0;
    for (std::size_t i = 0; i < item; ++i) at += batch.items[i].json_bytes + batch.items[i].facts_bytes;
    return std::string(reinterpret_cast<const char*>(batch.bytes.data()) + at, batch.items[item].json_bytes);
  }

  std::unique_ptr<RecordIntake> records;
  std::uint64_t number = 0;
};

constexpr const char* kGood = R"({"alert_name":"hot"})";

TEST_F(RecordIntakeTest, ARecordIsSettledWhenItsTurnIsOnFlash) {
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_EQ(daemon.inputs[0].reply.shape, 99U);
  EXPECT_EQ(last<core::Push>().batch.data_id, 1500009);
  EXPECT_EQ(last<core::Push>().batch.registry_generation, daemon.view().registry->generation());
  EXPECT_NE(stored().find(R"("alert_name":"hot")"), std::string::npos);
  EXPECT_EQ(settled(), 0U);
  answer();
  EXPECT_EQ(settled(), 1U);
  EXPECT_EQ(settled(), 0U) << "told once";
  EXPECT_FALSE(on_time());
}

TEST_F(RecordIntakeTest, LevelsOfTheTopicBecomeMembersWhateverTheMessageSays) {
  EXPECT_TRUE(take(R"({"alert_name":"hot","target":"liar"})"));
  static_cast<void>(on_time());
  EXPECT_NE(stored().find(R"("target":"pump")"), std::string::npos) << stored();
  EXPECT_NE(stored().find(R"("site":"north")"), std::string::npos) << stored();
  EXPECT_EQ(stored().find("liar"), std::string::npos);
}

TEST_F(RecordIntakeTest, WhatComesWhileABatchIsOutBecomesTheNextOneInOrder) {
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_TRUE(take(std::string(R"({"alert_name":")") + name + R"("})"));
    static_cast<void>(on_time());
  }
  ASSERT_EQ(daemon.inputs.size(), 1U);
  answer();
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 2U);
  ASSERT_EQ(last<core::Push>().batch.items.size(), 2U);
  EXPECT_NE(stored(0).find(R"("alert_name":"b")"), std::string::npos);
  EXPECT_NE(stored(1).find(R"("alert_name":"c")"), std::string::npos);
  EXPECT_NE(stored(0).substr(stored(0).find("event_id"), 60), stored(1).substr(stored(1).find("event_id"), 60));
  answer();
  EXPECT_EQ(settled(), 3U);
}

TEST_F(RecordIntakeTest, TheMostImportantEventChoosesTheLaneOfABatch) {
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  EXPECT_TRUE(take(R"({"alert_name":"fire","severity":1})"));
  EXPECT_TRUE(take(kGood));
  EXPECT_EQ(last<core::Push>().batch.lane, model::Lane::normal);
  answer();
  static_cast<void>(on_time());
  EXPECT_EQ(last<core::Push>().batch.lane, model::Lane::critical);
}

TEST_F(RecordIntakeTest, ARefusedBatchIsTriedAgainAsItWas) {
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  answer(Errc::unavailable);
  EXPECT_EQ(records->obstacle(), "words");
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  EXPECT_EQ(daemon.inputs.size(), 1U) << "not at once";
  pass(RecordIntake::kRetryMs);
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 2U);
  EXPECT_EQ(last<core::Push>().batch.items.size(), 2U);
  EXPECT_EQ(settled(), 0U);
  answer();
  EXPECT_EQ(settled(), 2U);
  EXPECT_EQ(records->obstacle(), "");
}

TEST_F(RecordIntakeTest, WhatCannotBeReadGoesToTheRejectBoxOnceAndHoldsNothingUp) {
  EXPECT_TRUE(take("no JSON"));
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 2U);
  const auto& refused = std::get<core::TakeRejects>(daemon.inputs[0].what).refused;
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].data_id, 1500009);
  EXPECT_EQ(refused[0].code, "json_invalid");
  EXPECT_NE(refused[0].message.find("(topic north/pump/alarm)"), std::string::npos) << refused[0].message;
  EXPECT_EQ(last<core::Push>().batch.items.size(), 1U);
  answer(Errc::unavailable);
  pass(RecordIntake::kRetryMs);
  static_cast<void>(on_time());
  EXPECT_EQ(daemon.inputs.size(), 3U) << "it is not told a second time";
  answer();
  EXPECT_EQ(settled(), 2U);
  EXPECT_EQ(records->counts().refused, 1U);
  EXPECT_EQ(records->counts().settled, 2U);
}

TEST_F(RecordIntakeTest, ARecordThatWasCutIsRefusedWithItsSize) {
  EXPECT_TRUE(take(channel::Record{
      .session = 1, .number = ++number, .topic = "t", .payload_bytes = 70'000, .payload = "beginning"}));
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 1U) << "nothing but the refusal";
  EXPECT_EQ(std::get<core::TakeRejects>(daemon.inputs[0].what).refused[0].code, "body_too_long");
  EXPECT_EQ(settled(), 1U);
}

TEST_F(RecordIntakeTest, RecordsWaitWhileNoInstanceTakesThem) {
  plant(false);
  EXPECT_TRUE(take(kGood));
  EXPECT_TRUE(on_time());
  EXPECT_TRUE(daemon.inputs.empty());
  EXPECT_EQ(records->obstacle(), "no enabled instance of that plugin takes events");
  plant(true, model::InstanceType::time_series);
  pass(RecordIntake::kLookMs);
  static_cast<void>(on_time());
  EXPECT_TRUE(daemon.inputs.empty());
  plant();
  pass(RecordIntake::kLookMs);
  static_cast<void>(on_time());
  EXPECT_EQ(daemon.inputs.size(), 1U);
}

TEST_F(RecordIntakeTest, TheProfileIsReadOnceAndThenUsed) {
  model::Profile profile;
  profile.parts[static_cast<std::size_t>(model::ProfilePart::normalization_config)] =
      R"([{"field":"alert_name","expr":"n"},{"field":"description","expr":"site"}])";
  auto txn = daemon.store.begin_write();
  ASSERT_TRUE(registry::put_profile(**txn, 1500009, profile).ok());
  ASSERT_TRUE((*txn)->commit().ok());
  plant(true, model::InstanceType::alert_source, 1);
  EXPECT_TRUE(take(R"({"n":"first"})"));
  EXPECT_FALSE(on_time()) << "the answer of the reader wakes it";
  EXPECT_EQ(daemon.jobs.size(), 1U);
  static_cast<void>(on_time());
  EXPECT_EQ(daemon.jobs.size(), 1U);
  daemon.run_jobs();
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_NE(stored().find(R"("alert_name":"first")"), std::string::npos);
  EXPECT_NE(stored().find(R"("description":"north")"), std::string::npos) << stored();
}

TEST_F(RecordIntakeTest, AProfileThatComesAfterTheEndIsNobodys) {
  plant(true, model::InstanceType::alert_source, 1);
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  records.reset();
  daemon.run_jobs();
  EXPECT_TRUE(daemon.inputs.empty());
}

TEST_F(RecordIntakeTest, PositionsGoWithTheEventsBeforeThem) {
  open({.name = "plant", .plugin = "plant", .topics = {}, .has_offsets = true, .reply_shape = 99});
  ASSERT_TRUE(records->set_position("t", 1, 40));
  EXPECT_TRUE(take(kGood, "t", 7));
  static_cast<void>(on_time());
  EXPECT_TRUE(take("no JSON", "t", 9));
  EXPECT_TRUE(take(channel::Record{.session = 1,
                                   .number = ++number,
                                   .topic = "t",
                                   .partition = 1,
                                   .offset = 40,
                                   .payload_bytes = 20,
                                   .payload = kGood}));
  const auto& first = last<core::Push>();
  EXPECT_EQ(first.source, "plant");
  ASSERT_EQ(first.marks.size(), 1U);
  EXPECT_EQ(first.marks[0].from_offset, kNoOffset);
  EXPECT_EQ(first.marks[0].next_offset, 8);
  answer();
  static_cast<void>(on_time());
  const auto& second = last<core::Push>();
  ASSERT_EQ(second.marks.size(), 2U);
  EXPECT_EQ(second.marks[0].from_offset, 8);
  EXPECT_EQ(second.marks[0].next_offset, 10) << "behind the one that was refused";
  EXPECT_EQ(second.marks[1].partition, 1);
  EXPECT_EQ(second.marks[1].from_offset, 40);
  EXPECT_EQ(second.marks[1].next_offset, 41);
  answer();
  EXPECT_EQ(settled(), 3U);
}

TEST_F(RecordIntakeTest, AMarkMovesThePositionAndNothingElse) {
  open({.name = "plant", .plugin = "plant", .topics = {}, .has_offsets = true, .reply_shape = 99});
  EXPECT_TRUE(take(channel::Record{.session = 1, .number = ++number, .topic = "t", .offset = 99, .is_mark = true}));
  static_cast<void>(on_time());
  EXPECT_TRUE(last<core::Push>().batch.items.empty());
  ASSERT_EQ(last<core::Push>().marks.size(), 1U);
  EXPECT_EQ(last<core::Push>().marks[0].next_offset, 100);
}

TEST_F(RecordIntakeTest, AMarkBehindNothingSaysThatAnEmptyPartitionWasBegun) {
  open({.name = "plant", .plugin = "plant", .topics = {}, .has_offsets = true, .reply_shape = 99});
  EXPECT_TRUE(take(channel::Record{.session = 1, .number = ++number, .topic = "t", .is_mark = true}));
  static_cast<void>(on_time());
  ASSERT_EQ(last<core::Push>().marks.size(), 1U);
  EXPECT_EQ(last<core::Push>().marks[0].from_offset, kNoOffset);
  EXPECT_EQ(last<core::Push>().marks[0].next_offset, 0);
  answer();
  EXPECT_EQ(settled(), 1U);
}

TEST_F(RecordIntakeTest, AnotherPositionInTheStoreAsksForANewWorker) {
  open({.name = "plant", .plugin = "plant", .topics = {}, .has_offsets = true, .reply_shape = 99});
  EXPECT_TRUE(take(kGood, "t", 7));
  static_cast<void>(on_time());
  EXPECT_FALSE(records->take_restart());
  answer(Errc::conflict);
  EXPECT_TRUE(records->take_restart());
  EXPECT_FALSE(records->take_restart());
}

TEST_F(RecordIntakeTest, ANewSessionForgetsWhatWasNotSettled) {
  EXPECT_TRUE(take(kGood));
  static_cast<void>(on_time());
  records->begin_session(2);
  EXPECT_TRUE(records->is_busy());
  EXPECT_TRUE(take(kGood)) << "of the session before: dropped without a word";
  EXPECT_TRUE(take(channel::Record{
      .session = 2, .number = 1, .topic = "t", .payload_bytes = 20, .payload = std::string_view(kGood)}));
  static_cast<void>(on_time());
  EXPECT_EQ(daemon.inputs.size(), 1U) << "one batch at a time";
  answer();
  EXPECT_FALSE(records->take_settled()) << "that was a record of the session before";
  static_cast<void>(on_time());
  ASSERT_EQ(daemon.inputs.size(), 2U);
  answer();
  const auto settled = records->take_settled();
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->session, 2U);
  EXPECT_EQ(settled->number, 1U);
}

TEST_F(RecordIntakeTest, AWorkerThatBreaksTheWindowOrTheOrderIsWrong) {
  const std::string large(30'000, ' ');
  EXPECT_TRUE(take(large));
  EXPECT_TRUE(take(large));
  EXPECT_FALSE(take(large)) << "the window";
  open({.name = "plant", .plugin = "plant", .topics = {}, .reply_shape = 99});
  number = 1;
  EXPECT_FALSE(take(kGood)) << "the second without the first";
  open({.name = "plant", .plugin = "plant", .topics = {}, .reply_shape = 99});
  EXPECT_FALSE(take(kGood, "t", 5)) << "an offset where there are none";
  open({.name = "plant", .plugin = "plant", .topics = {}, .has_offsets = true, .reply_shape = 99});
  EXPECT_FALSE(take(kGood, "t")) << "no offset where there are some";
  open({.name = "plant", .plugin = "plant", .topics = {}, .has_offsets = true, .reply_shape = 99});
  EXPECT_FALSE(take(kGood, "unasked", 5));
  for (std::int32_t i = 1; i < static_cast<std::int32_t>(core::kSourceMarksMax); ++i)
    EXPECT_TRUE(records->set_position("t", i, 0));
  EXPECT_FALSE(records->set_position("u", 0, 0)) << "one partition more than there may be";
  EXPECT_TRUE(records->set_position("t", 5, 10)) << "a known one";
}

TEST_F(RecordIntakeTest, SettledRecordsGiveTheirPartOfTheWindowBack) {
  const std::string large(30'000, ' ');
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(take(large));
    EXPECT_TRUE(take(large));
    static_cast<void>(on_time());
    EXPECT_EQ(settled(), number) << "blanks are refused, and that is settled at once";
    daemon.inputs.clear();
  }
}

TEST_F(RecordIntakeTest, WithoutRoomRecordsWait) {
  EXPECT_TRUE(take(kGood));
  daemon.is_full = true;
  EXPECT_TRUE(on_time());
  daemon.is_full = false;
  EXPECT_TRUE(on_time());
  EXPECT_TRUE(daemon.inputs.empty());
  pass(RecordIntake::kRetryMs);
  static_cast<void>(on_time());
  EXPECT_EQ(daemon.inputs.size(), 1U);
}

TEST_F(RecordIntakeTest, AnAnswerThatDoesNotComeAsksForANewWorker) {
  EXPECT_TRUE(take(kGood));
  EXPECT_EQ(on_time()->ns, daemon.time.mono.after_ms(RecordIntake::kAnswerMs).ns);
  pass(RecordIntake::kAnswerMs);
  static_cast<void>(on_time());
  EXPECT_TRUE(records->take_restart());
}

TEST(TopicLevels, TheFirstFilterThatMatchesNamesTheLevels) {
  const TopicLevels levels({"{site}/{device}/alarm", "+/{device}/#", "plain"});
  const auto named = [&](std::string_view topic) {
    std::string out;
    for (const auto& field : levels.fields(topic)) out.append(field.name).append("=").append(field.value).append(" ");
    return out;
  };
  EXPECT_EQ(named("north/pump/alarm"), "site=north device=pump ");
  EXPECT_EQ(named("north/pump/state"), "device=pump ");
  EXPECT_EQ(named("north/pump"), "device=pump ");
  EXPECT_EQ(named("north"), "");
  EXPECT_EQ(named("plain"), "");
  EXPECT_EQ(named("/pump/alarm"), "site= device=pump ");
  EXPECT_EQ(named("\xff/pump/alarm"), "device=pump ") << "no text";
}

}  // namespace
}  // namespace tocsin::api
