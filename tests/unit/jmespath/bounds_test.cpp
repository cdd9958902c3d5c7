// SPDX-License-Identifier: Apache-2.0
// Nothing that an expression or a document says can make an evaluation long, large or deep.
#include <gtest/gtest.h>

#include "tests/unit/jmespath/support.hpp"

namespace tocsin::jmespath {
namespace {

using What = SearchError::What;

std::string numbers(std::size_t count) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? "," : "") + std::to_string(i * 7919 % count);
  return out + "]";
}

TEST(Bounds, StopAtTheLastStep) {
  const struct {
    std::string_view text;
    std::string_view document;
  } cases[] = {
      {"a.b[0]", R"({"a":{"b":[1]}})"},
      {"[*].[a, b]", R"([{"a":1},{"a":2}])"},
      {"sort_by(@, &a)[?a > `1`] | [0]", R"([{"a":3},{"a":2},{"a":1}])"},
      {"to_string(@) || join('', keys(@))", R"({"a":[1,2,{"b":"c"}]})"},
      {"to_json('[1,2]') == @", "[1,2]"},
  };
  for (const auto& c : cases) {
    Bench bench;
    const std::string wanted = bench.run(c.text, c.document);
    ASSERT_NE(wanted.front(), '!') << c.text;
    std::uint32_t steps = 0;
    for (bench.steps_max = 0; bench.run(c.text, c.document) != wanted; ++bench.steps_max) {
      ASSERT_EQ(bench.failure.what, What::out_of_steps) << c.text;
      ASSERT_LT(++steps, 1'000U) << c.text;
    }
    EXPECT_GT(steps, 3U);
  }
}

TEST(Bounds, AddUpTheStepsThatWereUsed) {
  Bench bench;
  EXPECT_EQ(bench.run("sort_by(@, &a)[0].a", R"([{"a":3},{"a":2}])"), "2");
  const std::uint32_t once = bench.steps_used;
  EXPECT_GT(once, 5U);
  EXPECT_EQ(bench.run("sort_by(@, &a)[0].a", R"([{"a":3},{"a":2}])"), "2");
  EXPECT_EQ(bench.steps_used, 2 * once);
  bench.steps_max = once;
  EXPECT_EQ(bench.run("sort_by(@, &a)[0].a", R"([{"a":3},{"a":2}])"), "2");
  bench.steps_max = once - 1;
  EXPECT_EQ(bench.run("sort_by(@, &a)[0].a", R"([{"a":3},{"a":2}])").front(), '!');
  EXPECT_EQ(bench.steps_used, 4 * once - 1);
  bench.steps_max = once;
  EXPECT_EQ(bench.run("length(@)", "1").front(), '!');
  EXPECT_LT(bench.steps_used, 5 * once - 1);
}

TEST(Bounds, StopAtTheLastByte) {
  const std::string_view text =
      "{s: sort_by(@, &a), t: to_string(@), j: to_json('[1]'), r: [*].a | reverse(@), k: [].keys(@)[]}";
  const std::string_view document = R"([{"a":3,"b":"x"},{"a":2},{"a":1}])";
  const std::string wanted = run(text, document);
  Bench bench;
  for (bench.bytes_max = 0; bench.run(text, document) != wanted; bench.bytes_max += 16) {
    ASSERT_EQ(bench.failure.what, What::out_of_memory);
    ASSERT_LT(bench.bytes_max, 64 * KiB);
  }
}

TEST(Bounds, CountWhatSharedPartsSayEachTime) {
  std::string text = "@";
  for (int i = 0; i < 30; ++i) text += " | [@, @]";
  Bench bench;
  EXPECT_EQ(bench.run(text, R"("x")").front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
  EXPECT_EQ(bench.run(text + " | to_string(@) | length(@)", R"("x")").front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
  EXPECT_EQ(bench.run(text + " | @ == [@[0], @[1]]", R"("x")").front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
}

TEST(Bounds, RefuseAResultDeeperThanJsonMayBe) {
  const auto wrapped = [](std::size_t levels) {
    std::string text = "'x'";
    for (std::size_t i = 0; i < levels; ++i) text += " | [@]";
    return text;
  };
  EXPECT_EQ(run(wrapped(json::kDepthMax)).front(), '[');
  Bench bench;
  EXPECT_EQ(bench.run(wrapped(json::kDepthMax + 1)).front(), '!');
  EXPECT_EQ(bench.failure.what, What::wrong_value);
  EXPECT_EQ(bench.run(wrapped(200) + " | to_string(@)").front(), '!');
  EXPECT_EQ(bench.failure.what, What::wrong_value);
  EXPECT_EQ(bench.run(wrapped(200) + " | @ == @").front(), '!');
  EXPECT_EQ(bench.failure.what, What::wrong_value);
}

TEST(Bounds, CountSortsOfLargeArrays) {
  Bench bench;
  EXPECT_EQ(bench.run("sort(@)[:3]", numbers(5'000)), "[0,1,2]");
  bench.bytes_max = 64 * MiB;
  bench.steps_max = 100'000;
  EXPECT_EQ(bench.run("sort(@)", numbers(20'000)).front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
}

TEST(Bounds, CountElementsThatProjectionsMultiply) {
  std::string text = "@";
  for (int i = 0; i < 20; ++i) text += " | [@, @]";
  for (int i = 0; i < 20; ++i) text += "[]";
  Bench bench;
  EXPECT_EQ(bench.run(text, R"("x")").front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
  bench.steps_max = 10'000'000;
  EXPECT_EQ(bench.run(text, R"("x")").front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_memory);
}

TEST(Bounds, CountSearchesInLongTextAtTheirWorst) {
  const std::string text = "\"" + std::string(100'000, 'a') + "\"";
  Bench bench;
  EXPECT_EQ(bench.run("contains(@, 'ab')", text), "false");
  const std::string pair = "[" + text + ",\"" + std::string(50'000, 'a') + "b\"]";
  EXPECT_EQ(bench.run("contains([0], [1])", pair).front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
  EXPECT_EQ(bench.run("split([0], [1])", pair).front(), '!');
  EXPECT_EQ(bench.failure.what, What::out_of_steps);
}

TEST(Bounds, TakeADeepDocumentToItsEnd) {
  const std::string document = std::string(json::kDepthMax, '[') + std::string(json::kDepthMax, ']');
  EXPECT_EQ(run("@", document), document);
  EXPECT_EQ(run("@ == @", document), "true");
  EXPECT_EQ(run("to_string(@) | to_json(@)", document), document);
}

TEST(Bounds, EvaluateTheDeepestExpression) {
  std::string text;
  for (std::uint32_t i = 2; i < kNestingMax; ++i) text += "not_null(";
  text += 'a';
  text.append(kNestingMax - 2, ')');
  EXPECT_EQ(run(text, R"({"a":1})"), "1");
}

TEST(Bounds, KeepTheJsonOfAResultWithinItsSteps) {
  Bench bench;
  bench.steps_max = 60;
  const std::string document =
      R"(["\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001","\"\"\"\"\"\"\"\"\"\"\"\"",{},[],null,-1.5])";
  const std::string json = bench.run("[@, @]", document);
  EXPECT_TRUE(json.front() == '!' || json.size() <= bench.steps_max * kBytesPerStep);
  std::uint32_t steps = 0;
  for (bench.steps_max = 0; bench.run("[@, @, @]", document).front() == '!'; ++bench.steps_max) ++steps;
  EXPECT_LE(bench.run("[@, @, @]", document).size(), steps * kBytesPerStep);
}

}  // namespace
}  // namespace tocsin::jmespath
