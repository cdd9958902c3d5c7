// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/stored_form.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/emulated.hpp"
#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::int64_t kLatest = (kNowMs / 1000 + kFutureSecondsMax) * 1000;

std::string event_of(std::string_view name, std::string_view event, std::string_view dimension,
                     std::string_view timestamp) {
  return R"({"event_name":")" + std::string{name} + R"(","target":"t","event":)" + std::string{event} +
         R"(,"dimension":)" + std::string{dimension} + R"(,"timestamp":)" + std::string{timestamp} + "}";
}

std::string dimensions(int count) {
  std::string out = "{";
  for (int i = 0; i < count; ++i) out += (i != 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":\"v\"";
  return out + "}";
}

TEST(StoredForm, HasTheSizeOfThePlainCaseWhateverFollows) {
  const std::string latest = std::to_string(kLatest);
  for (const std::string& item :
       {event_of("n", R"({"content":"c"})", "{}", "1"), event_of("n", R"({"content":"c"})", R"({"a":"b"})", latest),
        event_of(std::string(128, 'n'), R"({"content":""})", dimensions(16), "1587218838000"),
        event_of("n", R"({"n":-1.5e+3,"t":true,"z":null,"content":"c"})", "{}", "1"),
        event_of("\xE4\xB8\xAD", R"({"content":null,"content":false})", R"({"":"","a":""})", "9")}) {
    for (const std::string_view behind : {"", "]", ",{", " ,", "}"}) {
      EXPECT_EQ(stored_form_size(item + std::string{behind}, kLatest), item.size()) << item;
    }
  }
}

TEST(StoredForm, LeavesEverythingElseToTheLongWay) {
  const std::string good = event_of("n", R"({"content":"c"})", "{}", "1");
  ASSERT_EQ(stored_form_size(good, kLatest), good.size());
  for (const std::string& item : {std::string{},
                                  std::string{"{}"},
                                  std::string{"[]"},
                                  " " + good,
                                  "{ " + good.substr(1),
                                  event_of("", R"({"content":"c"})", "{}", "1"),
                                  event_of(std::string(129, 'n'), R"({"content":"c"})", "{}", "1"),
                                  event_of("\\n", R"({"content":"c"})", "{}", "1"),
                                  event_of("n", R"({"content":"\n"})", "{}", "1"),
                                  event_of("n", R"({"contents":"c"})", "{}", "1"),
                                  event_of("n", "{}", "{}", "1"),
                                  event_of("n", "\"content\"", "{}", "1"),
                                  event_of("n", R"({"content":[]})", "{}", "1"),
                                  event_of("n", R"({"content":{}})", "{}", "1"),
                                  event_of("n", R"({"content": 1})", "{}", "1"),
                                  event_of("n", R"({"content":1 })", "{}", "1"),
                                  event_of("n", R"({"content" :1})", "{}", "1"),
                                  event_of("n", R"({"content":"c"})", R"({"a":"b","a":"c"})", "1"),
                                  event_of("n", R"({"content":"c"})", R"({"a":1})", "1"),
                                  event_of("n", R"({"content":"c"})", R"({"a":null})", "1"),
                                  event_of("n", R"({"content":"c"})", R"({"a": "b"})", "1"),
                                  event_of("n", R"({"content":"c"})", "{ }", "1"),
                                  event_of("n", R"({"content":"c"})", R"({"\u0061":"b"})", "1"),
                                  event_of("n", R"({"content":"c"})", dimensions(17), "1"),
                                  event_of("n", R"({"content":"c"})", "null", "1"),
                                  event_of("n", R"({"content":"c"})", "{}", "0"),
                                  event_of("n", R"({"content":"c"})", "{}", "-1"),
                                  event_of("n", R"({"content":"c"})", "{}", "1.5"),
                                  event_of("n", R"({"content":"c"})", "{}", "1e3"),
                                  event_of("n", R"({"content":"c"})", "{}", "\"1\""),
                                  event_of("n", R"({"content":"c"})", "{}", "1 "),
                                  event_of("n", R"({"content":"c"})", "{}", std::to_string(kLatest + 1)),
                                  good.substr(0, good.size() - 1) + R"(,"x":1})"}) {
    EXPECT_EQ(stored_form_size(item, kLatest), 0U) << item;
  }
  const std::string no_limit = event_of("n", R"({"content":"c"})", "{}", "1234567890123456");
  EXPECT_EQ(stored_form_size(no_limit, INT64_MAX), 0U) << "a double may not hold it";
}

/// An item out of pieces, of which most are the plain case and some are everything else that JSON allows.
class RandomItem {
 public:
  explicit RandomItem(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  /// Names and values of the members in the order of the stored form.
  std::vector<std::pair<std::string, std::string>> members() {
    std::vector<std::pair<std::string, std::string>> out{{"event_name", text(rare() ? 150 : 12, !rare())},
                                                         {"target", text(12, !rare())},
                                                         {"event", event()},
                                                         {"dimension", dimension()},
                                                         {"timestamp", timestamp()}};
    for (auto& [name, value] : out) {
      if (below(60) == 0) value = pick({"null", "1", "[]", "{}", "\"\"", "true"});
    }
    if (below(40) == 0) out.erase(out.begin() + static_cast<std::ptrdiff_t>(below(out.size())));
    if (below(40) == 0) out.push_back(out[below(out.size())]);
    return out;
  }
  std::string gap() { return below(3) == 0 ? pick({" ", "\n", "\t ", "\r"}) : ""; }

 private:
  bool rare() { return below(12) == 0; }
  std::string pick(std::vector<const char*> from) { return from[below(from.size())]; }
  std::string text(std::uint64_t parts_max, bool filled) {
    std::string out = filled ? "\"x" : "\"";
    for (std::uint64_t n = below(parts_max); n > 0; --n) {
      out += rare() && rare()
                 ? pick({"\\u4e2d", "\\ud83d\\ude00", "\\\"", "\\n", "\\\\", "\\u0061"})
                 : pick({"a", "Z9", " ", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80", "/:{}[],", "0123456789abcdef"});
    }
    return out + "\"";
  }
  std::string scalar() { return pick({"1", "-0.50", "1e5", "true", "false", "null", "0"}); }
  std::string event() {
    std::string out = "{";
    for (std::uint64_t n = below(3); n > 0; --n)
      out += text(4, true) + ":" + (rare() ? scalar() : text(9, false)) + ",";
    const std::string value = rare() ? pick({"[1,{\"a\":[]}]", "{}", "[]"}) : rare() ? scalar() : text(30, false);
    return out + (rare() && rare() ? "\"contents\":" : "\"content\":") + value + "}";
  }
  std::string dimension() {
    std::string out = "{";
    const std::uint64_t count = rare() ? 14 + below(5) : below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string name = rare() && rare() ? text(1, true) : "\"k" + std::to_string(i) + "\"";
      out += (i != 0 ? "," : "") + (rare() && rare() ? "\"event_type\":\"recovery\"" : name + ":" + value());
    }
    return out + "}";
  }
  std::string value() { return rare() && rare() ? (below(5) == 0 ? "[]" : scalar()) : text(8, false); }
  std::string timestamp() {
    if (rare()) return pick({"0", "-0.0", "1.5e12", "1e300", "-1", "99999999999999999999", "1700003601000"});
    return std::to_string(1 + below(rare() ? 20'000'000'000'000 : 1'700'003'600'999));
  }
  std::mt19937_64 random_;
};

std::string joined(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out;
  for (const auto& [name, value] : members)
    out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
  return out.empty() ? "{}" : out + "}";
}

/// What is left of a request of one item: the refusal, or all bytes that are stored, facts included.
std::string outcome_of(World& world, const std::string& item, const model::Instance& instance, Now now) {
  world.batch.bytes.clear();
  world.batch.items.clear();
  const std::string refusal = world.push_item(item, instance, now);
  const std::string bytes{as_text(world.batch.bytes.view())};
  return refusal.empty() ? "taken: " + std::to_string(world.batch.items.at(0).json_bytes) + " " + bytes
                         : refusal + bytes;
}

/// A space behind the first brace makes the long way of the short one.
TEST(StoredForm, ShortAndLongWayEndAlike) {
  const std::uint64_t seed = seed_from_env();
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  RandomItem random{seed};
  World world;
  int short_ways = 0;
  int refusals = 0;
  for (int round = 0; round < test::rounds(20'000); ++round) {
    const std::string item = joined(random.members());
    const auto instance = event_instance(static_cast<std::uint8_t>(random.below(3)));
    const Now now{{}, {kNowMs, random.below(8) != 0}};
    const std::string longer = "{ " + item.substr(1);
    ASSERT_EQ(stored_form_size(longer, INT64_MAX), 0U);
    const std::string outcome = outcome_of(world, item, instance, now);
    ASSERT_EQ(outcome, outcome_of(world, longer, instance, now)) << item;
    if (!outcome.starts_with("taken")) ++refusals;
    const std::size_t size = stored_form_size(item, now.wall.trusted ? kLatest : INT64_MAX);
    if (size == 0) continue;
    ++short_ways;
    ASSERT_EQ(size, item.size()) << item;
    ASSERT_TRUE(outcome.starts_with("taken: " + std::to_string(size) + " " + item)) << item << " -> " << outcome;
  }
  EXPECT_GT(short_ways, test::rounds(2'000));
  EXPECT_GT(refusals, test::rounds(500));
}

/// The same item with its members in any order, white space between the tokens, and members that are not kept.
TEST(StoredForm, EverySpellingOfAnItemIsStoredAlike) {
  const std::uint64_t seed = seed_from_env();
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  RandomItem random{seed};
  std::mt19937_64 shuffler{seed};
  World world;
  int taken = 0;
  for (int round = 0; round < test::rounds(5'000); ++round) {
    auto members = random.members();
    const auto instance = event_instance(static_cast<std::uint8_t>(random.below(2)));
    const std::string outcome = outcome_of(world, joined(members), instance, trusted_now());
    if (!outcome.starts_with("taken")) continue;  // which of two faults is named depends on their order
    ++taken;
    if (random.below(2) == 0) members.emplace_back("metrics", R"({"a":[1,"x"]})");
    std::shuffle(members.begin(), members.end(), shuffler);
    std::string spelled = "{" + random.gap();
    for (std::size_t i = 0; i < members.size(); ++i) {
      spelled +=
          (i != 0 ? "," + random.gap() : "") + "\"" + members[i].first + "\"" + random.gap() + ":" + random.gap();
      spelled += members[i].second + random.gap();
    }
    ASSERT_EQ(outcome, outcome_of(world, spelled + "}", instance, trusted_now())) << spelled;
  }
  EXPECT_GT(taken, test::rounds(2'000));
}

TEST(StoredForm, StaysInsideAnyText) {
  const std::uint64_t seed = seed_from_env();
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  RandomItem random{seed};
  constexpr std::string_view kLetters = "[]{}:,\"\\019.e- \nn\xC3";
  for (int round = 0; round < test::rounds(20'000); ++round) {
    std::string text = joined(random.members());
    for (std::uint64_t edits = random.below(3); edits > 0; --edits) {
      text[random.below(text.size())] = kLetters[random.below(kLetters.size())];
    }
    const std::vector<char> exact(text.begin(),
                                  text.begin() + static_cast<std::ptrdiff_t>(random.below(text.size() + 1)));
    EXPECT_LE(stored_form_size({exact.data(), exact.size()}, kLatest), exact.size());
  }
}

}  // namespace
}  // namespace tocsin::ingest
