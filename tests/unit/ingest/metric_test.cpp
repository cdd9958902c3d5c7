// SPDX-License-Identifier: Apache-2.0
// Custom metrics: what instances of type time_series take at /v2/push/.
#include <gtest/gtest.h>

#include "src/ingest/push.hpp"
#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::string_view kGoodMetric = R"({"metrics":{"load":1}})";

std::string metric_with(std::string_view members) { return R"({"metrics":{"load":1},)" + std::string{members} + "}"; }

TEST(Metric, TakesTheDocumentedExampleAndStoresWhatThePipeCarries) {
  World world;
  ASSERT_EQ(world.push_item(R"({
      "timestamp": 1587218838000, "target": "127.0.0.1",
      "metrics": { "cpu_load" : 10.50, "_n2": -1e3 },
      "dimension": { "module": "db", "location": "guangdong" } })",
                            series_instance()),
            "");
  EXPECT_EQ(world.last(), R"({"metrics":{"cpu_load":10.50,"_n2":-1e3},"target":"127.0.0.1",)"
                          R"("dimension":{"module":"db","location":"guangdong"},"timestamp":1587218838000})");
  EXPECT_EQ(world.batch.kind, model::RecordKind::custom_metric);
  EXPECT_EQ(world.batch.data_id, series_instance().data_id);
  EXPECT_EQ(world.batch.items[0].facts_bytes, 0U);
}

TEST(Metric, ConvertsAsTheContractSays) {
  struct Case {
    const char* members;
    const char* rest;
  };
  World world;
  for (const Case& c : {
           Case{R"("timestamp":0)", R"("target":"","dimension":{},"timestamp":1700000000123})"},
           Case{R"("target":null,"timestamp":9)", R"("target":"","dimension":{},"timestamp":9})"},
           Case{R"("target":"","timestamp":9)", R"("target":"","dimension":{},"timestamp":9})"},
           Case{R"("event_name":5,"event":[],"event_name":6,"timestamp":9)",
                R"("target":"","dimension":{},"timestamp":9})"},
           Case{R"("timestamp":9,"dimension":{"n":1,"f":-1.50,"t":true,"z":null,"s":"x y"})",
                R"("target":"","dimension":{"n":"1","f":"-1.50","t":"true","s":"x y"},"timestamp":9})"},
       }) {
    ASSERT_EQ(world.push_item(metric_with(c.members), series_instance()), "") << c.members;
    EXPECT_EQ(world.last(), R"({"metrics":{"load":1},)" + std::string{c.rest});
  }
}

TEST(Metric, RaisesNoAlertWhateverTheInstanceSays) {
  World world;
  auto instance = series_instance();
  instance.alert = 3;
  ASSERT_EQ(world.push_item(kGoodMetric, instance), "");
  EXPECT_EQ(world.batch.items[0].facts_bytes, 0U);
}

struct RefusedMetric {
  const char* name;
  std::string item;
  const char* answer;
};

class MetricRefusal : public ::testing::TestWithParam<RefusedMetric> {};

TEST_P(MetricRefusal, IsAnsweredInWordsAndKeepsNothing) {
  World world;
  ASSERT_EQ(world.push_item(kGoodMetric, series_instance()), "");
  const std::string before{as_text(world.batch.bytes.view())};
  EXPECT_EQ(world.push_item(std::string{kGoodMetric} + "," + GetParam().item, series_instance()), GetParam().answer);
  EXPECT_EQ(world.status, 400);
  EXPECT_EQ(as_text(world.batch.bytes.view()), before);
  EXPECT_EQ(world.batch.items.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, MetricRefusal,
    ::testing::Values(
        RefusedMetric{"ItemNumber", "1",
                      "item_type: timeseries each item expected map[string]any type, got float64 (data[1])"},
        RefusedMetric{"Missing", R"({"target":"t"})", "metrics_missing: metrics missing (data[1])"},
        RefusedMetric{"AnEvent", R"({"event_name":"n","target":"t","event":{"content":"c"}})",
                      "metrics_missing: metrics missing (data[1])"},
        RefusedMetric{"List", R"({"metrics":[]})",
                      "metrics_type: metrics expected map[string]any type, got []interface {} (data[1])"},
        RefusedMetric{"Null", R"({"metrics":null})",
                      "metrics_type: metrics expected map[string]any type, got <nil> (data[1])"},
        RefusedMetric{"Empty", R"({"metrics":{}})", "metrics_empty: metrics cannot be empty (data[1])"},
        RefusedMetric{"NameWithDash", R"({"metrics":{"ok":1,"cpu-load":1}})",
                      "name_regex: name 'cpu-load' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[1])"},
        RefusedMetric{"NameWithDigitFirst", R"({"metrics":{"1a":1}})",
                      "name_regex: name '1a' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[1])"},
        RefusedMetric{"NameEmpty", R"({"metrics":{"":1}})",
                      "name_regex: name '' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[1])"},
        RefusedMetric{"NameEscaped", R"({"metrics":{"a\u4e2d":1}})",
                      "name_regex: name 'a\xE4\xB8\xAD' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[1])"},
        RefusedMetric{"ValueText", R"({"metrics":{"a":"1"}})",
                      "metric_value_type: value expected float64 type, got string (data[1])"},
        RefusedMetric{"ValueBool", R"({"metrics":{"a":true}})",
                      "metric_value_type: value expected float64 type, got bool (data[1])"},
        RefusedMetric{"ValueNull", R"({"metrics":{"a":null}})",
                      "metric_value_type: value expected float64 type, got <nil> (data[1])"},
        RefusedMetric{"NameTwice", R"({"metrics":{"a":1,"\u0061":2}})",
                      "metrics_repeated: metrics has a name twice (data[1])"},
        RefusedMetric{"MetricsTwice", R"({"metrics":{"a":1},"metrics":{"a":1}})",
                      "member_repeated: metrics appears twice (data[1])"},
        RefusedMetric{"TargetNumber", metric_with(R"("target":7)"),
                      "metric_target_type: target expected string type, got float64 (data[1])"},
        RefusedMetric{"DimensionList", metric_with(R"("dimension":[])"),
                      "dimension_type: dimension expected map[string]any type, got []interface {} (data[1])"},
        RefusedMetric{"DimensionName", metric_with(R"("dimension":{"a b":"1"})"),
                      "name_regex: name 'a b' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[1])"},
        RefusedMetric{"DimensionValue", metric_with(R"("dimension":{"a":[]})"),
                      "dimension_value_type: dimension 'a' value expected string type, got []interface {} (data[1])"},
        RefusedMetric{"DimensionTwice", metric_with(R"("dimension":{"a":"1","a":"2"})"),
                      "dimension_repeated: dimension has a name twice (data[1])"},
        RefusedMetric{"TimestampText", metric_with(R"("timestamp":"1587218838000")"),
                      "timestamp_type: timestamp expected float64 type, got string (data[1])"},
        RefusedMetric{"TimestampFuture", metric_with(R"("timestamp":1700003601000)"),
                      "timestamp_future: reject future timestamp, dataTs=1700003601, serverTs=1700000000, "
                      "offset=3600(s) (data[1])"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Metric, TheListIsRefusedInItsOwnWords) {
  World world;
  EXPECT_EQ(world.push_body("{}", series_instance()), "data_type: timeseries data expected []any, got <nil>");
  EXPECT_EQ(world.push_body(R"({"data":{}})", series_instance()),
            "data_type: timeseries data expected []any, got map[string]interface {}");
  EXPECT_EQ(world.push_body(R"({"data":[]})", series_instance()), "data_empty: timeseries data cannot be empty");
}

TEST(Metric, LooksIntoTheFutureOnlyWithATrustedClock) {
  World world;
  const Now box_of_1970{{}, {5'000, false}};
  EXPECT_EQ(world.push_item(metric_with(R"("timestamp":1700003601000)"), series_instance(), box_of_1970), "");
  EXPECT_EQ(world.push_item(metric_with(R"("timestamp":1700003600999)"), series_instance()), "");
}

TEST(Metric, TakesTheLimitAndRefusesOneMore) {
  World world;
  const auto metrics = [](std::size_t count) {
    std::string out = R"({"metrics":{)";
    for (std::size_t i = 0; i < count; ++i) out += (i != 0 ? ",\"m" : "\"m") + std::to_string(i) + "\":1";
    return out + "}}";
  };
  EXPECT_EQ(world.push_item(metrics(kMetricsMax), series_instance()), "");
  EXPECT_EQ(world.push_item(metrics(kMetricsMax + 1), series_instance()),
            "metrics_too_many: metrics has more than 1024 members (data[0])");
}

}  // namespace
}  // namespace tocsin::ingest
