// SPDX-License-Identifier: Apache-2.0
#include "src/json/text.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "src/json/document.hpp"
#include "src/json/needle.hpp"
#include "src/json/writer.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::json {
namespace {

std::string unescaped(std::string_view inside, std::size_t bytes_max = SIZE_MAX) {
  std::string out;
  append_unescaped(inside, out, bytes_max);
  return out;
}

TEST(Text, ResolvesEveryEscape) {
  EXPECT_EQ(unescaped(R"(a\"\\\/\b\f\n\r\tz)"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(unescaped(R"(\u0041\u00e9\u4e2d\ud83d\ude00)"), "A\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80");
}

TEST(Text, CutsAtACharacterBorder) {
  EXPECT_EQ(unescaped("ab\xE4\xB8\xAD", 4), "ab");
  EXPECT_EQ(unescaped("ab\xE4\xB8\xAD", 5), "ab\xE4\xB8\xAD");
  EXPECT_EQ(unescaped(R"(ab\u4e2d)", 4), "ab");
  EXPECT_EQ(unescaped(R"(ab\u4e2dc)", 5), "ab\xE4\xB8\xAD");
  EXPECT_EQ(unescaped("abc", 0), "");
}

TEST(Text, ComparesWhatAStringStandsFor) {
  EXPECT_TRUE(stands_for("data_id", "data_id"));
  EXPECT_TRUE(stands_for(R"(d\u0061ta)", "data"));
  EXPECT_FALSE(stands_for(R"(d\u0061tab)", "data"));
  EXPECT_FALSE(stands_for("a\\u4e2d", "a"));
  EXPECT_FALSE(stands_for("a\xE4\xB8\xAD\\n", "a"));
}

TEST(Text, AnEscapeIsNotItsOwnLetters) {
  EXPECT_FALSE(stands_for(R"(\n)", R"(\n)")) << "a line feed is no backslash and n";
  EXPECT_TRUE(stands_for(R"(\\n)", R"(\n)"));
  EXPECT_TRUE(stands_for(R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"));
  EXPECT_FALSE(stands_for("abc", "abcd"));
  EXPECT_TRUE(stands_for("", ""));
}

TEST(Needle, FindsWhatPeopleReadHoweverItWasWritten) {
  const std::string chinese = "\xE4\xB8\xAD\xE6\x96\x87";
  for (const char* json : {R"({"content":"\u4e2d\u6587 full"})", R"({"content":"\u4E2D\u6587"})"})
    EXPECT_TRUE(Needle(chinese).is_in(json)) << json;
  EXPECT_TRUE(Needle(chinese).is_in("{\"content\":\"" + chinese + "\"}"));
  EXPECT_TRUE(Needle(chinese).is_in("{\"content\":\"\\u4e2d" + chinese.substr(3) + "\"}"));
  EXPECT_FALSE(Needle(chinese).is_in(R"({"content":"\u4e2d"})"));
  EXPECT_TRUE(Needle(R"(say "hi")").is_in(R"({"content":"say \"hi\" now"})"));
  EXPECT_TRUE(Needle("/var/log").is_in(R"({"content":"\/var\/log"})"));
  EXPECT_TRUE(Needle(R"(C:\new)").is_in(R"({"content":"C:\\new"})"));
  EXPECT_TRUE(Needle("one\ntwo").is_in(R"({"content":"one\ntwo"})"));
  EXPECT_FALSE(Needle(R"(one\ntwo)").is_in(R"({"content":"one\ntwo"})")) << "those letters are not there";
  EXPECT_FALSE(Needle("u4e2d").is_in(R"({"content":"\u4e2d"})"));
  EXPECT_TRUE(Needle(R"("content":"x)").is_in(R"({"content":"xy"})")) << "names and quotes are text too";
}

TEST(Needle, AgreesWithAPlainSearchOnEveryText) {
  const std::string letters = "aab\"";
  std::uint32_t seed = 1;
  const auto next = [&](std::uint32_t below) { return (seed = seed * 1664525 + 1013904223) / 65536 % below; };
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    std::string plain;
    for (std::uint32_t i = next(24); i > 0; --i) text += letters[next(4)];
    for (std::uint32_t i = next(5); i > 0; --i) plain += letters[next(4)];
    std::string written;
    for (const char c : text) {
      const std::uint32_t how = next(6);
      if (c == '"') {
        written += how < 3 ? "\\\"" : "\\u0022";
      } else if (how == 0) {
        written += c == 'a' ? "\\u0061" : "\\u0062";
      } else {
        written += c;
      }
    }
    ASSERT_EQ(Needle(plain).is_in(written), text.find(plain) != std::string::npos) << written << " has " << plain;
    ASSERT_EQ(Needle(plain).is_in(text), text.find(plain) != std::string::npos) << text << " has " << plain;
  }
}

TEST(Needle, StaysInsideATextThatIsNoJson) {
  EXPECT_TRUE(Needle("").is_in(""));
  EXPECT_FALSE(Needle("x").is_in(""));
  for (const char* text : {"\\", "a\\", "\\u12", "\\ud800\\u", "\\ud800\\u00"})
    EXPECT_FALSE(Needle("xyz").is_in(text)) << text;
  const std::string longest(Needle::kBytesMax, 'x');
  EXPECT_TRUE(Needle(longest).is_in("\\n" + longest));
  EXPECT_FALSE(Needle(longest).is_in(std::string(Needle::kBytesMax - 1, 'x')));
}

TEST(Text, CountsCharactersNotBytes) {
  EXPECT_EQ(count_characters("abc"), 3U);
  EXPECT_EQ(count_characters("\xE4\xB8\xAD\xF0\x9F\x98\x80"), 2U);
  EXPECT_EQ(count_characters(R"(\u4e2d\ud83d\ude00\n)"), 3U);
}

TEST(Text, TellsTooLargeFromTooSmall) {
  EXPECT_FALSE(is_finite_number("1e309"));
  EXPECT_FALSE(is_finite_number("-1" + std::string(400, '0')));
  EXPECT_TRUE(is_finite_number("0." + std::string(400, '0') + "1"));
  EXPECT_TRUE(is_finite_number("1e-400"));
  EXPECT_TRUE(is_finite_number("0." + std::string(400, '0') + "1e300"));
  EXPECT_FALSE(is_finite_number("0." + std::string(10, '0') + "1e400"));
  EXPECT_TRUE(is_finite_number("1e-99999999999999999999"));
  EXPECT_FALSE(is_finite_number("1e99999999999999999999"));
}

TEST(Text, ReadsIntegersOnlyWhenWrittenAsSuch) {
  EXPECT_EQ(to_integer("-42"), -42);
  EXPECT_EQ(to_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(to_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(to_integer("1.0"), std::nullopt);
  EXPECT_EQ(to_integer("1e2"), std::nullopt);
}

TEST(Text, DropsOnlyInsignificantWhiteSpace) {
  std::string out;
  append_compact(" { \"a b\" :\t[ 1 ,\n\" \\\" \" ] } ", out);
  EXPECT_EQ(out, R"({"a b":[1," \" "]})");
}

TEST(Text, FindsQuotesAtEveryDistance) {
  for (std::size_t n = 0; n < 40; ++n) {
    const std::string text = std::string(n, '\xA2') + "\"";
    EXPECT_EQ(find_quote_or_backslash(text.data(), text.data() + text.size()) - text.data(), static_cast<long>(n));
    EXPECT_EQ(find_quote_or_backslash(text.data(), text.data() + n) - text.data(), static_cast<long>(n));
  }
}

TEST(Text, FindsEveryByteThatNeedsAnEscapeAndNoOther) {
  for (int c = 0; c < 256; ++c) {
    for (std::size_t at = 0; at < 17; ++at) {
      std::string text(17, '\x7F');
      text[at] = static_cast<char>(c);
      const bool is_one = c < 0x20 || c == '"' || c == '\\';
      const char* const found = find_escaped(text.data(), text.data() + text.size());
      EXPECT_EQ(static_cast<std::size_t>(found - text.data()), is_one ? at : text.size()) << c;
    }
  }
}

TEST(Writer, WritesNestedValuesWithCommasBetween) {
  std::string out;
  Writer writer{out};
  writer.object().member("a", "x").name("b").array().number(1).number(-2).null().boolean(true).end_array();
  writer.name("c")
      .object()
      .end_object()
      .name("d")
      .raw("[1]")
      .name("e")
      .real(0.5)
      .name("f")
      .real(1.0 / 0.0)
      .end_object();
  EXPECT_EQ(out, R"({"a":"x","b":[1,-2,null,true],"c":{},"d":[1],"e":0.5,"f":null})");
}

TEST(Writer, EscapesWhatMustBeEscaped) {
  std::string plain;
  for (char c = 1; c < 0x20; ++c) plain.push_back(c);
  plain += "\"\\/\x7F\xE4\xB8\xAD";
  std::string out;
  append_quoted(plain, out);
  Parser parser;
  ASSERT_TRUE(parser.check(Padded{out}.text()).has_value()) << out;
  EXPECT_EQ(unescaped(std::string_view{out}.substr(1, out.size() - 2)), plain);
  out.clear();
  append_quoted("\n\x01\x0B", out);
  EXPECT_EQ(out, R"("\n\u0001\u000b")");
}

TEST(Writer, WritesTimesAsRfc3339) {
  struct Case {
    std::int64_t ms;
    const char* text;
  };
  for (const Case& c :
       {Case{0, "1970-01-01T00:00:00.000Z"}, Case{1696161600000, "2023-10-01T12:00:00.000Z"},
        Case{1709164799999, "2024-02-28T23:59:59.999Z"}, Case{1709164800000, "2024-02-29T00:00:00.000Z"},
        Case{-1, "1969-12-31T23:59:59.999Z"}, Case{4102444800000, "2100-01-01T00:00:00.000Z"},
        Case{std::numeric_limits<std::int64_t>::max(), "9999-12-31T23:59:59.999Z"},
        Case{std::numeric_limits<std::int64_t>::min(), "0000-01-01T00:00:00.000Z"}}) {
    std::string out;
    append_time(c.ms, out);
    EXPECT_EQ(out, c.text);
  }
}

TEST(Document, ReadsTypedValuesAndMissesNothing) {
  Parser parser;
  const auto document = Document::parse(
      parser,
      R"({"Name":"n\u00e9","on":true,"n":1.5,"i":9007199254740991,"big":9007199254740993,"l":[1,2],"o":{"x":null}})");
  ASSERT_TRUE(document.has_value());
  const Node root = document->root();
  EXPECT_EQ(root.member("Name").text(), "n\xC3\xA9");
  EXPECT_EQ(root.member("name").text(), std::nullopt) << "case counts";
  EXPECT_EQ(root.member("on").boolean(), true);
  EXPECT_EQ(root.member("n").number(), 1.5);
  EXPECT_EQ(root.member("n").integer(), std::nullopt);
  EXPECT_EQ(root.member("i").integer(), 9007199254740991);
  EXPECT_EQ(root.member("big").integer(), std::nullopt);
  EXPECT_EQ(root.member("l").first().next().integer(), 2);
  EXPECT_FALSE(root.member("l").first().next().next().exists());
  EXPECT_TRUE(root.member("o").member("x").exists());
  EXPECT_EQ(root.member("o").member("x").kind(), Kind::null);
  EXPECT_FALSE(root.member("o").member("y").exists());
  EXPECT_EQ(root.member("o").member("y").text(), std::nullopt);
}

TEST(Document, NamesTheFirstUnknownMember) {
  Parser parser;
  const auto document = Document::parse(parser, R"({"a":1,"c":2,"d":3})");
  ASSERT_TRUE(document.has_value());
  constexpr std::array<std::string_view, 2> kKnown{"a", "b"};
  constexpr std::array<std::string_view, 3> kAll{"a", "c", "d"};
  EXPECT_EQ(document->root().unknown_member(kKnown), "c");
  EXPECT_EQ(document->root().unknown_member(kAll), std::nullopt);
}

TEST(Document, RefusesWhatIsTooLargeTooManyOrAmbiguous) {
  Parser parser;
  const auto what = [&](const std::string& text) {
    const auto document = Document::parse(parser, text);
    return document ? std::string{"taken"} : std::string{document.error().reason};
  };
  const auto list = [](std::size_t values) {
    std::string out = "[0";
    for (std::size_t i = 2; i < values; ++i) out += ",0";
    return out + "]";
  };
  EXPECT_EQ(what("\"" + std::string(kDocumentBytesMax - 2, 'a') + "\""), "taken");
  EXPECT_EQ(what("\"" + std::string(kDocumentBytesMax - 1, 'a') + "\""), "longer than 65536 bytes");
  EXPECT_EQ(what(list(kDocumentValuesMax)), "taken");
  EXPECT_EQ(what(list(kDocumentValuesMax + 1)), "more than 8192 values");
  EXPECT_EQ(what(R"({"a":{"b":1,"b":2}})"), "a name appears twice in an object");
  EXPECT_EQ(what(R"([{"a":1},{"a":1}])"), "taken");
  EXPECT_EQ(what("{} "), "taken");
  EXPECT_EQ(what("{}x"), "an array or object is not closed, or something follows it");
  EXPECT_EQ(what(R"({"a":"\u0000"})"), "\\u0000 is not accepted in strings");
}

}  // namespace
}  // namespace tocsin::json
