// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/source_session.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "src/channel/writer.hpp"

namespace tocsin::deliver {
namespace {

using channel::FrameType;
using channel::LinkState;
using port::BrokerEvent;

struct FakeReader final : port::BrokerReader {
  std::vector<port::MqttVersion> versions;
  port::BrokerLogin login;
  port::BrokerWish wish;
  std::deque<port::BrokerMessageIn> waiting;
  bool reading = true;
  int taken = 0;         ///< and not acknowledged
  int acknowledged = 0;  ///< in all
  int closed = 0;

  void open(const port::BrokerServer&, const port::BrokerLogin& with, port::MqttVersion version,
            const port::BrokerWish& what) override {
    versions.push_back(version);
    login = with;
    wish = what;
    reading = true;
  }
  std::optional<port::BrokerMessageIn> take() override {
    if (waiting.empty()) return std::nullopt;
    auto out = std::move(waiting.front());
    waiting.pop_front();
    ++taken;
    return out;
  }
  void set_reading(bool on) noexcept override { reading = on; }
  void acknowledge() noexcept override {
    EXPECT_TRUE(waiting.empty()) << "what was not taken must not be acknowledged";
    acknowledged += std::exchange(taken, 0);
  }
  void close() noexcept override {
    ++closed;
    taken = 0;
    waiting.clear();
  }
};

struct SeenRecord {
  std::uint32_t session;
  std::uint64_t number;
  std::string topic;
  std::string payload;
  std::uint32_t payload_bytes;
  bool may_repeat;
};

struct RecordingCore final : RecordOut {
  bool has_room = true;
  bool takes_records = true;
  std::vector<FrameType> types;
  std::vector<LinkState> states;
  std::string reason;
  std::string last_log;
  std::uint32_t session = 0;
  std::vector<SeenRecord> records;
  std::size_t unsettled_bytes = 0;

  bool send(std::string frame) override {
    if (!has_room) return false;
    channel::FrameReader reader(channel::Sender::worker);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(reader.next(in).value());
    types.push_back(reader.type());
    if (reader.type() == FrameType::state) {
      const auto state = channel::read_state(reader.body());
      states.push_back(state->state);
      reason = state->reason;
      if (state->state == LinkState::connected) {
        session = state->session;
        unsettled_bytes = 0;
      }
    }
    if (reader.type() == FrameType::log) last_log = channel::read_log(reader.body())->text;
    return true;
  }
  bool send_record(std::string&& frame) override {
    if (!takes_records) return false;
    channel::FrameReader reader(channel::Sender::worker);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(reader.next(in).value());
    const auto record = channel::read_record(reader.body()).value();
    types.push_back(reader.type());
    EXPECT_EQ(record.session, session) << "a record belongs to the session that the core knows";
    EXPECT_EQ(record.partition, 0);
    EXPECT_EQ(record.offset, channel::kNoOffset);
    records.push_back({record.session, record.number, std::string(record.topic), std::string(record.payload),
                       record.payload_bytes, record.may_repeat});
    unsettled_bytes += frame.size();
    EXPECT_LE(unsettled_bytes, channel::kRecordWindowBytes);
    return true;
  }
};

class WorkerSourceSession : public ::testing::Test {
 protected:
  static channel::Source settings() {
    channel::Source s;
    s.name = "plant";
    s.kind = "mqtt";
    s.appliance_hex = "00112233445566778899aabbccddeeff";
    s.store_hex = "ffeeddccbbaa99887766554433221100";
    s.servers[0] = "mqtt://one";
    s.servers_count = 1;
    s.topics[0] = "+/+/alarm";
    s.topics[1] = "site/#";
    s.topics_count = 2;
    return s;
  }

  bool feed(const std::string& frame) {
    channel::FrameReader reader(channel::Sender::core);
    Bytes in = as_bytes(frame);
    const auto done = reader.next(in);
    EXPECT_TRUE(done.ok() && *done);
    const bool good = session.on_frame(reader, at());
    session.tick(at());
    return good;
  }
  bool settle(std::uint64_t number, std::uint32_t in_session = 0) {
    core.unsettled_bytes = 0;
    return feed(channel::write_settle({in_session == 0 ? core.session : in_session, number}));
  }
  void event(const BrokerEvent& e) {
    session.on_broker(e, at());
    session.tick(at());
  }
  void connect() {
    event({.kind = BrokerEvent::Kind::connected});
    event({.kind = BrokerEvent::Kind::subscribed});
  }
  void begin() {
    EXPECT_TRUE(feed(*channel::write_source(settings())));
    connect();
  }
  void come(const std::string& payload, std::size_t payload_bytes = 0) {
    broker.waiting.push_back({.topic = "a/b/alarm",
                              .payload = payload,
                              .payload_bytes = payload_bytes == 0 ? payload.size() : payload_bytes});
    session.tick(at());
  }
  void pass_ms(std::int64_t ms) {
    now = now.after_ms(ms);
    session.tick(at());
  }
  [[nodiscard]] Moment at() const { return {now, 0}; }

  Monotonic now{1'000'000'000};
  FakeReader broker;
  RecordingCore core;
  SourceSession session{broker, core};
};

TEST_F(WorkerSourceSession, AsksForItsTopicsUnderANameOfItsOwn) {
  EXPECT_TRUE(feed(*channel::write_source(settings())));
  EXPECT_EQ(broker.versions, std::vector{port::MqttVersion::v5});
  EXPECT_EQ(broker.wish.topics, (std::vector<std::string>{"+/+/alarm", "site/#"}));
  EXPECT_EQ(broker.wish.message_bytes_max, 0u);
  EXPECT_EQ(broker.wish.payload_bytes_kept, channel::kRecordPayloadBytesMax);
  EXPECT_EQ(broker.login.client_id.size(), 23u);
  EXPECT_TRUE(broker.login.client_id.starts_with("tocsrc-00112233"));
  EXPECT_EQ(core.states, std::vector{LinkState::connecting});

  FakeReader other_broker;
  SourceSession other{other_broker, core};
  auto renamed = settings();
  renamed.name = "yard";
  const std::string frame = *channel::write_source(renamed);
  channel::FrameReader reader(channel::Sender::core);
  Bytes in = as_bytes(frame);
  EXPECT_TRUE(*reader.next(in));
  EXPECT_TRUE(other.on_frame(reader, at()));
  other.tick(at());
  EXPECT_NE(other_broker.login.client_id, broker.login.client_id);
}

TEST_F(WorkerSourceSession, IsConnectedOnceTheBrokerGrantedTheTopics) {
  EXPECT_TRUE(feed(*channel::write_source(settings())));
  event({.kind = BrokerEvent::Kind::connected});
  EXPECT_EQ(core.states.back(), LinkState::connecting);
  event({.kind = BrokerEvent::Kind::subscribed});
  EXPECT_EQ(core.states.back(), LinkState::connected);
  EXPECT_EQ(core.session, 1u);
}

TEST_F(WorkerSourceSession, SaysInWordsThatATopicIsRefused) {
  EXPECT_TRUE(feed(*channel::write_source(settings())));
  event({.kind = BrokerEvent::Kind::connected});
  event({.kind = BrokerEvent::Kind::subscribed, .text = "topic site/#: Not authorized", .failed = true});
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_EQ(core.reason, "topic site/#: Not authorized");
  EXPECT_EQ(broker.closed, 1);
}

TEST_F(WorkerSourceSession, AcknowledgesAfterTheSettleAndNotBefore) {
  begin();
  come("one");
  ASSERT_EQ(core.records.size(), 1u);
  EXPECT_EQ(core.records[0].number, 1u);
  EXPECT_EQ(core.records[0].topic, "a/b/alarm");
  EXPECT_EQ(core.records[0].payload, "one");
  pass_ms(20'000);
  EXPECT_EQ(broker.acknowledged, 0);
  EXPECT_TRUE(settle(1));
  EXPECT_EQ(broker.acknowledged, 1);
}

TEST_F(WorkerSourceSession, StopsReadingFromTheFirstSettleToTheLast) {
  begin();
  come("one");
  come("two");
  EXPECT_TRUE(broker.reading);
  EXPECT_TRUE(settle(1));
  EXPECT_FALSE(broker.reading);
  EXPECT_EQ(broker.acknowledged, 0);
  EXPECT_TRUE(settle(2));
  EXPECT_TRUE(broker.reading);
  EXPECT_EQ(broker.acknowledged, 2);
  come("three");
  EXPECT_EQ(core.records.back().number, 3u);
}

TEST_F(WorkerSourceSession, KeepsARecordThatDoesNotFitTheWindowAndReadsNoMore) {
  begin();
  come(std::string(channel::kRecordPayloadBytesMax, 'x'));
  come(std::string(6'000, 'y'));
  EXPECT_EQ(core.records.size(), 1u);
  EXPECT_FALSE(broker.reading);
  EXPECT_TRUE(settle(1));
  ASSERT_EQ(core.records.size(), 2u);
  EXPECT_EQ(core.records[1].number, 2u);
  EXPECT_EQ(broker.acknowledged, 0) << "the second was read before the first was settled";
  EXPECT_TRUE(settle(2));
  EXPECT_EQ(broker.acknowledged, 2);
  EXPECT_TRUE(broker.reading);
}

TEST_F(WorkerSourceSession, KeepsARecordForWhichTheLinkHasNoRoom) {
  begin();
  core.takes_records = false;
  come("one");
  EXPECT_FALSE(broker.reading);
  EXPECT_EQ(broker.acknowledged, 0);
  core.takes_records = true;
  session.tick(at());
  EXPECT_EQ(core.records.size(), 1u);
  EXPECT_TRUE(broker.reading);
}

TEST_F(WorkerSourceSession, TellsTheStateBeforeTheFirstRecord) {
  EXPECT_TRUE(feed(*channel::write_source(settings())));
  core.has_room = false;
  event({.kind = BrokerEvent::Kind::connected, .resumed = true});
  come("kept by the broker");
  EXPECT_TRUE(core.records.empty());
  core.has_room = true;
  session.tick(at());
  ASSERT_EQ(core.records.size(), 1u) << "a session that goes on does not wait for the topics";
  EXPECT_EQ(core.types.back(), FrameType::record);
  event({.kind = BrokerEvent::Kind::subscribed});
  EXPECT_EQ(core.session, 1u) << "and is the same afterwards";
}

TEST_F(WorkerSourceSession, CountsRecordsAnewInEachSession) {
  begin();
  come("one");
  event({.kind = BrokerEvent::Kind::lost, .text = "gone"});
  EXPECT_EQ(core.states.back(), LinkState::disconnected);
  EXPECT_EQ(broker.closed, 1);
  pass_ms(1'500);
  connect();
  come("one again");
  EXPECT_EQ(core.records.back().session, 2u);
  EXPECT_EQ(core.records.back().number, 1u);
  EXPECT_EQ(broker.acknowledged, 0);
  EXPECT_TRUE(settle(1, 1)) << "meant for the connection before";
  EXPECT_EQ(broker.acknowledged, 0);
  EXPECT_TRUE(settle(1, 2));
  EXPECT_EQ(broker.acknowledged, 1);
}

TEST_F(WorkerSourceSession, IgnoresASettleWhileThereIsNoConnection) {
  begin();
  come("one");
  event({.kind = BrokerEvent::Kind::lost});
  EXPECT_TRUE(settle(1, 1));
  EXPECT_EQ(broker.acknowledged, 0);
}

TEST_F(WorkerSourceSession, TakesASettleOfARecordThatWasNotSentForAProtocolError) {
  begin();
  come("one");
  EXPECT_FALSE(settle(2));
}

TEST_F(WorkerSourceSession, TakesWhatAPublisherGetsForAProtocolError) {
  begin();
  EXPECT_FALSE(feed(*channel::write_source(settings()))) << "a second time";
  EXPECT_FALSE(feed(channel::write_position({.topic = "t"})));
  channel::DataWriter data({.session = 1});
  EXPECT_TRUE(data.add({1, 0, true, "{}"}));
  EXPECT_FALSE(feed(data.take()));
}

TEST_F(WorkerSourceSession, HandsALargeMessageOnCutAndSaysSo) {
  begin();
  come(std::string(channel::kRecordPayloadBytesMax, 'x'), 200'000);
  ASSERT_EQ(core.records.size(), 1u);
  EXPECT_EQ(core.records[0].payload.size(), channel::kRecordPayloadBytesMax);
  EXPECT_EQ(core.records[0].payload_bytes, 200'000u);
}

TEST_F(WorkerSourceSession, CutsATopicAtACharacter) {
  begin();
  std::string topic(channel::kTopicBytesMax - 1, 't');
  topic += "\xC3\xA9/alarm";
  broker.waiting.push_back({.topic = topic, .payload = "{}", .payload_bytes = 2, .is_repeat = true});
  session.tick(at());
  ASSERT_EQ(core.records.size(), 1u);
  EXPECT_EQ(core.records[0].topic, std::string(channel::kTopicBytesMax - 1, 't'));
  EXPECT_TRUE(core.records[0].may_repeat);
}

TEST_F(WorkerSourceSession, SaysHowManyMessagesFoundNoRoom) {
  begin();
  broker.waiting.push_back({.topic = "t", .payload = "{}", .payload_bytes = 2, .left_out = 7});
  session.tick(at());
  EXPECT_EQ(core.last_log, "7 messages of QoS 0 found no room");
}

TEST_F(WorkerSourceSession, AsksForSmallerPacketsForAMinuteAfterOneThatWasTooLarge) {
  begin();
  event({.kind = BrokerEvent::Kind::lost, .text = "a message is larger than there is memory for", .too_large = true});
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_EQ(
      core.reason,
      "a message is larger than there is memory for; the broker is asked to drop those above 512 KiB for a minute");
  pass_ms(1'500);
  EXPECT_EQ(broker.wish.message_bytes_max, SourceSession::kMessageBytesMax);
  connect();
  come("one");
  pass_ms(SourceSession::kLimitedMs);
  EXPECT_EQ(broker.versions.size(), 2u) << "not while a record is unsettled";
  EXPECT_FALSE(session.next_deadline());
  EXPECT_TRUE(settle(1));
  EXPECT_EQ(broker.versions.size(), 3u);
  EXPECT_EQ(broker.wish.message_bytes_max, 0u);
  connect();
  EXPECT_EQ(core.session, 3u);
}

TEST_F(WorkerSourceSession, SaysThatMqtt311CannotLeaveAMessageOut) {
  auto s = settings();
  s.kind = "mqtt-3.1.1";
  EXPECT_TRUE(feed(*channel::write_source(s)));
  connect();
  event({.kind = BrokerEvent::Kind::lost, .text = "too large", .too_large = true});
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_EQ(core.reason, "too large; MQTT 3.1.1 cannot leave it out, so the broker has to");
  pass_ms(1'500);
  EXPECT_EQ(broker.wish.message_bytes_max, 0u);
}

TEST_F(WorkerSourceSession, KeepsTheLimitUntilAConnectionWithItHasLasted) {
  begin();
  event({.kind = BrokerEvent::Kind::lost, .too_large = true});
  pass_ms(1'500);
  connect();
  event({.kind = BrokerEvent::Kind::lost});
  pass_ms(60'000);
  EXPECT_EQ(broker.wish.message_bytes_max, SourceSession::kMessageBytesMax);
}

TEST_F(WorkerSourceSession, WarnsWhenTheBrokerHasForgottenTheSession) {
  begin();
  EXPECT_EQ(core.last_log, "");
  event({.kind = BrokerEvent::Kind::lost});
  pass_ms(1'500);
  event({.kind = BrokerEvent::Kind::connected});
  EXPECT_EQ(core.last_log, "one:1883 has not kept our session: messages may be lost");
}

TEST_F(WorkerSourceSession, FallsBackToMqtt311) {
  EXPECT_TRUE(feed(*channel::write_source(settings())));
  event({.kind = BrokerEvent::Kind::refused, .wrong_version = true});
  EXPECT_EQ(broker.versions.back(), port::MqttVersion::v311) << "at once";
  connect();
  EXPECT_EQ(core.reason, "MQTT 3.1.1");
}

TEST_F(WorkerSourceSession, GivesUpAnAttemptWithoutAnAnswerAboutTheTopics) {
  EXPECT_TRUE(feed(*channel::write_source(settings())));
  event({.kind = BrokerEvent::Kind::connected});
  EXPECT_EQ(session.next_deadline()->ns, now.after_ms(SourceSession::kOpenMsMax).ns);
  pass_ms(SourceSession::kOpenMsMax);
  EXPECT_EQ(core.states.back(), LinkState::disconnected);
}

TEST_F(WorkerSourceSession, StopsAtOnceWhenNothingIsUnsettled) {
  begin();
  EXPECT_TRUE(feed(channel::write_stop()));
  EXPECT_TRUE(session.ended());
  EXPECT_EQ(broker.closed, 1);
}

TEST_F(WorkerSourceSession, WaitsForTheLastSettleBeforeItStops) {
  begin();
  come("one");
  EXPECT_TRUE(feed(channel::write_stop()));
  EXPECT_FALSE(session.ended());
  EXPECT_FALSE(broker.reading);
  EXPECT_TRUE(settle(1));
  EXPECT_TRUE(session.ended());
  EXPECT_EQ(broker.acknowledged, 1);
}

TEST_F(WorkerSourceSession, StopsWithoutTheLastSettleInTime) {
  begin();
  come("one");
  EXPECT_TRUE(feed(channel::write_stop()));
  pass_ms(SourceSession::kGoodbyeMsMax);
  EXPECT_TRUE(session.ended());
  EXPECT_EQ(broker.acknowledged, 0);
}

TEST_F(WorkerSourceSession, SaysWhatIsWrongWithItsSettingsAndWaits) {
  auto bad = settings();
  bad.kind = "kafka";
  EXPECT_TRUE(feed(*channel::write_source(bad)));
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_EQ(core.reason, "configuration: this worker speaks mqtt only");
  pass_ms(600'000);
  EXPECT_TRUE(broker.versions.empty());
}

TEST_F(WorkerSourceSession, AnswersPings) {
  begin();
  EXPECT_TRUE(feed(channel::write_ping(7)));
  EXPECT_EQ(core.types.back(), FrameType::pong);
}

}  // namespace
}  // namespace tocsin::deliver
