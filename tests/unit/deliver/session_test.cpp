// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tocsin::deliver {
namespace {

using channel::FrameType;
using channel::LinkState;
using port::BrokerEvent;

struct FakeBroker final : port::Broker {
  std::vector<std::string> opened;
  std::vector<port::MqttVersion> versions;
  std::vector<std::string> topics;
  std::vector<std::string> payloads;
  std::vector<std::size_t> property_counts;
  std::string client_id;
  int closed = 0;
  int next_message = 1;
  port::Published answer = port::Published::yes;

  void open(const port::BrokerServer& server, const port::BrokerLogin& login, port::MqttVersion version) override {
    opened.push_back(server.host);
    versions.push_back(version);
    client_id = login.client_id;
  }
  port::PublishResult publish(const port::BrokerMessage& message) override {
    topics.emplace_back(message.topic);
    payloads.emplace_back(message.payload);
    property_counts.push_back(message.properties.size());
    return {answer, next_message++};
  }
  void close() noexcept override { ++closed; }
};

/// Reads what the session says as the core would.
struct FakeCore final : FrameOut {
  bool has_room = true;
  channel::CreditAccount credit;
  std::vector<FrameType> types;
  std::vector<LinkState> states;
  std::string reason;
  std::array<std::uint64_t, channel::kLanes> confirmed{};
  std::uint64_t pong = 0;

  bool send(std::string frame) override {
    if (!has_room) return false;
    channel::FrameReader reader(channel::Sender::worker);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(reader.next(in).value());
    types.push_back(reader.type());
    if (reader.type() == FrameType::state) {
      const auto state = channel::read_state(reader.body());
      credit.on_state(*state);
      states.push_back(state->state);
      reason = state->reason;
    }
    if (reader.type() == FrameType::credit) {
      EXPECT_TRUE(credit.on_credit(*channel::read_credit(reader.body())));
    }
    if (reader.type() == FrameType::confirm) {
      const auto confirm = channel::read_confirm(reader.body());
      EXPECT_GT(confirm->seq, confirmed[confirm->lane]);
      confirmed[confirm->lane] = confirm->seq;
    }
    if (reader.type() == FrameType::pong) pong = *channel::read_ping(reader.body());
    return true;
  }
};

class WorkerSession : public ::testing::Test {
 protected:
  static channel::Configure settings() {
    channel::Configure c;
    c.upstream = "centre";
    c.kind = "mqtt";
    c.topic_template = "tocsin/{appliance}/{data_id}";
    c.format = "bk";
    c.appliance_hex = "00112233445566778899aabbccddeeff";
    c.store_hex = "ffeeddccbbaa99887766554433221100";
    c.servers[0] = "mqtt://one";
    c.servers_count = 1;
    return c;
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
  void event(BrokerEvent e) {
    session.on_broker(e, at());
    session.tick(at());
  }
  void connect() { event({.kind = BrokerEvent::Kind::connected}); }
  void begin() {
    session.start();
    EXPECT_TRUE(feed(*channel::write_configure(settings())));
    connect();
  }
  void pass_ms(std::int64_t ms) {
    now = now.after_ms(ms);
    session.tick(at());
  }
  [[nodiscard]] Moment at() const { return {now, 0}; }

  static std::string data(std::uint32_t in_session, std::uint64_t seq, std::uint8_t lane = 2,
                          const std::string& json = "{}") {
    channel::DataWriter writer({.session = in_session, .lane = lane, .boot = 1, .data_id = 5});
    EXPECT_TRUE(writer.add({seq, 0, true, json}));
    return writer.take();
  }
  bool offer(std::uint64_t seq, std::uint8_t lane = 2, const std::string& json = "{}") {
    const std::string frame = data(core.credit.session(), seq, lane, json);
    EXPECT_TRUE(core.credit.spend(frame.size()));
    return feed(frame);
  }

  Monotonic now{1'000'000'000};
  FakeBroker broker;
  FakeCore core;
  Session session{broker, core, "test"};
};

TEST_F(WorkerSession, SaysHelloFirstAndConnectsWhenConfigured) {
  session.start();
  session.tick(at());
  EXPECT_EQ(core.types, std::vector<FrameType>{FrameType::hello});
  EXPECT_TRUE(broker.opened.empty());
  EXPECT_TRUE(feed(*channel::write_configure(settings())));
  EXPECT_EQ(broker.opened, std::vector<std::string>{"one"});
  EXPECT_EQ(broker.client_id, "tocsin-00112233ffeeddcc");
  EXPECT_EQ(broker.versions.back(), port::MqttVersion::v5);
  EXPECT_EQ(core.states, std::vector<LinkState>{LinkState::connecting});
  EXPECT_EQ(core.credit.bytes(), 0u);
}

TEST_F(WorkerSession, GrantsOneLargestFrameWithEachConnection) {
  begin();
  EXPECT_EQ(core.credit.session(), 1u);
  EXPECT_EQ(core.credit.bytes(), channel::kDataFrameBytesMax);
}

TEST_F(WorkerSession, ConfirmsAndGivesCreditBackOnlyWhenAcknowledged) {
  begin();
  EXPECT_TRUE(offer(10));
  EXPECT_EQ(broker.topics.back(), "tocsin/00112233445566778899aabbccddeeff/5");
  EXPECT_EQ(broker.property_counts.back(), 6u);
  EXPECT_LT(core.credit.bytes(), channel::kDataFrameBytesMax);
  EXPECT_EQ(core.confirmed[2], 0u);
  event({.kind = BrokerEvent::Kind::acked, .message = 1});
  EXPECT_EQ(core.confirmed[2], 10u);
  EXPECT_EQ(core.credit.bytes(), channel::kDataFrameBytesMax);
}

TEST_F(WorkerSession, HandsTwentyMessagesOverAndKeepsTheRest) {
  begin();
  for (std::uint64_t seq = 1; seq <= 25; ++seq) EXPECT_TRUE(offer(seq));
  EXPECT_EQ(broker.payloads.size(), Session::kMessagesOutMax);
  event({.kind = BrokerEvent::Kind::acked, .message = 1});
  EXPECT_EQ(broker.payloads.size(), Session::kMessagesOutMax + 1);
  event({.kind = BrokerEvent::Kind::acked, .message = 3});
  EXPECT_EQ(core.confirmed[2], 1u) << "2 is still out";
  EXPECT_EQ(broker.payloads.size(), Session::kMessagesOutMax + 1) << "what waits for an earlier one counts as out";
  event({.kind = BrokerEvent::Kind::acked, .message = 2});
  EXPECT_EQ(core.confirmed[2], 3u);
}

TEST_F(WorkerSession, ForgetsEverythingWhenTheConnectionEnds) {
  begin();
  for (std::uint64_t seq = 1; seq <= 25; ++seq) EXPECT_TRUE(offer(seq));
  event({.kind = BrokerEvent::Kind::lost, .text = "gone"});
  EXPECT_EQ(core.states.back(), LinkState::disconnected);
  EXPECT_EQ(core.reason, "gone");
  EXPECT_EQ(broker.closed, 1);
  event({.kind = BrokerEvent::Kind::acked, .message = 1});
  EXPECT_EQ(core.confirmed[2], 0u);
  pass_ms(499);
  EXPECT_EQ(broker.opened.size(), 1u);
  pass_ms(1);
  EXPECT_EQ(broker.opened.size(), 2u);
  connect();
  EXPECT_EQ(core.credit.session(), 2u);
  EXPECT_EQ(core.credit.bytes(), channel::kDataFrameBytesMax);
  EXPECT_EQ(broker.payloads.size(), Session::kMessagesOutMax) << "nothing is sent again by itself";
  EXPECT_TRUE(offer(1));
  EXPECT_EQ(broker.payloads.size(), Session::kMessagesOutMax + 1);
}

TEST_F(WorkerSession, DropsDataOfAnotherSessionWithoutCredit) {
  begin();
  event({.kind = BrokerEvent::Kind::lost});
  EXPECT_TRUE(feed(data(1, 1)));
  pass_ms(500);
  connect();
  EXPECT_TRUE(feed(data(1, 2)));
  EXPECT_TRUE(broker.payloads.empty());
  EXPECT_EQ(core.credit.bytes(), channel::kDataFrameBytesMax);
}

TEST_F(WorkerSession, TakesAFrameBeyondTheCreditForAProtocolError) {
  begin();
  const std::string json = "\"" + std::string(300'000, 'x') + "\"";
  EXPECT_TRUE(feed(data(1, 1, 2, json)));
  EXPECT_TRUE(feed(data(1, 2, 2, json)));
  EXPECT_FALSE(feed(data(1, 3, 2, json)));
}

TEST_F(WorkerSession, TakesAFallingSequenceForAProtocolError) {
  begin();
  EXPECT_TRUE(offer(5));
  EXPECT_TRUE(offer(4, 0)) << "lanes have their own order";
  EXPECT_FALSE(offer(5));
}

TEST_F(WorkerSession, TakesASecondConfigurationForAProtocolError) {
  begin();
  EXPECT_FALSE(feed(*channel::write_configure(settings())));
}

TEST_F(WorkerSession, SaysWhatIsWrongWithAConfigurationAndWaits) {
  auto bad = settings();
  bad.servers[0] = "mqtts://one";
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(bad)));
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_EQ(core.reason, "configuration: mqtts needs ca_file");
  pass_ms(600'000);
  EXPECT_TRUE(broker.opened.empty());
}

TEST_F(WorkerSession, ReconnectsWhenTheBrokerDoesNotKeepAMessage) {
  begin();
  EXPECT_TRUE(offer(1));
  event({.kind = BrokerEvent::Kind::acked, .text = "quota", .message = 1, .failed = true});
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_EQ(core.confirmed[2], 0u);
  EXPECT_EQ(broker.closed, 1);
  pass_ms(500);
  connect();
  EXPECT_TRUE(offer(1));
  event({.kind = BrokerEvent::Kind::acked, .message = 2, .failed = true});
  pass_ms(500);
  EXPECT_EQ(broker.opened.size(), 2u) << "the second failure in a row waits longer";
  pass_ms(500);
  EXPECT_EQ(broker.opened.size(), 3u);
}

TEST_F(WorkerSession, ReportsAMessageThatIsTooLarge) {
  begin();
  broker.answer = port::Published::too_large;
  EXPECT_TRUE(offer(77));
  EXPECT_EQ(core.states.back(), LinkState::refused);
  EXPECT_NE(core.reason.find("event 77"), std::string::npos);
}

TEST_F(WorkerSession, RemembersABrokerThatDoesNotSpeakMqtt5) {
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(settings())));
  event({.kind = BrokerEvent::Kind::refused, .wrong_version = true});
  EXPECT_EQ(broker.versions.back(), port::MqttVersion::v311) << "at once";
  connect();
  event({.kind = BrokerEvent::Kind::lost});
  pass_ms(500);
  EXPECT_EQ(broker.versions.back(), port::MqttVersion::v311);
  event({.kind = BrokerEvent::Kind::refused, .wrong_version = true});
  pass_ms(60'000);
  EXPECT_EQ(broker.versions.back(), port::MqttVersion::v5) << "upgraded meanwhile";
}

TEST_F(WorkerSession, TriesMqtt311OnceInAWhileWhenABrokerOnlyHangsUp) {
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(settings())));
  for (int i = 0; i < 5; ++i) {
    event({.kind = BrokerEvent::Kind::lost, .silent = true});
    pass_ms(60'000);
  }
  using port::MqttVersion;
  EXPECT_EQ(broker.versions, (std::vector{MqttVersion::v5, MqttVersion::v5, MqttVersion::v311, MqttVersion::v5,
                                          MqttVersion::v5, MqttVersion::v311}));
}

TEST_F(WorkerSession, KeepsToTheVersionThatTheConfigurationNames) {
  using port::MqttVersion;
  auto c = settings();
  c.kind = "mqtt-3.1.1";
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(c)));
  event({.kind = BrokerEvent::Kind::refused, .wrong_version = true});
  pass_ms(60'000);
  EXPECT_EQ(broker.versions, std::vector(2, MqttVersion::v311));
}

TEST_F(WorkerSession, DoesNotFallBackWhenTheConfigurationSaysMqtt5) {
  auto c = settings();
  c.kind = "mqtt-5";
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(c)));
  for (int i = 0; i < 4; ++i) {
    event({.kind = BrokerEvent::Kind::refused, .wrong_version = true});
    pass_ms(60'000);
  }
  EXPECT_EQ(broker.versions, std::vector(5, port::MqttVersion::v5));
}

TEST_F(WorkerSession, StaysWithMqtt5WhenNobodyListens) {
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(settings())));
  for (int i = 0; i < 5; ++i) {
    event({.kind = BrokerEvent::Kind::lost, .silent = i % 3 == 0});
    pass_ms(60'000);
  }
  EXPECT_EQ(broker.versions, std::vector(6, port::MqttVersion::v5));
}

TEST_F(WorkerSession, TriesServersInTurnAndWaitsAfterTheLast) {
  auto c = settings();
  c.servers[1] = "mqtt://two";
  c.servers_count = 2;
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(c)));
  event({.kind = BrokerEvent::Kind::lost});
  EXPECT_EQ(broker.opened, (std::vector<std::string>{"one", "two"}));
  event({.kind = BrokerEvent::Kind::lost});
  EXPECT_EQ(broker.opened.size(), 2u);
  pass_ms(500);
  EXPECT_EQ(broker.opened.back(), "one");
}

TEST_F(WorkerSession, GivesUpAnAttemptAfterTenSeconds) {
  session.start();
  EXPECT_TRUE(feed(*channel::write_configure(settings())));
  EXPECT_EQ(session.next_deadline()->ns, now.after_ms(Session::kOpenMsMax).ns);
  pass_ms(Session::kOpenMsMax);
  EXPECT_EQ(core.states.back(), LinkState::disconnected);
  EXPECT_EQ(broker.closed, 1);
}

TEST_F(WorkerSession, WaitsForTheLastAcknowledgementBeforeItStops) {
  begin();
  EXPECT_TRUE(offer(1));
  EXPECT_TRUE(feed(channel::write_stop()));
  EXPECT_FALSE(session.ended());
  event({.kind = BrokerEvent::Kind::acked, .message = 1});
  EXPECT_TRUE(session.ended());
  EXPECT_EQ(core.confirmed[2], 1u);
  EXPECT_EQ(broker.closed, 1);
}

TEST_F(WorkerSession, StopsWithoutTheLastAcknowledgementInTime) {
  begin();
  EXPECT_TRUE(offer(1));
  EXPECT_TRUE(feed(channel::write_stop()));
  pass_ms(Session::kGoodbyeMsMax);
  EXPECT_TRUE(session.ended());
}

TEST_F(WorkerSession, KeepsOnlyTheLatestNewsForACoreThatDoesNotRead) {
  begin();
  core.has_room = false;
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    EXPECT_TRUE(offer(seq));
    event({.kind = BrokerEvent::Kind::acked, .message = static_cast<int>(seq)});
    EXPECT_TRUE(feed(channel::write_ping(seq)));
  }
  core.has_room = true;
  core.types.clear();
  session.tick(at());
  EXPECT_EQ(core.types, (std::vector{FrameType::confirm, FrameType::credit, FrameType::pong}));
  EXPECT_EQ(core.confirmed[2], 20u);
  EXPECT_EQ(core.pong, 20u);
  EXPECT_EQ(core.credit.bytes(), channel::kDataFrameBytesMax);
}

TEST_F(WorkerSession, TellsANewConnectionBeforeItsCreditAndAfterOldConfirmations) {
  begin();
  EXPECT_TRUE(offer(9));
  core.has_room = false;
  event({.kind = BrokerEvent::Kind::acked, .message = 1});
  event({.kind = BrokerEvent::Kind::lost});
  pass_ms(500);
  connect();
  core.has_room = true;
  core.types.clear();
  session.tick(at());
  core.types.resize(3);
  EXPECT_EQ(core.types, (std::vector{FrameType::confirm, FrameType::state, FrameType::credit}));
  EXPECT_EQ(core.credit.session(), 2u);
}

TEST_F(WorkerSession, SendsTransitionsAndGapsToTheirOwnTopics) {
  begin();
  for (const auto kind : {channel::DataKind::alert_transitions, channel::DataKind::gap_records}) {
    channel::DataWriter writer({.session = 1, .lane = 0, .kind = kind});
    const auto seq = static_cast<std::uint64_t>(kind) * 10;
    EXPECT_TRUE(writer.add({seq, 0, true, "{}"}));
    EXPECT_TRUE(writer.add({seq + 1, 0, true, "{}"}));
    EXPECT_TRUE(feed(writer.take()));
  }
  const std::string root = "tocsin/00112233445566778899aabbccddeeff/";
  EXPECT_EQ(broker.topics, (std::vector<std::string>{root + "alerts", root + "alerts", root + "gaps", root + "gaps"}));
}

}  // namespace
}  // namespace tocsin::deliver
