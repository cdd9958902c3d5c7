// SPDX-License-Identifier: Apache-2.0
// Which configuration reads an event, and which name it gets.
#include <gtest/gtest.h>

#include "tests/unit/normalise/support.hpp"

namespace tocsin::normalise {
namespace {

std::string profile_with_rules(std::string_view rules) {
  return R"({"clean_configs":[{"rules":)" + std::string{rules} +
         R"(,"normalization_config":[{"field":"alert_name","expr":"'yes'"}]}],)" +
         R"("normalization_config":[{"field":"alert_name","expr":"'no'"}]})";
}
std::string rule(std::string_view key, std::string_view method, std::string_view values, std::string_view condition) {
  return R"({"key":")" + std::string{key} + R"(","method":")" + std::string{method} + R"(","value":)" +
         std::string{values} + R"(,"condition":")" + std::string{condition} + R"("})";
}
bool holds(std::string_view rules, std::string_view document) {
  const std::string out = run(profile_with_rules(rules), document);
  EXPECT_TRUE(out == R"([{"alert_name":"yes"}])" || out == R"([{"alert_name":"no"}])") << out;
  return out == R"([{"alert_name":"yes"}])";
}

TEST(NormaliseRules, CompareTheTextOfAResult) {
  const struct {
    std::string_view method;
    std::string_view values;
    std::string_view value;
    bool holds;
  } cases[] = {
      {"eq", R"(["a"])", R"("a")", true},
      {"eq", R"(["a"])", R"("ab")", false},
      {"eq", R"(["x","a"])", R"("a")", true},
      {"eq", "[]", R"("a")", false},
      {"eq", R"(["5"])", "5", true},
      {"eq", R"(["635651495397"])", "635651495397", true},
      {"eq", R"(["true"])", "true", true},
      {"eq", R"(["[1,2]"])", "[1, 2]", true},
      {"eq", R"([""])", "null", false},
      {"eq", R"(["<nil>"])", "null", true},
      {"neq", R"(["a"])", R"("b")", true},
      {"neq", R"(["a","b"])", R"("b")", false},
      {"neq", "[]", R"("b")", true},
      {"neq", R"(["a"])", "null", true},
      {"reg", R"(["^CPU"])", R"("CPU usage")", true},
      {"reg", R"(["CPU"])", R"("the CPU")", true},
      {"reg", R"(["^CPU"])", R"("the CPU")", false},
      {"reg", R"(["^x","u.a"])", R"("usage")", true},
      {"reg", R"([".*"])", "null", true},
      {"reg", "[]", R"("a")", false},
  };
  for (const auto& c : cases) {
    const std::string document = R"({"k":)" + std::string{c.value} + "}";
    EXPECT_EQ(holds("[" + rule("k", c.method, c.values, "") + "]", document), c.holds)
        << c.method << c.values << c.value;
  }
}

TEST(NormaliseRules, AnExpressionThatFailsDoesNotHold) {
  EXPECT_FALSE(holds("[" + rule("length(k)", "neq", R"(["1"])", "") + "]", R"({"k":5})"));
}

// T and F are rules that hold and that do not; a small letter before says and, or nothing.
TEST(NormaliseRules, ConnectorsWorkFromLeftToRight) {
  const struct {
    std::string_view rules;
    bool holds;
  } cases[] = {
      {"", true},       {"T", true},      {"F", false},       {"T T", true},     {"T F", false},
      {"TaF", false},   {"FoT", true},    {"ToF", true},      {"FaToT", true},   {"F ToF", false},
      {"TaFoT", true},  {"TaFoF", false}, {"ToFaF", true},    {"FoTaF", false},  {"FoTaT", true},
      {"FoFaT", false}, {"FoFoT", true},  {"TaTaTaF", false}, {"FaToFoT", true}, {"FoT F", false},
  };
  for (const auto& c : cases) {
    std::string rules = "[";
    for (std::size_t i = 0; i < c.rules.size(); i += 2) {
      const char connector = i == 0 ? ' ' : c.rules[i - 1];
      rules += (i > 0 ? "," : "") + rule("k", c.rules[i] == 'T' ? "eq" : "neq", R"(["1"])",
                                         connector == 'o'   ? "or"
                                         : connector == 'a' ? "and"
                                                            : "");
    }
    EXPECT_EQ(holds(rules + "]", R"({"k":1})"), c.holds) << c.rules;
  }
}

TEST(NormaliseRules, TheConditionOfTheFirstRuleSaysNothing) {
  EXPECT_FALSE(holds("[" + rule("k", "eq", R"(["2"])", "or") + "]", R"({"k":1})"));
  EXPECT_TRUE(holds("[" + rule("k", "eq", R"(["1"])", "or") + "]", R"({"k":1})"));
}

TEST(NormaliseConfigs, TheFirstWhoseRulesHoldIsChosen) {
  const std::string_view profile = R"({
    "clean_configs": [
      {"rules": [{"key":"t","value":["a"],"method":"eq","condition":""}],
       "alert_config": [{"name":"A","rules":[]}],
       "normalization_config": [{"field":"target","expr":"x"}]},
      {"rules": [{"key":"t","value":["a","b"],"method":"eq","condition":""}],
       "alert_config": [{"name":"B"}],
       "normalization_config": [{"field":"description","expr":"x"}]}],
    "alert_config": [{"name":"Default"}],
    "normalization_config": [{"field":"category","expr":"x"}]})";
  EXPECT_EQ(run(profile, R"({"t":"a","x":"1"})"), R"([{"alert_name":"A","target":"1"}])");
  EXPECT_EQ(run(profile, R"({"t":"b","x":"1"})"), R"([{"alert_name":"B","description":"1"}])");
  EXPECT_EQ(run(profile, R"({"t":"c","x":"1"})"), R"([{"alert_name":"Default","category":"1"}])");
}

TEST(NormaliseConfigs, AConfigWithoutRulesHoldsForAll) {
  EXPECT_EQ(run(R"({"clean_configs":[{"normalization_config":[{"field":"alert_name","expr":"n"}]}]})", R"({"n":"x"})"),
            R"([{"alert_name":"x"}])");
}

TEST(NormaliseConfigs, TheAlertNameIsMatchedWhenNoExpressionGivesOne) {
  const std::string_view profile = R"({
    "normalization_config": [{"field":"alert_name","expr":"name"}],
    "alert_config": [
      {"name":"CPU","rules":[{"key":"m","value":["^cpu"],"method":"reg","condition":""}]},
      {"name":"MEM","rules":[{"key":"m","value":["^mem"],"method":"reg","condition":""},
                             {"key":"id","value":["7"],"method":"eq","condition":"or"}]}]})";
  EXPECT_EQ(run(profile, R"({"name":"own","m":"cpu"})"), R"([{"alert_name":"own"}])");
  EXPECT_EQ(run(profile, R"({"name":"","m":"cpu.idle"})"), R"([{"alert_name":"CPU"}])");
  EXPECT_EQ(run(profile, R"({"m":"disk","id":7})"), R"([{"alert_name":"MEM"}])");
  EXPECT_EQ(run(profile, R"({"m":"disk"})"),
            "!alert_name_missing alert_name: no expression gives it, and the rules of no alert_config hold (event 0)");
}

TEST(NormaliseConfigs, WithoutAnyEventsAreCopied) {
  const std::string_view event = R"({"alert_name":"x","target":"0:10.0.0.1","dedupe_keys":["tags.a"],"own":{"b":[1]}})";
  Bench bench;
  ASSERT_EQ(bench.use(model::Profile{}), "");
  EXPECT_EQ(bench.run(event), "[" + std::string{event} + "]");
  bench.options.own_cloud_id = 5;
  EXPECT_EQ(bench.run(event), R"([{"alert_name":"x","target":"5:10.0.0.1","dedupe_keys":["tags.a"],"own":{"b":[1]}}])");
  bench.options.strict = true;
  EXPECT_EQ(bench.run(event), "!field_required event_id: missing or not usable, and this instance is strict (event 0)");
}

TEST(NormaliseEvents, AreFoundByPathAndKind) {
  const auto profile = [](std::string_view ingest) {
    return R"({"ingest_config":)" + std::string{ingest} +
           R"(,"normalization_config":[{"field":"alert_name","expr":"n"}]})";
  };
  const struct {
    std::string_view ingest;
    std::string_view document;
    std::string_view wanted;
  } cases[] = {
      {"{}", R"({"n":"a"})", R"([{"alert_name":"a"}])"},
      {"{}", R"([{"n":"a"}])", "!events_type body: expected an object, got array"},
      {"{}", "null", "!events_type body: expected an object, got null"},
      {R"({"multiple_events":true})", R"([{"n":"a"},{"n":"b"}])", R"([{"alert_name":"a"},{"alert_name":"b"}])"},
      {R"({"multiple_events":true})", "[]", "[]"},
      {R"({"multiple_events":true})", R"({"n":"a"})", "!events_type body: expected a list of objects, got object"},
      {R"({"multiple_events":true})", R"([{"n":"a"},7])", "!events_type body: expected objects only, got number"},
      {R"({"events_path":"a.b"})", R"({"a":{"b":{"n":"a"}}})", R"([{"alert_name":"a"}])"},
      {R"({"events_path":"a.b"})", R"({"a":{}})", "!events_type events_path: expected an object, got null"},
      {R"({"events_path":"a[]","multiple_events":true})", R"({"a":[{"n":"a"}]})", R"([{"alert_name":"a"}])"},
      {R"j({"events_path":"keys(a)"})j", R"({"a":1})", "!events_path events_path: takes an object"},
  };
  for (const auto& c : cases) EXPECT_EQ(run(profile(c.ingest), c.document), c.wanted) << c.ingest << c.document;
}

TEST(NormaliseCompile, NamesTheMemberAndTheRule) {
  const struct {
    std::string_view profile;
    std::string_view wanted;
  } cases[] = {
      {R"({"normalization_config":[{"field":"time","expr":""},{"field":"time","expr":"a."}]})",
       "normalization_config[1].expr: "},
      {R"j({"normalization_config":[{"field":"unheard","expr":"nope(@)"}]})j", "normalization_config[0].expr: "},
      {R"({"ingest_config":{"events_path":"["}})", "ingest_config.events_path: "},
      {R"({"clean_configs":[{"rules":[{"key":"a","value":[],"method":"eq"},{"key":"&","value":[],"method":"eq"}]}]})",
       "clean_configs[0].rules[1].key: "},
      {R"({"alert_config":[{"name":"x","rules":[{"key":"a","value":["ok","("],"method":"reg"}]}]})",
       "alert_config[0].rules[0].value[1]: "},
      {R"({"normalization_config":[{"field":"time","expr":"a","option":{"time_format":"stardate"}}]})",
       "normalization_config[0].option.time_format: not known"},
      {R"({"normalization_config":[{"field":"anomaly_time","expr":"a","option":{"time_zone":"Asia/Nowhere"}}]})",
       "normalization_config[0].option.time_zone: must be"},
  };
  for (const auto& c : cases) {
    Bench bench;
    const std::string wrong = bench.use(c.profile);
    EXPECT_TRUE(wrong.starts_with(c.wanted)) << wrong;
  }
}

}  // namespace
}  // namespace tocsin::normalise
