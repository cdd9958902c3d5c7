// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/jmespath/support.hpp"

namespace tocsin::jmespath {
namespace {

using Refusal = CompileError::What;

CompileError refusal(std::string_view text) {
  json::Parser parser;
  std::pmr::monotonic_buffer_resource arena;
  const auto made = Expression::compile(text, parser, arena);
  EXPECT_FALSE(made.has_value()) << text;
  return made ? CompileError{} : made.error();
}

bool compiles(std::string_view text) {
  json::Parser parser;
  std::pmr::monotonic_buffer_resource arena;
  return Expression::compile(text, parser, arena).has_value();
}

/// Knows what was asked of it.
class CountingArena final : public std::pmr::memory_resource {
 public:
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override {
    bytes_ += bytes;
    return arena_.allocate(bytes, align);
  }
  void do_deallocate(void* /*p*/, std::size_t /*bytes*/, std::size_t /*align*/) override {}
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
  std::pmr::monotonic_buffer_resource arena_;
  std::size_t bytes_ = 0;
};

TEST(Compile, SaysWhereAndWhy) {
  const struct {
    std::string_view text;
    std::size_t offset;
    std::string_view reason;
  } cases[] = {
      {"", 0, "the expression ends too early"},
      {"  ", 2, "the expression ends too early"},
      {"a.", 2, "a name, '*', '[' or '{' expected behind '.'"},
      {"a b", 2, "something follows the expression"},
      {"a[", 2, "a number, ':' or '*' expected"},
      {"a[0", 3, "']' expected"},
      {"a[b]", 2, "a number, ':' or '*' expected"},
      {"[1:2:3:4]", 6, "']' expected"},
      {"[1 2]", 3, "']' expected"},
      {"[::0]", 3, "the step of a slice is not 0"},
      {"[a,]", 3, "an expression cannot begin with this"},
      {"{a}", 2, "':' expected"},
      {"{a: b c: d}", 6, "',' or '}' expected"},
      {"{'a': b}", 1, "a name expected"},
      {"(a", 2, "')' expected"},
      {"a = b", 2, "'=' alone compares nothing: write '=='"},
      {"a # b", 2, "a character that means nothing here"},
      {"-", 0, "'-' without a digit"},
      {"'a", 0, "a raw string is not closed"},
      {"\"a", 0, "a quoted name is not closed"},
      {"a || `1", 5, "a literal is not closed"},
      {"'a\\", 0, "a raw string is not closed"},
      {"\"\\x\"", 0, "not a JSON string"},
      {"`[1`", 0, "a literal is not JSON"},
      {"`1e999`", 0, "a number too large"},
      {"a[*]b", 4, "something follows the expression"},
      {"a[*]{b: c}", 4, "this cannot follow a projection"},
      {"\"length\"(a)", 8, "the name of a function stands without quotes"},
      {"(a)(b)", 3, "this cannot stand here"},
      {"abs(`1` `2`)", 8, "',' or ')' expected"},
  };
  for (const auto& c : cases) {
    const CompileError error = refusal(c.text);
    EXPECT_EQ(error.reason, c.reason) << c.text;
    EXPECT_EQ(error.offset, c.offset) << c.text;
    EXPECT_EQ(error.what, Refusal::syntax) << c.text;
  }
}

TEST(Compile, KnowsFunctionsAndTheirArguments) {
  EXPECT_EQ(refusal("a[].absolute(@)").what, Refusal::unknown_function);
  EXPECT_EQ(refusal("a[].absolute(@)").offset, 4U);
  EXPECT_EQ(refusal("abs()").what, Refusal::wrong_arguments);
  EXPECT_EQ(refusal("abs(a, b)").what, Refusal::wrong_arguments);
  EXPECT_EQ(refusal("merge()").what, Refusal::wrong_arguments);
  EXPECT_EQ(refusal("map(a, b)").what, Refusal::wrong_arguments);
  EXPECT_TRUE(compiles("merge(a, b, c, d)"));
  EXPECT_TRUE(compiles("map(&a, b)"));
  EXPECT_TRUE(compiles("length (a)"));
}

TEST(Compile, TakesExpressionReferencesOnlyAsArguments) {
  for (const char* text : {"&a", "[&a]", "{a: &b}", "abs(&a)", "map(a || &b, c)", "not_null(&a)", "& &a", "a[?&b]"}) {
    EXPECT_FALSE(compiles(text)) << text;
  }
  EXPECT_TRUE(compiles("sort_by(a, (&b))"));
}

TEST(Compile, ReadsNamesStringsAndLiterals) {
  EXPECT_EQ(run("\"a\\u0062\\n\"", R"({"ab\n":1})"), "1");
  EXPECT_EQ(run("'it\\'s \\n'"), R"("it's \\n")");
  EXPECT_EQ(run("'\\\\'"), R"("\\\\")");
  EXPECT_EQ(run("` {\"a\\`\": [1, null]} `"), R"({"a`":[1,null]})");
  EXPECT_EQ(run("`foo bar`"), R"("foo bar")");
  EXPECT_EQ(run("`2020-01-01`"), R"("2020-01-01")");
  EXPECT_EQ(run("\n\t'a'\r "), R"("a")");
  EXPECT_EQ(run("'\xE4\xB8\xAD'"), "\"\xE4\xB8\xAD\"");
}

TEST(Compile, RefusesWhatIsNotText) {
  EXPECT_EQ(refusal("'\xFF'").what, Refusal::syntax);
  EXPECT_FALSE(compiles(std::string_view{"'\0'", 3}));
  EXPECT_FALSE(compiles("'\xED\xA0\x80'"));
}

TEST(Compile, HoldsTheLongestTextAndNotAByteMore) {
  const std::string longest = "a" + std::string(kTextBytesMax - 1, ' ');
  EXPECT_TRUE(compiles(longest));
  EXPECT_EQ(refusal(longest + " ").what, Refusal::too_large);
}

TEST(Compile, HoldsTheMostPartsAndNotOneMore) {
  const auto chain = [](std::size_t names) {
    std::string text = "a";
    for (std::size_t i = 1; i < names; ++i) text += ".a";
    return text;
  };
  EXPECT_TRUE(compiles(chain(kNodesMax - 1)));  // and the node that holds them together
  EXPECT_EQ(refusal(chain(kNodesMax)).what, Refusal::too_large);
}

TEST(Compile, HoldsTheDeepestNestingAndNotALevelMore) {
  const auto nested = [](std::size_t levels, std::string_view open, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += open;
    text += "a";
    for (std::size_t i = 0; i < levels; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(compiles(nested(kNestingMax - 1, "(", ")")));
  EXPECT_EQ(refusal(nested(kNestingMax, "(", ")")).what, Refusal::too_large);
  EXPECT_TRUE(compiles(nested(kNestingMax - 1, "!", "")));
  EXPECT_EQ(refusal(nested(kNestingMax, "!", "")).what, Refusal::too_large);
  EXPECT_EQ(refusal(nested(1'000, "[", "]")).what, Refusal::too_large);
  EXPECT_EQ(refusal(nested(1'000, "a[?", "]")).what, Refusal::too_large);
  EXPECT_TRUE(compiles(nested(kNestingMax - 1, "", " == a")));
  EXPECT_EQ(refusal(nested(kNestingMax, "", " == a")).what, Refusal::too_large);
  EXPECT_EQ(refusal(nested(100, "", "[]")).what, Refusal::too_large);
}

TEST(Compile, HoldsTheMostArgumentsAndNotOneMore) {
  std::string text = "not_null(a";
  for (std::uint32_t i = 1; i < kArgumentsMax; ++i) text += ",a";
  EXPECT_TRUE(compiles(text + ")"));
  EXPECT_EQ(refusal(text + ",a)").what, Refusal::too_large);
}

TEST(Compile, TakesAboutTwelveBytesANodeFromTheArena) {
  json::Parser parser;
  CountingArena arena;
  const std::string_view text = "labels.alertname || 'unknown'";
  ASSERT_TRUE(Expression::compile(text, parser, arena).has_value());
  EXPECT_LE(arena.bytes(), text.size() + 5 * sizeof(Node) + 3 * sizeof(json::Value));
}

TEST(Compile, ThrowsBadAllocAndNothingElseWhenTheArenaIsFull) {
  json::Parser parser;
  const std::string_view text = R"(a[?b == `{"x":["\u00e9",1]}`].{"\u00e9": c, d: 'it\'s'} | [::2])";
  for (std::size_t limit = 0;; limit += 16) {
    Budget budget{"test", limit};
    std::pmr::monotonic_buffer_resource arena{16, &budget};
    try {
      ASSERT_TRUE(Expression::compile(text, parser, arena).has_value());
      break;
    } catch (const std::bad_alloc&) {
      ASSERT_LT(limit, 16 * KiB);
    }
  }
}

}  // namespace
}  // namespace tocsin::jmespath
