// SPDX-License-Identifier: Apache-2.0
#include "src/api/reject_text.hpp"

#include <gtest/gtest.h>

#include "src/model/reject.hpp"

namespace tocsin::api {
namespace {

struct Kept {
  std::string text;
  bool is_whole = false;
};
Kept keep(std::string_view body, std::string_view token, bool is_json = true) {
  std::pmr::string out;
  const bool is_whole = keep_body(body, token, is_json, out);
  return {std::string(out), is_whole};
}

TEST(RejectText, TheTokenInItsPlaceIsMaskedAndTheBodyStaysWhole) {
  const auto kept = keep(R"({"data_id":1,"access_token":"s3cret-t0ken","data":[]})", "s3cret-t0ken");
  EXPECT_EQ(kept.text, R"({"data_id":1,"access_token":"************","data":[]})");
  EXPECT_TRUE(kept.is_whole);
}

TEST(RejectText, AShortTokenIsSoughtInItsPlaceOnly) {
  const auto kept = keep(R"({"access_token":"1","data":[{"a":1}]})", "1");
  EXPECT_EQ(kept.text, R"({"access_token":"*","data":[{"a":1}]})");
  EXPECT_TRUE(kept.is_whole);
}

TEST(RejectText, ATokenElsewhereIsMaskedTooAndTheBodyIsNoLongerWhole) {
  const auto kept = keep(R"({"access_token":"s3cret-t0ken","data":"is s3cret-t0ken"})", "s3cret-t0ken");
  EXPECT_EQ(kept.text, R"({"access_token":"************","data":"is ************"})");
  EXPECT_FALSE(kept.is_whole);
  const auto nested = keep(R"({"data":{"access_token" : "of another"}})", "");
  EXPECT_EQ(nested.text, R"({"data":{"access_token" : "**********"}})");
  EXPECT_FALSE(nested.is_whole);
}

TEST(RejectText, AValueThatIsNoStringIsMaskedWithAllThatFollows) {
  const auto kept = keep(R"({"access_token":["other-secret"],"a":1})", "s3cret-t0ken", false);
  EXPECT_EQ(kept.text.find("other-secret"), std::string::npos) << kept.text;
  EXPECT_FALSE(kept.is_whole);
  EXPECT_EQ(keep(R"({"data":{"access_token":"it's-secret"}})", "").text, R"({"data":{"access_token":"***********"}})");
}

TEST(RejectText, AMessageDoesNotQuoteTheToken) {
  std::pmr::string message = "name 's3cret-t0ken' and s3cret-t0ken";
  hide_token("s3cret-t0ken", message);
  EXPECT_EQ(message, "name '************' and ************");
  hide_token("********", message);
  hide_token("", message);
  hide_token("name", message);
  EXPECT_EQ(message.substr(0, 4), "name") << "a short one is everywhere";
}

TEST(RejectText, EscapesHideNoToken) {
  const auto value = keep(R"({"access_token":"s3\u0063ret\"x","data":1})", "s3cret\"x");
  EXPECT_EQ(value.text, R"({"access_token":"**************","data":1})");
  const auto name = keep(R"({"access\u005ftoken":"s3cret","data":1})", "s3cret");
  EXPECT_EQ(name.text, R"({"access\u005ftoken":"******","data":1})");
  EXPECT_TRUE(name.is_whole);
}

TEST(RejectText, WhatIsNoJsonLosesEveryOccurrence) {
  const auto kept = keep(R"({"access_token": "ab", "x": "ab)", "ab", false);
  EXPECT_EQ(kept.text, R"({"access_token": "**", "x": "**)");
  EXPECT_FALSE(kept.is_whole);
  EXPECT_EQ(keep(R"({"access_token":"unfinish)", "", false).text, R"({"access_token":"********)");
  EXPECT_EQ(keep("access_token='x'&y", "", false).text, "access_token='*'&y");
  EXPECT_EQ(keep(R"(["access_token", "x"])", "", false).text, R"(["access_token", "x"])");
}

TEST(RejectText, ATokenAcrossTheCutIsMasked) {
  for (std::size_t before = model::kRejectBodyBytesMax - 14; before <= model::kRejectBodyBytesMax; ++before) {
    const std::string body = R"({"a":")" + std::string(before - 6, 'x') + R"(s3cret-t0ken"})";
    const auto kept = keep(body, "s3cret-t0ken");
    EXPECT_EQ(kept.text.size(), std::min(body.size(), model::kRejectBodyBytesMax));
    EXPECT_EQ(kept.text.find('s'), std::string::npos) << before;
    EXPECT_FALSE(kept.is_whole);
  }
}

TEST(RejectText, TheBoundIsFourKibibytes) {
  const auto body_of = [](std::size_t size) { return "\"" + std::string(size - 2, 'x') + "\""; };
  EXPECT_TRUE(keep(body_of(4096), "").is_whole);
  const auto cut = keep(body_of(4097), "");
  EXPECT_EQ(cut.text.size(), 4096U);
  EXPECT_FALSE(cut.is_whole);
  EXPECT_EQ(keep(std::string(4094, 'x') + "\xE2\x82\xAC", "").text.size(), 4094U) << "not inside a character";
}

TEST(RejectText, WhatIsNoUtf8IsMended) {
  const auto kept = keep("a\xFF\x80z", "", false);
  EXPECT_EQ(kept.text, "a??z");
  EXPECT_FALSE(kept.is_whole);
}

TEST(RejectText, AnyCutOfAnyTextIsSafe) {
  const std::string text = R"({"access_token" : "a\"b\\", "x":["access_token": 'y\'', access_token = z)";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    for (const bool is_json : {false, true}) EXPECT_EQ(keep(text.substr(0, size), "tok", is_json).text.size(), size);
  }
}

}  // namespace
}  // namespace tocsin::api
