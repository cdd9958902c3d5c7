// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "src/log/log.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using test::CoreBox;

struct Stored {
  std::uint64_t seq;
  std::string json;
  model::RecordKind kind;
};

std::vector<Stored> records(CoreBox& box, model::Lane lane) {
  std::vector<Stored> out;
  auto txn = box.store.begin_read();
  auto walked = log::walk(**txn, lane, 0, 100'000, [&](const model::SegmentHeader&, const model::Record& record) {
    out.push_back({record.seq, std::string(record.json), record.kind});
    return true;
  });
  EXPECT_TRUE(walked.ok());
  EXPECT_EQ(walked->damaged, 0U);
  return out;
}

class CoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.start().ok());
    const auto out = box.add_instance();
    ASSERT_EQ(out.answers.size(), 1U);
    ASSERT_FALSE(out.answers[0].refused);
  }
  static constexpr std::int64_t kLate = 50LL * 365 * 86'400'000;
  /// A boot whose clock is behind by so much and knows it.
  void start_late() {
    box.power_cut();
    box.trusted = false;
    box.wall_off_ms = -kLate;
    ASSERT_TRUE(box.start().ok());
    box.advance(2'000);
  }
  CoreBox box;
};

TEST_F(CoreTest, AnAnsweredEventIsInTheLogAfterAPowerCut) {
  const auto out = box.turn(box.push("[" + CoreBox::item("a") + "," + CoreBox::item("b") + "]"));
  ASSERT_EQ(out.answers.size(), 1U);
  EXPECT_FALSE(out.answers[0].refused);
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  const auto stored = records(box, model::Lane::normal);
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_LT(stored[0].seq, stored[1].seq);
  EXPECT_NE(stored[0].json.find(R"("event_name":"a")"), std::string::npos);
}

TEST_F(CoreTest, AMetricIsKeptAsWhatItIsAndRaisesNothing) {
  constexpr std::int32_t kSeries = 10000002;
  ASSERT_FALSE(box.add_instance(0, kSeries, model::InstanceType::time_series).answers[0].refused);
  ASSERT_FALSE(box.turn(box.push(R"([{"metrics":{"load":1.5}}])", kSeries)).answers[0].refused);
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  const auto stored = records(box, model::Lane::normal);
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].kind, model::RecordKind::custom_metric);
  EXPECT_TRUE(stored[0].json.starts_with(R"({"metrics":{"load":1.5},"target":"")")) << stored[0].json;
  EXPECT_EQ(box.core->gauges().alerts_open, 0U);
}

TEST_F(CoreTest, ABatchOfAnInstanceThatIsOfAnotherTypeNowIsSentBack) {
  auto events = box.push("[" + CoreBox::item("a") + "]");
  core::ChangeInstance gone;
  gone.change = core::InstanceChange::remove;
  gone.instance.data_id = CoreBox::kDataId;
  gone.actor = "test";
  ASSERT_FALSE(box.turn(core::Input{box.next_reply(), std::move(gone)}).answers[0].refused);
  ASSERT_FALSE(box.add_instance(0, CoreBox::kDataId, model::InstanceType::time_series).answers[0].refused);
  const auto out = box.turn(std::move(events));
  ASSERT_EQ(out.answers.size(), 1U);
  EXPECT_EQ(out.answers[0].refused, Errc::unavailable);
  EXPECT_TRUE(records(box, model::Lane::normal).empty());
}

TEST_F(CoreTest, SequencesGoOnAfterAStartAndNeverRepeat) {
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("a") + "]")));
  const auto before = box.core->gauges().next_seq;
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_GE(box.core->gauges().next_seq, before);
  EXPECT_EQ(box.core->gauges().boot, 2U);
}

TEST_F(CoreTest, AFailedCommitIsAnswered503AndLeavesNothing) {
  box.store.fail_next_commit(sim::CommitFault::failed_not_durable);
  const auto out = box.turn(box.push("[" + CoreBox::item("a") + "]"));
  ASSERT_EQ(out.answers.size(), 1U);
  EXPECT_TRUE(out.answers[0].refused);
  EXPECT_TRUE(records(box, model::Lane::normal).empty());
  const auto again = box.turn(box.push("[" + CoreBox::item("b") + "]"));
  EXPECT_FALSE(again.answers[0].refused);
}

TEST_F(CoreTest, AnUnknownCommitIsRefusedAndItsSequenceIsNotUsedAgain) {
  box.store.fail_next_commit(sim::CommitFault::failed_but_durable);
  const auto out = box.turn(box.push("[" + CoreBox::item("a") + "]"));
  EXPECT_TRUE(out.answers[0].refused);
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("b") + "]")));
  const auto stored = records(box, model::Lane::normal);
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_LT(stored[0].seq, stored[1].seq);
}

TEST_F(CoreTest, AnAlertingInstanceOpensOneAlertAndFoldsTheRest) {
  static_cast<void>(box.add_instance(2, 10000002));
  for (int i = 0; i < 3; ++i) {
    const auto out = box.turn(box.push("[" + CoreBox::item("disk") + "]", 10000002));
    ASSERT_FALSE(out.answers.at(0).refused);
  }
  EXPECT_EQ(box.core->gauges().alerts_open, 1U);
  ASSERT_EQ(box.core->view().folds->size(), 1U);
  EXPECT_EQ(box.core->view().folds->front().event_count, 3U);
  EXPECT_EQ(records(box, model::Lane::alert).size(), 1U);
}

TEST_F(CoreTest, FoldsAreCountedAgainFromTheLogAfterACrash) {
  static_cast<void>(box.add_instance(2, 10000002));
  for (int i = 0; i < 5; ++i) static_cast<void>(box.turn(box.push("[" + CoreBox::item("disk") + "]", 10000002)));
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_EQ(box.core->gauges().alerts_open, 1U);
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("disk") + "]", 10000002)));
  ASSERT_EQ(box.core->view().folds->size(), 1U);
  EXPECT_EQ(box.core->view().folds->front().event_count, 6U);
}

TEST_F(CoreTest, ARecoveryEndsTheAlertAndTheNextEventOpensAnother) {
  static_cast<void>(box.add_instance(1, 10000002));
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("disk") + "]", 10000002)));
  static_cast<void>(
      box.turn(box.push("[" + CoreBox::item("disk", "0:10.0.0.1", R"("event_type":"recovery")") + "]", 10000002)));
  EXPECT_EQ(box.core->gauges().alerts_open, 0U);
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("disk") + "]", 10000002)));
  EXPECT_EQ(box.core->gauges().alerts_open, 1U);
  EXPECT_EQ(records(box, model::Lane::alert).size(), 3U);
}

TEST_F(CoreTest, FactsThatFoundNoRoomAreMadeFromTheItems) {
  static_cast<void>(box.add_instance(2, 10000002));
  const std::string text(1'000, 'x');
  std::string items = "[";
  for (int i = 0; i < 200; ++i) {
    items += (i > 0 ? "," : "") + CoreBox::item("disk", "host-" + std::to_string(i % 100) + text.substr(0, 200),
                                                R"("k":")" + text.substr(0, 800) + '"');
  }
  auto push = box.push(items + "]", 10000002);
  const auto& batch = std::get<core::Push>(push.what).batch;
  EXPECT_NE(batch.items.front().facts_bytes, 0U);
  EXPECT_EQ(batch.items.back().facts_bytes, 0U);
  const auto out = box.turn(std::move(push));
  ASSERT_EQ(out.answers.size(), 1U);
  EXPECT_FALSE(out.answers[0].refused);
  EXPECT_EQ(box.core->gauges().alerts_open, 100U);
  for (const auto& fold : *box.core->view().folds) EXPECT_EQ(fold.event_count, 2U);
}

TEST_F(CoreTest, ACustomEventOfLongAgoOpensAnAlertAlsoWhenItIsCountedAgain) {
  static_cast<void>(box.add_instance(2, 10000002));
  std::string old = CoreBox::item("disk");
  old.insert(old.size() - 1, R"(,"timestamp":1587218838000)");
  for (int i = 0; i < 2; ++i) static_cast<void>(box.turn(box.push("[" + old + "]", 10000002)));
  EXPECT_EQ(box.core->gauges().alerts_open, 1U);
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  ASSERT_EQ(box.core->view().folds->size(), 1U);
  EXPECT_EQ(box.core->view().folds->front().event_count, 2U);
}

TEST_F(CoreTest, AcknowledgingAnswersEachIdInItsList) {
  static_cast<void>(box.add_instance(1, 10000002));
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("disk") + "]", 10000002)));
  auto txn = box.store.begin_read();
  auto entry = (*txn)->at_or_after(model::Key(model::Table::alert));
  ASSERT_TRUE(entry.ok() && *entry);
  const auto alert = model::decode_alert((*entry)->value.first((*entry)->value.size() - 4));
  ASSERT_TRUE(alert.ok());
  const std::string id = model::alert_id(*alert);
  txn = error(Errc::unavailable, "released");
  auto out = box.turn(core::Input{box.next_reply(), core::AckAlerts{{id, "17000000009999"}, "on it", "user:alice"}});
  ASSERT_EQ(out.answers.size(), 1U);
  EXPECT_EQ(out.answers[0].data,
            R"({"alerts_ack_success":[")" + id +
                R"("],"alerts_not_exist":["17000000009999"],"alerts_already_ack":[],"alerts_not_abnormal":[]})");
  out = box.turn(core::Input{box.next_reply(), core::AckAlerts{{id}, "again", "user:bob"}});
  EXPECT_NE(out.answers[0].data.find(R"("alerts_already_ack":[")"), std::string::npos);
}

TEST_F(CoreTest, ARemovedInstanceIsRefusedAtTheTurn) {
  auto late = box.push("[" + CoreBox::item("a") + "]");
  core::ChangeInstance change;
  change.change = core::InstanceChange::remove;
  change.instance.data_id = CoreBox::kDataId;
  static_cast<void>(box.turn(core::Input{box.next_reply(), std::move(change)}));
  const auto out = box.turn(std::move(late));
  ASSERT_EQ(out.answers.size(), 1U);
  EXPECT_EQ(out.answers[0].refused, Errc::not_found);
}

TEST_F(CoreTest, AConfirmationWaitsForCompanyThenGoesOnFlashByItself) {
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("a") + "]")));
  const std::uint64_t seq = records(box, model::Lane::normal).back().seq;
  const auto commits = box.store.commits();
  static_cast<void>(box.turn(core::Input{{}, core::Confirm{0, model::Lane::normal, seq, false}}));
  EXPECT_EQ(box.store.commits(), commits);
  EXPECT_EQ(box.core->view().durable[0][2], 0U);
  const auto due = box.core->next_deadline();
  ASSERT_TRUE(due);
  box.mono_ms = due->ms();
  static_cast<void>(box.turn(std::vector<core::Input>{}));
  EXPECT_EQ(box.core->view().durable[0][2], seq);
  EXPECT_FALSE(box.core->next_deadline());
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_EQ(box.core->view().durable[0][2], seq);
}

TEST_F(CoreTest, TheClockOfABootIsLearntOnceItIsTrusted) {
  box.trusted = false;
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("early") + "]")));
  EXPECT_TRUE(box.core->view().clocks->offsets.empty());
  box.trusted = true;
  box.advance(5);
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("late") + "]")));
  ASSERT_EQ(box.core->view().clocks->offsets.size(), 1U);
  const Wall dated = box.core->view().clocks->date(1, false, 77, 500);
  EXPECT_TRUE(dated.trusted);
  EXPECT_EQ(dated.unix_ms, CoreBox::kWallStart + 500);
}

/// The alerts on flash, by number, and how the store's boot clocks date them.
std::vector<model::Alert> stored_alerts(CoreBox& box) {
  std::vector<model::Alert> out;
  auto txn = box.store.begin_read();
  for (std::uint64_t number = 1;;) {
    const auto entry = (*txn)->at_or_after(model::Key(model::Table::alert).u64(number));
    if (!entry.ok() || !*entry || !model::is_in((*entry)->key, model::Table::alert)) return out;
    auto alert = model::open_sealed((*entry)->key, (*entry)->value, model::decode_alert);
    EXPECT_TRUE(alert.ok());
    number = alert->number + 1;
    out.push_back(std::move(*alert));
  }
}

TEST_F(CoreTest, SettingTheClockDatesThisBootInTheSameTurn) {
  static_cast<void>(box.add_instance(2, 10000002));
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("before this boot") + "]", 10000002)));
  start_late();
  const std::int64_t opened_ms = box.now().wall.unix_ms;
  std::string device = CoreBox::item("device with a clock");
  device.insert(device.size() - 1, R"(,"timestamp":1793500000000)");
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("early") + "," + device + "]", 10000002)));
  const auto id = model::alert_id(stored_alerts(box).at(1));
  box.advance(3'000);
  static_cast<void>(
      box.turn(core::Input{box.next_reply(), core::SetClock{box.now().wall.unix_ms + kLate, "user:alice"}}));

  const auto clocks = box.core->view().clocks;
  ASSERT_EQ(clocks->offsets.size(), 1U);
  const Wall dated = clocks->date(2, false, opened_ms, box.mono_ms - 3'000);
  EXPECT_TRUE(dated.trusted);
  EXPECT_EQ(dated.unix_ms, opened_ms + kLate);

  box.power_cut();
  box.trusted = true;
  box.wall_off_ms = 0;
  ASSERT_TRUE(box.start().ok());
  const auto alerts = stored_alerts(box);
  ASSERT_EQ(alerts.size(), 3U);
  const auto known = box.core->view().clocks;
  EXPECT_EQ(known->dates_of(alerts[0])(alerts[0].begin_ms), alerts[0].begin_ms);
  EXPECT_EQ(known->dates_of(alerts[1])(alerts[1].begin_ms), opened_ms + kLate);
  EXPECT_EQ(known->dates_of(alerts[1])(alerts[1].create_ms), opened_ms + kLate);
  EXPECT_EQ(known->dates_of(alerts[2])(alerts[2].begin_ms), 1'793'500'000'000) << "the device's own word";
  EXPECT_EQ(model::alert_id(alerts[1]), id);
}

TEST_F(CoreTest, WhatWasDatedBeforeTheClockWasSetAndComesAfterItIsDatedToo) {
  static_cast<void>(box.add_instance(2, 10000002));
  start_late();
  const std::int64_t received_ms = box.now().wall.unix_ms;
  auto waits = box.push("[" + CoreBox::item("queued") + "]", 10000002);
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("early") + "]", 10000002)));
  box.advance(1'000);
  static_cast<void>(
      box.turn(core::Input{box.next_reply(), core::SetClock{box.now().wall.unix_ms + kLate, "user:alice"}}));
  static_cast<void>(box.turn(std::move(waits)));
  for (const bool is_restarted : {false, true}) {
    const auto alerts = stored_alerts(box);
    ASSERT_EQ(alerts.size(), 2U);
    const auto known = box.core->view().clocks;
    ASSERT_EQ(known->offsets.size(), 1U);
    for (const auto& alert : alerts) EXPECT_EQ(known->dates_of(alert)(alert.begin_ms), received_ms + kLate);
    if (is_restarted) break;
    box.power_cut();
    box.trusted = true;
    box.wall_off_ms = 0;
    ASSERT_TRUE(box.start().ok());
  }
}

TEST(CoreRoom, UndeliveredEventsMakeRoomForNewOnesBehindAGapRecord) {
  constexpr std::uint64_t kQuota = 2 * MiB;
  CoreBox box(1, kQuota);
  ASSERT_TRUE(box.start().ok());
  static_cast<void>(box.add_instance());
  std::string items = "[";
  for (int i = 0; i < 100; ++i)
    items += (i > 0 ? "," : "") + CoreBox::item("event " + std::to_string(i) + std::string(100, 'x'));
  items += "]";
  std::uint64_t accepted = 0;
  for (int i = 0; i < 200; ++i) {
    const auto out = box.turn(box.push(items));
    ASSERT_EQ(out.answers.size(), 1U);
    ASSERT_FALSE(out.answers[0].refused) << "push " << i << " " << out.answers[0].data;
    accepted += 100;
    ASSERT_LT(box.store.use().used_bytes, kQuota * 9 / 10);
  }
  const auto stored = records(box, model::Lane::normal);
  ASSERT_FALSE(stored.empty());
  ASSERT_EQ(stored.front().kind, model::RecordKind::gap);
  const auto gap = log::parse_gap(stored.front().json);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->events + stored.size() - 1, accepted);
  EXPECT_EQ(box.core->gauges().events_evicted, gap->events);
  EXPECT_EQ(gap->last_seq, stored.front().seq);
}

TEST(CoreRoom, AnAuditLogBeyondItsShareTakesRoomFromTheEventsNotFromTheSenders) {
  CoreBox box(1, 4 * MiB);
  ASSERT_TRUE(box.start().ok());
  static_cast<void>(box.add_instance());
  for (int i = 0; i < 40; ++i) {
    std::vector<core::Input> notes;
    for (int n = 0; n < 200; ++n) {
      notes.push_back(
          {{},
           core::Note{model::AuditAction::access_refused, "peer:10.0.0.7", "/api/v1/plugins", std::string(60, 'x')}});
    }
    static_cast<void>(box.turn(std::move(notes)));
  }
  std::string items = "[";
  for (int i = 0; i < 100; ++i) items += (i > 0 ? "," : "") + CoreBox::item("event " + std::to_string(i));
  items += "]";
  for (int i = 0; i < 300; ++i) {
    const auto out = box.turn(box.push(items));
    ASSERT_EQ(out.answers.size(), 1U);
    ASSERT_FALSE(out.answers[0].refused) << "push " << i << " " << out.answers[0].data;
  }
}

TEST(CoreRoom, DeliveredEventsLeaveAfterRetentionWithoutAGap) {
  CoreBox box;
  box.settings.retention_ms = 60'000;
  ASSERT_TRUE(box.start().ok());
  static_cast<void>(box.add_instance());
  for (int i = 0; i < 3; ++i) static_cast<void>(box.turn(box.push("[" + CoreBox::item("old") + "]")));
  const std::uint64_t seq = records(box, model::Lane::normal).back().seq;
  static_cast<void>(box.turn(core::Input{{}, core::Confirm{0, model::Lane::normal, seq, true}}));
  box.advance(120'000);
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("new") + "]")));
  static_cast<void>(box.turn(box.push("[" + CoreBox::item("new") + "]")));
  const auto stored = records(box, model::Lane::normal);
  for (const auto& record : stored) EXPECT_EQ(record.json.find("\"old\""), std::string::npos);
  EXPECT_EQ(box.core->gauges().events_evicted, 0U);
}

class AlertRoom : public ::testing::Test {
 protected:
  static constexpr std::int32_t kSource = 1500001;
  AlertRoom() {
    box.settings.retention_ms = 60'000;
    EXPECT_TRUE(box.start().ok());
    static_cast<void>(box.add_instance(0, kSource, model::InstanceType::alert_source));
  }
  void take(const std::string& events) {
    const auto out = box.turn(box.push_standard(events, kSource));
    ASSERT_EQ(out.answers.size(), 1U);
    ASSERT_FALSE(out.answers[0].refused) << out.answers[0].data;
  }
  void open_and_recover(int from, int count) {
    for (int i = from; i < from + count; ++i) {
      const std::string name = "passing " + std::to_string(i);
      take(CoreBox::event(name));
      take(CoreBox::event(name, "RECOVERED"));
    }
  }
  [[nodiscard]] std::size_t count_open() {
    const auto all = stored_alerts(box);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& one) { return model::is_open(one.state); }));
  }
  static constexpr std::size_t kMost = 64;   // of so small a store
  static constexpr std::size_t kSlack = 16;  // two turns' worth
  CoreBox box{1, 640 * KiB};
};

TEST_F(AlertRoom, AClosedAlertLeavesAfterRetentionThoughAnOlderOneStaysOpen) {
  take(CoreBox::event("open"));
  open_and_recover(0, 5);
  box.advance(30'000);
  open_and_recover(5, 1);
  box.advance(40'000);
  for (int i = 0; i < 20; ++i) take(CoreBox::event("open"));
  const auto left = stored_alerts(box);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_TRUE(model::is_open(left[0].state));
  EXPECT_EQ(left[1].alert_name, "passing 5") << "it was closed later";
}

TEST_F(AlertRoom, AnAlertClosedLateKeepsNoOlderOneBehindIt) {
  take(CoreBox::event("long"));
  open_and_recover(0, 5);
  box.advance(70'000);
  take(CoreBox::event("long", "RECOVERED"));
  for (int i = 0; i < 20; ++i) take(CoreBox::event("other"));
  const auto left = stored_alerts(box);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].alert_name, "long");
}

TEST_F(AlertRoom, AnAlertThatAnUnsetClockDatedIsNotTakenForOld) {
  box.power_cut();
  box.trusted = false;
  box.wall_off_ms = -CoreBox::kWallStart;  // 1970
  ASSERT_TRUE(box.start().ok());
  open_and_recover(0, 3);
  box.power_cut();  // before anybody told the time: it is never known
  ASSERT_TRUE(box.start().ok());
  open_and_recover(3, 3);
  box.trusted = true;
  box.wall_off_ms = 0;
  for (int i = 0; i < 20; ++i) take(CoreBox::event("other"));
  EXPECT_EQ(stored_alerts(box).size(), 7U);
  box.advance(70'000);
  for (int i = 0; i < 20; ++i) take(CoreBox::event("other"));
  EXPECT_EQ(stored_alerts(box).size(), 4U) << "those whose boot came to know its time have an age";
}

TEST_F(AlertRoom, CountersThatAreLostCostNoAlert) {
  take(CoreBox::event("first"));
  open_and_recover(0, 300);
  const std::size_t before = stored_alerts(box).size();
  ASSERT_GT(before, kMost / 2);
  {
    auto txn = box.store.begin_write();
    ASSERT_TRUE((*txn)->erase(model::Key(model::Table::state)).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  take(CoreBox::event("first"));
  EXPECT_GE(stored_alerts(box).size() + 1, before);
  EXPECT_EQ(count_open(), 1U);
}

TEST_F(AlertRoom, WhatRecoversBehindTheSearchStillGoesBeforeAnOpenOne) {
  for (int i = 0; i < 60; ++i) take(CoreBox::event("open " + std::to_string(i)));
  for (int i = 60; i < 200; ++i) {
    take(CoreBox::event("open " + std::to_string(i)));
    take(CoreBox::event("open " + std::to_string(i - 60), "RECOVERED"));
  }
  EXPECT_EQ(count_open(), 60U);
  EXPECT_LE(stored_alerts(box).size(), kMost + kSlack);
}

TEST_F(AlertRoom, ClosedAlertsMakeRoomBeforeOpenOnes) {
  for (int i = 0; i < 20; ++i) take(CoreBox::event("open " + std::to_string(i)));
  open_and_recover(0, 200);
  EXPECT_EQ(count_open(), 20U);
  EXPECT_LE(stored_alerts(box).size(), kMost + kSlack);
  const std::size_t before = stored_alerts(box).size();
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  open_and_recover(200, 1);
  EXPECT_EQ(count_open(), 20U);
  EXPECT_GE(stored_alerts(box).size(), before - kSlack) << "a start does not take the numbers between for alerts";
}

TEST_F(AlertRoom, WhenAllAreOpenTheOldestIsClosedAndThatIsSaid) {
  for (int i = 0; i < 150; ++i) take(CoreBox::event("open " + std::to_string(i)));
  const auto left = stored_alerts(box);
  EXPECT_LE(left.size(), kMost + kSlack);
  EXPECT_EQ(left.size(), box.core->gauges().alerts_open);
  EXPECT_EQ(left.back().alert_name, "open 149");
  std::size_t told = 0;
  for (const auto& record : records(box, model::Lane::alert))
    told += record.json.find("closed for want of room") != std::string::npos ? 1 : 0;
  EXPECT_EQ(told, 150 - left.size());
  take(CoreBox::event("open 0"));
  EXPECT_EQ(stored_alerts(box).back().alert_name, "open 0") << "it opens anew";
}

}  // namespace
}  // namespace tocsin
