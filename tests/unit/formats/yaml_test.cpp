// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <new>

#include "src/base/budget.hpp"
#include "tests/unit/formats/support.hpp"

namespace tocsin::formats {
namespace {

// What yaml.safe_load (PyYAML 6.0) makes of it, as json.dumps writes that.
TEST(Yaml, PlainScalarsAreWhatSafeLoadMakesOfThem) {
  for (const Row& row : {
           Row{"1", "1"},
           Row{"+1", "1"},
           Row{"-0", "0"},
           Row{"1_000", "1000"},
           Row{"007", "7"},
           Row{"08", R"("08")"},
           Row{"0o7", R"("0o7")"},
           Row{"0x1F", "31"},
           Row{"-0x10", "-16"},
           Row{"0b11", "3"},
           Row{"0xFFFFFFFFFFFFFFFF", "18446744073709551615"},
           Row{"99999999999999999999", "99999999999999999999"},
           Row{"190:20:30", "685230"},
           Row{"-1:30", "-90"},
           Row{"1:60", R"("1:60")"},
           Row{"190:20:30.15", "685230.15"},
           Row{"1.0", "1.0"},
           Row{"1.", "1.0"},
           Row{".5", "0.5"},
           Row{"-.5", R"("-.5")"},
           Row{"1.5e+3", "1500.0"},
           Row{"1.5e3", R"("1.5e3")"},
           Row{"1e3", R"("1e3")"},
           Row{"3.14_15", "3.1415"},
           Row{"-0.0", "-0.0"},
           Row{"1.0e-400", "0.0"},
           Row{"yes", "true"},
           Row{"Off", "false"},
           Row{"TRUE", "true"},
           Row{"yEs", R"("yEs")"},
           Row{"y", R"("y")"},
           Row{"~", "null"},
           Row{"Null", "null"},
           Row{"nUll", R"("nUll")"},
           Row{"", "null"},
           Row{"# only this", "null"},
           Row{"'1'", R"("1")"},
           Row{R"("yes")", R"("yes")"},
           Row{"a b", R"("a b")"},
           Row{"磁盘", R"("磁盘")"},
           Row{"!!str 12", R"("12")"},
           Row{"!!int '12'", "12"},
           Row{"!!float 5", "5.0"},
           Row{"!!float 1:30", "90.0"},
           Row{"!!bool 'On'", "true"},
           Row{"!!null x", "null"},
           Row{"! 12", "12"},
       }) {
    EXPECT_EQ(yaml(row.body), row.json) << row.body;
  }
}

TEST(Yaml, WhatOnlyPythonHasStaysText) {
  EXPECT_EQ(yaml("2023-10-01"), R"("2023-10-01")");
  EXPECT_EQ(yaml("2001-12-14t21:59:43.10-05:00"), R"("2001-12-14t21:59:43.10-05:00")");
  EXPECT_EQ(yaml("!!timestamp 2023-10-01"), R"("2023-10-01")");
  EXPECT_EQ(yaml("0x10000000000000000"), R"("0x10000000000000000")");
  EXPECT_EQ(yaml("="), R"("=")");
  EXPECT_EQ(yaml("- <<"), R"(["<<"])");
  EXPECT_EQ(yaml(std::string_view{}), "null");
}

TEST(Yaml, DocumentsAreWhatSafeLoadMakesOfThem) {
  for (const Row& row : {
           Row{"a: 1\nb:\n- x\n- {c: d, e: [1, 2]}\n", R"({"a":1,"b":["x",{"c":"d","e":[1,2]}]})"},
           Row{"- |\n  text\n   more\n- >\n  folded\n  text\n\n  x\n", R"(["text\n more\n","folded text\nx\n"])"},
           Row{"- 'it''s'\n- \"a\\n\\x41\\u4e2d\\\"\\x01\"\n", R"(["it's","a\nA中\"\u0001"])"},
           Row{"%YAML 1.1\n---\n!!map {a: !!seq [], ? b : c}\n...\n", R"({"a":[],"b":"c"})"},
           Row{"{a, b: }", R"({"a":null,"b":null})"},
           Row{"1: x\nyes: y\n~: z\n1.50: w\n2023-10-01: v\n",
               R"({"1":"x","true":"y","null":"z","1.5":"w","2023-10-01":"v"})"},
           Row{"a: 1\nb: 2\na: 3\n", R"({"a":3,"b":2})"},
           Row{"1: a\n'1': b\n", R"({"1":"b"})"},
           Row{"? |\n  block\n: - one\n", R"({"block\n":["one"]})"},
           Row{"\xEF\xBB\xBF"
               "a: 1\r\nb: 2\r\n",
               R"({"a":1,"b":2})"},
           Row{"a: \t1", R"({"a":1})"},
           Row{"[]", "[]"},
           Row{"{}", "{}"},
       }) {
    EXPECT_EQ(yaml(row.body), row.json) << row.body;
  }
}

TEST(Yaml, AliasesAndMergeKeysAreWhatSafeLoadMakesOfThem) {
  for (const Row& row : {
           Row{"x: &a {k: 1}\ny: *a\nz: [*a, *a]\n", R"({"x":{"k":1},"y":{"k":1},"z":[{"k":1},{"k":1}]})"},
           Row{"k: &n name\n*n : v\n", R"({"k":"name","name":"v"})"},
           Row{"- &n 5\n- {*n : v}\n", R"([5,{"5":"v"}])"},
           Row{"&r : [1, *r]\n", R"({"null":[1,null]})"},
           Row{"x: &a {k: 1, l: 2}\ny:\n  <<: *a\n  k: 3\n", R"({"x":{"k":1,"l":2},"y":{"k":3,"l":2}})"},
           Row{"y: {k: 3, <<: {k: 1, l: 2}}\n", R"({"y":{"k":3,"l":2}})"},
           Row{"m: {<<: [{a: 1, b: 2}, {a: 3, c: 4}], b: 9}\n", R"({"m":{"a":1,"c":4,"b":9}})"},
           Row{"m: {<<: {a: 1}, <<: {a: 2}}\n", R"({"m":{"a":2}})"},
           Row{"'<<': {a: 1}\n", R"({"<<":{"a":1}})"},
           Row{"m: {<<: []}\n", R"({"m":{}})"},
       }) {
    EXPECT_EQ(yaml(row.body), row.json) << row.body;
  }
}

TEST(Yaml, ARefusalNamesTheReasonAndThePlace) {
  for (const Row& row : {
           Row{"a: 1\n---\nb: 2\n", "2:1 more than one document"},
           Row{"a: &r [1, *r]\n", "1:11 an alias inside of what it stands for"},
           Row{"a: *x\n", "1:4 an alias without its anchor"},
           Row{"- &a 1\n- &a 2\n", "2:3 an anchor that exists already"},
           Row{"a:\n  !!binary YQ==\n", "2:3 a tag that JSON has no value for"},
           Row{"a: !!set {x}\n", "1:4 a tag that JSON has no value for"},
           Row{"!!python/object:os.system x", "1:1 a tag that JSON has no value for"},
           Row{"!mine 1", "1:1 a tag that is not known"},
           Row{"!!int x", "1:1 not an integer, as its tag says"},
           Row{"!!float x", "1:1 not a number, as its tag says"},
           Row{"!!bool 2", "1:1 neither true nor false, as its tag says"},
           Row{"!!seq x", "1:1 not a list or mapping, as its tag says"},
           Row{"- 1\n- .inf\n", "2:3 JSON has no infinity"},
           Row{"a: .NaN\n", "1:4 JSON has no such number as .nan"},
           Row{"1.0e+400", "1:1 JSON has no such number"},
           Row{"{[a]: 1}", "1:2 a list or mapping cannot be a name"},
           Row{"&l [a]: 1", "1:1 a list or mapping cannot be a name"},
           Row{"a: {<<: 1}\n", "1:10 << wants a mapping or a list of mappings"},
           Row{"a: {<<: [1]}\n", "1:12 << wants a mapping or a list of mappings"},
           Row{"\"a\\0b\"", "1:1 U+0000 in a text"},
           Row{"a: [1, 2\nb: 3\n", "2:2 did not find expected ',' or ']'"},
           Row{"a:\n\tb: 1\n", "2:1 found character that cannot start any token"},
           Row{"a: b: c\n", "1:5 mapping values are not allowed in this context"},
           Row{"ok: 1\n磁x\xFFy", "2:3 invalid leading UTF-8 octet"},
           Row{"a: \x01", "1:4 control characters are not allowed"},
           Row{"%YAML 2.0\n--- a\n", "1:1 found incompatible YAML document"},
       }) {
    EXPECT_EQ(yaml(row.body), row.json) << row.body;
  }
}

std::string laughs(int levels) {
  std::string body = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < levels; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    body += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(before + ", ", 8) + before + "]\n";
  }
  return body;
}

TEST(Yaml, ABillionLaughsAreRefusedBeforeTheyAreWritten) {
  EXPECT_EQ(yaml(laughs(3)).substr(0, 15), R"({"a0":["x","x",)");
  EXPECT_EQ(yaml(laughs(9)), "5:20 too many values");
  EXPECT_EQ(yaml(laughs(9), {.values_max = 1'000'000'000U}), "6:20 too long when written as JSON");
  Budget small{"test", 16 * KiB};
  std::pmr::string json;
  EXPECT_FALSE(yaml_to_json(laughs(30), small, json).has_value());
}

TEST(Yaml, EachLimitHoldsWhereItSaysSo) {
  EXPECT_EQ(yaml(repeated("[", 32) + repeated("]", 32)), repeated("[", 32) + repeated("]", 32));
  EXPECT_EQ(yaml(repeated("[", 33) + repeated("]", 33)), "1:33 nested too deeply");
  const std::string nested = "- &a " + repeated("[", 31) + repeated("]", 31) + "\n";
  EXPECT_EQ(yaml(nested + "- *a\n").front(), '[');
  EXPECT_EQ(yaml(nested + "- [*a]\n"), "2:4 nested too deeply");

  EXPECT_EQ(yaml("[1, 2, 3]", {.values_max = 4}), "[1,2,3]");
  EXPECT_EQ(yaml("[1, 2, 3, 4]", {.values_max = 4}), "1:11 too many values");
  EXPECT_EQ(yaml("[&a [1, 2], *a]", {.values_max = 7}), "[[1,2],[1,2]]");
  EXPECT_EQ(yaml("[&a [1, 2], *a]", {.values_max = 6}), "1:13 too many values");

  EXPECT_EQ(yaml("aaaaaaaa", {.json_bytes_max = 10}), R"("aaaaaaaa")");
  EXPECT_EQ(yaml("aaaaaaaaa", {.json_bytes_max = 10}), "1:1 too long when written as JSON");
  EXPECT_EQ(yaml("{a: 1, b: [2, 3]}", {.json_bytes_max = 17}), R"({"a":1,"b":[2,3]})");
  EXPECT_EQ(yaml("{a: 1, b: [2, 3]}", {.json_bytes_max = 16}), "1:16 too long when written as JSON");
  EXPECT_EQ(yaml(R"("\x01\x01")", {.json_bytes_max = 13}), "1:1 too long when written as JSON");
  EXPECT_EQ(yaml("aaaa", {.body_bytes_max = 4}), R"("aaaa")");
  EXPECT_EQ(yaml("aaaaa", {.body_bytes_max = 4}), "1:1 the body is too long");

  std::string anchors;
  for (int i = 0; i < 256; ++i) anchors += "- &a" + std::to_string(i) + " x\n";
  EXPECT_EQ(yaml(anchors).front(), '[');
  EXPECT_EQ(yaml(anchors + "- &b x\n"), "257:3 more than 256 anchors");
  const std::string directives = repeated("%OTHER x\n", 15) + "--- 1\n";
  EXPECT_EQ(yaml("%TAG ! x\n" + directives).substr(0, 2), "2:");  // libyaml knows only YAML and TAG
  EXPECT_EQ(yaml("%TAG ! x\n%TAG !! y\n" + directives), "1:1 more than 16 directives");
}

TEST(Yaml, SaysWhatKindOfRefusalItIs) {
  using What = FormatError::What;
  const auto what = [](std::string_view body) {
    std::pmr::string json;
    return yaml_to_json(body, *std::pmr::new_delete_resource(), json).error().what;
  };
  EXPECT_EQ(what("[a"), What::malformed);
  EXPECT_EQ(what("*a"), What::malformed);
  EXPECT_EQ(what("a: 1\n---\nb: 1"), What::unsupported);
  EXPECT_EQ(what(".inf"), What::unsupported);
  EXPECT_EQ(what(repeated("[", 40)), What::too_large);
  EXPECT_EQ(what(laughs(9)), What::too_large);
}

TEST(Yaml, AnEndOfMemoryAnywhereLeavesNothingBehind) {
  const std::string body =
      "x: &a {k: 1, l: [1, 2, 3]}\ny: {<<: *a, k: 3, k: 4}\nz: [*a, " + repeated("word, ", 50) + "]\n";
  std::size_t refused = 0;
  for (std::size_t bytes = 0; bytes < 64 * KiB; bytes += 64) {
    Budget memory{"test", bytes};
    std::pmr::string json;
    try {
      if (yaml_to_json(body, memory, json)) break;
    } catch (const std::bad_alloc&) {
      ++refused;
    }
    ASSERT_EQ(memory.used_bytes(), 0U);
  }
  EXPECT_GT(refused, 20U);
}

TEST(Yaml, MemoryStaysWithinWhatTheHeaderSays) {
  Budget memory{"test", 8 * MiB};
  std::pmr::string json;
  ASSERT_TRUE(yaml_to_json(repeated("a", 500'000), memory, json));
  EXPECT_LE(memory.used_bytes_peak(), 512 * KiB);

  Budget many{"test", 8 * MiB};
  std::string members;
  for (int i = 0; i < 16'000; ++i) members += "k" + std::to_string(i) + ": v\n";
  ASSERT_TRUE(yaml_to_json(members, many, json));
  EXPECT_LE(many.used_bytes_peak(), 1100 * KiB);
}

}  // namespace
}  // namespace tocsin::formats
