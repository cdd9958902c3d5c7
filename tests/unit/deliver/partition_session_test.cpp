// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/partition_session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "src/channel/writer.hpp"

namespace tocsin::deliver {
namespace {

using channel::FrameType;
using channel::kNoOffset;
using channel::LinkState;
using port::Consumer;
using port::ConsumerNews;
using port::ConsumerRecord;
using port::TopicLook;
using RecordKind = ConsumerRecord::Kind;

struct KafkaConsumer final : port::Consumer {
  struct Read {
    std::size_t topic;
    std::int32_t partition;
    std::int64_t from;
    bool operator==(const Read&) const = default;
  };
  struct Thing {
    ConsumerRecord record;
    std::string bytes;
  };
  port::ConsumerLogin login;
  std::string wrong;
  std::vector<std::string> topics;
  std::map<std::size_t, TopicLook> looks;
  std::vector<int> look_waits;
  std::vector<Read> reads;
  std::vector<std::pair<std::size_t, std::int32_t>> left;
  std::deque<Thing> things;
  std::deque<ConsumerNews> news;
  ConsumerRecord shown;

  std::string open(const port::ConsumerLogin& who, const std::vector<std::string>& names) override {
    login = who;
    topics = names;
    return wrong;
  }
  TopicLook look(std::size_t topic, int wait_ms) override {
    look_waits.push_back(wait_ms);
    return looks[topic];
  }
  void read(std::size_t topic, std::int32_t partition, std::int64_t from) override {
    reads.push_back({topic, partition, from});
  }
  void leave(std::size_t topic, std::int32_t partition) override {
    left.emplace_back(topic, partition);
    std::erase_if(things, [&](const Thing& t) { return t.record.topic == topic && t.record.partition == partition; });
  }
  const ConsumerRecord* front() override {
    if (things.empty()) return nullptr;
    shown = things.front().record;
    (shown.kind == RecordKind::message ? shown.payload : shown.text) = things.front().bytes;
    return &shown;
  }
  void pop() override { things.pop_front(); }
  std::optional<ConsumerNews> next_news() override {
    if (news.empty()) return std::nullopt;
    auto out = news.front();
    news.pop_front();
    return out;
  }
  void close() noexcept override {}

  void give(RecordKind kind, std::int64_t offset, std::string bytes = "{}", std::int32_t partition = 0,
            std::size_t topic = 0) {
    things.push_back({{.kind = kind, .topic = topic, .partition = partition, .offset = offset}, std::move(bytes)});
  }
};

/// Reads what the session says as the core would.
struct KafkaCore final : RecordOut {
  struct Record {
    channel::Record head;
    std::string topic, payload;
  };
  bool has_room = true;
  bool takes_records = true;
  std::vector<FrameType> types;
  std::vector<channel::State> states;
  std::string reason, broker;
  std::vector<std::string> assigned;
  std::vector<Record> records;
  std::vector<std::string> logs;
  std::uint64_t pong = 0;

  bool send(std::string frame) override {
    if (!has_room) return false;
    channel::FrameReader reader(channel::Sender::worker);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(reader.next(in).value());
    types.push_back(reader.type());
    if (reader.type() == FrameType::state) {
      states.push_back(channel::read_state(reader.body()).value());
      reason = states.back().reason;
      broker = states.back().broker;
    }
    if (reader.type() == FrameType::assigned) {
      const auto one = channel::read_assigned(reader.body()).value();
      assigned.push_back(std::string(one.topic) + std::to_string(one.partition));
    }
    if (reader.type() == FrameType::log) logs.emplace_back(channel::read_log(reader.body()).value().text);
    if (reader.type() == FrameType::pong) pong = channel::read_ping(reader.body()).value();
    return true;
  }
  bool send_record(std::string&& frame) override {
    if (!takes_records) return false;
    EXPECT_LE(frame.size(), channel::kRecordFrameBytesMax);
    channel::FrameReader reader(channel::Sender::worker);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(reader.next(in).value());
    types.push_back(reader.type());
    const auto record = channel::read_record(reader.body()).value();
    records.push_back({record, std::string(record.topic), std::string(record.payload)});
    return true;
  }
};

class KafkaSession : public ::testing::Test {
 protected:
  void SetUp() override {
    consumer.looks[0] = {.kind = TopicLook::Kind::found, .partitions = 1};
    session.start();
  }

  static channel::Source settings() {
    channel::Source s;
    s.name = "plant";
    s.kind = "kafka";
    s.appliance_hex = "00112233445566778899aabbccddeeff";
    s.store_hex = "ffeeddccbbaa99887766554433221100";
    s.servers[0] = "10.0.0.1:9092";
    s.servers_count = 1;
    s.topics[0] = "events";
    s.topics_count = 1;
    return s;
  }
  bool frame(const std::string& bytes) {
    channel::FrameReader reader(channel::Sender::core);
    Bytes in = as_bytes(bytes);
    EXPECT_TRUE(reader.next(in).value());
    return session.on_frame(reader, moment());
  }
  Moment moment() const { return {Monotonic{}.after_ms(now), 0}; }
  void tick(std::int64_t ms = 0) {
    now += ms;
    session.tick(moment());
  }
  void begin(const channel::Source& source) {
    EXPECT_TRUE(frame(channel::write_source(source).value()));
    tick();
  }
  bool position(std::int64_t offset, std::int32_t partition = 0, std::string_view topic = "events") {
    const bool ok = frame(channel::write_position({topic, partition, offset}));
    tick();
    return ok;
  }
  bool settle(std::uint64_t number, std::uint32_t of_session = 1) {
    const bool ok = frame(channel::write_settle({of_session, number}));
    tick();
    return ok;
  }
  void news(ConsumerNews::Kind kind, std::string text) {
    consumer.news.push_back({kind, std::move(text)});
    tick();
  }
  LinkState state() const { return core.states.back().state; }

  KafkaConsumer consumer;
  KafkaCore core;
  PartitionSession session{consumer, core, "tocsin-kafka, test"};
  std::int64_t now = 1'000;
};

TEST_F(KafkaSession, HelloComesBeforeAnythingElse) {
  core.has_room = false;
  begin(settings());
  EXPECT_TRUE(core.types.empty());
  core.has_room = true;
  tick();
  ASSERT_GE(core.types.size(), 3U);
  EXPECT_EQ(core.types[0], FrameType::hello);
  EXPECT_EQ(core.types[1], FrameType::state);
  EXPECT_EQ(core.types[2], FrameType::assigned);
}

TEST_F(KafkaSession, APartitionIsReadFromWhereTheCoreSays) {
  begin(settings());
  EXPECT_EQ(state(), LinkState::connected);
  EXPECT_EQ(core.states.back().session, 1U);
  EXPECT_EQ(core.broker, "10.0.0.1:9092");
  EXPECT_EQ(core.assigned, (std::vector<std::string>{"events0"}));
  EXPECT_TRUE(consumer.reads.empty());
  EXPECT_TRUE(position(41));
  EXPECT_EQ(consumer.reads, (std::vector<KafkaConsumer::Read>{{0, 0, 41}}));
}

TEST_F(KafkaSession, RecordsAreNumberedFromOneWithTheirOffsets) {
  begin(settings());
  EXPECT_TRUE(position(41));
  consumer.give(RecordKind::message, 41, "a");
  consumer.give(RecordKind::message, 43, "b");
  tick();
  ASSERT_EQ(core.records.size(), 2U);
  EXPECT_EQ(core.records[0].head.number, 1U);
  EXPECT_EQ(core.records[0].head.offset, 41);
  EXPECT_EQ(core.records[0].payload, "a");
  EXPECT_EQ(core.records[0].topic, "events");
  EXPECT_EQ(core.records[1].head.number, 2U);
  EXPECT_EQ(core.records[1].head.offset, 43);
  EXPECT_FALSE(core.records[1].head.may_repeat);
  EXPECT_TRUE(consumer.things.empty());
}

TEST_F(KafkaSession, WithoutAPositionAPartitionBeginsAtItsStart) {
  begin(settings());
  EXPECT_TRUE(position(kNoOffset));
  EXPECT_EQ(consumer.reads, (std::vector<KafkaConsumer::Read>{{0, 0, Consumer::kFromStart}}));
  consumer.give(RecordKind::end, 7);
  tick();
  EXPECT_TRUE(core.records.empty());
}

TEST_F(KafkaSession, AtItsEndWhenAskedToAndSaysWhereThatIs) {
  auto source = settings();
  source.from_end = true;
  begin(source);
  EXPECT_TRUE(position(kNoOffset));
  EXPECT_EQ(consumer.reads, (std::vector<KafkaConsumer::Read>{{0, 0, Consumer::kFromEnd}}));
  consumer.give(RecordKind::end, 7);
  consumer.give(RecordKind::end, 7);
  consumer.give(RecordKind::message, 7, "a");
  tick();
  ASSERT_EQ(core.records.size(), 2U);
  EXPECT_TRUE(core.records[0].head.is_mark);
  EXPECT_EQ(core.records[0].head.offset, 6);
  EXPECT_EQ(core.records[1].head.offset, 7);
  EXPECT_EQ(core.records[1].head.number, 2U);
}

TEST_F(KafkaSession, TheEndOfAnEmptyPartitionIsTold) {
  auto source = settings();
  source.from_end = true;
  begin(source);
  EXPECT_TRUE(position(kNoOffset));
  consumer.give(RecordKind::end, 0);
  tick();
  ASSERT_EQ(core.records.size(), 1U);
  EXPECT_TRUE(core.records[0].head.is_mark);
  EXPECT_EQ(core.records[0].head.offset, -1);
}

TEST_F(KafkaSession, ARecordThatComesBeforeTheEndIsKnownMarksItTo) {
  auto source = settings();
  source.from_end = true;
  begin(source);
  EXPECT_TRUE(position(kNoOffset));
  consumer.give(RecordKind::message, 9, "a");
  tick();
  ASSERT_EQ(core.records.size(), 2U);
  EXPECT_TRUE(core.records[0].head.is_mark);
  EXPECT_EQ(core.records[0].head.offset, 8);
  EXPECT_EQ(core.records[1].payload, "a");
}

TEST_F(KafkaSession, AKnownPositionCountsMoreThanTheEnd) {
  auto source = settings();
  source.from_end = true;
  begin(source);
  EXPECT_TRUE(position(5));
  EXPECT_EQ(consumer.reads, (std::vector<KafkaConsumer::Read>{{0, 0, 5}}));
}

TEST_F(KafkaSession, TheWindowHoldsWhatIsNotSettled) {
  begin(settings());
  EXPECT_TRUE(position(0));
  for (int i = 0; i < 5; ++i) consumer.give(RecordKind::message, i, std::string(30'000, 'x'));
  tick();
  EXPECT_EQ(core.records.size(), 2U);
  EXPECT_EQ(consumer.things.size(), 3U);
  EXPECT_TRUE(settle(1));
  EXPECT_EQ(core.records.size(), 3U);
  EXPECT_TRUE(settle(3));
  EXPECT_EQ(core.records.size(), 5U);
}

TEST_F(KafkaSession, TheWindowIsFilledToTheByte) {
  begin(settings());
  EXPECT_TRUE(position(0));
  constexpr std::size_t kAround = channel::kFrameHeadBytes + channel::kRecordHeadBytes + 6;
  const std::size_t half = channel::kRecordWindowBytes / 2;
  consumer.give(RecordKind::message, 0, std::string(half - kAround, 'x'));
  consumer.give(RecordKind::message, 1, std::string(half - kAround + 1, 'x'));
  tick();
  EXPECT_EQ(core.records.size(), 1U);
  consumer.things.front().bytes.pop_back();
  tick();
  EXPECT_EQ(core.records.size(), 2U);
}

TEST_F(KafkaSession, ALargeMessageIsCutAndItsSizeTold) {
  begin(settings());
  EXPECT_TRUE(position(0));
  consumer.give(RecordKind::message, 0, std::string(channel::kRecordPayloadBytesMax, 'x'));
  consumer.give(RecordKind::message, 1, std::string(900'000, 'x'));
  tick();
  EXPECT_TRUE(settle(1));
  ASSERT_EQ(core.records.size(), 2U);
  EXPECT_EQ(core.records[0].head.payload_bytes, 60'000U);
  EXPECT_EQ(core.records[1].head.payload_bytes, 900'000U);
  EXPECT_EQ(core.records[1].payload.size(), 60'000U);
}

TEST_F(KafkaSession, NothingIsTakenWhileARecordIsOnItsWay) {
  begin(settings());
  EXPECT_TRUE(position(0));
  core.takes_records = false;
  consumer.give(RecordKind::message, 0);
  tick();
  EXPECT_EQ(consumer.things.size(), 1U);
  core.takes_records = true;
  tick();
  ASSERT_EQ(core.records.size(), 1U);
  EXPECT_EQ(core.records[0].head.number, 1U);
}

TEST_F(KafkaSession, SettlingWhatWasNotSentIsAProtocolError) {
  begin(settings());
  EXPECT_TRUE(position(0));
  consumer.give(RecordKind::message, 0);
  tick();
  EXPECT_FALSE(settle(2));
  EXPECT_TRUE(settle(1));
  EXPECT_TRUE(settle(9, 7));  // of a session that is over: dropped
}

TEST_F(KafkaSession, ALostClusterBeginsANewSessionAtNewPositions) {
  begin(settings());
  EXPECT_TRUE(position(0));
  consumer.give(RecordKind::message, 0, std::string(60'000, 'x'));
  consumer.give(RecordKind::message, 1, std::string(60'000, 'x'));
  tick();
  news(ConsumerNews::Kind::trouble, "10.0.0.1:9092: Connection refused");
  news(ConsumerNews::Kind::lost, "1/1 brokers are down");
  EXPECT_EQ(state(), LinkState::disconnected);
  EXPECT_EQ(core.reason, "10.0.0.1:9092: Connection refused");
  EXPECT_EQ(consumer.left, (std::vector<std::pair<std::size_t, std::int32_t>>{{0, 0}}));
  EXPECT_TRUE(settle(1));  // still on its way then
  tick(2'000);
  EXPECT_EQ(state(), LinkState::connected);
  EXPECT_EQ(core.states.back().session, 2U);
  EXPECT_EQ(core.assigned.size(), 2U);
  EXPECT_TRUE(position(1));
  EXPECT_EQ(consumer.reads.back(), (KafkaConsumer::Read{0, 0, 1}));
  consumer.give(RecordKind::message, 1, std::string(60'000, 'x'));
  tick();
  EXPECT_EQ(core.records.back().head.session, 2U);
  EXPECT_EQ(core.records.back().head.number, 1U);
}

TEST_F(KafkaSession, ASessionThatEndsBeforeItsAnswersEndsTheWorker) {
  begin(settings());
  ASSERT_EQ(core.assigned.size(), 1U);
  news(ConsumerNews::Kind::lost, "all down");
  EXPECT_TRUE(session.broken());
  EXPECT_TRUE(position(3));  // was on its way
  EXPECT_TRUE(consumer.reads.empty());
}

TEST_F(KafkaSession, ASecondAnswerForAPartitionIsAProtocolError) {
  begin(settings());
  EXPECT_TRUE(position(3));
  EXPECT_FALSE(position(3));
}

TEST_F(KafkaSession, WhileNoBrokerAnswersItAsksLaterAndLater) {
  consumer.looks[0] = {.kind = TopicLook::Kind::away};
  begin(settings());
  EXPECT_EQ(state(), LinkState::connecting);
  news(ConsumerNews::Kind::trouble, "refused");
  EXPECT_EQ(state(), LinkState::disconnected);
  const auto states = core.states.size();
  std::size_t looks = consumer.look_waits.size();
  for (int s = 0; s < 300; ++s) tick(1'000);
  looks = consumer.look_waits.size() - looks;
  EXPECT_GE(looks, 8U);
  EXPECT_LE(looks, 20U);
  EXPECT_EQ(core.states.size(), states);
  EXPECT_EQ(consumer.look_waits.back(), PartitionSession::kLookMsFirst);
}

TEST_F(KafkaSession, WithoutAnyNewsConnectingEnds) {
  consumer.looks[0] = {.kind = TopicLook::Kind::away};
  begin(settings());
  for (int s = 0; s < 30; ++s) tick(1'000);
  EXPECT_EQ(state(), LinkState::disconnected);
  EXPECT_EQ(core.reason, "no answer within 10 s");
}

TEST_F(KafkaSession, ASlowAnswerIsWaitedForLonger) {
  consumer.looks[0] = {.kind = TopicLook::Kind::late};
  begin(settings());
  for (int s = 0; s < 60; ++s) tick(1'000);
  EXPECT_EQ(consumer.look_waits.back(), PartitionSession::kLookMsMax);
  consumer.looks[0] = {.kind = TopicLook::Kind::found, .partitions = 1};
  for (int s = 0; s < 90; ++s) tick(1'000);
  EXPECT_EQ(state(), LinkState::connected);
}

TEST_F(KafkaSession, WrongCredentialsAreARefusal) {
  consumer.looks[0] = {.kind = TopicLook::Kind::away};
  begin(settings());
  news(ConsumerNews::Kind::refused, "SASL authentication error");
  EXPECT_EQ(state(), LinkState::refused);
  EXPECT_EQ(core.reason, "SASL authentication error");
}

TEST_F(KafkaSession, ATopicThatDoesNotExistIsWaitedForAndReadFromItsStart) {
  auto source = settings();
  source.from_end = true;
  consumer.looks[0] = {.kind = TopicLook::Kind::absent};
  begin(source);
  EXPECT_EQ(state(), LinkState::connected);
  EXPECT_TRUE(core.assigned.empty());
  EXPECT_EQ(core.logs.size(), 1U);
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(core.logs.size(), 1U);
  consumer.looks[0] = {.kind = TopicLook::Kind::found, .partitions = 2};
  tick(PartitionSession::kLookAgainMs);
  EXPECT_EQ(core.assigned, (std::vector<std::string>{"events0", "events1"}));
  EXPECT_TRUE(position(kNoOffset, 1));
  EXPECT_EQ(consumer.reads, (std::vector<KafkaConsumer::Read>{{0, 1, Consumer::kFromStart}}));
}

TEST_F(KafkaSession, NewPartitionsAreReadFromTheirStart) {
  auto source = settings();
  source.from_end = true;
  begin(source);
  EXPECT_TRUE(position(kNoOffset));
  consumer.looks[0].partitions = 3;
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(core.assigned, (std::vector<std::string>{"events0", "events1", "events2"}));
  EXPECT_TRUE(position(kNoOffset, 2));
  EXPECT_EQ(consumer.reads.back(), (KafkaConsumer::Read{0, 2, Consumer::kFromStart}));
}

TEST_F(KafkaSession, OneAnswerWithoutABrokerEndsTheSession) {
  begin(settings());
  EXPECT_TRUE(position(0));
  consumer.looks[0] = {.kind = TopicLook::Kind::away};
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(state(), LinkState::disconnected);
}

TEST_F(KafkaSession, WhatTheBrokerHasNoMoreIsCountedAndLeftOut) {
  begin(settings());
  EXPECT_TRUE(position(100));
  consumer.give(RecordKind::gone, 100);
  tick();
  EXPECT_EQ(consumer.reads.back(), (KafkaConsumer::Read{0, 0, Consumer::kFromStart}));
  consumer.give(RecordKind::message, 150);
  tick();
  ASSERT_EQ(core.logs.size(), 1U);
  EXPECT_NE(core.logs[0].find("events [0]: 50 records from offset 100 on are gone"), std::string::npos) << core.logs[0];
  EXPECT_EQ(core.records.size(), 1U);
}

TEST_F(KafkaSession, AnEmptiedPartitionTellsAtItsEndHowManyAreGone) {
  begin(settings());
  EXPECT_TRUE(position(100));
  consumer.give(RecordKind::gone, 100);
  tick();
  consumer.give(RecordKind::end, 120);
  consumer.give(RecordKind::end, 120);
  tick();
  ASSERT_EQ(core.logs.size(), 1U);
  EXPECT_NE(core.logs[0].find("20 records"), std::string::npos) << core.logs[0];
}

TEST_F(KafkaSession, ATopicMadeAgainIsSaidSo) {
  begin(settings());
  EXPECT_TRUE(position(100));
  consumer.give(RecordKind::gone, 100);
  tick();
  consumer.give(RecordKind::message, 0);
  tick();
  ASSERT_EQ(core.logs.size(), 1U);
  EXPECT_NE(core.logs[0].find("nothing from offset 100 on"), std::string::npos) << core.logs[0];
}

TEST_F(KafkaSession, ATopicThatWentAndCameBackIsReadInANewSession) {
  begin(settings());
  EXPECT_TRUE(position(0));
  consumer.give(RecordKind::absent, 0, "Unknown topic or partition");
  tick();
  EXPECT_EQ(consumer.left.size(), 1U);
  consumer.looks[0] = {.kind = TopicLook::Kind::absent};
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(core.states.back().session, 1U);
  consumer.looks[0] = {.kind = TopicLook::Kind::found, .partitions = 1};
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(state(), LinkState::disconnected);
  tick(2'000);
  EXPECT_EQ(core.states.back().session, 2U);
  EXPECT_EQ(core.assigned.size(), 2U);
}

TEST_F(KafkaSession, PartitionsAreBounded) {
  consumer.looks[0].partitions = static_cast<std::int32_t>(PartitionSession::kPartitionsMax) + 1;
  begin(settings());
  EXPECT_EQ(core.assigned.size(), PartitionSession::kPartitionsMax);
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(core.logs.size(), 1U);
}

TEST_F(KafkaSession, EachTopicIsLookedAt) {
  auto source = settings();
  source.topics[1] = "more";
  source.topics_count = 2;
  consumer.looks[1] = {.kind = TopicLook::Kind::refused, .text = "Topic authorization failed"};
  begin(source);
  EXPECT_EQ(consumer.topics, (std::vector<std::string>{"events", "more"}));
  EXPECT_EQ(core.assigned, (std::vector<std::string>{"events0"}));
  EXPECT_EQ(core.logs, (std::vector<std::string>{"more: Topic authorization failed"}));
  consumer.looks[1] = {.kind = TopicLook::Kind::found, .partitions = 1};
  tick(PartitionSession::kLookEveryMs);
  EXPECT_EQ(core.assigned, (std::vector<std::string>{"events0", "more0"}));
}

TEST_F(KafkaSession, SettingsThatCannotWorkAreRefusedWithTheReason) {
  auto source = settings();
  source.username = "u";
  source.sasl_mechanism = "GSSAPI";
  begin(source);
  EXPECT_EQ(state(), LinkState::refused);
  EXPECT_EQ(core.reason, "configuration: SASL mechanism");
  EXPECT_TRUE(consumer.topics.empty());
  tick(100'000);
  EXPECT_TRUE(consumer.look_waits.empty());
}

TEST_F(KafkaSession, AServerCannotSmuggleOthersIn) {
  auto source = settings();
  source.servers[0] = "a:9092,b:9092";
  begin(source);
  EXPECT_EQ(core.reason, "configuration: servers: host:port each");
  EXPECT_TRUE(consumer.topics.empty());
}

TEST_F(KafkaSession, WhatTheLibraryRefusesIsTold) {
  consumer.wrong = "ssl.ca.pem failed";
  begin(settings());
  EXPECT_EQ(state(), LinkState::refused);
  EXPECT_EQ(core.reason, "configuration: ssl.ca.pem failed");
}

TEST_F(KafkaSession, AConsumerThatCannotGoOnEndsTheWorker) {
  begin(settings());
  news(ConsumerNews::Kind::unable, "Unable to create broker thread");
  EXPECT_TRUE(session.broken());
}

TEST_F(KafkaSession, StopEndsItAndPingIsAnswered) {
  begin(settings());
  EXPECT_TRUE(frame(channel::write_ping(7)));
  tick();
  EXPECT_EQ(core.pong, 7U);
  EXPECT_TRUE(frame(channel::write_stop()));
  EXPECT_TRUE(session.ended());
  EXPECT_FALSE(session.next_deadline());
}

TEST_F(KafkaSession, FramesOfAnUpstreamAreAProtocolError) {
  begin(settings());
  channel::Configure configure;
  configure.servers[0] = "mqtt://a";
  configure.servers_count = 1;
  EXPECT_FALSE(frame(channel::write_configure(configure).value()));
  EXPECT_FALSE(frame(channel::write_source(settings()).value()));  // a second one
}

}  // namespace
}  // namespace tocsin::deliver
