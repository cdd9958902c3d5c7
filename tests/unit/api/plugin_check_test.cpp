// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

/// Instance 1500001 is of plugin "demo" and named "Demo", in business 2.
class PluginCheck : public ApiTest {
 protected:
  using Query = std::map<std::string, std::string>;
  /// The status, and the message of a refusal.
  std::string ask(Query query) {
    const auto answer = get("/api/v1/plugin_check", std::move(query));
    if (answer.status == 200) {
      EXPECT_TRUE(answer.body.ends_with(R"("data":true})")) << answer.body;
      return "free";
    }
    constexpr std::string_view kName = R"("message":")";
    const std::size_t from = answer.body.find(kName) + kName.size();
    return std::to_string(answer.status) + " " + answer.body.substr(from, answer.body.find('"', from) - from);
  }
};

TEST_F(PluginCheck, ANameIsTakenInItsBusinessOnly) {
  EXPECT_EQ(ask({{"name", "Pumps"}}), "free");
  EXPECT_EQ(ask({{"name", "Demo"}}), "409 name: data_id 1500001 has it already in this business");
  EXPECT_EQ(ask({{"name", "Demo"}, {"bk_biz_id", "2"}}), "409 name: data_id 1500001 has it already in this business");
  EXPECT_EQ(ask({{"name", "Demo"}, {"bk_biz_id", "3"}}), "free");
  EXPECT_EQ(ask({{"name", "Demo"}, {"bk_biz_id", "-3"}}), "free");
  EXPECT_EQ(ask({{"name", "demo"}}), "free") << "case counts";
}

TEST_F(PluginCheck, APluginIdIsTakenInEveryBusiness) {
  EXPECT_EQ(ask({{"plugin_id", "pump"}}), "free");
  EXPECT_EQ(ask({{"plugin_id", "demo"}, {"bk_biz_id", "3"}}), "409 plugin_id: data_id 1500001 has it already");
  EXPECT_EQ(ask({{"plugin_id", "pump"}, {"name", "Demo"}}),
            "409 name: data_id 1500001 has it already in this business");
}

TEST_F(PluginCheck, WhoIsToBeRenamedMayKeepItsName) {
  EXPECT_EQ(ask({{"name", "Demo"}, {"bk_event_group_id", "1500001"}}), "free");
  EXPECT_EQ(ask({{"plugin_id", "demo"}, {"bk_event_group_id", "1500001"}}), "free");
  EXPECT_EQ(ask({{"name", "Demo"}, {"bk_event_group_id", "1500002"}}),
            "409 name: data_id 1500001 has it already in this business");
}

TEST_F(PluginCheck, TheRulesAreThoseOfCreating) {
  for (const std::string& good : {std::string("a"), std::string("A_1"), std::string(64, 'a')})
    EXPECT_EQ(ask({{"plugin_id", good}}), "free") << good;
  for (const std::string& bad : {std::string(), std::string("1a"), std::string("_a"), std::string("a-b"),
                                 std::string("\xC3\xA4"), std::string(65, 'a')}) {
    EXPECT_EQ(ask({{"plugin_id", bad}}), "400 plugin_id: must match ^[a-zA-Z][a-zA-Z0-9_]*$, at most 64 bytes") << bad;
  }
  for (const std::string& good : {std::string("-"), std::string("\xE6\xBC\x94\xE7\xA4\xBA"), std::string(256, 'a')})
    EXPECT_EQ(ask({{"name", good}}), "free") << good;
  for (const std::string& bad :
       {std::string(), std::string("a\nb"), std::string("\xFF"), std::string("\xE6\xBC"), std::string(257, 'a')}) {
    EXPECT_EQ(ask({{"name", bad}}), "400 name: must be a string of 1 to 256 bytes without control characters") << bad;
  }
}

TEST_F(PluginCheck, SomethingMustBeAskedAndNumbersMustBeNumbers) {
  EXPECT_EQ(ask({}), "400 name: missing, and plugin_id too");
  for (const char* bad : {"", "x", "2 ", "2147483648"}) {
    EXPECT_EQ(ask({{"name", "n"}, {"bk_biz_id", bad}}), "400 bk_biz_id: must be a whole number of 32 bits") << bad;
    EXPECT_EQ(ask({{"name", "n"}, {"bk_event_group_id", bad}}), "400 bk_event_group_id: must be a data id") << bad;
  }
}

TEST_F(PluginCheck, AnswersUnderTheNameOfTheCentreToo) {
  EXPECT_EQ(get("/validate_custom_event_group_name", {{"name", "Pumps"}, {"bk_biz_id", "2"}}).status, 200);
  const auto taken = get("/validate_custom_event_group_name", {{"name", "Demo"}, {"bk_biz_id", "2"}});
  EXPECT_EQ(taken.status, 409);
  EXPECT_STREQ(taken.error.text(), "name_taken");
  EXPECT_EQ(without_id(taken.body),
            R"({"result":false,"code":409,"message":"name: data_id 1500001 has it already in this business",)"
            R"("request_id":"ID","data":null})");
}

}  // namespace
}  // namespace tocsin::api
