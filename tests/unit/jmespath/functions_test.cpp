// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/functions.hpp"

#include <gtest/gtest.h>

#include "tests/unit/jmespath/support.hpp"

namespace tocsin::jmespath {
namespace {

using What = SearchError::What;

struct Row {
  std::string_view text;
  std::string_view wanted;
};

void expect_rows(std::span<const Row> rows) {
  Bench bench;
  for (const Row& row : rows) EXPECT_EQ(bench.run(row.text), row.wanted) << row.text;
}

TEST(Functions, OfNumbers) {
  constexpr Row kRows[] = {
      {"abs(`-3`)", "3"},
      {"abs(`-1.50`)", "1.50"},
      {"abs(`-12345678901234567890`)", "12345678901234567890"},
      {"ceil(`1.2`)", "2"},
      {"ceil(`-0.5`)", "0"},
      {"floor(`-1.2`)", "-2"},
      {"floor(`9007199254740993`)", "9007199254740993"},
      {"sum(`[]`)", "0"},
      {"sum(`[1, 2.5]`)", "3.5"},
      {"sum(`[9223372036854775806, 1]`)", "9223372036854775807"},
      {"sum(`[9223372036854775807, 1]`)", "9223372036854775808"},
      {"sum(`[1e308, 1e308]`)", "!the result is too large for a number"},
      {"avg(`[1, 2]`)", "1.5"},
      {"avg(`[]`)", "null"},
      {"to_number('12')", "12"},
      {"to_number(' -1.5 ')", "-1.5"},
      {"to_number('+007')", "7"},
      {"to_number('.5')", "0.5"},
      {"to_number('5.')", "5"},
      {"to_number('1e999')", "null"},
      {"to_number('0x10')", "null"},
      {"to_number('1_000')", "null"},
      {"to_number('nan')", "null"},
      {"to_number('+-1')", "null"},
      {"to_number('')", "null"},
      {"to_number(`true`)", "null"},
      {"to_number(`[1]`)", "null"},
  };
  expect_rows(kRows);
}

TEST(Functions, OfStrings) {
  constexpr Row kRows[] = {
      {"starts_with('abc', 'ab')", "true"},
      {"starts_with('a', 'ab')", "false"},
      {"ends_with('abc', 'bc')", "true"},
      {"contains('abc', 'b')", "true"},
      {"contains('abc', '')", "true"},
      {"contains('a1', `1`)", "false"},
      {"join(', ', `[\"a\", \"b\"]`)", R"("a, b")"},
      {"join(', ', `[]`)", R"("")"},
      {"length('\xC3\xA9\xE4\xB8\xAD')", "2"},
      {"reverse('a\xC3\xA9\xE4\xB8\xAD')",
       "\"\xE4\xB8\xAD\xC3\xA9"
       "a\""},
      {"to_string(`{\"a\": [1.0, null, \"x\\\"\"]}`)", R"("{\"a\":[1.0,null,\"x\\\"\"]}")"},
      {"to_string('as it is')", R"("as it is")"},
      {"to_string(avg(`[1, 3]`))", R"("2")"},
      {"type('')", R"("string")"},
      {"split('a,b,', ',')", R"(["a","b",""])"},
      {"split('', ',')", R"([""])"},
      {"split('a\xC3\xA9', '')", "[\"a\",\"\xC3\xA9\"]"},
      {"split('', '')", "[]"},
      {"split('a--b', '--')", R"(["a","b"])"},
      {"to_json('{\"a\": [1, \"\\u00e9\"]}')", "{\"a\":[1,\"\xC3\xA9\"]}"},
      {"to_json('nothing')", "!the string is not JSON"},
  };
  expect_rows(kRows);
}

TEST(Functions, OfArrays) {
  constexpr Row kRows[] = {
      {"contains(`[1, [2]]`, `[2]`)", "true"},
      {"contains(`[1]`, `true`)", "false"},
      {"length(`[1, 2]`)", "2"},
      {"map(&a, `[{\"a\": 1}, {}]`)", "[1,null]"},
      {"max(`[1, 3, 2]`)", "3"},
      {"max(`[\"a\", \"b\"]`)", R"("b")"},
      {"min(`[]`)", "null"},
      {"min(`[2, 1.5]`)", "1.5"},
      {"max_by(`[{\"a\": 1}, {\"a\": 2}]`, &a)", R"({"a":2})"},
      {"min_by(`[{\"a\": 1, \"n\": 1}, {\"a\": 1, \"n\": 2}]`, &a).n", "1"},
      {"max_by(`[]`, &a)", "null"},
      {"reverse(`[1, 2, 3]`)", "[3,2,1]"},
      {"sort(`[3, 1.5, 2]`)", "[1.5,2,3]"},
      {"sort(`[\"b\", \"a\", \"\"]`)", R"(["","a","b"])"},
      {"sort(`[]`)", "[]"},
      {"sort_by(`[{\"k\": \"b\", \"n\": 1}, {\"k\": \"a\", \"n\": 2}, {\"k\": \"b\", \"n\": 3}]`, &k)[].n", "[2,1,3]"},
      {"to_array('a')", R"(["a"])"},
      {"to_array(`[1]`)", "[1]"},
      {"zip(`[\"a\", \"b\"]`, `[1, 2]`)", R"({"a":1,"b":2})"},
      {"zip(`[\"a\"]`, `[1, 2]`)", "null"},
      {"zip(`[1]`, `[1]`)", "null"},
      {"zip(`[]`, `[]`)", "{}"},
  };
  expect_rows(kRows);
}

TEST(Functions, OfObjects) {
  constexpr Row kRows[] = {
      {"keys(`{\"b\": 1, \"a\": 2}`)", R"(["b","a"])"},
      {"values(`{\"b\": 1, \"a\": 2}`)", "[1,2]"},
      {"length(`{\"b\": 1}`)", "1"},
      {"merge(`{\"a\": 1, \"b\": 2}`, `{\"a\": 3, \"c\": 4}`)", R"({"a":3,"b":2,"c":4})"},
      {"not_null(`null`, a, 'x', 'y')", R"("x")"},
      {"not_null(`null`)", "null"},
      {"type(@)", R"("null")"},
      {"`{}` | get_field({firing: 'ABNORMAL'}, 'firing')", R"("ABNORMAL")"},
      {"get_field(`{\"firing\": 1}`, 'other')", "null"},
  };
  expect_rows(kRows);
}

TEST(Functions, SayWhichArgumentsTheyTake) {
  Bench bench;
  for (const Function& function : functions()) {
    if (function.type_of(0) == kAnyType) continue;
    std::string text = "a.b || " + std::string{function.name} + "(";
    for (std::size_t i = 0; i < function.arguments; ++i) {
      text += i > 0 ? ", " : "";
      text += function.type_of(i) == kReferenceType ? "&a" : "`true`";
    }
    EXPECT_EQ(bench.run(text + ")"), std::string{"!"} + function.wants) << text;
    EXPECT_EQ(bench.failure.what, What::wrong_type);
    EXPECT_EQ(bench.failure.function, function.name);
    EXPECT_EQ(bench.failure.offset, 7U);
  }
}

TEST(Functions, RefuseElementsOfMixedTypes) {
  for (const char* text : {"sum(`[1, \"a\"]`)", "max(`[1, \"a\"]`)", "sort(`[\"a\", 1]`)", "min(`[null]`)",
                           "join('', `[\"a\", 1]`)", "sort_by(`[{\"a\": 1}, {\"a\": \"b\"}]`, &a)",
                           "max_by(`[{\"a\": 1}, {}]`, &a)", "min_by(`[true]`, &@)", "merge(`{}`, `[]`)"}) {
    Bench bench;
    EXPECT_EQ(bench.run(text).front(), '!') << text;
    EXPECT_EQ(bench.failure.what, What::wrong_type) << text;
  }
}

/// Knows one pattern.
class FakeRegexes final : public Regexes {
 public:
  Result<bool> find(std::string_view pattern, std::string_view subject,
                    std::pmr::vector<std::string_view>& parts) override {
    if (pattern == "busy") return error(Errc::out_of_budget, "regex: busy");
    if (pattern != "(.)=(.*)") return error(Errc::invalid_input, "regex: pattern");
    const std::size_t at = subject.find('=');
    if (at == std::string_view::npos || at == 0) return false;
    parts.assign({subject.substr(at - 1), subject.substr(at - 1, 1), subject.substr(at + 1)});
    return true;
  }
};

TEST(Functions, ExtractByTheRegularExpressionsOfTheCaller) {
  FakeRegexes regexes;
  Bench bench;
  EXPECT_EQ(bench.run("regex_extract('ab=cd', '(.)=(.*)')"), "!regular expressions are not available here");
  EXPECT_EQ(bench.failure.what, What::unavailable);
  bench.regexes = &regexes;
  EXPECT_EQ(bench.run("regex_extract('ab=cd', '(.)=(.*)')"), R"(["b=cd","b","cd"])");
  EXPECT_EQ(bench.run("regex_extract('abcd', '(.)=(.*)')"), "null");
  EXPECT_EQ(bench.run("regex_extract('abcd', '(')"), "!the pattern is not a regular expression");
  EXPECT_EQ(bench.failure.what, What::wrong_value);
  EXPECT_EQ(bench.run("regex_extract('abcd', 'busy')"), "!no room for a regular expression now");
  EXPECT_EQ(bench.failure.what, What::unavailable);
}

}  // namespace
}  // namespace tocsin::jmespath
