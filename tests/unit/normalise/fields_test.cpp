// SPDX-License-Identifier: Apache-2.0
// What each field of an event gets from its expression.
#include <gtest/gtest.h>

#include "tests/unit/normalise/support.hpp"

namespace tocsin::normalise {
namespace {

/// The event without its name, of a profile with this one expression.
std::string field(std::string_view name, std::string_view value, std::string_view option = "{}") {
  const std::string out =
      run(R"({"normalization_config":[{"field":")" + std::string{name} + R"(","expr":"v","option":)" +
              std::string{option} + R"(}],"alert_config":[{"name":"n"}]})",
          R"({"v":)" + std::string{value} + "}");
  const std::string_view before = R"([{"alert_name":"n")";
  return out.starts_with(before) ? out.substr(before.size()) : out;
}

TEST(NormaliseFields, GetTheirTypes) {
  const struct {
    std::string_view name;
    std::string_view value;
    std::string_view wanted;
  } cases[] = {
      {"description", R"("a \"b\"\n")", R"(,"description":"a \"b\"\n"}])"},
      {"description", "1.50", R"(,"description":"1.50"}])"},
      {"description", "true", R"(,"description":"true"}])"},
      {"description", R"({"a":[1]})", R"(,"description":"{\"a\":[1]}"}])"},
      {"description", "null", "}]"},
      {"event_id", "12345678901234567890", R"(,"event_id":"12345678901234567890"}])"},
      {"target", R"("0:10.0.0.1")", R"(,"target":"0:10.0.0.1"}])"},
      {"status", R"("resolved")", R"(,"status":"resolved"}])"},
      {"metric", R"("m")", R"(,"metric":"m"}])"},
      {"metric", R"(["a",1,null,[2]])", R"(,"metric":["a","1","[2]"]}])"},
      {"assignee", R"(["a","b"])", R"(,"assignee":["a","b"]}])"},
      {"severity", "2", R"(,"severity":2}])"},
      {"severity", R"("1")", R"(,"severity":1}])"},
      {"severity", "2.7", R"(,"severity":2}])"},
      {"severity", R"("2.7")", R"(,"severity":2}])"},
      {"severity", "true", R"(,"severity":1}])"},
      {"severity", R"("high")", "}]"},
      {"severity", "1e19", "}]"},
      {"severity", "[1]", "}]"},
      {"bk_biz_id", R"("-42")", R"(,"bk_biz_id":-42}])"},
      {"time", "1700000000", R"(,"time":1700000000}])"},
      {"time", R"("2023-10-01T12:00:00Z")", R"(,"time":1696161600}])"},
      {"time", R"("soon")", "}]"},
      {"anomaly_time", "1700000000123", R"(,"anomaly_time":1700000000}])"},
      {"dedupe_keys", R"(["tags.x"])", "}]"},
      {"dimensions", R"({"x":1})", "}]"},
      {"unheard_of", R"("x")", "}]"},
  };
  for (const auto& c : cases) EXPECT_EQ(field(c.name, c.value), c.wanted) << c.name << c.value;
}

TEST(NormaliseFields, TimesHaveOptions) {
  EXPECT_EQ(field("time", R"("2021-03-18 17:30:07")", R"({"time_format":"datetime","time_zone":8})"),
            R"(,"time":1616059807}])");
  EXPECT_EQ(field("time", R"("2021-03-18 17:30:07")", R"({"time_format":"","time_zone":""})"),
            R"(,"time":1616088607}])");
  EXPECT_EQ(field("time", "28333333", R"({"time_format":"epoch_minute"})"), R"(,"time":1699999980}])");
}

TEST(NormaliseFields, OfTwoEntriesTheLastCountsAndOneThatFailsIsLeftOut) {
  EXPECT_EQ(run(R"j({"normalization_config":[{"field":"alert_name","expr":"a"},{"field":"alert_name","expr":"b"},
                    {"field":"target","expr":"length(c)"},{"field":"category","expr":""}]})j",
                R"({"a":"1","b":"2","c":3})"),
            R"([{"alert_name":"2"}])");
}

TEST(NormaliseFields, MappingIsALookUp) {
  const std::string_view profile = R"j({"normalization_config":[
    {"field":"severity","expr":"get_field({critical: '1', warning: '2'}, s)"},
    {"field":"status","expr":"get_field({firing: 'ABNORMAL', resolved: 'RECOVERED'}, st)"}],
    "alert_config":[{"name":"n"}]})j";
  EXPECT_EQ(run(profile, R"({"s":"critical","st":"resolved"})"),
            R"([{"alert_name":"n","severity":1,"status":"RECOVERED"}])");
  EXPECT_EQ(run(profile, R"({"s":"page","st":"odd"})"), R"([{"alert_name":"n"}])");
}

std::string tags(std::string_view tags_value, std::string_view dimensions) {
  const std::string out =
      run(R"({"normalization_config":[{"field":"tags","expr":"t"},{"field":"dimensions","expr":"d"}],
                                  "alert_config":[{"name":"n"}]})",
          R"({"t":)" + std::string{tags_value} + R"(,"d":)" + std::string{dimensions} + "}");
  const std::string_view before = R"([{"alert_name":"n",)";
  return out.starts_with(before) ? out.substr(before.size()) : out;
}

TEST(NormaliseTags, AreObjectsOrListsWithTheDimensions) {
  const struct {
    std::string_view tags;
    std::string_view dimensions;
    std::string_view wanted;
  } cases[] = {
      {R"({"b":"2","a":1,"":"x"})", "null", R"("tags":[{"key":"a","value":1},{"key":"b","value":"2"}]}])"},
      {R"([{"key":"b","value":"2"},{"key":"a"},{"key":""},{"value":1},7,{"key":5}])", "null",
       R"("tags":[{"key":"a","value":null},{"key":"b","value":"2"}]}])"},
      {R"({"b":"2"})", R"({"z":"9","a":"1","":"x"})",
       R"("tags":[{"key":"a","value":"1"},{"key":"b","value":"2"},{"key":"z","value":"9"}],)"
       R"("dedupe_keys":["tags.a","tags.z"]}])"},
      {R"({"a":"tag"})", R"({"a":"dimension"})",
       R"("tags":[{"key":"a","value":"dimension"}],"dedupe_keys":["tags.a"]}])"},
      {"null", R"({"a":"1"})", R"("tags":[{"key":"a","value":"1"}],"dedupe_keys":["tags.a"]}])"},
      {R"("text")", "[1]", R"("tags":[]}])"},
  };
  for (const auto& c : cases) EXPECT_EQ(tags(c.tags, c.dimensions), c.wanted) << c.tags << c.dimensions;
}

TEST(NormaliseStrict, DemandsTheDocumentedFields) {
  const std::string_view names[] = {"alert_name",  "event_id", "description", "metric", "category",
                                    "target_type", "target",   "severity",    "time"};
  std::string profile = R"({"normalization_config":[)";
  for (const auto name : names) {
    profile.append(name == names[0] ? "" : ",").append(R"({"field":")").append(name).append(R"(","expr":")");
    profile.append(name).append(R"("})");
  }
  Bench bench;
  ASSERT_EQ(bench.use(profile + "]}"), "");
  const auto document = [&](std::string_view without, std::string_view instead) {
    std::string out = "{";
    for (const auto name : names) {
      const std::string_view value = name == "severity" ? "1" : name == "time" ? "1700000000" : R"("x")";
      out.append(out.size() > 1 ? "," : "").append("\"").append(name).append("\":");
      out.append(name == without ? instead : value);
    }
    return out + "}";
  };
  bench.options.strict = true;
  EXPECT_EQ(bench.run(document("", "")).front(), '[');
  for (const auto name : names) {
    if (name == "alert_name") continue;
    for (const std::string_view instead : {"null", R"("")"}) {
      const std::string out = bench.run(document(name, instead));
      EXPECT_TRUE(out.starts_with("!field_required " + std::string{name} + ":")) << out;
    }
  }
  EXPECT_TRUE(bench.run(document("time", R"("soon")")).starts_with("!field_required time:"));
  EXPECT_TRUE(bench.run(document("metric", "[]")).starts_with("!field_required metric:"));
  bench.options.strict = false;
  EXPECT_EQ(bench.run(document("time", R"("soon")")).front(), '[');
}

TEST(NormaliseOptions, GiveTargetsTheOwnCloud) {
  Bench bench;
  ASSERT_EQ(
      bench.use(R"({"normalization_config":[{"field":"alert_name","expr":"'n'"},{"field":"target","expr":"t"}]})"), "");
  bench.options.own_cloud_id = 12;
  EXPECT_EQ(bench.run(R"({"t":"0:10.1.2.3"})"), R"([{"alert_name":"n","target":"12:10.1.2.3"}])");
  EXPECT_EQ(bench.run(R"({"t":"10.1.2.3|0"})"), R"([{"alert_name":"n","target":"10.1.2.3|12"}])");
  EXPECT_EQ(bench.run(R"({"t":"3:10.1.2.3"})"), R"([{"alert_name":"n","target":"3:10.1.2.3"}])");
}

TEST(NormaliseHttp, HeadersAndParametersAreSeenByEveryExpression) {
  Bench bench;
  ASSERT_EQ(bench.use(R"j({
    "ingest_config": {"multiple_events":true,"events_path":"all"},
    "clean_configs": [{"rules":[{"key":"__http_query_params__.source","value":["google"],"method":"eq"}],
                       "normalization_config":[{"field":"alert_name","expr":"n"},
                         {"field":"description","expr":"__http_headers__.\"User-Agent\""}]}],
    "normalization_config": [{"field":"alert_name","expr":"'other'"},
                             {"field":"tags","expr":"merge(__http_headers__, __http_query_params__)"}]})j"),
            "");
  const std::string_view document = R"({"all":[{"n":"a","__http_query_params__":"mine"},{"n":"b"}]})";
  bench.headers = {{"user-agent", "curl/7"}, {"USER-AGENT", "second"}, {"X-BK-TOKEN", "secret"}};
  bench.parameters = {{"source", "google"}, {"token", "secret"}};
  EXPECT_EQ(bench.run(document),
            R"([{"alert_name":"a","description":"curl/7"},{"alert_name":"b","description":"curl/7"}])");
  bench.headers.insert(bench.headers.end(),
                       {{"authorization", "Bearer secret"}, {"x-bk-fta-token", "secret"}, {"cookie", "secret"}});
  bench.parameters = {{"source", "aws"}, {"token", "secret"}, {"bad", "\xff"}, {"nul", std::string_view{"a\0b", 3}}};
  const std::string event =
      R"({"alert_name":"other","tags":[{"key":"User-Agent","value":"curl/7"},{"key":"source","value":"aws"}]})";
  EXPECT_EQ(bench.run(document), "[" + event + "," + event + "]");
}

TEST(NormaliseExplain, HearsEveryStep) {
  Bench bench;
  Told told;
  bench.explain = &told;
  ASSERT_EQ(bench.use(R"j({
    "clean_configs": [
      {"rules":[{"key":"t","value":["a"],"method":"eq"}],"normalization_config":[]},
      {"rules":[{"key":"length(n)","value":["1"],"method":"eq"},{"key":"t","value":["b"],"method":"eq","condition":"or"}],
       "alert_config":[{"name":"X","rules":[{"key":"t","value":["x"],"method":"reg"}]},{"name":"B"}],
       "normalization_config":[{"field":"severity","expr":"n"},{"field":"time","expr":"t"},
                               {"field":"tags","expr":"@"},{"field":"dimensions","expr":"{t: t}"}]}]})j"),
            "");
  EXPECT_EQ(bench.run(R"({"t":"b","n":2})").front(), '[');
  const std::vector<std::string> wanted{
      "events 0 = 1",
      "rule 0 clean_configs[0].rules[0] = b no",
      "rule 0 clean_configs[1].rules[0] no (takes a string, array or object)",
      "rule 0 clean_configs[1].rules[1] = b yes",
      "config 0 clean_configs[1]",
      "rule 0 clean_configs[1].alert_config[0].rules[0] = b no",
      "alert_config 0 clean_configs[1].alert_config[1] = B",
      R"(field 0 alert_name = "B")",
      "field 0 severity = 2",
      "field 0 time (not a time of that form)",
      R"(field 0 tags = [{"key":"n","value":2},{"key":"t","value":"b"}])",
      R"(field 0 dedupe_keys = ["tags.t"])",
  };
  EXPECT_EQ(told.lines, wanted);
}

TEST(NormaliseExplain, NamesTheDefaultConfiguration) {
  Bench bench;
  Told told;
  bench.explain = &told;
  ASSERT_EQ(bench.use(R"({"normalization_config":[{"field":"alert_name","expr":"n"}],
                          "alert_config":[{"name":"x","rules":[{"key":"n","value":["y"],"method":"eq"}]}]})"),
            "");
  EXPECT_EQ(bench.run("{}").front(), '!');
  const std::vector<std::string> wanted{"events 0 = 1", "config 0 normalization_config",
                                        "rule 0 alert_config[0].rules[0] = <nil> no"};
  EXPECT_EQ(told.lines, wanted);
}

}  // namespace
}  // namespace tocsin::normalise
