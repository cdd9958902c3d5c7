// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "src/base/utf8.hpp"
#include "tests/unit/formats/support.hpp"

namespace tocsin::formats {
namespace {

using namespace std::string_view_literals;

TEST(Text, ABodyIsOneMember) {
  EXPECT_EQ(text(""), R"({"text":""})");
  EXPECT_EQ(text("disk 磁盘 \"full\"\\\r\n\t\x01 end\n"), R"({"text":"disk 磁盘 \"full\"\\\r\n\t\u0001 end\n"})");
}

TEST(Text, WhatIsNotUtf8IsReplacedByteByByte) {
  constexpr std::string_view kMark = "\xEF\xBF\xBD";
  const auto with_marks = [&](std::size_t count) { return R"({"text":"a)" + repeated(kMark, count) + R"(b"})"; };
  EXPECT_EQ(text("a\xFF"
                 "b"),
            with_marks(1));
  EXPECT_EQ(text("a\0b"sv), with_marks(1));
  EXPECT_EQ(text("a\xE4\xB8"
                 "b"),
            with_marks(2));
  EXPECT_EQ(text("a\xED\xA0\x80"
                 "b"),
            with_marks(3));  // half of a surrogate pair
  EXPECT_EQ(text("\xC0\x80"), R"({"text":")" + repeated(kMark, 2) + R"("})");
}

TEST(Text, LimitsHoldWhereTheySaySo) {
  EXPECT_EQ(text("abc", {.json_bytes_max = 14}), R"({"text":"abc"})");
  EXPECT_EQ(text("abcd", {.json_bytes_max = 14}), "1:1 too long when written as JSON");
  EXPECT_EQ(text("a\n", {.json_bytes_max = 13}), "1:1 too long when written as JSON");
  EXPECT_EQ(text("abc", {.body_bytes_max = 3}), R"({"text":"abc"})");
  EXPECT_EQ(text("abcd", {.body_bytes_max = 3}), "1:1 the body is too long");
}

TEST(Utf8, KnowsCharactersFromOtherBytes) {
  for (const std::string_view good :
       {"a"sv, "\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
        "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
    EXPECT_EQ(utf8_size_at(good, 0), good.size());
    EXPECT_EQ(utf8_valid_bytes(good), good.size());
    EXPECT_EQ(utf8_valid_bytes(good.substr(0, good.size() - 1)), 0U);
  }
  for (const std::string_view bad :
       {"\x80"sv, "\xBF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv, "\xF0\x8F\xBF\xBF"sv,
        "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "\xC2\x41"sv, "\xE1\x80\x41"sv, "\xF1\x80\x80\xC0"sv}) {
    EXPECT_EQ(utf8_size_at(bad, 0), 0U);
  }
  EXPECT_EQ(utf8_valid_bytes("ab\xE4\xB8\xAD\xE4"), 5U);
}

}  // namespace
}  // namespace tocsin::formats
