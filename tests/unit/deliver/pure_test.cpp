// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "src/channel/writer.hpp"
#include "src/deliver/backoff.hpp"
#include "src/deliver/confirms.hpp"
#include "src/deliver/envelope.hpp"
#include "src/deliver/topic.hpp"

namespace tocsin::deliver {
namespace {

const Origin kOrigin{"aa", "bb", "box \"1\"", "10.0.0.1"};

std::string body_of(const channel::DataHead& head, std::initializer_list<channel::DataItem> items) {
  channel::DataWriter writer(head);
  for (const auto& item : items) EXPECT_TRUE(writer.add(item));
  return writer.take().substr(channel::kFrameHeadBytes);
}

TEST(Envelope, HasEveryMemberInItsOrder) {
  const channel::DataHead head{.session = 1, .lane = 2, .repeat = true, .boot = 4, .data_id = 1500001, .bk_biz_id = 2};
  auto packer = Packer::make(body_of(head, {{1, 1700000000999, true, R"({"a":1})"},
                                            {2, 1700000009999, true, R"({"a":2})"},
                                            {7, 1700000009999, true, R"({"a":3})"}}));
  ASSERT_TRUE(packer.ok());
  const Message message = packer->next(kOrigin, 0);
  EXPECT_EQ(message.payload,
            R"({"dataid":1500001,"bk_data_id":1500001,"bk_biz_id":2,"version":"","time":1700000000,)"
            R"("timestamp":1700000000,"hostname":"box \"1\"","ip":"10.0.0.1","data":[{"a":1},{"a":2},{"a":3}],)"
            R"("tocsin":{"appliance":"aa","store":"bb","boot":4,"lane":"normal","seq":[[1,2],[7,7]],"repeat":true}})");
  EXPECT_EQ(message.seqs, "1-2,7");
  EXPECT_EQ(message.last_seq, 7u);
  EXPECT_TRUE(packer->done());
}

TEST(Envelope, AddsToStandardEventsWhatBlueKingsPipelineLooksFor) {
  const channel::DataHead head{.lane = 2,
                               .kind = channel::DataKind::standard_events,
                               .boot = 4,
                               .data_id = 7,
                               .bk_biz_id = 2,
                               .plugin_id = "alertmanager"};
  const std::string odd = R"({"alert_name":"a \",\"event_id\":\"no","event_id":"x\"y","target":"t"})";
  auto packer =
      Packer::make(body_of(head, {{1, 1700000000999, true, odd}, {2, 1700000000999, true, R"({"alert_name":"b"})"}}));
  ASSERT_TRUE(packer.ok());
  const std::string payload = packer->next(kOrigin, 0).payload;
  EXPECT_EQ(payload,
            R"({"dataid":7,"bk_data_id":7,"bk_biz_id":2,"bk_plugin_id":"alertmanager","bk_ingest_time":1700000000,)"
            R"("version":"","time":1700000000,"timestamp":1700000000,"hostname":"box \"1\"","ip":"10.0.0.1","data":[)"
            R"({"__bk_event_id__":"x\"y",)" +
                odd.substr(1) +
                R"(,{"alert_name":"b"}],)"
                R"("tocsin":{"appliance":"aa","store":"bb","boot":4,"lane":"normal","seq":[[1,2]],"repeat":false}})");
  EXPECT_LE(payload.capacity(), payload.size() + 1) << "sized once";
}

TEST(Envelope, GivesEachAlertTransitionItsOwnObject) {
  const channel::DataHead head{.lane = 0, .kind = channel::DataKind::alert_transitions, .boot = 1};
  auto packer = Packer::make(body_of(head, {{3, 0, true, R"({"id":"x"})"}, {4, 0, true, "{ }"}}));
  ASSERT_TRUE(packer.ok());
  EXPECT_EQ(
      packer->next(kOrigin, 0).payload,
      R"({"id":"x","tocsin":{"appliance":"aa","store":"bb","boot":1,"lane":"alert","seq":[[3,3]],"repeat":false}})");
  EXPECT_FALSE(packer->done());
  EXPECT_EQ(packer->next(kOrigin, 0).payload,
            R"({ "tocsin":{"appliance":"aa","store":"bb","boot":1,"lane":"alert","seq":[[4,4]],"repeat":false}})");
  EXPECT_TRUE(packer->done());
}

TEST(Envelope, RefusesATransitionThatIsNoObject) {
  const channel::DataHead head{.kind = channel::DataKind::alert_transitions};
  EXPECT_FALSE(Packer::make(body_of(head, {{3, 0, true, "[1]"}})).ok());
  EXPECT_FALSE(Packer::make(body_of(head, {{3, 0, true, "{"}})).ok());
  EXPECT_FALSE(Packer::make("").ok());
}

TEST(Envelope, SplitsABatchAtTheBrokersLimitAndLosesNothing) {
  channel::DataWriter writer({.lane = 2});
  const std::string json = "\"" + std::string(98, 'x') + "\"";
  for (std::uint64_t seq = 1; seq <= 100; ++seq) ASSERT_TRUE(writer.add({seq, 0, true, json}));
  auto packer = Packer::make(writer.take().substr(channel::kFrameHeadBytes));
  ASSERT_TRUE(packer.ok());
  std::uint64_t next = 1;
  int messages = 0;
  while (!packer->done()) {
    const Message message = packer->next(kOrigin, 2000);
    EXPECT_LE(message.payload.size(), 2000u);
    EXPECT_EQ(message.first_seq, next);
    next = message.last_seq + 1;
    ++messages;
  }
  EXPECT_EQ(next, 101u);
  EXPECT_GT(messages, 5);
}

TEST(Envelope, SendsOneItemAloneEvenWhenItIsTooLarge) {
  auto packer = Packer::make(body_of({}, {{1, 0, true, "1234567890"}, {2, 0, true, "1234567890"}}));
  ASSERT_TRUE(packer.ok());
  EXPECT_EQ(packer->next(kOrigin, 1).last_seq, 1u);
  EXPECT_EQ(packer->next(kOrigin, 1).last_seq, 2u);
  EXPECT_TRUE(packer->done());
}

TEST(Envelope, BoundsItemsAndTheSequenceProperty) {
  channel::DataWriter writer({});
  for (std::uint64_t i = 0; i <= kMessageItemsMax; ++i) ASSERT_TRUE(writer.add({1 + i * 2, 0, true, "1"}));
  auto packer = Packer::make(writer.take().substr(channel::kFrameHeadBytes));
  ASSERT_TRUE(packer.ok());
  const Message first = packer->next(kOrigin, 0);
  EXPECT_EQ(first.last_seq, 1 + (kMessageItemsMax - 1) * 2u);
  EXPECT_TRUE(first.seqs.empty());
  EXPECT_EQ(packer->next(kOrigin, 0).first_seq, 1 + kMessageItemsMax * 2u);
}

TEST(Confirms, ConfirmsInOrderWhateverOrderTheAcksHave) {
  Confirms confirms;
  confirms.add(11, 2, 100, 5);
  confirms.add(12, 2, 200, 6);
  confirms.add(13, 0, 150, 7);
  confirms.add(14, 2, 300, 8);
  auto acked = confirms.ack(12);
  ASSERT_TRUE(acked);
  EXPECT_EQ(acked->confirmed_seq, 0u);
  EXPECT_EQ(acked->cost_bytes, 6u);
  EXPECT_EQ(confirms.ack(13)->confirmed_seq, 150u) << "lanes do not wait for each other";
  EXPECT_EQ(confirms.ack(11)->confirmed_seq, 200u);
  EXPECT_EQ(confirms.ack(14)->confirmed_seq, 300u);
  EXPECT_EQ(confirms.size(), 0u);
}

TEST(Confirms, IgnoresUnknownAndRepeatedAcks) {
  Confirms confirms;
  confirms.add(1, 2, 10, 1);
  confirms.add(2, 2, 20, 1);
  EXPECT_FALSE(confirms.ack(9));
  EXPECT_TRUE(confirms.ack(2));
  EXPECT_FALSE(confirms.ack(2));
}

TEST(Backoff, DoublesToAMinuteWithHalfItsSizeOfJitter) {
  EXPECT_EQ(backoff_ms(0, 0), 500);
  EXPECT_EQ(backoff_ms(0, 1000), 1500);
  EXPECT_EQ(backoff_ms(3, 0), 4000);
  for (const std::uint32_t failures : {6u, 7u, 63u, 0xFFFFFFFFu}) {
    EXPECT_EQ(backoff_ms(failures, 0), 30'000);
    EXPECT_LE(backoff_ms(failures, 0xFFFFFFFF), 90'000);
  }
}

TEST(Topic, ExpandsEveryName) {
  const TopicFacts facts{"aa", "edge-01", "demo", 15, 99};
  EXPECT_TRUE(check_topic_template("t/{appliance}/{name}/{data_id}/{plugin}/x{upstream_data_id}").ok());
  EXPECT_EQ(expand_topic("t/{appliance}/{name}/{data_id}/{plugin}/x{upstream_data_id}", facts),
            "t/aa/edge-01/15/demo/x99");
}

TEST(Topic, KeepsValuesInsideTheirLevel) {
  const auto name = [](std::string_view value) { return expand_topic("a/{name}/b", {.name = value}); };
  EXPECT_EQ(name(""), "a/_/b");
  EXPECT_EQ(name("x/y+z#"), "a/x_y_z_/b");
  EXPECT_EQ(name("a\nb\x7F"), "a/a_b_/b");
  EXPECT_EQ(name("北京"), "a/北京/b");
  EXPECT_EQ(name("\xC3"), "a/_/b") << "cut character";
  EXPECT_EQ(name("\xED\xA0\x80"), "a/___/b") << "surrogate";
  EXPECT_EQ(name("\xC0\xAF"), "a/__/b") << "overlong slash";
  EXPECT_EQ(name("\xC2\x85"), "a/__/b") << "control character";
  EXPECT_EQ(expand_topic("{name}/b", {.name = "$SYS"}), "_SYS/b");
  EXPECT_EQ(expand_topic("{name}", {.name = std::string(5000, 'x')}).size(), kTopicBytesMax);
}

TEST(Topic, RefusesTemplatesThatCannotWork) {
  for (const char* bad : {"", "/a", "a/", "a//b", "a/+/b", "a/#", "$SYS/a", "a/{nobody}", "a/{name", "a}", "a\tb"})
    EXPECT_FALSE(check_topic_template(bad).ok()) << bad;
  EXPECT_TRUE(check_topic_template(std::string(kTopicBytesMax, 'a')).ok());
  EXPECT_FALSE(check_topic_template(std::string(kTopicBytesMax + 1, 'a')).ok());
}

TEST(Server, ReadsWhatTheConfigurationMaySay) {
  const auto text = [](std::string_view url) {
    const auto server = parse_server(url);
    return server.ok() ? (server->tls ? "tls " : "") + to_text(*server) : std::string("bad");
  };
  EXPECT_EQ(text("mqtt://a"), "a:1883");
  EXPECT_EQ(text("mqtts://a.b/"), "tls a.b:8883");
  EXPECT_EQ(text("mqtt://10.0.0.1:65535"), "10.0.0.1:65535");
  EXPECT_EQ(text("mqtt://[::1]:1884"), "[::1]:1884");
  for (const char* bad : {"", "a:1883", "mqtt://", "mqtt://:1", "mqtt://a:0", "mqtt://a:65536", "mqtt://a:1x",
                          "mqtt://u@a", "mqtt://[::1", "mqtt://[::1]1", "http://a", "mqtt://a b"})
    EXPECT_EQ(text(bad), "bad") << bad;
}

}  // namespace
}  // namespace tocsin::deliver
