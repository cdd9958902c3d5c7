// SPDX-License-Identifier: Apache-2.0
#include "src/alert/engine.hpp"

#include <gtest/gtest.h>

#include "tests/unit/alert/alerts.hpp"

namespace tocsin::alert {
namespace {

using model::AlertState;
using model::EventStatus;

TEST(Decision, OpensOnTheFirstAbnormalEvent) {
  const Decision d = decide(nullptr, abnormal(), arrival(1));
  EXPECT_EQ(d.effect, Effect::open);
  EXPECT_EQ(d.outcome, Outcome::opened);
}

TEST(Decision, IgnoresAnEndWithoutAnOpenAlert) {
  EXPECT_EQ(decide(nullptr, event(EventStatus::recovered), arrival(1)).outcome, Outcome::ignored);
  EXPECT_EQ(decide(nullptr, event(EventStatus::closed), arrival(1)).outcome, Outcome::ignored);
}

TEST(Decision, ComparesSeverityOnlyWithAnOpenAlert) {
  model::Alert a = opened(2);
  EXPECT_EQ(decide(&a, abnormal(1), arrival(11)).effect, Effect::close_and_open);
  EXPECT_EQ(decide(&a, abnormal(1), arrival(11)).outcome, Outcome::opened);
  EXPECT_EQ(decide(&a, abnormal(2), arrival(11)).outcome, Outcome::folded);
  EXPECT_EQ(decide(&a, abnormal(3), arrival(11)).outcome, Outcome::ignored);
  EXPECT_EQ(decide(&a, event(EventStatus::recovered, 3), arrival(11)).effect, Effect::drop);
  EXPECT_EQ(decide(&a, event(EventStatus::recovered, 1), arrival(11)).outcome, Outcome::recovered);
  EXPECT_EQ(decide(&a, event(EventStatus::closed, 2), arrival(11)).outcome, Outcome::closed);
  recover(a, event(EventStatus::recovered), arrival(11));
  EXPECT_EQ(decide(&a, abnormal(3), arrival(12)).outcome, Outcome::opened);
}

TEST(Decision, RecoversWithTheSameEventId) {
  const model::Alert a = opened();
  model::EventFacts same = event(EventStatus::recovered);
  same.event_id = a.event_id;
  EXPECT_EQ(decide(&a, same, arrival(11)).outcome, Outcome::recovered);
}

TEST(Decision, TakesAnEventThatIsExactlyADayOldAndNoOlder) {
  EXPECT_EQ(decide(nullptr, abnormal(2, kT - kEventAgeMaxMs), arrival(1)).outcome, Outcome::opened);
  EXPECT_EQ(decide(nullptr, abnormal(2, kT - kEventAgeMaxMs - 1000), arrival(1)).outcome, Outcome::expired);
}

TEST(Decision, ACustomEventNeverExpires) {
  Arrival in = arrival(11);
  in.can_expire = false;
  EXPECT_EQ(decide(nullptr, abnormal(2, kT - 4 * 365 * kEventAgeMaxMs), in).outcome, Outcome::opened);
  model::Alert a = opened();
  EXPECT_EQ(decide(&a, abnormal(2, kT - 4 * 365 * kEventAgeMaxMs), in).outcome, Outcome::folded);
  recover(a, event(EventStatus::recovered, 2, kT + 600'000), arrival(11, kT + 600'000));
  in.seq = 12;
  EXPECT_EQ(decide(&a, abnormal(2, kT), in).outcome, Outcome::opened) << "from before the end of the alert before";
}

TEST(Decision, ExpiresNothingWhileTheClockIsNotTrusted) {
  Arrival in = arrival(1);
  in.received.trusted = false;
  EXPECT_EQ(decide(nullptr, abnormal(2, 0), in).outcome, Outcome::opened);
  in.received.unix_ms = 5000;  // a box in 1970 takes today's events
  EXPECT_EQ(decide(nullptr, abnormal(2, kT), in).outcome, Outcome::opened);
}

TEST(Decision, ExpiresAnEventFromBeforeTheEndOfTheAlertBefore) {
  model::Alert a = opened();
  recover(a, event(EventStatus::recovered, 2, kT + 600'000), arrival(11, kT + 600'000));
  const std::int64_t border = kT + 600'000 - kEndGraceMs;
  EXPECT_EQ(decide(&a, abnormal(2, border), arrival(12, kT + 600'000)).outcome, Outcome::opened);
  EXPECT_EQ(decide(&a, abnormal(2, border - 1000), arrival(12, kT + 600'000)).outcome, Outcome::expired);
}

TEST(Decision, BelievesNoEndFromBeforeTheAlertBegan) {
  const model::Alert a = opened();
  EXPECT_EQ(decide(&a, event(EventStatus::recovered, 2, kT - 1000), arrival(11)).effect, Effect::fold);
  EXPECT_EQ(decide(&a, event(EventStatus::closed, 2, kT - 1000), arrival(11)).effect, Effect::fold);
}

TEST(Decision, BelievesAnEndWithinTheSecondInWhichTheAlertBegan) {
  const model::Alert a = open(abnormal(2, kT + 750), arrival(10), 1);
  EXPECT_EQ(decide(&a, event(EventStatus::recovered, 2, kT), arrival(11)).outcome, Outcome::recovered);
}

TEST(Decision, BelievesEveryEndWhileTheClockIsNotTrusted) {
  const model::Alert a = opened();
  Arrival in = arrival(11, 5000);
  in.received.trusted = false;
  EXPECT_EQ(decide(&a, event(EventStatus::recovered, 2, 5000), in).outcome, Outcome::recovered);
}

TEST(Decision, CallsAnEventThatIsCountedAlreadyARepeat) {
  const model::Alert a = opened(2, 10);
  EXPECT_EQ(decide(&a, abnormal(), arrival(10)).outcome, Outcome::repeat);
  EXPECT_EQ(decide(&a, abnormal(1), arrival(9)).outcome, Outcome::repeat);
  EXPECT_EQ(decide(&a, abnormal(), arrival(11)).outcome, Outcome::folded);
}

TEST(Alert, OpensWithEverythingOfItsEvent) {
  model::EventFacts facts = abnormal(1, kT - 3000);
  facts.anomaly_time_ms = kT - 5000;
  const model::Alert a = open(facts, arrival(10), 7);
  EXPECT_EQ(a.number, 7U);
  EXPECT_EQ(a.state, AlertState::abnormal);
  EXPECT_EQ(a.severity, 1);
  EXPECT_EQ(a.create_ms, kT);
  EXPECT_TRUE(a.create_time_trusted);
  EXPECT_EQ(a.begin_ms, kT - 3000);
  EXPECT_EQ(a.latest_ms, kT - 3000);
  EXPECT_EQ(a.first_anomaly_ms, kT - 5000);
  EXPECT_EQ(a.end_ms, 0);
  EXPECT_EQ(a.event_count, 1U);
  EXPECT_EQ(a.first_event_seq, 10U);
  EXPECT_EQ(a.last_event_seq, 10U);
  EXPECT_EQ(a.plugin_id, "demo");
  EXPECT_EQ(a.data_id, 10000001);
  EXPECT_EQ(a.dedupe, facts.dedupe);
}

TEST(Alert, KeepsNoTextOverItsBound) {
  const std::string name(model::kNameBytesMax + 1, 'n');
  const std::string json = "{\"k\":\"" + std::string(model::kDimensionsBytesMax, 'v') + "\"}";
  model::EventFacts facts = abnormal();
  facts.alert_name = name;
  facts.dimensions_json = json;
  const model::Alert a = open(facts, arrival(10), 7);
  EXPECT_EQ(a.alert_name.size(), model::kNameBytesMax);
  EXPECT_EQ(a.dimensions_json, "{}");
}

TEST(Fold, CountsAndMovesTheLatestTime) {
  model::Alert a = opened();
  model::EventFacts next = abnormal(2, kT + 5000);
  next.description = "at 98 %";
  next.event_id = "e-2";
  fold(a, next, arrival(11, kT + 6000));
  EXPECT_EQ(a.event_count, 2U);
  EXPECT_EQ(a.last_event_seq, 11U);
  EXPECT_EQ(a.latest_ms, kT + 5000);
  EXPECT_EQ(a.update_ms, kT + 6000);
  EXPECT_EQ(a.description, "at 98 %");
  EXPECT_EQ(a.event_id, "e-2");
}

TEST(Fold, OfAnOlderEventCountsButDoesNotSpeakForTheAlert) {
  model::Alert a = opened();
  model::EventFacts older = abnormal(2, kT - 5000);
  older.description = "at 90 %";
  fold(a, older, arrival(11));
  EXPECT_EQ(a.event_count, 2U);
  EXPECT_EQ(a.begin_ms, kT - 5000);
  EXPECT_EQ(a.first_anomaly_ms, kT - 5000);
  EXPECT_EQ(a.latest_ms, kT);
  EXPECT_EQ(a.description, "at 97 %");
}

TEST(Fold, OfOneSequenceHappensOnce) {
  model::Alert a = opened();
  fold(a, abnormal(), arrival(11));
  fold(a, abnormal(), arrival(11));
  fold(a, abnormal(), arrival(3));
  EXPECT_EQ(a.event_count, 2U);
  EXPECT_EQ(a.last_event_seq, 11U);
}

TEST(Fold, LeavesAnAcknowledgementInPlace) {
  model::Alert a = opened();
  (void)ack(a, "alice", "on it", at(kT));
  const Decision d = decide(&a, abnormal(), arrival(11));
  EXPECT_EQ(d.effect, Effect::fold);
  EXPECT_EQ(d.next, State::acked);
  fold(a, abnormal(), arrival(11));
  EXPECT_EQ(a.state, AlertState::acked);
}

TEST(Fold, OfAnOutdatedEndIsNotedAndTheSameEndIsNotBelievedLater) {
  model::Alert a = opened();
  const model::EventFacts outdated = event(EventStatus::recovered, 2, kT - 9000);
  fold(a, outdated, arrival(11));
  EXPECT_EQ(a.event_count, 1U);
  EXPECT_EQ(a.begin_ms, kT);
  EXPECT_EQ(decide(&a, outdated, arrival(12)).effect, Effect::fold);
}

TEST(Recovery, EndsTheAlertAtTheTimeOfTheEvent) {
  model::Alert a = opened();
  (void)ack(a, "alice", "", at(kT));
  recover(a, event(EventStatus::recovered, 2, kT + 60'000), arrival(11, kT + 61'000));
  EXPECT_EQ(a.state, AlertState::recovered);
  EXPECT_EQ(a.end_ms, kT + 60'000);
  EXPECT_EQ(a.latest_ms, kT + 60'000);
  EXPECT_EQ(a.event_count, 1U);
  EXPECT_EQ(a.last_event_seq, 11U);
  EXPECT_NE(a.ack_ms, 0);
}

TEST(Recovery, NeverEndsAnAlertBeforeItBegan) {
  model::Alert a = opened();
  recover(a, event(EventStatus::recovered, 2, 5000), arrival(11));
  EXPECT_EQ(a.end_ms, kT);
}

TEST(Closing, ByAMoreSevereEventKeepsTheLaterOfBothTimes) {
  model::Alert a = opened();
  supersede(a, abnormal(1, kT - 10'000), arrival(11, kT + 1000));
  EXPECT_EQ(a.state, AlertState::closed);
  EXPECT_EQ(a.end_ms, kT);
  EXPECT_EQ(a.last_event_seq, 10U);
  EXPECT_FALSE(a.end_description.empty());
}

TEST(Closing, ByAnOperatorSaysWhy) {
  model::Alert a = opened();
  end(a, AlertState::closed, "close by api", at(kT + 1));
  EXPECT_EQ(a.state, AlertState::closed);
  EXPECT_EQ(a.end_ms, kT + 1);
  EXPECT_EQ(a.end_description, "close by api");
}

TEST(Ack, ChangesOnlyAnAbnormalAlert) {
  model::Alert a = opened();
  EXPECT_EQ(ack(a, "alice", "on it", at(kT + 5)), AckResult::acked);
  EXPECT_EQ(a.ack_ms, kT + 5);
  EXPECT_EQ(ack(a, "bob", "me too", at(kT + 6)), AckResult::already_acked);
  EXPECT_EQ(a.ack_operator, "alice");
  recover(a, event(EventStatus::recovered), arrival(11));
  EXPECT_EQ(ack(a, "bob", "", at(kT + 7)), AckResult::not_abnormal);
}

TEST(Ack, IsRememberedOnAClockThatStandsAtItsOrigin) {
  model::Alert a = opened();
  (void)ack(a, "alice", "", {0, false});
  EXPECT_NE(a.ack_ms, 0);
}

TEST(Refold, RestoresWhatACrashLost) {
  model::Alert live = opened();
  const model::Alert stored = live;
  std::vector<model::EventFacts> log;
  for (int i = 0; i < 5; ++i) log.push_back(abnormal(i == 3 ? 3 : 2, kT + i * 1000));  // the fourth is less severe
  for (std::size_t i = 0; i < log.size(); ++i) (void)refold(live, log[i], arrival(11 + i));
  EXPECT_EQ(live.event_count, 5U);
  model::Alert again = stored;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < log.size(); ++i) (void)refold(again, log[i], arrival(11 + i));
  }
  EXPECT_EQ(again.event_count, live.event_count);
  EXPECT_EQ(again.last_event_seq, live.last_event_seq);
  EXPECT_EQ(again.latest_ms, live.latest_ms);
}

TEST(Refold, DoesNoTransitionASecondTime) {
  model::Alert a = opened();
  EXPECT_FALSE(refold(a, event(EventStatus::recovered), arrival(11)));
  EXPECT_FALSE(refold(a, abnormal(1), arrival(12)));
  EXPECT_EQ(a.state, AlertState::abnormal);
}

TEST(Outcome, HasTheTextsOfTheInterface) {
  EXPECT_STREQ(to_text(Outcome::opened), "opened");
  EXPECT_STREQ(to_text(Outcome::stored), "stored");
  EXPECT_STREQ(to_text(Outcome::repeat), "repeat");
}

}  // namespace
}  // namespace tocsin::alert
