// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

/// The stored form when only alert_name and `members` were sent.
std::string event(std::string_view members) { return R"({"alert_name":"n")" + std::string{members} + "}"; }

model::EventFacts facts_of_last(World& world, std::string& keep) {
  const auto items = take_apart(world.batch);
  if (items.empty()) return {};
  keep = items.back().facts;
  const auto facts = model::decode_facts(as_bytes(keep));
  EXPECT_TRUE(facts.ok());
  return facts.ok() ? *facts : model::EventFacts{};
}

TEST(Standard, TakesTheDocumentedExample) {
  World world;
  ASSERT_EQ(world.send(R"({
  "alert_name": "CPU使用率过高",
  "event_id": "event-001",
  "description": "服务器CPU使用率持续超过90%",
  "metric": "cpu_usage",
  "category": "os",
  "target_type": "host",
  "target": "192.168.1.100",
  "severity": 1,
  "time": "2023-10-01T12:00:00Z"
})"),
            "");
  EXPECT_EQ(world.last(),
            R"({"alert_name":"CPU使用率过高","event_id":"event-001","description":"服务器CPU使用率持续超过90%",)"
            R"("metric":["cpu_usage"],"category":"os","target_type":"HOST","target":"192.168.1.100","severity":1,)"
            R"("bk_biz_id":2,"time":1696161600,"anomaly_time":1696161600,"status":"ABNORMAL"})");
  std::string keep;
  const auto facts = facts_of_last(world, keep);
  EXPECT_EQ(to_hex(facts.dedupe), "d48e16f7b5ff6eadaff8ca7fd8860d7e");
  EXPECT_EQ(facts.alert_name, "CPU使用率过高");
  EXPECT_EQ(facts.target_type, "HOST");
  EXPECT_EQ(facts.metric, "cpu_usage");
  EXPECT_EQ(facts.event_id, "event-001");
  EXPECT_EQ(facts.severity, 1);
  EXPECT_EQ(facts.time_ms, 1696161600000);
  EXPECT_EQ(world.batch.lane, model::Lane::critical) << "severity 1 of an alert source";
  EXPECT_EQ(world.batch.kind, model::RecordKind::standard_event);
}

TEST(Standard, TakesTheIdentityOutOfTheBodyAndNeverStoresIt) {
  for (const char* body :
       {R"({"data_id":7,"access_token":"s\u0065cret","data":{"alert_name":"n"}})",
        R"({"data_id":7,"access_token":"secret","data":[{"alert_name":"n","access_token":"secret"}]})",
        R"({"data_id":7,"alert_name":"n","access_token":"secret"})"}) {
    World world;
    const json::Padded padded{body};
    const auto envelope = world.standard.read_envelope(padded.bytes());
    ASSERT_TRUE(envelope.has_value()) << body;
    EXPECT_EQ(envelope->data_id, 7);
    EXPECT_EQ(envelope->access_token, "secret");
    ASSERT_TRUE(world.standard.read_items(source_instance(), trusted_now(), world.request_id, world.batch).has_value());
    EXPECT_EQ(world.last().find("secret"), std::string::npos);
    EXPECT_EQ(world.last().find("data_id"), std::string::npos);
  }
  World world;
  const json::Padded padded{R"([{"alert_name":"n","data_id":7}])"};
  const auto envelope = world.standard.read_envelope(padded.bytes());
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(envelope->data_id, std::nullopt);
  EXPECT_EQ(envelope->access_token, std::nullopt);
}

TEST(Standard, FillsWhatTheSenderLeftOut) {
  World world;
  ASSERT_EQ(
      world.send("[" + event("") + "," + event(R"(,"event_id":null,"target":null,"time":null,"tags":null)") + "]"), "");
  const auto items = take_apart(world.batch);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(
      items[1].json,
      R"({"alert_name":"n","event_id":"ab000000-0000-0000-0000-000000000000-1","category":"other_rt","target_type":"",)"
      R"("target":"","severity":3,"bk_biz_id":2,"time":1700000000,"anomaly_time":1700000000,"status":"ABNORMAL"})");
  EXPECT_EQ(items[0].id_hash, 0U);
  EXPECT_EQ(world.batch.lane, model::Lane::normal);
}

struct Converted {
  const char* name;
  const char* members;
  const char* part;
};

class StandardConversion : public ::testing::TestWithParam<Converted> {};

TEST_P(StandardConversion, IsAsUpstreamDoesIt) {
  World world;
  ASSERT_EQ(world.send(event("," + std::string{GetParam().members})), "");
  EXPECT_NE(world.last().find(GetParam().part), std::string::npos) << world.last();
}

INSTANTIATE_TEST_SUITE_P(
    Rows, StandardConversion,
    ::testing::Values(Converted{"SeverityTooLow", R"("severity":0)", R"("severity":1)"},
                      Converted{"SeverityTooHigh", R"("severity":9)", R"("severity":3)"},
                      Converted{"SeverityFraction", R"("severity":2.9)", R"("severity":2)"},
                      Converted{"SeverityText", R"("severity":"2")", R"("severity":2)"},
                      Converted{"SeverityWord", R"("severity":"fatal")", R"("severity":3)"},
                      Converted{"SeverityList", R"("severity":[1])", R"("severity":3)"},
                      Converted{"SeverityHuge", R"("severity":1e300)", R"("severity":3)"},
                      Converted{"SeverityNull", R"("severity":null)", R"("severity":3)"},
                      Converted{"StatusLower", R"("status":"recovered")", R"("status":"RECOVERED")"},
                      Converted{"StatusClosed", R"("status":"Closed")", R"("status":"CLOSED")"},
                      Converted{"StatusEscaped", R"("status":"cl\u006fsed")", R"("status":"CLOSED")"},
                      Converted{"StatusOther", R"("status":"OK")", R"("status":"ABNORMAL")"},
                      Converted{"MetricText", R"("metric":"m")", R"("metric":["m"])"},
                      Converted{"MetricEmpty", R"("metric":"")", R"("metric":[])"},
                      Converted{"MetricList", R"("metric":[ "a" , "b" ])", R"("metric":["a","b"])"},
                      Converted{"CategoryCase", R"("category":"OS \u0041")", R"("category":"os a")"},
                      Converted{"CategoryEmpty", R"("category":"")", R"("category":"other_rt")"},
                      Converted{"TargetTypeService", R"("target_type":"Service")", R"("target_type":"SERVICE")"},
                      Converted{"TargetTypeFree", R"("target_type":"K8S-pod")", R"("target_type":"K8S-pod")"},
                      Converted{"TargetNumber", R"("target":17)", R"("target":"17")"},
                      Converted{"EventIdNumber", R"("event_id":17)", R"("event_id":"17")"},
                      Converted{"BizText", R"("bk_biz_id":"5")", R"("bk_biz_id":5)"},
                      Converted{"BizNegative", R"("bk_biz_id":-4)", R"("bk_biz_id":-4)"},
                      Converted{"TagsObject", R"("tags":{"a":"b","n":1,"z":null})",
                                R"("tags":[{"key":"a","value":"b"},{"key":"n","value":1}])"},
                      Converted{"TagsList", R"("tags":[{"value":"b","key":"a","display_key":"A","x":1}])",
                                R"("tags":[{"key":"a","value":"b","display_key":"A"}])"},
                      Converted{"TagsNested", R"("tags":{"o":{"k": "v"},"l":[1, {"k":2}]})",
                                R"("tags":[{"key":"o","value":"{\"k\":\"v\"}"},{"key":"l","value":[1,"{\"k\":2}"]}])"},
                      Converted{"TimeSeconds", R"("time":1696161600)",
                                R"("time":1696161600,"anomaly_time":1696161600)"},
                      Converted{"TimeMilliseconds", R"("time":1696161600999)", R"("time":1696161600,)"},
                      Converted{"TimeFraction", R"("time":1696161600.5)", R"("time":1696161600,)"},
                      Converted{"TimeZero", R"("time":0)", R"("time":1700000000,)"},
                      Converted{"TimeLessThanASecond", R"("time":0.175)", R"("time":1700000000,)"},
                      Converted{"TimeZeroInWords", R"("time":"1970-01-01T00:00:00Z")", R"("time":1700000000,)"},
                      Converted{"TimeText", R"("time":"2023-10-01 12:00:00")", R"("time":1696161600,)"},
                      Converted{"AnomalyTime", R"("time":1696161600,"anomaly_time":"2023-10-01T11:00:00Z")",
                                R"("anomaly_time":1696158000)"},
                      Converted{"AssigneeText", R"("assignee":"ann")", R"("assignee":["ann"])"},
                      Converted{"UnknownMembers", R"("x":{ "a" : 1.50 },"y":null)",
                                R"("status":"ABNORMAL","x":{"a":1.50},"y":null})"}),
    [](const auto& row) { return std::string(row.param.name); });

struct RefusedEvents {
  const char* name;
  std::string body;
  const char* answer;
};

class StandardRefusal : public ::testing::TestWithParam<RefusedEvents> {};

TEST_P(StandardRefusal, NamesTheMemberAndTheRule) {
  World world;
  EXPECT_EQ(world.send(GetParam().body), GetParam().answer);
  EXPECT_TRUE(world.batch.items.empty());
  EXPECT_TRUE(world.batch.bytes.empty());
  EXPECT_EQ(world.status, 400);
}

std::string many(const char* open, const char* one, int count, const char* close) {
  std::string out = open;
  for (int i = 0; i < count; ++i) out += (i != 0 ? "," : "") + std::string{one};
  return out + close;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, StandardRefusal,
    ::testing::Values(
        RefusedEvents{"RootText", "\"x\"", "body_type: request body expected an event or a list of events, got string"},
        RefusedEvents{"EmptyList", "[]", "data_empty: the list of events cannot be empty"},
        RefusedEvents{"EmptyData", R"({"data":[]})", "data_empty: the list of events cannot be empty"},
        RefusedEvents{"DataNumber", R"({"data":1})", "event_type: event expected an object, got number (event 0)"},
        RefusedEvents{"DataIdText", R"({"data_id":"1","data":[]})", "data_id_type: data_id expected an integer"},
        RefusedEvents{"TokenNumber", R"({"access_token":1,"data":[]})",
                      "access_token_type: access_token expected a string"},
        RefusedEvents{"SecondIsNoObject", "[" + event("") + ",1]",
                      "event_type: event expected an object, got number (event 1)"},
        RefusedEvents{"NameMissing", "{}", "alert_name_missing: alert_name missing (event 0)"},
        RefusedEvents{"NameNull", R"({"alert_name":null})", "alert_name_missing: alert_name missing (event 0)"},
        RefusedEvents{"NameEmpty", R"({"alert_name":""})", "alert_name_empty: alert_name cannot be empty (event 0)"},
        RefusedEvents{"NameNumber", R"({"alert_name":1})",
                      "field_type: alert_name expected a string, got number (event 0)"},
        RefusedEvents{"NameTwice", R"([{"alert_name":"a","alert_name":"b"}])",
                      "member_repeated: alert_name appears twice (event 0)"},
        RefusedEvents{"StatusNumber", event(R"(,"status":1)"),
                      "field_type: status expected a string, got number (event 0)"},
        RefusedEvents{"DescriptionList", event(R"(,"description":[])"),
                      "field_type: description expected a string, got array (event 0)"},
        RefusedEvents{"EventIdFraction", event(R"(,"event_id":1.5)"),
                      "field_type: event_id expected a string or an integer, got number (event 0)"},
        RefusedEvents{"TargetObject", event(R"(,"target":{})"),
                      "field_type: target expected a string or an integer, got object (event 0)"},
        RefusedEvents{"MetricNumber", event(R"(,"metric":1)"),
                      "field_type: metric expected a string or a list, got number (event 0)"},
        RefusedEvents{"MetricMixed", event(R"(,"metric":["a",1])"),
                      "field_list: metric expected strings only (event 0)"},
        RefusedEvents{"DedupeKeysText", event(R"(,"dedupe_keys":"a")"),
                      "field_type: dedupe_keys expected a list, got string (event 0)"},
        RefusedEvents{"DedupeKeysTooMany", event(many(R"(,"dedupe_keys":[)", "\"a\"", 33, "]")),
                      "field_list: dedupe_keys has too many elements (event 0)"},
        RefusedEvents{"TagsText", event(R"(,"tags":"a")"),
                      "tags_type: tags expected an object or a list of {key, value} (event 0)"},
        RefusedEvents{"TagsListOfTexts", event(R"(,"tags":["a"])"),
                      "tags_type: tags expected elements of the form {key, value} (event 0)"},
        RefusedEvents{"TagsKeyNumber", event(R"(,"tags":[{"key":1,"value":1}])"),
                      "tags_type: tags expected a string as key of each element (event 0)"},
        RefusedEvents{"TagsTooMany", event(many(R"(,"tags":[)", R"({"key":"a"})", 257, "]")),
                      "tags_type: tags has more than 256 elements (event 0)"},
        RefusedEvents{"TagsObjectTooMany", event(many(R"(,"tags":{)", R"("a":1)", 257, "}")),
                      "tags_type: tags has more than 256 members (event 0)"},
        RefusedEvents{"BizWord", event(R"(,"bk_biz_id":"two")"),
                      "field_type: bk_biz_id expected an integer of 32 bits, got string (event 0)"},
        RefusedEvents{"BizTooLarge", event(R"(,"bk_biz_id":2147483648)"),
                      "field_type: bk_biz_id expected an integer of 32 bits, got number (event 0)"},
        RefusedEvents{"TimeWord", event(R"(,"time":"now")"),
                      "time_form: time expected epoch seconds, epoch milliseconds, or a time like 2023-10-01T12:00:00Z "
                      "(event 0)"},
        RefusedEvents{"TimeNegative", event(R"(,"time":-1)"),
                      "time_form: time expected epoch seconds, epoch milliseconds, or a time like 2023-10-01T12:00:00Z "
                      "(event 0)"},
        RefusedEvents{"AnomalyTimeList", event(R"(,"anomaly_time":[])"),
                      "field_type: anomaly_time expected a number or a time, got array (event 0)"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Standard, TakesTheLastTagAndTheLastDedupeKey) {
  World world;
  EXPECT_EQ(world.send(event(many(R"(,"tags":[)", R"({"key":"a"})", 256, "]"))), "");
  EXPECT_EQ(world.send(event(many(R"(,"tags":{)", R"("a":1)", 256, "}"))), "");
  EXPECT_EQ(world.send(event(many(R"(,"dedupe_keys":[)", "\"a\"", 32, "]"))), "");
}

TEST(Standard, DedupesExactlyAsUpstream) {
  struct Case {
    const char* body;
    const char* md5;
  };
  World world;
  std::string keep;
  for (
      const Case& c :
      {Case{R"({"alert_name":"CPU high","target_type":"host","target":"192.168.1.100"})",
            "4c0f6803481cb92a0e09d0eb52001aa3"},
       Case{R"({"target":"CPU high","target_type":"host","alert_name":"192.168.1.100"})",
            "4c0f6803481cb92a0e09d0eb52001aa3"},
       Case{
           R"({"alert_name":"CPU high","target_type":"host","target":"192.168.1.100","metric":"cpu_usage","severity":3,"tags":{"device":"sda"},)"
           R"("dedupe_keys":["tags.device","tags.none","metric","severity","alert_name","severity"]})",
           "c6e01f2513bca6edfe19136a74bd97a2"},
       Case{R"({"alert_name":"n","target_type":"K8S-POD","target":"pod-1"})", "77b913f2ae4fe0daef99e806ab76f80c"}}) {
    ASSERT_EQ(world.send(c.body), "") << c.body;
    EXPECT_EQ(to_hex(facts_of_last(world, keep).dedupe), c.md5) << c.body;
  }
}

TEST(Standard, ReadsTagsAndListsIntoTheFacts) {
  World world;
  ASSERT_EQ(
      world.send(event(
          R"(,"tags":{"a":"\u4e2d","n":1,"l":[1]},"metric":["m","k"],"assignee":["ann","bob"],"status":"closed")")),
      "");
  std::string keep;
  const auto facts = facts_of_last(world, keep);
  EXPECT_EQ(facts.dimensions_json, R"({"a":"\u4e2d","n":"1","l":"[1]"})");
  EXPECT_EQ(facts.metric, "m,k");
  EXPECT_EQ(facts.assignee, "ann,bob");
  EXPECT_EQ(facts.category, "other_rt");
  EXPECT_EQ(facts.status, model::EventStatus::closed);
}

TEST(Standard, HashesIdsSoThatOnlyARepeatIsOne) {
  World world;
  const auto hash = [&](const std::string& members, std::int32_t data_id = 1500006) {
    auto instance = source_instance();
    instance.data_id = data_id;
    EXPECT_EQ(world.send(event(members), instance), "");
    return world.batch.items.back().id_hash;
  };
  const std::string base = R"(,"event_id":"e1","time":1696161600)";
  std::set<std::uint64_t> all;
  const auto first = hash(base);
  EXPECT_EQ(first, hash(base + R"(,"description":"other words")"));
  EXPECT_EQ(first, hash(R"(,"event_id":"\u00651","time":"2023-10-01T12:00:00Z")"));
  for (const auto other :
       {first, hash(base + R"(,"status":"RECOVERED")"), hash(R"(,"event_id":"e2","time":1696161600)"),
        hash(R"(,"event_id":"e1","time":1696161601)"), hash(base, 1500007)}) {
    EXPECT_NE(other, 0U);
    EXPECT_EQ(other >> 56U, 0U);
    all.insert(other);
  }
  EXPECT_EQ(all.size(), 5U);
  EXPECT_EQ(hash(R"(,"event_id":"")"), 0U);
}

TEST(Standard, ShiftsTimesWithoutZoneByTheOption) {
  World world;
  StandardReader china{world.parser, world.crypto, port::Digest256{}, {.offset_minutes = 480}};
  const json::Padded padded{event(R"(,"time":"2023-10-01 20:00:00")")};
  ASSERT_TRUE(china.read_envelope(padded.bytes()).has_value());
  ASSERT_TRUE(china.read_items(source_instance(), trusted_now(), world.request_id, world.batch).has_value());
  EXPECT_NE(world.last().find(R"("time":1696161600,)"), std::string::npos) << world.last();
}

}  // namespace
}  // namespace tocsin::ingest
