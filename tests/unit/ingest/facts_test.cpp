// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/facts_again.hpp"

#include <gtest/gtest.h>

#include "src/ingest/count_md5.hpp"
#include "src/ingest/event_time.hpp"
#include "src/json/text.hpp"
#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

std::string hex_of(const model::EventFacts& facts) { return to_hex(facts.dedupe); }

/// The facts that were appended to the last item. Views into `keep`.
model::EventFacts last_facts(World& world, std::string& keep) {
  const auto items = take_apart(world.batch);
  if (items.empty()) return {};
  keep = items.back().facts;
  const auto facts = model::decode_facts(as_bytes(keep));
  EXPECT_TRUE(facts.ok());
  return facts.ok() ? *facts : model::EventFacts{};
}

TEST(CountMd5, AgreesWithAnIndependentImplementation) {
  struct Case {
    const char* json;
    const char* md5;
  };
  gnutls::Crypto crypto;
  const CountMd5 md5{crypto};
  for (const Case& c : {
           Case{R"j("abc")j", "900150983cd24fb0d6963f7d28e17f72"},
           Case{R"j("")j", "d41d8cd98f00b204e9800998ecf8427e"},
           Case{R"j(null)j", "6adf97f83acf6453d4a6a4b1070f3754"},
           Case{R"j(true)j", "f827cf462f62848df37c5e1e94a4da74"},
           Case{R"j(false)j", "f8320b26d30ab433c5a54546d21f414c"},
           Case{R"j(7)j", "8f14e45fceea167a5a36dedd4bea2543"},
           Case{R"j(-3)j", "b3149ecea4628efd23d2f86e5a723472"},
           Case{R"j(1.0)j", "e4c2e8edac362acab7123654b9e73432"},
           Case{R"j(0.1)j", "cb5ae17636e975f9bf71ddf5bc542075"},
           Case{R"j(1e+16)j", "17ad58a7ab5201decb18b0996a327592"},
           Case{R"j(1.5e-05)j", "5e125154cf148168276bead51fe08dc6"},
           Case{R"j(123456789.125)j", "10549462475c217e26b32b00785f76b8"},
           Case{R"j(1e+22)j", "ff5337f5aa621f4ac4e2b6d8d4445b6a"},
           Case{R"j(-0.0)j", "e80c77464a0cfaf2c46a5574f6bc76b9"},
           Case{R"j(100.0)j", "62dca49f0781bf26b4305bddb0414bea"},
           Case{R"j(1000000000000000.0)j", "bc76ddb5ceb03ea84544dbe6c8a5baa6"},
           Case{R"j(0.0001)j", "ac382d58b1125bb9aeaf1a83ebf5e9c6"},
           Case{R"j(1.234e-05)j", "6b611d7df23b808794437fbf746f619e"},
           Case{R"j("中文")j", "a7bac2239fcdcb3a067903d8077c4a07"},
           Case{R"j([])j", "d751713988987e9331980363e24189ce"},
           Case{R"j([1, 2, 3])j", "a3a4d87c87215dd1e07bda7f25ba29dd"},
           Case{R"j([3, 2, 1])j", "a3a4d87c87215dd1e07bda7f25ba29dd"},
           Case{R"j(["a", ["b", "c"]])j", "f951802799089e849a7dec2c581fd334"},
           Case{R"j({})j", "d751713988987e9331980363e24189ce"},
           Case{R"j({"a": 1})j", "5909db53d168f632f732862ed9860091"},
           Case{R"j({"a": "b", "c": [1, null]})j", "5625990bdc491cffef8f17a9c8a25020"},
       }) {
    const auto digest = md5.of_json(c.json);
    EXPECT_EQ((std::string_view{digest.data(), digest.size()}), c.md5) << c.json;
  }
}

TEST(CountMd5, WritesNumbersAsPythonDoes) {
  EXPECT_EQ(python_number("1e5"), "100000.0");
  EXPECT_EQ(python_number("-0"), "0");
  EXPECT_EQ(python_number("-0.0"), "-0.0");
  EXPECT_EQ(python_number("1e15"), "1000000000000000.0");
  EXPECT_EQ(python_number("1E16"), "1e+16");
  EXPECT_EQ(python_number("0.00001"), "1e-05");
  EXPECT_EQ(python_number("-0.00012"), "-0.00012");
  EXPECT_EQ(python_number("12.50"), "12.5");
  EXPECT_EQ(python_number("123456789012345678901234567890"), "123456789012345678901234567890");
}

TEST(EventTime, ReadsTheFormsPeopleWrite) {
  struct Case {
    const char* text;
    int offset_minutes;
    std::optional<std::int64_t> ms;
  };
  for (const Case& c : {Case{"2023-10-01T12:00:00Z", 480, 1696161600000},
                        Case{"2023-10-01T20:00:00+08:00", 0, 1696161600000},
                        Case{"2023-10-01T20:00:00+0800", 0, 1696161600000},
                        Case{"2023-10-01 12:00:00", 0, 1696161600000},
                        Case{"2023-10-01 20:00:00", 480, 1696161600000},
                        Case{"2023-10-01t12:00:00.5z", 0, 1696161600500},
                        Case{"2023-10-01T12:00:00.123456789Z", 0, 1696161600123},
                        Case{"2024-02-29T00:00:00-01:30", 0, 1709170200000},
                        Case{"1970-01-01T00:00:00Z", 0, 0},
                        Case{"2016-12-31T23:59:60Z", 0, 1483228799000},
                        Case{"9999-12-31T23:59:59Z", 0, 253402300799000},
                        Case{"1970-01-01T00:00:00+00:01", 0, {}},
                        Case{"2023-02-29T00:00:00Z", 0, {}},
                        Case{"2023-13-01T00:00:00Z", 0, {}},
                        Case{"2023-10-01T24:00:00Z", 0, {}},
                        Case{"2023-10-01T12:60:00Z", 0, {}},
                        Case{"2023-10-01", 0, {}},
                        Case{"2023-10-01T12:00Z", 0, {}},
                        Case{"2023-10-01T12:00:00.Z", 0, {}},
                        Case{"2023-10-01T12:00:00+8", 0, {}},
                        Case{"2023-10-01T12:00:00Zx", 0, {}},
                        Case{"1696161600", 0, {}},
                        Case{"", 0, {}},
                        Case{"2023/10/01 12:00:00", 0, {}},
                        Case{"1969-12-31T23:59:59Z", 0, {}}}) {
    EXPECT_EQ(parse_time_text(c.text, c.offset_minutes), c.ms) << c.text;
  }
  EXPECT_EQ(time_of_number(1696161600), 1696161600000);
  EXPECT_EQ(time_of_number(1696161600000.0), 1696161600000);
  EXPECT_EQ(time_of_number(99'999'999'999.0), 99'999'999'999'000);
  EXPECT_EQ(time_of_number(100'000'000'000.0), 100'000'000'000);
  EXPECT_EQ(time_of_number(-1), std::nullopt);
  EXPECT_EQ(time_of_number(1e300), std::nullopt);
}

TEST(CustomFacts, SayWhatTheAlertNeeds) {
  World world;
  ASSERT_EQ(
      world.push_item(R"({"event_name":"login_failed","target":"0:192.168.0.1","event":{"content":"user \u4e2d"},)"
                      R"("dimension":{"module":"db","set":"guangdong"},"timestamp":1587218838000})",
                      event_instance(2)),
      "");
  std::string keep;
  const auto facts = last_facts(world, keep);
  EXPECT_EQ(facts.alert_name, "login_failed");
  EXPECT_EQ(facts.target, "0:192.168.0.1");
  EXPECT_EQ(facts.target_type, "");
  EXPECT_EQ(facts.description, "user \xE4\xB8\xAD");
  EXPECT_EQ(facts.severity, 2);
  EXPECT_EQ(facts.status, model::EventStatus::abnormal);
  EXPECT_EQ(facts.bk_biz_id, 2);
  EXPECT_EQ(facts.time_ms, 1587218838000);
  EXPECT_EQ(facts.dimensions_json, R"({"module":"db","set":"guangdong"})");
  EXPECT_EQ(hex_of(facts), "286559af7f2880a5db99190963716139");
}

TEST(CustomFacts, RecoveryMeetsItsAlertAndNoOther) {
  World world;
  std::string keep;
  const auto dedupe = [&](std::string_view dimension, const model::Instance& instance = event_instance(3)) {
    EXPECT_EQ(world.push_item(
                  R"({"event_name":"n","target":"t","event":{"content":1},"dimension":)" + std::string{dimension} + "}",
                  instance),
              "");
    return last_facts(world, keep);
  };
  const auto alert = dedupe(R"({"a":"1","b":"2"})");
  const auto recovery = dedupe(R"({"event_type":"recovery","b":2,"a":"\u0031"})");
  EXPECT_EQ(recovery.status, model::EventStatus::recovered);
  EXPECT_EQ(alert.dedupe, recovery.dedupe);
  EXPECT_NE(alert.dedupe, dedupe(R"({"a":"2","b":"1"})").dedupe) << "swapped values are another alert";
  EXPECT_NE(alert.dedupe, dedupe(R"({"a":"1","b":"2","event_type":"login"})").dedupe);
  EXPECT_EQ(dedupe(R"({"event_type":"login"})").status, model::EventStatus::abnormal);
  auto other = event_instance(3);
  other.data_id += 1;
  EXPECT_NE(alert.dedupe, dedupe(R"({"a":"1","b":"2"})", other).dedupe);
}

TEST(CustomFacts, AreCutAtTheirBounds) {
  World world;
  const std::string longer(2000, 'x');
  ASSERT_EQ(world.push_item(R"({"event_name":"n","target":")" + longer + R"(","event":{"content":["\u4e2d",")" +
                                longer + R"("]},"dimension":{"k":")" + longer + R"("}})",
                            event_instance(1)),
            "");
  std::string keep;
  const auto facts = last_facts(world, keep);
  EXPECT_EQ(facts.target.size(), model::kTargetBytesMax);
  EXPECT_EQ(facts.description.size(), model::kDescriptionBytesMax);
  EXPECT_TRUE(facts.description.starts_with(R"(["\u4e2d",")"));
  EXPECT_EQ(facts.dimensions_json, "{}");
}

TEST(FactsOf, RefusesWhatIsNoStoredItem) {
  gnutls::Crypto crypto;
  std::string scratch;
  for (const char* text : {"", "{}", "[]", "null", "{\"event_name\":", "{\"event_name\":\"a\",\"target\":\"b\"}"}) {
    for (const auto kind : {model::RecordKind::custom_event, model::RecordKind::standard_event}) {
      EXPECT_FALSE(facts_of(crypto, kind, event_instance(1), text, scratch).ok()) << text;
    }
  }
  EXPECT_FALSE(facts_of(crypto, model::RecordKind::gap, event_instance(1), "{}", scratch).ok());
}

/// A random string between quotes, with whatever JSON allows in it.
std::string random_text(std::mt19937_64& random, std::size_t length_max) {
  constexpr std::array<std::string_view, 10> kParts{
      "a", "Z9", " ", "\\u4e2d", "\xE4\xB8\xAD", "\\ud83d\\ude00", "\xF0\x9F\x98\x80", "\\\"", "\\n", "/:{}[],"};
  std::string out = "\"x";
  for (std::size_t n = random() % length_max; n > 0; --n) out += kParts[random() % kParts.size()];
  return out + "\"";
}

TEST(FactsOf, EqualWhatIngestAppended) {
  const std::uint64_t seed = seed_from_env();
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  World world;
  std::string again;
  std::string scratch;
  for (int round = 0; round < 600; ++round) {
    world.batch.bytes.clear();
    world.batch.items.clear();
    const bool custom = round % 2 == 0;
    const auto instance = custom ? event_instance(static_cast<std::uint8_t>(1 + random() % 3)) : source_instance();
    const std::string name = random_text(random, round % 7 == 0 ? 600 : 20);
    const std::string name_cut = custom ? random_text(random, 20) : name;
    const std::string text = random_text(random, round % 5 == 0 ? 900 : 20);
    const std::string answer =
        custom ? world.push_item(R"({"event_name":)" + name_cut + R"(,"target":)" + name + R"(,"event":{"content":)" +
                                     text + R"(},"dimension":{"k":)" + text +
                                     R"(,"n":1,"event_type":"recovery"},"timestamp":)" +
                                     std::to_string(random() % 1'700'000'000'000) + "}",
                                 instance)
               : world.send(R"({"alert_name":)" + name + R"(,"target":)" + text + R"(,"description":)" + text +
                                R"(,"metric":[)" + text + "," + name + R"(],"tags":{"k":)" + text +
                                R"(,"n":[1,{"a":2}]},)" + R"("dedupe_keys":["tags.k","metric","nothing"],"assignee":)" +
                                name + "}",
                            instance);
    ASSERT_EQ(answer, "");
    for (const Stored& item : take_apart(world.batch)) {
      const auto facts = facts_of(world.crypto, world.batch.kind, instance, item.json, scratch);
      ASSERT_TRUE(facts.ok()) << item.json;
      again.clear();
      model::encode(*facts, again);
      ASSERT_EQ(again, item.facts) << item.json;
      const json::Padded dimensions{facts->dimensions_json};
      ASSERT_TRUE(world.parser.check(dimensions.text()).has_value()) << facts->dimensions_json;
      const json::Padded stored{item.json};
      ASSERT_TRUE(world.parser.check(stored.text()).has_value()) << item.json;
      for (const std::string_view part :
           {facts->alert_name, facts->target, facts->description, facts->metric, facts->assignee}) {
        std::string quoted = "\"";
        json::append_escaped(part, quoted);
        const json::Padded valid{quoted + "\""};
        ASSERT_TRUE(world.parser.check(valid.text()).has_value()) << "not cut at a character: " << part;
      }
    }
  }
}

}  // namespace
}  // namespace tocsin::ingest
