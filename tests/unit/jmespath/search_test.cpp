// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/search.hpp"

#include <gtest/gtest.h>

#include "tests/unit/jmespath/support.hpp"

namespace tocsin::jmespath {
namespace {

constexpr std::string_view kPeople =
    R"({"people":[{"name":"ann","age":30,"tags":["x","y"]},{"name":"bob","age":20,"tags":[]},{"name":"cy","tags":["z"]}],)"
    R"("host":{"ip":"10.0.0.1","port":8080},"empty":null})";

std::string people(std::string_view text) { return run(text, kPeople); }

TEST(Search, FindsMembersAndElements) {
  EXPECT_EQ(people("host.ip"), R"("10.0.0.1")");
  EXPECT_EQ(people("people[0].name"), R"("ann")");
  EXPECT_EQ(people("people[-1].name"), R"("cy")");
  EXPECT_EQ(people("\"host\".\"port\""), "8080");
  EXPECT_EQ(people("host"), R"({"ip":"10.0.0.1","port":8080})");
}

TEST(Search, GivesNullForWhatIsNotThere) {
  EXPECT_EQ(people("absent"), "null");
  EXPECT_EQ(people("absent.more[3].still"), "null");
  EXPECT_EQ(people("host[0]"), "null");
  EXPECT_EQ(people("people.name"), "null");
  EXPECT_EQ(people("people[3]"), "null");
  EXPECT_EQ(people("people[-4]"), "null");
  EXPECT_EQ(people("people[99999999999999999999]"), "null");
  EXPECT_EQ(people("host[*]"), "null");
  EXPECT_EQ(people("people.*"), "null");
  EXPECT_EQ(people("host[]"), "null");
}

TEST(Search, ProjectsAndLeavesOutNulls) {
  EXPECT_EQ(people("people[*].age"), "[30,20]");
  EXPECT_EQ(people("host.*"), R"(["10.0.0.1",8080])");
  EXPECT_EQ(people("people[*].tags[0]"), R"(["x","z"])");
  EXPECT_EQ(people("people[*].tags | [0]"), R"(["x","y"])");
  EXPECT_EQ(people("people[*].[name, age]"), R"([["ann",30],["bob",20],["cy",null]])");
  EXPECT_EQ(run("*.*", R"({"a":{"b":1},"c":2})"), "[[1]]");
}

TEST(Search, FlattensOneLevel) {
  EXPECT_EQ(people("people[].tags[]"), R"(["x","y","z"])");
  EXPECT_EQ(run("[]", "[[1,[2]],3,[]]"), "[1,[2],3]");
  EXPECT_EQ(run("[][]", "[[1,[2]],3,[]]"), "[1,2,3]");
}

TEST(Search, Slices) {
  const std::string_view digits = "[0,1,2,3,4]";
  EXPECT_EQ(run("[1:3]", digits), "[1,2]");
  EXPECT_EQ(run("[:2]", digits), "[0,1]");
  EXPECT_EQ(run("[-2:]", digits), "[3,4]");
  EXPECT_EQ(run("[::2]", digits), "[0,2,4]");
  EXPECT_EQ(run("[::-1]", digits), "[4,3,2,1,0]");
  EXPECT_EQ(run("[3:0:-2]", digits), "[3,1]");
  EXPECT_EQ(run("[-1:-4:-1]", digits), "[4,3,2]");
  EXPECT_EQ(run("[4:1]", digits), "[]");
  EXPECT_EQ(run("[-99:99]", digits), digits);
  EXPECT_EQ(run("[99999999999:-99999999999:-2147483648]", digits), "[4]");
  EXPECT_EQ(run("[0:1]", "{}"), "null");
}

TEST(Search, ProjectsASliceBehindAnIndexToo) {
  EXPECT_EQ(run("[0][0:2].a", R"([[{"a":1},{"a":2},{"a":3}]])"), "[1,2]");
}

TEST(Search, FiltersByAnyCondition) {
  EXPECT_EQ(people("people[?age > `20`].name"), R"(["ann"])");
  EXPECT_EQ(people("people[?tags].name"), R"(["ann","cy"])");
  EXPECT_EQ(people("people[?!age].name"), R"(["cy"])");
  EXPECT_EQ(people("people[?name == 'bob' || contains(tags, 'z')].name"), R"(["bob","cy"])");
  EXPECT_EQ(people("people[?tags[?@ == 'y']].name"), R"(["ann"])");
  EXPECT_EQ(people("host[?ip]"), "null");
}

TEST(Search, ChoosesIntoListsAndHashes) {
  EXPECT_EQ(people("{who: people[0].name, at: host.ip, \"n o\": empty}"),
            R"({"who":"ann","at":"10.0.0.1","n o":null})");
  EXPECT_EQ(people("host.[port, ip]"), R"([8080,"10.0.0.1"])");
  EXPECT_EQ(people("empty.[a]"), "null");
  EXPECT_EQ(people("empty.{a: b}"), "null");
  EXPECT_EQ(people("{a: `1`, a: `2`}"), R"({"a":2})");
}

TEST(Search, KnowsWhatIsFalse) {
  for (const char* no : {"``", "`null`", "`false`", "`[]`", "`{}`", "''"}) {
    EXPECT_EQ(run(std::string{no} + " || 'other'"), R"("other")") << no;
    EXPECT_EQ(run(std::string{"!"} + no), "true") << no;
  }
  for (const char* yes : {"`0`", "`true`", "`[0]`", "`{\"a\":null}`", "' '"}) {
    EXPECT_EQ(run(std::string{yes} + " && 'then'"), R"("then")") << yes;
    EXPECT_EQ(run(std::string{"!"} + yes), "false") << yes;
  }
}

TEST(Search, BindsOperatorsInTheirOrder) {
  EXPECT_EQ(run("`1` == `1` && `2` == `3` || 'x'"), R"("x")");
  EXPECT_EQ(run("'a' || 'b' && 'c'"), R"("a")");
  EXPECT_EQ(run("('a' || 'b') && 'c'"), R"("c")");
  EXPECT_EQ(run("!a == b", R"({"a":1,"b":false})"), "true");
  EXPECT_EQ(run("a | b || c", R"({"a":{"c":1}})"), "1");
  EXPECT_EQ(run("`3` < `2` == `false`"), "true");
}

TEST(Search, ComparesByValue) {
  EXPECT_EQ(run("`1.0` == `1`"), "true");
  EXPECT_EQ(run("`9007199254740993` == `9007199254740992`"), "false");
  EXPECT_EQ(run("`1` == `true`"), "false");
  EXPECT_EQ(run("`[1, {\"a\": [2]}]` == `[1, {\"a\": [2]}]`"), "true");
  EXPECT_EQ(run("`{\"a\":1,\"b\":2}` == `{\"b\":2,\"a\":1}`"), "true");
  EXPECT_EQ(run("`{\"a\":1}` == `{\"b\":1}`"), "false");
  EXPECT_EQ(run("'é' > 'z'"), "true");
  EXPECT_EQ(run("'a' < `1`"), "null");
  EXPECT_EQ(run("`[1]` < `[2]`"), "null");
}

TEST(Search, KeepsNumbersOfTheDocumentAsTheyWereWritten) {
  EXPECT_EQ(run("{a: a, s: to_string(a), n: [a][0]}", R"({"a":12345678901234567890.50})"),
            R"({"a":12345678901234567890.50,"s":"12345678901234567890.50","n":12345678901234567890.50})");
}

TEST(Search, OfOneExpressionIsTheSameOnEveryDocument) {
  json::Parser parser;
  std::pmr::monotonic_buffer_resource kept;
  const auto expression = Expression::compile("a || b", parser, kept);
  ASSERT_TRUE(expression.has_value());
  for (const std::string_view text : {R"({"a":1})", R"({"b":2})", R"({"a":1})"}) {
    std::pmr::monotonic_buffer_resource arena;
    const auto root = json::build(text, arena);
    const auto result = search(*expression, *root, {.arena = arena, .parser = parser});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->integer(), text[2] == 'a' ? 1 : 2);
  }
}

}  // namespace
}  // namespace tocsin::jmespath
