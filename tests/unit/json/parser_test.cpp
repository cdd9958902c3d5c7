// SPDX-License-Identifier: Apache-2.0
#include "src/json/parser.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"
#include "tests/unit/json/corpus.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::json {
namespace {

constexpr std::array kFillers{'}', ']', '"', ',', '0', ':', ' ', '\0', '\xFF'};

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

TEST(Parser, AcceptsWhatTheGrammarHasWhateverLiesBehindIt) {
  EXPECT_GE(accepted_texts().size(), 60U);
  Parser parser;
  for (const std::string& text : accepted_texts()) {
    for (const char filler : kFillers) {
      const Padded padded{text, filler};
      const auto checked = parser.check(padded.text());
      EXPECT_TRUE(checked.has_value()) << text << " behind it " << static_cast<int>(filler) << ": "
                                       << (checked ? "" : checked.error().reason);
    }
  }
}

TEST(Parser, RefusesEverythingElseWhateverLiesBehindIt) {
  EXPECT_GE(refused_texts().size(), 100U);
  Parser parser;
  for (const std::string& text : refused_texts()) {
    for (const char filler : kFillers) {
      const Padded padded{text, filler};
      const auto checked = parser.check(padded.text());
      ASSERT_FALSE(checked.has_value()) << text << " behind it " << static_cast<int>(filler);
      EXPECT_NE(std::string_view{checked.error().reason}, "") << text;
      EXPECT_LE(checked.error().offset, text.size()) << text;
    }
  }
}

TEST(Parser, RefusesItAlsoInMembersThatNobodyReads) {
  Parser parser;
  for (const std::string& text : refused_texts()) {
    if (text == "1,2" || text == "[],") continue;  // in a list these are right, or another fault
    for (const char* around : {R"({"data_id":1,"x":@,"data":[]})", R"([[{"y":[0,@]}]])", R"({"x":@})", "[@]"}) {
      std::string body = around;
      body.replace(body.find('@'), 1, text);
      const Padded padded{body};
      EXPECT_FALSE(parser.check(padded.text()).has_value()) << body;
    }
  }
  for (const std::string& text : accepted_texts()) {
    if (text.starts_with("[[[[[[")) continue;  // too deep once inside
    const Padded padded{R"({"data_id":1,"x":)" + text + R"(,"data":[{"y":[)" + text + "]}]}"};
    EXPECT_TRUE(parser.check(padded.text()).has_value()) << padded.text();
  }
}

TEST(Parser, SaysWhyAndWhere) {
  struct Case {
    const char* text;
    const char* reason;
    std::size_t offset;
  };
  Parser parser;
  for (const Case& c : {Case{"", "no JSON value", 0}, Case{" \n", "no JSON value", 0},
                        Case{"\xEF\xBB\xBF{}", "starts with a byte order mark", 0}, Case{"[1,nul]", "unknown word", 3},
                        Case{"[\"ab\\u0000\"]", "\\u0000 is not accepted in strings", 4},
                        Case{"[1] 2", "an array or object is not closed, or something follows it", 0},
                        Case{"[1] ]", "something follows the value", 4}, Case{"{\"ab\\q\":1}", "unknown escape", 4},
                        Case{"[0,1e400]", "a number is too large", 3}, Case{"\"\xFF\"", "not UTF-8", 0},
                        Case{"[\"\n\"]", "a control character inside a string", 0},
                        Case{"[\"\\ud800\"]", "a high surrogate without its low one", 2}}) {
    const Padded padded{c.text};
    const auto checked = parser.check(padded.text());
    ASSERT_FALSE(checked.has_value()) << c.text;
    EXPECT_STREQ(checked.error().reason, c.reason) << c.text;
    EXPECT_EQ(checked.error().offset, c.offset) << c.text;
  }
}

TEST(Parser, TakesThirtyTwoLevelsAndRefusesOneMore) {
  Parser parser;
  EXPECT_TRUE(parser.check(Padded{nested(32)}.text()).has_value());
  EXPECT_FALSE(parser.check(Padded{nested(33)}.text()).has_value());
  const auto objects = [](std::size_t depth) { return repeated("{\"a\":", depth) + "1" + std::string(depth, '}'); };
  EXPECT_TRUE(parser.check(Padded{objects(32)}.text()).has_value());
  EXPECT_FALSE(parser.check(Padded{objects(33)}.text()).has_value());
}

TEST(Parser, TakesTheLastByteAndRefusesTheNext) {
  Parser parser{{.bytes_max = 1000}};
  EXPECT_TRUE(parser.check(Padded{"\"" + std::string(998, 'a') + "\""}.text()).has_value());
  const Padded longer{"\"" + std::string(999, 'a') + "\""};
  const auto refused = parser.check(longer.text());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().what, ParseError::What::too_long);
}

TEST(Parser, TakesTheLastElementAndRefusesTheNext) {
  for (const std::size_t spaces : {0U, 70'000U}) {  // the small and the large way
    Parser parser{{.bytes_max = 100'000, .elements_max = 9}};
    const std::string gap(spaces, ' ');
    EXPECT_TRUE(parser.check(Padded{gap + "[1,2,3,4]"}.text()).has_value());
    const Padded more{gap + "[1,2,3,4,\"a\"]"};
    const auto refused = parser.check(more.text());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().what, ParseError::What::too_many);
  }
}

TEST(Parser, CountsElementsWithoutBeingFooledByStrings) {
  EXPECT_EQ(count_elements(R"({"a,b":[1,-2.5e3,"\"]}",true]})", 1000), 1U + 1 + 1 + 1 + 7 + 1 + 1);
  EXPECT_EQ(count_elements(std::string(100, '['), 10), 11U) << "stops one above";
  EXPECT_EQ(count_elements("", 10), 0U);
  EXPECT_EQ(count_elements("\"abc\\", 10), 1U);
}

TEST(Parser, HandsOutTheWantedMembersOfTheRootOnly) {
  Parser parser;
  const Padded padded{
      R"( {"x":{"data":9,"id":8}, "id" : -17 , "d\u0061ta":[1, {"a":2},[]] ,"o" : {"k":[]} , "last":"s" } )"};
  std::array<Pick, 5> picks{{{"id"}, {"data"}, {"o"}, {"last"}, {"none"}}};
  const auto checked = parser.check(padded.text(), picks);
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(picks[0].text, "-17");
  EXPECT_EQ(picks[1].text, R"([1, {"a":2},[]])");
  EXPECT_EQ(picks[1].elements, 3U);
  EXPECT_EQ(picks[2].text, R"({"k":[]})");
  EXPECT_EQ(picks[3].text, R"("s")");
  EXPECT_EQ(picks[4].text, "");
  EXPECT_EQ(checked->kind, Kind::object);
}

TEST(Parser, RefusesAWantedMemberThatComesTwice) {
  Parser parser;
  std::array<Pick, 1> picks{{{"id"}}};
  EXPECT_FALSE(parser.check(Padded{R"({"id":1,"\u0069d":2})"}.text(), picks).has_value());
  EXPECT_TRUE(parser.check(Padded{R"({"id":1,"x":{"id":2},"y":1,"y":2})"}.text(), picks).has_value());
}

TEST(Parser, CountsValuesAndElementsOfTheRoot) {
  Parser parser;
  const Padded padded{R"([1,[2,3],{"a":4}])"};
  const auto checked = parser.check(padded.text());
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->values, 7U);
  EXPECT_EQ(checked->elements, 3U);
  EXPECT_EQ(checked->kind, Kind::array);
}

TEST(Parser, StaysUsableAfterARefusal) {
  Parser parser;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(parser.check(Padded{"[[[1,2"}.text()).has_value());
    EXPECT_FALSE(parser.check(Padded{std::string(80'000, '[')}.text()).has_value());
    EXPECT_TRUE(parser.check(Padded{"[" + repeated("1,", 40'000) + "1]"}.text()).has_value());
    EXPECT_TRUE(parser.check(Padded{"{}"}.text()).has_value());
  }
}

TEST(Cursor, ReadsBackWhatTheParserAccepted) {
  Cursor at{R"( { "a" : [ 1 , "x\"]" , {} ] , "b" : null } )"};
  std::string_view name;
  at.enter('{');
  ASSERT_TRUE(at.next_member(name));
  EXPECT_EQ(name, "a");
  EXPECT_EQ(at.kind(), Kind::array);
  at.enter('[');
  ASSERT_TRUE(at.next_element());
  EXPECT_EQ(at.skip(), "1");
  ASSERT_TRUE(at.next_element());
  EXPECT_EQ(at.skip(), R"("x\"]")");
  ASSERT_TRUE(at.next_element());
  EXPECT_EQ(at.skip(), "{}");
  EXPECT_FALSE(at.next_element());
  ASSERT_TRUE(at.next_member(name));
  EXPECT_EQ(name, "b");
  EXPECT_EQ(at.skip(), "null");
  EXPECT_FALSE(at.next_member(name));
  EXPECT_FALSE(at.failed());
}

/// Walks everything; true when nothing was odd.
bool walk(Cursor& at, std::uint32_t depth) {
  if (depth > kDepthMax + 1) return false;
  const Kind kind = at.kind();
  std::string_view name;
  if (kind == Kind::array) {
    for (at.enter('['); at.next_element();) {
      if (!walk(at, depth + 1)) return false;
    }
  } else if (kind == Kind::object) {
    for (at.enter('{'); at.next_member(name);) {
      if (!walk(at, depth + 1)) return false;
    }
  } else {
    static_cast<void>(at.skip());
  }
  return !at.failed();
}

TEST(Cursor, StaysInsideTheTextWhateverItIs) {
  const char* const chosen = std::getenv("TOCSIN_SEED");
  const std::uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 20261121;
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  Parser parser;
  const std::string_view letters = "[]{}:,\"\\u0dn1.e-t \n\xC3";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = accepted_texts()[random() % accepted_texts().size()];
    for (int edits = 0; edits < 3; ++edits) {
      const char letter = letters[random() % letters.size()];
      const std::size_t where = random() % (text.size() + 1);
      if (random() % 2 == 0 || where == text.size()) {
        text.insert(where, 1, letter);
      } else {
        text[where] = letter;
      }
    }
    const Padded padded{text};
    const auto checked = parser.check(padded.text());
    Cursor at{padded.text()};
    const bool clean = walk(at, 1);
    EXPECT_TRUE(clean || !checked) << text;
    std::string compact;
    append_compact(padded.text(), compact);
    EXPECT_TRUE(!checked || parser.check(Padded{compact}.text()).has_value()) << text << " -> " << compact;
  }
}

}  // namespace
}  // namespace tocsin::json
