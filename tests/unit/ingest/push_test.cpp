// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/push.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ingest/world.hpp"
#include "tests/unit/json/corpus.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::string_view kGood = R"({"event_name":"n","target":"t","event":{"content":"c"}})";

std::string with(std::string_view members) {
  return R"({"event_name":"n","target":"t","event":{"content":"c"},)" + std::string{members} + "}";
}

TEST(Push, TakesTheDocumentedExample) {
  World world;
  ASSERT_EQ(world.push_body(R"({
    "data_id": 1500006,
    "access_token": "2e5a9c5c05394df2a6d0c0347f1d7c77",
    "data": [{
        "event_name": "login_failed",
        "target": "0:192.168.0.1",
        "event": {
            "content": "user->[user00] login failed"
        },
        "dimension": {
            "module": "db",
            "set": "guangdong"
        },
        "timestamp": 1587218838000
    }]
})"),
            "");
  EXPECT_EQ(world.last(), R"({"event_name":"login_failed","target":"0:192.168.0.1",)"
                          R"("event":{"content":"user->[user00] login failed"},)"
                          R"("dimension":{"module":"db","set":"guangdong"},"timestamp":1587218838000})");
  EXPECT_EQ(world.batch.data_id, 1500006);
  EXPECT_EQ(world.batch.kind, model::RecordKind::custom_event);
  EXPECT_EQ(world.batch.items[0].facts_bytes, 0U);
  EXPECT_EQ(world.batch.items[0].id_hash, 0U);
}

TEST(Push, ReadsTheEnvelopeBeforeAnyItem) {
  World world;
  const json::Padded padded{R"({"version":"x","access_token":"a\u0062c","data_id":-5,"data":[17]})"};
  const auto envelope = world.push.read_envelope(padded.bytes());
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(envelope->data_id, -5);
  EXPECT_EQ(envelope->access_token, "abc");
  const json::Padded bare{"{}"};
  const auto empty = world.push.read_envelope(bare.bytes());
  ASSERT_TRUE(empty.has_value());
  EXPECT_EQ(empty->data_id, 0);
  EXPECT_EQ(empty->access_token, "");
}

struct Refused {
  const char* name;
  std::string body;
  const char* answer;
  int status = 400;
};

class PushRefusal : public ::testing::TestWithParam<Refused> {};

TEST_P(PushRefusal, IsAnsweredInWordsAndKeepsNothing) {
  World world;
  ASSERT_EQ(world.push_item(kGood), "");
  const std::string before{as_text(world.batch.bytes.view())};
  EXPECT_EQ(world.push_body(GetParam().body), GetParam().answer);
  EXPECT_EQ(world.status, GetParam().status);
  EXPECT_EQ(as_text(world.batch.bytes.view()), before);
  EXPECT_EQ(world.batch.items.size(), 1U);
}

/// Three items, the last one in question.
std::string third(std::string_view item) {
  return R"({"data_id":1,"data":[)" + std::string{kGood} + "," + std::string{kGood} + "," + std::string{item} + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PushRefusal,
    ::testing::Values(
        Refused{"EmptyBody", "", "body_empty: empty request body not allowed"},
        Refused{"NotClosed", "{",
                "json_invalid: invalid JSON: an array or object is not closed, or something follows it"},
        Refused{"TextAfterTheEnd", R"({"data":[]} x)",
                "json_invalid: invalid JSON: an array or object is not closed, or something follows it"},
        Refused{"BadUtf8", "{\"data\":\"\xFF\"}", "json_invalid: invalid JSON: not UTF-8"},
        Refused{"WrongFromTheFirstByteOn", "x", "json_invalid: invalid JSON at byte 0: a value is expected here"},
        Refused{"TooLong", "\"" + std::string(511'999, 'a') + "\"", "body_too_long: request body too long", 413},
        Refused{"TooManyElements",
                "[" +
                    [] {
                      std::string s;
                      for (int i = 0; i < 200'000; ++i) s += "0,";
                      return s;
                    }() +
                    "0]",
                "body_too_many_elements: request body has too many values, names, commas and brackets", 413},
        Refused{"RootList", "[]", "body_type: request body expected a JSON object, got array"},
        Refused{"DataIdText", R"({"data_id":"1"})", "data_id_type: data_id expected an integer, got string"},
        Refused{"DataIdFraction", R"({"data_id":1.5})",
                "data_id_type: data_id expected an integer, got another number"},
        Refused{"TokenNumber", R"({"access_token":1})",
                "access_token_type: access_token expected a string, got number"},
        Refused{"TokenTooLong", R"({"access_token":")" + std::string(513, 'a') + "\"}",
                "access_token_too_long: access_token is longer than 512 bytes"},
        Refused{"DataTwice", R"({"data":[],"data":[]})",
                "json_invalid: invalid JSON at byte 18: a member of the request appears twice"},
        Refused{"DataMissing", "{}", "data_type: event data expected []any, got <nil>"},
        Refused{"DataNull", R"({"data":null})", "data_type: event data expected []any, got <nil>"},
        Refused{"DataObject", R"({"data":{}})", "data_type: event data expected []any, got map[string]interface {}"},
        Refused{"DataText", R"({"data":"x"})", "data_type: event data expected []any, got string"},
        Refused{"DataEmpty", R"({"data":[]})", "data_empty: event data cannot be empty"},
        Refused{"ItemNumber", third("1"),
                "item_type: event each item expected map[string]any type, got float64 (data[2])"},
        Refused{"ItemList", third("[]"),
                "item_type: event each item expected map[string]any type, got []interface {} (data[2])"},
        Refused{"TargetMissing", third(R"({"event_name":"n","event":{"content":1}})"),
                "event_target_missing: target missing (data[2])"},
        Refused{"TargetNull", third(R"({"event_name":"n","target":null,"event":{"content":1}})"),
                "event_target_type: target expected string type, got <nil> (data[2])"},
        Refused{"TargetBool", third(R"({"event_name":"n","target":true,"event":{"content":1}})"),
                "event_target_type: target expected string type, got bool (data[2])"},
        Refused{"TargetEmpty", third(R"({"event_name":"n","target":"","event":{"content":1}})"),
                "event_target_empty: target cannot be empty (data[2])"},
        Refused{"NameMissing", third(R"({"target":"t","event":{"content":1}})"),
                "event_name_missing: event_name missing (data[2])"},
        Refused{"NameNumber", third(R"({"event_name":1,"target":"t","event":{"content":1}})"),
                "event_name_type: eventName expected string type, got float64 (data[2])"},
        Refused{"NameEmpty", third(R"({"event_name":"","target":"t","event":{"content":1}})"),
                "event_name_empty: event_name cannot be empty (data[2])"},
        Refused{"NameTwice", third(R"({"event_name":"a","event_name":"a","target":"t","event":{"content":1}})"),
                "member_repeated: event_name appears twice (data[2])"},
        Refused{"EventMissing", third(R"({"event_name":"n","target":"t"})"), "event_missing: event missing (data[2])"},
        Refused{"EventText", third(R"({"event_name":"n","target":"t","event":"x"})"),
                "event_type: event expected map[string]any type, got string (data[2])"},
        Refused{"ContentMissing", third(R"({"event_name":"n","target":"t","event":{"contents":1}})"),
                "event_content_missing: event.content missing (data[2])"},
        Refused{"DimensionList", third(with(R"("dimension":[])")),
                "dimension_type: dimension expected map[string]any type, got []interface {} (data[2])"},
        Refused{
            "DimensionValueObject", third(with(R"("dimension":{"a":"b","k":{}})")),
            "dimension_value_type: dimension 'k' value expected string type, got map[string]interface {} (data[2])"},
        Refused{"DimensionValueList", third(with(R"("dimension":{"k":[]})")),
                "dimension_value_type: dimension 'k' value expected string type, got []interface {} (data[2])"},
        Refused{"DimensionTwice", third(with(R"("dimension":{"k":"1","\u006b":"2"})")),
                "dimension_repeated: dimension has a name twice (data[2])"},
        Refused{"TimestampText", third(with(R"("timestamp":"1587218838000")")),
                "timestamp_type: timestamp expected float64 type, got string (data[2])"},
        Refused{"TimestampFuture", third(with(R"("timestamp":1700003601000)")),
                "timestamp_future: reject future timestamp, dataTs=1700003601, serverTs=1700000000, offset=3600(s) "
                "(data[2])"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Push, RefusesInstancesOfAnotherKind) {
  World world;
  EXPECT_EQ(world.push_item(kGood, source_instance()),
            "alert_source: this data id takes alert-source events, at /api/v1/events");
}

TEST(Push, RefusesEveryBrokenTextInMembersThatNobodyReads) {
  World world;
  for (const std::string& text : json::refused_texts()) {
    if (text == "1,2" || text == "[],") continue;
    const std::string answer = world.push_item(with(R"("extra":[)" + text + "]"));
    EXPECT_TRUE(answer.starts_with("json_invalid: ")) << text << " -> " << answer;
  }
  EXPECT_TRUE(world.batch.items.empty());
}

TEST(Push, TakesTheLimitAndRefusesOneMore) {
  World world;
  const auto named = [](const std::string& name) {
    return R"({"event_name":")" + name + R"(","target":"t","event":{"content":1}})";
  };
  std::string wide;
  std::string escaped;
  for (int i = 0; i < 128; ++i) {
    wide += "\xE4\xB8\xAD";
    escaped += "\\u4e2d";
  }
  EXPECT_EQ(world.push_item(named(std::string(128, 'a'))), "");
  EXPECT_EQ(world.push_item(named(wide)), "");
  EXPECT_EQ(world.push_item(named(escaped)), "");
  for (const std::string& longer : {std::string(129, 'a'), wide + "a", escaped + "a"}) {
    EXPECT_EQ(world.push_item(named(longer)),
              "event_name_too_long: event_name is longer than 128 characters (data[0])");
  }
  const auto dimensions = [](int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i != 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":\"v\"";
    return with(R"("dimension":{)" + out + "}");
  };
  EXPECT_EQ(world.push_item(dimensions(256)), "");
  EXPECT_EQ(world.push_item(dimensions(257)), "dimension_too_many: dimension has more than 256 members (data[0])");
  EXPECT_EQ(world.push_item(with(R"("timestamp":1700003600999)")), "");
  EXPECT_EQ(
      world.push_body(R"({"access_token":")" + std::string(512, 'a') + R"(","data":[)" + std::string{kGood} + "]}"),
      "");
  const std::string frame = R"({"x":"","data":[)" + std::string{kGood} + "]}";
  std::string full = frame;
  full.insert(6, std::string(512'000 - frame.size(), 'a'));
  EXPECT_EQ(world.push_body(full), "");
}

TEST(Push, LooksIntoTheFutureOnlyWithATrustedClock) {
  World world;
  const Now box_of_1970{{}, {5'000, false}};
  EXPECT_EQ(world.push_item(with(R"("timestamp":1700003601000)"), event_instance(), box_of_1970), "");
  EXPECT_EQ(world.push_item(with(R"("timestamp":1e300)"), event_instance(3), box_of_1970), "");
  EXPECT_EQ(world.push_item(with(R"("timestamp":1)")), "") << "old times are never refused";
}

TEST(Push, ConvertsAsTheContractSays) {
  struct Case {
    const char* members;
    const char* rest;
  };
  World world;
  for (const Case& c : {
           Case{R"("timestamp":0)", R"("dimension":{},"timestamp":1700000000123})"},
           Case{R"("timestamp":-0.0)", R"("dimension":{},"timestamp":1700000000123})"},
           Case{R"("metrics":{"a":1},"x":[1,{}])", R"("dimension":{},"timestamp":1700000000123})"},
           Case{R"("timestamp":1.5e12)", R"("dimension":{},"timestamp":1.5e12})"},
           Case{R"("timestamp":9,"dimension":{"n":1,"f":-1.50,"t":true,"f2":false,"z":null,"s":"x y"})",
                R"("dimension":{"n":"1","f":"-1.50","t":"true","f2":"false","s":"x y"},"timestamp":9})"},
           Case{R"("timestamp":9,"dimension":{"z":null})", R"("dimension":{},"timestamp":9})"},
           Case{R"("timestamp":9,"dimension":{ "a\"b" : "\u4e2d\n" })",
                R"("dimension":{"a\"b":"\u4e2d\n"},"timestamp":9})"},
           Case{R"("timestamp":9,"d\u0069mension":{"a":"b"})", R"("dimension":{"a":"b"},"timestamp":9})"},
       }) {
    ASSERT_EQ(world.push_item(with(c.members)), "") << c.members;
    EXPECT_EQ(world.last(), R"({"event_name":"n","target":"t","event":{"content":"c"},)" + std::string{c.rest});
  }
}

TEST(Push, KeepsTheEventAsItWasWithoutWhiteSpace) {
  World world;
  ASSERT_EQ(
      world.push_item(
          "{\"target\":\"t\",\"event_name\":\"n\",\"event\":{ \"content\" : [ 1.50 , { \"k v\" : \" \\\" \" } ] ,\n"
          "\"count\":1e2, \"extra\":null },\"timestamp\":9}"),
      "");
  EXPECT_EQ(world.last(),
            R"({"event_name":"n","target":"t","event":{"content":[1.50,{"k v":" \" "}],"count":1e2,"extra":null},)"
            R"("dimension":{},"timestamp":9})");
}

TEST(Push, KeepsTheOrderOfItemsAndAppendsToTheBatch) {
  World world;
  ASSERT_EQ(world.push_body(R"({"data":[)" + with(R"("timestamp":1)") + "," + with(R"("timestamp":2)") + "]}"), "");
  ASSERT_EQ(world.push_item(with(R"("timestamp":3)")), "");
  const auto items = take_apart(world.batch);
  ASSERT_EQ(items.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(items[i].json.ends_with("\"timestamp\":" + std::to_string(i + 1) + "}")) << items[i].json;
  }
}

}  // namespace
}  // namespace tocsin::ingest
