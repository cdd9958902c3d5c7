// SPDX-License-Identifier: Apache-2.0
#include "src/json/value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <new>

#include "src/base/budget.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::json {
namespace {

/// A tree and everything that it looks into.
struct Tree {
  explicit Tree(std::string_view text) : source(text) {
    Parser parser;
    EXPECT_TRUE(parser.check(source.text()).has_value()) << text;
    const auto made = build(source.text(), arena);
    EXPECT_TRUE(made.ok()) << text;
    if (made.ok()) root = *made;
    const auto read = parser.read(source.text(), arena, arena);
    EXPECT_TRUE(read && json_of(*read) == json()) << text;
  }
  [[nodiscard]] static std::string json_of(const Value& value) {
    std::string out;
    value.append_json(out);
    return out;
  }
  [[nodiscard]] std::string json() const { return json_of(root); }
  Padded source;
  std::pmr::monotonic_buffer_resource arena;
  Value root;
};

std::string compact(std::string_view text) { return Tree{text}.json(); }

TEST(Value, TellsItsKindAndContent) {
  const Tree tree{R"( {"n":null,"t":true,"f":false,"i":-12,"d":1.50,"s":"a\u00e9","a":[1,[]],"o":{"":{}}} )"};
  const auto at = [&](std::string_view name) { return *tree.root.find(name); };
  EXPECT_TRUE(at("n").is_null());
  EXPECT_TRUE(at("t").is_true());
  EXPECT_FALSE(at("f").is_true());
  EXPECT_EQ(at("f").kind(), Kind::boolean);
  EXPECT_EQ(at("i").integer(), -12);
  EXPECT_EQ(at("d").number(), 1.5);
  EXPECT_EQ(at("d").number_text(), "1.50");
  EXPECT_EQ(at("d").integer(), std::nullopt);
  EXPECT_EQ(at("s").text(), "a\xC3\xA9");
  ASSERT_EQ(at("a").elements().size(), 2U);
  EXPECT_TRUE(at("a").elements()[1].is_array());
  EXPECT_TRUE(at("o").find("")->is_object());
  EXPECT_EQ(tree.root.find("absent"), nullptr);
  EXPECT_EQ(tree.root.members()[4].name, "d");
}

TEST(Value, AnswersNoToQuestionsAboutAnotherKind) {
  const Value null;
  EXPECT_EQ(null.text(), "");
  EXPECT_EQ(null.number(), 0);
  EXPECT_EQ(null.integer(), std::nullopt);
  EXPECT_TRUE(null.elements().empty());
  EXPECT_TRUE(null.members().empty());
  EXPECT_EQ(null.find("a"), nullptr);
  EXPECT_FALSE(Value::text("true").is_true());
}

TEST(Value, KeepsNumbersAsTheyWereWritten) {
  EXPECT_EQ(compact("[1.50,1e2,-0,12345678901234567890,0.1]"), "[1.50,1e2,-0,12345678901234567890,0.1]");
  const Tree tree{"[9007199254740993,9223372036854775808,1e2]"};
  EXPECT_EQ(tree.root.elements()[0].integer(), 9'007'199'254'740'993);
  EXPECT_EQ(tree.root.elements()[1].integer(), std::nullopt);
  EXPECT_EQ(tree.root.elements()[2].integer(), 100);
}

TEST(Value, WritesComputedNumbersShortest) {
  std::string out;
  Value::number(0.1).append_json(out);
  Value::number(-3).append_json(out);
  EXPECT_EQ(out, "0.1-3");
}

TEST(Value, WritesCompactJson) {
  EXPECT_EQ(compact(R"( { "a" : [ true , null , "x\"\n\u0001" ] , "b" : { } } )"),
            R"({"a":[true,null,"x\"\n\u0001"],"b":{}})");
  EXPECT_EQ(compact("[]"), "[]");
  EXPECT_EQ(compact("\"\""), "\"\"");
}

TEST(Value, LetsTheLastOfARepeatedNameWinInTheFirstPlace) {
  EXPECT_EQ(compact(R"({"a":1,"b":2,"\u0061":3})"), R"({"a":3,"b":2})");
}

std::string many_members(std::size_t count, std::string_view behind) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text += behind;
  return text + "}";
}

TEST(Value, FindsEveryMemberOnBothSidesOfTheIndexedSize) {
  for (std::size_t count = Value::kIndexedAbove - 1; count <= Value::kIndexedAbove + 1; ++count) {
    const Tree tree{many_members(count, R"("last":-1)")};
    for (std::size_t i = 0; i < count; ++i) {
      const Value* const found = tree.root.find("k" + std::to_string(i));
      ASSERT_NE(found, nullptr) << count << " " << i;
      EXPECT_EQ(found->integer(), static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(tree.root.find("k"), nullptr);
    EXPECT_EQ(tree.root.find("zzz"), nullptr);
    EXPECT_EQ(tree.root.find("last")->integer(), -1);
  }
}

TEST(Value, UnitesRepeatedNamesOfLargeObjectsInOrder) {
  const Tree tree{many_members(40, R"("k3":"new","k0":"newer","k3":"newest")")};
  ASSERT_EQ(tree.root.members().size(), 40U);
  EXPECT_EQ(tree.root.members()[0].name, "k0");
  EXPECT_EQ(tree.root.find("k0")->text(), "newer");
  EXPECT_EQ(tree.root.members()[3].value.text(), "newest");
  for (std::size_t i = 4; i < 40; ++i) EXPECT_EQ(tree.root.members()[i].name, "k" + std::to_string(i));
}

TEST(Value, UnitesToFewMembersAndStillFindsThem) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"a\":1,\"b\":" + std::to_string(i) + ",";
  const Tree tree{text + "\"c\":3}"};
  EXPECT_EQ(tree.json(), R"({"a":1,"b":99,"c":3})");
  EXPECT_EQ(tree.root.find("c")->integer(), 3);
}

TEST(Value, TakesExactlyTheDeepestTextThatTheParserAccepts) {
  const std::string deepest = std::string(kDepthMax, '[') + std::string(kDepthMax, ']');
  EXPECT_EQ(compact(deepest), deepest);
  std::pmr::monotonic_buffer_resource arena;
  EXPECT_FALSE(build("[" + deepest + "]", arena).ok());
}

TEST(Value, StaysInsideATextThatNobodyChecked) {
  for (const char* text :
       {"", "[", "{", "[1", "{\"a\"", "{\"a\":", "[1,]", "{\"a\":1", "tru", "-", "\"", "\"\\", "]"}) {
    std::pmr::monotonic_buffer_resource arena;
    const std::string exact{text};
    std::string out;
    if (const auto made = build(exact, arena); made.ok()) made->append_json(out);
  }
}

TEST(Value, FailsWithoutHarmAtEveryMemoryLimit) {
  const Padded source{many_members(50, R"("x":["\u00e9",{"y":[1,2,3]}])")};
  for (std::size_t limit = 0;; limit += 64) {
    Budget budget{"test", limit};
    try {
      std::pmr::monotonic_buffer_resource arena{64, &budget};
      ASSERT_TRUE(build(source.text(), arena).ok());
      ASSERT_TRUE(Parser{}.read(source.text(), arena, budget));
      break;
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(budget.used_bytes(), 0U);
    }
    ASSERT_LT(limit, 64 * KiB);
  }
}

}  // namespace
}  // namespace tocsin::json
