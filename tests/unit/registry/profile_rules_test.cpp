// SPDX-License-Identifier: Apache-2.0
#include "src/registry/profile_rules.hpp"

#include <gtest/gtest.h>

namespace tocsin::registry {
namespace {

using model::PluginType;
using model::ProfilePart;

std::string problem_of(ProfilePart part, std::string_view json, PluginType type = PluginType::http_push) {
  json::Parser parser;
  const auto document = json::Document::parse(parser, json);
  EXPECT_TRUE(document.has_value()) << json;
  return document ? check_profile_part(part, document->root(), type).value_or("") : "not JSON";
}

struct Case {
  const char* name;
  ProfilePart part;
  std::string json;
  std::string problem;  ///< empty: it is good
  PluginType type = PluginType::http_push;
};

class ProfileRules : public ::testing::TestWithParam<Case> {};

TEST_P(ProfileRules, NameMemberAndRule) {
  EXPECT_EQ(problem_of(GetParam().part, GetParam().json, GetParam().type), GetParam().problem);
}

const std::string kRule = R"({"key":"status","value":["firing"],"method":"eq","condition":"and"})";

INSTANTIATE_TEST_SUITE_P(
    Parts, ProfileRules,
    ::testing::Values(
        Case{"EmptyList", ProfilePart::clean_configs, "[]", ""},
        Case{"WholeCleanConfig", ProfilePart::clean_configs,
             R"([{"rules":[)" + kRule + R"(],"alert_config":[{"name":"a","rules":[)" + kRule +
                 R"(]}],"normalization_config":[{"field":"target","expr":"","option":{"a":1}}]}])",
             ""},
        Case{"NoList", ProfilePart::clean_configs, "{}", "clean_configs: must be a list"},
        Case{"NoObject", ProfilePart::clean_configs, "[1]", "clean_configs[0]: must be an object"},
        Case{"CleanConfigWithoutNormalization", ProfilePart::clean_configs, "[{}]",
             "clean_configs[0].normalization_config: missing"},
        Case{"Method", ProfilePart::alert_config,
             R"([{"name":"a","rules":[{"key":"k","value":[],"method":"eq"},{"key":"k","value":[],"method":"like"}]}])",
             R"(alert_config[0].rules[1].method: must be one of "eq" "neq" "reg")"},
        Case{"Condition", ProfilePart::alert_config,
             R"([{"name":"a","rules":[{"key":"k","value":[],"method":"eq","condition":"xor"}]}])",
             R"(alert_config[0].rules[0].condition: must be one of "and" "or" "")"},
        Case{"EmptyCondition", ProfilePart::alert_config,
             R"([{"name":"a","rules":[{"key":"k","value":["v"],"method":"reg","condition":""}]}])", ""},
        Case{"ValueIsNoList", ProfilePart::alert_config,
             R"([{"name":"a","rules":[{"key":"k","value":"v","method":"eq"}]}])",
             "alert_config[0].rules[0].value: must be a list"},
        Case{"ValueOfNumbers", ProfilePart::alert_config,
             R"([{"name":"a","rules":[{"key":"k","value":["a",1],"method":"eq"}]}])",
             "alert_config[0].rules[0].value[1]: must be a string of 0 to 1024 bytes"},
        Case{"EmptyKey", ProfilePart::alert_config, R"([{"name":"a","rules":[{"key":"","value":[],"method":"eq"}]}])",
             "alert_config[0].rules[0].key: must be a string of 1 to 1024 bytes"},
        Case{"RuleWithoutKey", ProfilePart::alert_config, R"([{"name":"a","rules":[{"value":[],"method":"eq"}]}])",
             "alert_config[0].rules[0].key: missing"},
        Case{"AlertWithoutName", ProfilePart::alert_config, R"([{"rules":[]}])", "alert_config[0].name: missing"},
        Case{"LongAlertName", ProfilePart::alert_config, R"([{"name":")" + std::string(65, 'n') + R"("}])",
             "alert_config[0].name: must be a string of 1 to 64 bytes"},
        Case{"UnknownMember", ProfilePart::alert_config, R"([{"name":"a","rule":[]}])",
             "alert_config[0].rule: not known here; the members are name, rules"},
        Case{"Normalization", ProfilePart::normalization_config, R"([{"field":"a","expr":"b.c"},{"field":"b"}])",
             "normalization_config[1].expr: missing"},
        Case{"LongestExpression", ProfilePart::normalization_config,
             R"([{"field":"a","expr":")" + std::string(1024, 'e') + R"("}])", ""},
        Case{"LongExpression", ProfilePart::normalization_config,
             R"([{"field":"a","expr":")" + std::string(1025, 'e') + R"("}])",
             "normalization_config[0].expr: must be a string of 0 to 1024 bytes"},
        Case{"Option", ProfilePart::normalization_config, R"([{"field":"a","expr":"","option":[]}])",
             "normalization_config[0].option: must be an object"},
        Case{"Parameter", ProfilePart::config_params,
             R"([{"field":"f","name":"n","desc":"d","value":1,"default_value":"","is_required":true,"is_hidden":false,)"
             R"("is_sensitive":true}])",
             ""},
        Case{"ParameterFlag", ProfilePart::config_params, R"([{"field":"f","is_sensitive":1}])",
             "config_params[0].is_sensitive: must be true or false"},
        Case{"IngestConfig", ProfilePart::ingest_config,
             R"({"source_format":"yaml","multiple_events":true,"events_path":"alerts","collect_type":"bk-ingestor",)"
             R"("is_external":false,"alert_sources":[{"name":"n","code":"c"}]})",
             ""},
        Case{"IngestConfigList", ProfilePart::ingest_config, "[]", "ingest_config: must be an object"},
        Case{"SourceFormat", ProfilePart::ingest_config, R"({"source_format":"csv"})",
             R"(ingest_config.source_format: must be one of "json" "yaml" "xml" "text" "gse")"},
        Case{"CollectType", ProfilePart::ingest_config, R"({"collect_type":"x"})",
             R"(ingest_config.collect_type: must be one of "bk-ingestor" "bk_ingestor" "bk_collector")"},
        Case{"PolledButPushed", ProfilePart::ingest_config, R"({"url":"http://x"})",
             "ingest_config.url: not known here; the members are source_format, multiple_events, events_path, "
             "collect_type, is_external, alert_sources"},
        Case{"Polled", ProfilePart::ingest_config,
             R"({"url":"http://x","method":"GET","interval":"60","authorize":{"auth_type":"none"}})", "",
             PluginType::http_pull},
        Case{"PolledByAnotherMethod", ProfilePart::ingest_config, R"({"method":"PATCH"})",
             R"(ingest_config.method: must be one of "GET" "POST" "PUT")", PluginType::http_pull}),
    [](const auto& row) { return row.param.name; });

TEST(ProfileList, TakesAsManyEntriesAsItSays) {
  std::string list = "[";
  for (std::size_t i = 0; i < kProfileListMax; ++i) list += R"({"name":"a"},)";
  list.back() = ']';
  EXPECT_EQ(problem_of(ProfilePart::alert_config, list), "");
  list.back() = ',';
  list += R"({"name":"a"}])";
  EXPECT_EQ(problem_of(ProfilePart::alert_config, list), "alert_config: more than 256 entries");
}

}  // namespace
}  // namespace tocsin::registry
