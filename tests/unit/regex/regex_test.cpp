// SPDX-License-Identifier: Apache-2.0
#include "src/regex/regex.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tocsin::regex {
namespace {

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

Pattern compiled(Library& library, std::string_view text) {
  auto pattern = library.compile(text);
  if (!pattern) ADD_FAILURE() << text << ": " << pattern.error().message;
  return *std::move(pattern);
}

std::vector<std::string> parts(Library& library, std::string_view text, std::string_view subject) {
  Match match;
  if (!compiled(library, text).search(subject, match)) return {"no match"};
  const auto all = match.all();
  return {all.begin(), all.end()};
}

TEST(Regex, SearchesAnywhereAndMeansWhatTheHeaderSays) {
  struct Row {
    const char* pattern;
    const char* subject;
    bool found;
  };
  Library library;
  for (const Row& row : {
           Row{"cpu", "high cpu load", true},
           Row{"^cpu", "high cpu load", false},
           Row{R"(cp[tu]\b)", "high cpu load", true},
           Row{R"(^(?:cp[tu]))", "high cpu load", false},
           Row{"lo.d$", "high cpu load", true},
           Row{"lo.d$", "high cpu load\n", false},  // Python's re.search would say yes
           Row{"(?m)lo.d$", "high cpu load\nmore", true},
           Row{"^mo.e", "load\nmore", false},
           Row{"a.b", "a\nb", false},
           Row{"(?s)a.b", "a\nb", true},
           Row{"CPU|MEM", "cpu", false},
           Row{"(?i)CPU|MEM", "cpu", true},
           Row{"^.{2}$", "磁盘", true},
           Row{R"(^\pL+$)", "磁盘", true},
           Row{"", "", true},
           Row{"^$", "a", false},
           Row{"x*", "", true},
       }) {
    EXPECT_EQ(compiled(library, row.pattern).search(row.subject), row.found) << row.pattern << " in " << row.subject;
  }
}

TEST(Regex, GivesTheMatchAndItsGroups) {
  using Parts = std::vector<std::string>;
  Library library;
  EXPECT_EQ(parts(library, R"((\w+)@(\w+)(\.com)?)", "to ann@host now"), (Parts{"ann@host", "ann", "host", ""}));
  EXPECT_EQ(parts(library, "(?P<a>x)|(y)", "zy"), (Parts{"y", "", "y"}));
  EXPECT_EQ(parts(library, "a|ab", "ab"), (Parts{"a"}));  // the first alternative, not the longest
  EXPECT_EQ(parts(library, "b$", "abab"), (Parts{"b"}));
  EXPECT_EQ(parts(library, "ba", "abab"), (Parts{"ba"}));
  EXPECT_EQ(parts(library, "x", "abab"), (Parts{"no match"}));
  EXPECT_EQ(parts(library, "x+", "abab"), (Parts{"no match"}));
}

TEST(Regex, PlainTextNeverBecomesAnExpressionAndMeansTheSame) {
  std::mt19937 random{20231001};
  constexpr std::string_view kLetters = "ab.$^\\";
  Library library;
  int plain = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    std::string subject;
    for (std::size_t i = random() % 6; i > 0; --i) pattern += kLetters[random() % kLetters.size()];
    for (std::size_t i = random() % 6; i > 0; --i) subject += kLetters[random() % 3];
    const auto direct = library.compile(pattern);
    if (!direct || direct->is_expression()) continue;
    ++plain;
    Match mine;
    Match of_re2;
    const Pattern machine = compiled(library, "(?:" + pattern + ")");
    ASSERT_TRUE(machine.is_expression());
    ASSERT_EQ(direct->search(subject, mine), machine.search(subject, of_re2)) << pattern << " in " << subject;
    ASSERT_EQ(direct->search(subject), machine.search(subject));
    if (mine.count == 0) continue;
    ASSERT_EQ(mine.parts[0], of_re2.parts[0]) << pattern << " in " << subject;
    ASSERT_EQ(mine.parts[0].data(), of_re2.parts[0].data()) << pattern << " in " << subject;
  }
  EXPECT_GT(plain, 3'000);
}

TEST(Regex, AnErrorNamesWhatIsMeantAndWhereItIs) {
  struct Row {
    const char* pattern;
    std::size_t offset;
    const char* message;
  };
  Library library;
  for (const Row& row : {
           Row{"ab[c-", 2, R"(a character class is not closed with ]: "[c-" at byte 2)"},
           Row{"[a][a", 3, R"(a character class is not closed with ]: "[a" at byte 3)"},
           Row{"a[z-a]", 2, R"(wrong range or unknown character class: "z-a" at byte 2)"},
           Row{"a(b", 0, R"(a group is not closed with ): "a(b" at byte 0)"},
           Row{"a)b", 0, R"(a ) without its (: "a)b" at byte 0)"},
           Row{"*a", 0, R"(nothing to repeat: "*" at byte 0)"},
           Row{"a**", 1, R"(repetition of a repetition: "**" at byte 1)"},
           Row{"a{2,1}", 1, R"(wrong or too large repetition: "{2,1}" at byte 1)"},
           Row{"a{1001}", 1, R"(wrong or too large repetition: "{1001}" at byte 1)"},
           Row{R"((a)\1)", 3, R"(back-references are not supported: "\1" at byte 3)"},
           Row{"a(?=b)", 1,
               R"(look-around and other operators that need backtracking are not supported: "(?=" at byte 1)"},
           Row{"(?<n>a)", 0,
               R"(look-behind is not supported, and named groups are written (?P<name>...): "(?<" at byte 0)"},
           Row{R"(a\y)", 1, R"(unknown escape: "\y" at byte 1)"},
           Row{R"(a\)", 1, "a backslash at the end at byte 1"},
           Row{R"(\p{Nothing})", 0, R"(wrong range or unknown character class: "\p{Nothing}" at byte 0)"},
           Row{R"(a\Cb)", 1, R"(single bytes of characters cannot be matched: "\C" at byte 1)"},
           Row{"a\xFF.", 1, "not UTF-8 at byte 1"},
           Row{"((a{100}){100}){100}", 0, "wrong or too large repetition"},
       }) {
    const auto pattern = library.compile(row.pattern);
    ASSERT_FALSE(pattern.has_value()) << row.pattern;
    EXPECT_EQ(pattern.error().message.substr(0, std::string{row.message}.size()), row.message) << row.pattern;
    if (row.offset != 0) {
      EXPECT_EQ(pattern.error().offset, row.offset) << row.pattern;
    }
  }
  EXPECT_EQ(library.patterns(), 0U);
  EXPECT_EQ(library.compiled(), 0U);
}

TEST(Regex, MessagesQuoteOnlyTheBeginningOfALongPart) {
  Library library;
  const auto pattern = library.compile("(" + repeated("磁", 300));
  ASSERT_FALSE(pattern.has_value());
  EXPECT_EQ(pattern.error().message, "a group is not closed with ): \"(" + repeated("磁", 13) + "...\" at byte 0");
}

TEST(Regex, EachLimitHoldsWhereItSaysSo) {
  Library library;
  EXPECT_TRUE(library.compile(repeated("x", kPatternBytesMax)).has_value());
  EXPECT_EQ(library.compile(repeated("x", kPatternBytesMax + 1)).error().message,
            "longer than 1024 bytes at byte 1024");
  EXPECT_TRUE(library.compile(repeated("(a)", kGroupsMax)).has_value());
  EXPECT_FALSE(library.compile(repeated("(a)", kGroupsMax + 1)).has_value());
  EXPECT_TRUE(library.compile(repeated("(a)", kGroupsMax) + "(?:b)").has_value());
  EXPECT_TRUE(library.compile(repeated(R"(\p{Greek})", kUnicodeClassesMax)).has_value());
  EXPECT_EQ(library.compile(repeated(R"(\p{Greek})", kUnicodeClassesMax + 1)).error().offset, kUnicodeClassesMax * 9);
  EXPECT_EQ(library.compile(repeated(".", 1000) + "a?").error().message,
            "takes more than 64 KiB when compiled at byte 0");
  EXPECT_TRUE(library.compile(R"(\Q\C\E)").has_value());  // literal text
  EXPECT_FALSE(library.compile(R"(\Qa\E\C)").has_value());
}

TEST(Regex, EqualPatternsAreOne) {
  Library library;
  const Pattern a = compiled(library, "a+b");
  {
    const Pattern again = compiled(library, "a+b");
    const Pattern plain = compiled(library, "ab");
    EXPECT_EQ(library.patterns(), 2U);
    EXPECT_EQ(library.compiled(), 1U);
    EXPECT_EQ(again.text().data(), a.text().data());
  }
  EXPECT_EQ(library.patterns(), 1U);  // plain text goes with its last user
}

TEST(Regex, TheLastUsedStayCompiledAndTheOthersComeBack) {
  Library library{{.compiled_max = 3, .bytes_max = 64 * MiB}};
  std::vector<Pattern> patterns;
  for (int i = 0; i < 10; ++i) patterns.push_back(compiled(library, "^x+" + std::to_string(i) + "$"));
  EXPECT_EQ(library.patterns(), 10U);
  EXPECT_EQ(library.compiled(), 3U);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      EXPECT_TRUE(patterns[i].search("xx" + std::to_string(i)));
      EXPECT_FALSE(patterns[i].search("xx" + std::to_string(i) + "0"));
      EXPECT_EQ(library.compiled(), 3U);
    }
  }
  patterns.clear();
  EXPECT_EQ(library.patterns(), 3U);  // kept for who comes next with the same text
  EXPECT_EQ(compiled(library, "^x+9$").text(), "^x+9$");
  EXPECT_EQ(library.patterns(), 3U);
}

TEST(Regex, TheDefaultKeeps64) {
  Library library{{.bytes_max = 64 * MiB}};
  for (int i = 0; i < 65; ++i) static_cast<void>(compiled(library, "a+" + std::to_string(i)));
  EXPECT_EQ(library.compiled(), 64U);
}

TEST(Regex, WhatIsCompiledStaysWithinItsBytesButOneIsAlwaysPossible) {
  Library library{{.bytes_max = 100 * KiB}};
  const Pattern a = compiled(library, "a+");
  const Pattern b = compiled(library, "b+");
  const Pattern c = compiled(library, "c+");
  EXPECT_EQ(library.compiled(), 3U);
  EXPECT_LE(library.charged_bytes(), 100 * KiB);
  const Pattern d = compiled(library, "d+");
  EXPECT_EQ(library.compiled(), 3U);
  EXPECT_LE(library.charged_bytes(), 100 * KiB);

  Library tiny{{.compiled_max = 0, .bytes_max = 0}};
  const Pattern e = compiled(tiny, "e+");
  const Pattern f = compiled(tiny, "f+");
  EXPECT_TRUE(e.search("e"));
  EXPECT_TRUE(f.search("f"));
  EXPECT_EQ(tiny.compiled(), 1U);
}

TEST(Regex, PatternsThatHangBacktrackersDoNotHangThis) {
  Library library;
  const std::string subject = repeated("a", 20'000);
  const std::string nested = "(a*)*" + repeated("(?:a?){20}", 5) + "b$";
  for (const std::string& text :
       {std::string{"(a+)+$b"}, std::string{"(a|a)*b"}, std::string{"(.*)(.*)(.*)[bc]$"}, nested}) {
    const Pattern pattern = compiled(library, text);
    EXPECT_FALSE(pattern.search(subject)) << text;  // exponential or cubic elsewhere: the test would not end
    Match match;
    EXPECT_FALSE(pattern.search(subject, match)) << text;
  }
}

TEST(Regex, StepsGrowWithTheProgramAndTheSubject) {
  Library library;
  const Pattern small = compiled(library, "a+b");
  const Pattern large = compiled(library, "(?:a?b?){50}c");
  EXPECT_GT(large.steps(1000), 10 * small.steps(1000));
  EXPECT_GE(large.steps(1000), 1000U * 100U);
  EXPECT_GT(small.steps(std::size_t{1} << 31U), std::uint64_t{1} << 33U);
  EXPECT_EQ(compiled(library, "^abc$").steps(99), 100U);
}

}  // namespace
}  // namespace tocsin::regex
