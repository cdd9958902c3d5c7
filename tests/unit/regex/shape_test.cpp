// SPDX-License-Identifier: Apache-2.0
#include "src/regex/shape.hpp"

#include <gtest/gtest.h>

namespace tocsin::regex {
namespace {

TEST(RegexShape, PlainPatternsAreRecognised) {
  struct Row {
    const char* pattern;
    Shape shape;
    const char* literal;
  };
  for (const Row& row : {
           Row{"", Shape::contains, ""},
           Row{"^", Shape::prefix, ""},
           Row{"$", Shape::suffix, ""},
           Row{"^$", Shape::exact, ""},
           Row{"disk", Shape::contains, "disk"},
           Row{"^disk", Shape::prefix, "disk"},
           Row{"disk$", Shape::suffix, "disk"},
           Row{"^disk$", Shape::exact, "disk"},
           Row{R"(\Adisk\z)", Shape::exact, "disk"},
           Row{R"(10\.0\.0\.1$)", Shape::suffix, "10.0.0.1"},
           Row{R"(a\$)", Shape::contains, "a$"},
           Row{R"(\\z)", Shape::contains, R"(\z)"},
           Row{R"(\^a)", Shape::contains, "^a"},
           Row{"磁盘 满", Shape::contains, "磁盘 满"},
           Row{"^a-b/c:d$", Shape::exact, "a-b/c:d"},
       }) {
    const Plain plain = plain_of(row.pattern);
    EXPECT_EQ(plain.shape, row.shape) << row.pattern;
    EXPECT_EQ(plain.literal, row.literal) << row.pattern;
  }
}

TEST(RegexShape, EverythingElseIsAnExpression) {
  for (const char* pattern :
       {"a.b", "a+",  "a*",    "a?",    "(a)",   "a|b",  "[a]",   "a{2}",   "a]",     "a}",       "a^",   "^^a",
        "a$$", "a$b", R"(\d)", R"(\n)", R"(a\)", R"(\)", R"(\Z)", R"(a\A)", R"(\zb)", R"(\Qa\E)", "(?i)a"}) {
    EXPECT_EQ(plain_of(pattern).shape, Shape::expression) << pattern;
  }
}

TEST(RegexShape, PlainTextIsFoundWhereTheShapeWantsIt) {
  std::size_t at = 9;
  EXPECT_TRUE(find_plain(Shape::contains, "bc", "abcbc", at));
  EXPECT_EQ(at, 1U);
  EXPECT_TRUE(find_plain(Shape::suffix, "bc", "abcbc", at));
  EXPECT_EQ(at, 3U);
  EXPECT_TRUE(find_plain(Shape::prefix, "ab", "abcbc", at));
  EXPECT_EQ(at, 0U);
  EXPECT_TRUE(find_plain(Shape::exact, "ab", "ab", at));
  EXPECT_FALSE(find_plain(Shape::exact, "ab", "abc", at));
  EXPECT_FALSE(find_plain(Shape::prefix, "b", "ab", at));
  EXPECT_FALSE(find_plain(Shape::suffix, "a", "ab", at));
  EXPECT_FALSE(find_plain(Shape::contains, "c", "ab", at));
  EXPECT_FALSE(find_plain(Shape::contains, "ab", "a", at));
}

}  // namespace
}  // namespace tocsin::regex
