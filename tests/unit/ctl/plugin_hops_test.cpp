// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_plugin_hops.hpp"

#include <gtest/gtest.h>

namespace tocsin::ctl {
namespace {

TEST(CtlPluginTest, TheMarkIsInWhateverTheSourceTakes) {
  EXPECT_EQ(test_body("event", 5, "t", "abc"),
            R"({"data_id":5,"access_token":"t","data":[{"event_name":"tocsin_plugin_test","event":{"content":)"
            R"("made by tocsinctl plugin test abc"},"target":"tocsinctl","dimension":{}}]})");
  EXPECT_EQ(test_body("time_series", 5, "t", "abc"),
            R"({"data_id":5,"access_token":"t","data":[{"metrics":{"tocsin_plugin_test":1},"target":"tocsinctl",)"
            R"("dimension":{"mark":"abc"}}]})");
  EXPECT_NE(test_body("alert_source", 5, "t", "abc").find(R"("event_id":"abc-ABNORMAL")"), std::string::npos);
}

TEST(CtlPluginTest, OnlyItsOwnOpenAlertCounts) {
  json::Parser parser;
  Document document;
  const auto found = [&](std::string_view state, int data_id, std::string_view name) {
    std::string text = R"([{"id":"1"},{"id":"2","event_count":3,"severity":2,"target":"tocsinctl","state":")";
    text.append(state).append(R"(","bk_data_id":)").append(std::to_string(data_id));
    text.append(R"(,"alert_name":")").append(name).append("\"}]");
    EXPECT_TRUE(document.parse(parser, text));
    return open_test_alert(document.root().elements(), 5);
  };
  for (const char* open : {"ABNORMAL", "ACK"}) {
    const auto alert = found(open, 5, kTestEventName);
    ASSERT_TRUE(alert);
    EXPECT_EQ(alert->id, "2");
    EXPECT_EQ(alert->events, 3);
  }
  EXPECT_FALSE(found("RECOVERED", 5, kTestEventName));
  EXPECT_FALSE(found("CLOSED", 5, kTestEventName));
  EXPECT_FALSE(found("ABNORMAL", 6, kTestEventName));
  EXPECT_FALSE(found("ABNORMAL", 5, "other"));
}

TEST(CtlPluginTest, AnUpstreamHasConfirmedWhatItsCursorOfThatLaneHasPassed) {
  json::Parser parser;
  Document document;
  ASSERT_TRUE(document.parse(
      parser, R"({"lanes":[{"lane":"critical","confirmed_seq":9},{"lane":"normal","confirmed_seq":4}]})"));
  EXPECT_TRUE(has_confirmed(document.root(), "normal", 4));
  EXPECT_FALSE(has_confirmed(document.root(), "normal", 5));
  EXPECT_TRUE(has_confirmed(document.root(), "critical", 9));
  EXPECT_FALSE(has_confirmed(document.root(), "alerts", 1));
}

}  // namespace
}  // namespace tocsin::ctl
