// SPDX-License-Identifier: Apache-2.0
#include "src/page/page.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tocsin::page {
namespace {

std::string text_of(std::string_view path) {
  const auto found = find_asset(path);
  EXPECT_TRUE(found) << path;
  return std::string(found ? found->static_body : std::string_view{});
}

TEST(Page, HasThreeAssetsAndNoOther) {
  EXPECT_EQ(find_asset("/")->type, port::ContentType::html);
  EXPECT_EQ(find_asset("/page.js")->type, port::ContentType::javascript);
  EXPECT_EQ(find_asset("/page.css")->type, port::ContentType::css);
  EXPECT_FALSE(find_asset("/index.html"));
  EXPECT_FALSE(find_asset(""));
}

TEST(Page, NeedsNothingFromElsewhereAndNothingInline) {
  const std::string html = text_of("/");
  for (const char* forbidden : {"http://", "https://", "<style", "style=", "onclick", "javascript:"}) {
    EXPECT_EQ(html.find(forbidden), std::string::npos) << forbidden;
  }
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_EQ(text_of("/page.css").find("url("), std::string::npos);
}

TEST(Page, PutsWhatItIsToldInAsTextOnly) {
  const std::string script = text_of("/page.js");
  for (const char* forbidden :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"}) {
    EXPECT_EQ(script.find(forbidden), std::string::npos) << forbidden;
  }
}

TEST(Page, FitsItsBudget) {
  EXPECT_LE(text_of("/").size() + text_of("/page.js").size() + text_of("/page.css").size(), kBytesMax);
}

}  // namespace
}  // namespace tocsin::page
