// SPDX-License-Identifier: Apache-2.0
#include "src/alert/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/alert/alerts.hpp"

namespace tocsin::alert {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string document(const model::Alert& a, Transition transition = Transition::none) {
  std::string out;
  append_document(a, transition, out);
  return out;
}

TEST(AlertDocument, HasBlueKingsNamesAndAllThreeFormsOfATime) {
  const std::string text = document(opened());
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("id":"17000000001","seq_id":1,"alert_name":"disk full","status":"ABNORMAL","state":"ABNORMAL","severity":2)"));
  EXPECT_THAT(text, HasSubstr(R"("bk_biz_id":2,"bk_data_id":10000001,"plugin_id":"demo")"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("begin_time":1700000000,"begin_time_ms":1700000000000,"begin_time_text":"2023-11-14T22:13:20.000Z")"));
  EXPECT_THAT(text, HasSubstr(R"("end_time":null,"end_time_ms":null,"end_time_text":null,"duration":60)"));
  EXPECT_THAT(text, HasSubstr(R"("is_ack":false,"ack_operator":"","ack_message":"","ack_time":null)"));
  EXPECT_THAT(text, HasSubstr(R"("dedupe_md5":"01000000000000000000000000000000")"));
  EXPECT_THAT(text, HasSubstr(R"("event":{"event_id":"e-1",)"));
  EXPECT_THAT(text, Not(HasSubstr("transition")));
}

TEST(AlertDocument, MovesTheTimesOfAClockThatWasWrongAndKeepsTheId) {
  model::Alert a = opened();
  a.create_ms = a.update_ms = a.begin_ms = a.first_anomaly_ms = 11'000;
  a.create_time_trusted = false;
  std::string text;
  append_document(a, Transition::none, text, {10'000, 60'000, kT});
  EXPECT_THAT(text, HasSubstr(R"("id":"00000000111")"));
  EXPECT_THAT(text, HasSubstr(R"("create_time_ms":1700000011000)"));
  EXPECT_THAT(text, HasSubstr(R"("create_time_trusted":true)"));
  EXPECT_THAT(text, HasSubstr(R"("begin_time_ms":1700000011000)"));
  EXPECT_THAT(text, HasSubstr(R"("latest_time_ms":1700000000000)")) << "a device's own";
  EXPECT_THAT(text, HasSubstr(R"("ack_time":null)"));
}

TEST(AlertDocument, MovesOnlyItsOwnNotesOfAClockThatWasWrongByLessThanItRan) {
  model::Alert a = opened();
  a.create_ms = a.update_ms = kT + 1'000;
  a.latest_ms = kT + 2'000;  // by the device's clock, which was right
  a.create_time_trusted = false;
  std::string text;
  append_document(a, Transition::none, text, {kT, kT + 7'200'000, 600'000});
  EXPECT_THAT(text, HasSubstr(R"("create_time_ms":1700000601000)"));
  EXPECT_THAT(text, HasSubstr(R"("latest_time_ms":1700000002000)"));
}

TEST(AlertDocument, ShowsAnAcknowledgedAlertAsAbnormalAndAcknowledged) {
  model::Alert a = opened();
  (void)ack(a, "alice", "on \"it\"", at(kT));
  const std::string text = document(a, Transition::acked);
  EXPECT_THAT(text, HasSubstr(R"({"transition":"acked",)"));
  EXPECT_THAT(text, HasSubstr(R"("status":"ABNORMAL","state":"ACK")"));
  EXPECT_THAT(text,
              HasSubstr(R"("is_ack":true,"ack_operator":"alice","ack_message":"on \"it\"","ack_time":1700000000)"));
}

TEST(AlertDocument, KeepsTheAcknowledgementOfAnEndedAlert) {
  model::Alert a = opened();
  (void)ack(a, "alice", "", at(kT));
  recover(a, event(model::EventStatus::recovered, 2, kT + 90'000), arrival(11));
  const std::string text = document(a);
  EXPECT_THAT(text, HasSubstr(R"("status":"RECOVERED","state":"RECOVERED")"));
  EXPECT_THAT(text, HasSubstr(R"("is_ack":true)"));
  EXPECT_THAT(text, HasSubstr(R"("end_time":1700000090)"));
  EXPECT_THAT(text, HasSubstr(R"("duration":90)"));
}

TEST(AlertDocument, ListsDimensionsAsTheyAre) {
  model::Alert a = opened();
  a.dimensions_json = R"({"disk":"/dev/sda", "a\"b":"警,}:\\"})";
  EXPECT_THAT(document(a),
              HasSubstr(R"("dimensions":[{"key":"disk","value":"/dev/sda"},{"key":"a\"b","value":"警,}:\\"}])"));
}

TEST(AlertDocument, ListsNoDimensionsOfAnythingElse) {
  for (const char* json : {"", "{}", "{", "[]", "null", R"({"a":1})", R"({"a)", R"({"a":"b)", R"({"a\)"}) {
    model::Alert a = opened();
    a.dimensions_json = json;
    EXPECT_THAT(document(a), HasSubstr(R"("dimensions":[],)")) << json;
  }
}

TEST(AlertDocument, StaysWithinItsSizeWithEveryTextAtItsBound) {
  const std::string text(2000, '\x01');  // the worst to escape: six letters a byte
  model::EventFacts f = abnormal();
  f.alert_name = f.target_type = f.target = f.description = f.metric = f.category = f.assignee = f.event_id = text;
  model::Alert a = open(f, arrival(1), ~std::uint64_t{0});
  (void)ack(a, text, text, at(kT));
  EXPECT_LE(document(a).size(), 48 * KiB);
}

}  // namespace
}  // namespace tocsin::alert
