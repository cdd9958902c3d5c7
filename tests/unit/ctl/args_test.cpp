// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_args.hpp"

#include <gtest/gtest.h>

#include <array>

#include "src/programs/tocsinctl_commands.hpp"

namespace tocsin::ctl {
namespace {

using namespace std::string_view_literals;

int ran(Context&, const Args&) { return 0; }

constexpr std::array kColours = {"red"sv, "blue"sv};
constexpr std::array kOptions = {
    Option{"--count", Takes::integer, "N", "how many"},
    Option{"--colour", Takes::word, "", "which", kColours},
    Option{"--tag", Takes::text, "TEXT", "any", {}, true},
    Option{"--must", Takes::text, "TEXT", "needed", {}, false, true},
};
constexpr std::array kCommands = {
    Command{"thing make", "NAME", 1, 2, "Makes it.", kOptions, ran},
    Command{"thing break", "", 0, 0, ""},
    Command{"later on", "", 0, 0, ""},
    Command{"look", "", 0, 0, "Looks.", {}, ran},
};

tl::expected<Args, Usage> parse(std::vector<std::string_view> words) { return parse_args(words, kCommands); }
std::string mistake(std::vector<std::string_view> words) {
  const auto args = parse(std::move(words));
  if (args) return "none";
  EXPECT_EQ(args.error().exit_code, 2);
  EXPECT_EQ(args.error().text.find('\n'), std::string::npos);
  return args.error().text;
}

TEST(CtlArgs, OptionsStandAnywhereBehindTheCommand) {
  const auto args = parse({"--format", "json", "thing", "make", "--must=x", "a", "--count", "-1", "--tag", "p",
                           "--tag=q", "--socket", "/s", "b"});
  ASSERT_TRUE(args) << args.error().text;
  EXPECT_EQ(args->command, &kCommands[0]);
  EXPECT_EQ(args->format, Format::json);
  EXPECT_EQ(args->socket, "/s");
  EXPECT_EQ(args->arguments, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(args->integer("--count", 7), -1);
  EXPECT_EQ(args->all("--tag").size(), 2U);
  EXPECT_EQ(args->get("--tag"), "q");
  EXPECT_EQ(args->integer("--colour", 7), 7);
}

TEST(CtlArgs, TwoDashesEndTheOptions) {
  const auto args = parse({"thing", "make", "--must", "x", "--", "--count"});
  ASSERT_TRUE(args);
  EXPECT_EQ(args->arguments, std::vector<std::string>{"--count"});
}

TEST(CtlArgs, ADashAloneIsAnArgument) {
  const auto args = parse({"thing", "make", "--must", "x", "-"});
  ASSERT_TRUE(args);
  EXPECT_EQ(args->arguments, std::vector<std::string>{"-"});
}

TEST(CtlArgs, MistakesAreOneLine) {
  EXPECT_EQ(mistake({}), "tocsinctl: a command is needed (tocsinctl --help)");
  EXPECT_EQ(mistake({"thing"}), "tocsinctl: thing needs one of make (tocsinctl --help)");
  EXPECT_EQ(mistake({"thing", "paint"}), "tocsinctl: no command thing paint (tocsinctl --help)");
  EXPECT_EQ(mistake({"loook"}), "tocsinctl: no command loook (tocsinctl --help)");
  EXPECT_EQ(mistake({"look", "here"}), "tocsinctl: look takes no arguments, not 1 argument (tocsinctl look --help)");
  EXPECT_EQ(mistake({"thing", "make", "--must", "x"}),
            "tocsinctl: thing make takes NAME, not 0 arguments (tocsinctl thing make --help)");
  EXPECT_EQ(mistake({"thing", "make", "a"}), "tocsinctl: thing make needs --must TEXT (tocsinctl thing make --help)");
  EXPECT_EQ(mistake({"thing", "make", "--must"}), "tocsinctl: --must needs a value (tocsinctl thing make --help)");
  EXPECT_EQ(mistake({"thing", "make", "--count", "x"}),
            "tocsinctl: --count takes a whole number, not x (tocsinctl thing make --help)");
  EXPECT_EQ(mistake({"thing", "make", "--colour", "green"}),
            "tocsinctl: --colour is one of red, blue, not green (tocsinctl thing make --help)");
  EXPECT_EQ(mistake({"thing", "make", "--nope"}),
            "tocsinctl: no option --nope of thing make (tocsinctl thing make --help)");
  EXPECT_EQ(mistake({"--format", "xml", "look"}),
            "tocsinctl: --format is one of table, json, not xml (tocsinctl --help)");
}

TEST(CtlArgs, ACommandThatIsNotThereIsNoMistakeOfTheUser) {
  const std::string no = "tocsinctl: thing break is not in this version";
  for (const std::vector<std::string_view>& words :
       {std::vector{"thing"sv, "break"sv}, std::vector{"thing"sv, "break"sv, "it"sv, "--hard"sv},
        std::vector{"thing"sv, "break"sv, "--help"sv}}) {
    const auto args = parse(words);
    ASSERT_FALSE(args);
    EXPECT_EQ(args.error().exit_code, 1);
    EXPECT_EQ(args.error().text, no);
  }
  const auto group = parse({"later"});
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().exit_code, 1);
  EXPECT_EQ(group.error().text, "tocsinctl: later is not in this version");
}

TEST(CtlArgs, TheVersionIsToldWithoutACommand) {
  for (const std::vector<std::string_view>& words :
       {std::vector{"--version"sv}, std::vector{"look"sv, "--version"sv}}) {
    const auto args = parse(words);
    ASSERT_FALSE(args);
    EXPECT_EQ(args.error().exit_code, 0);
    EXPECT_TRUE(args.error().text.starts_with("tocsinctl 0.")) << args.error().text;
  }
}

TEST(CtlArgs, HelpIsGivenAtEveryLevel) {
  for (const std::vector<std::string_view>& words : {std::vector{"--help"sv},
                                                     {"-h"sv},
                                                     {"thing"sv, "--help"sv},
                                                     {"thing"sv, "make"sv, "--help"sv},
                                                     {"look"sv, "x"sv, "--help"sv}}) {
    const auto args = parse(words);
    ASSERT_FALSE(args);
    EXPECT_EQ(args.error().exit_code, 0);
    EXPECT_TRUE(args.error().text.starts_with("usage: tocsinctl"));
  }
  EXPECT_NE(parse({"thing", "make", "--help"}).error().text.find("--colour red|blue"), std::string::npos);
  EXPECT_EQ(parse({"--help"}).error().text.find("thing break"), std::string::npos);
}

TEST(CtlCommands, NoNameStandsTwiceAndAllThatRunHaveHelp) {
  std::vector<Command> all;
  for (const auto group : {system_commands(), plugin_commands(), push_commands(), bench_commands(), alert_commands(),
                           event_commands(), reject_commands(), account_commands(), config_commands()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  for (const Command& one : all) {
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [&](const Command& other) { return other.words == one.words; }), 1)
        << one.words;
    EXPECT_EQ(one.run == nullptr, one.help.empty()) << one.words;
    EXPECT_LE(one.arguments_min, one.arguments_max) << one.words;
  }
}

TEST(CtlInteger, TakesDecimalsOnly) {
  EXPECT_EQ(to_integer("-12"), -12);
  EXPECT_EQ(to_integer("+12"), 12);
  EXPECT_EQ(to_integer("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", "+", "-", "1x", " 1", "0x1", "1.0", "9223372036854775808"})
    EXPECT_FALSE(to_integer(bad)) << bad;
}

}  // namespace
}  // namespace tocsin::ctl
