// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <new>

#include "src/base/budget.hpp"
#include "tests/unit/formats/support.hpp"

namespace tocsin::formats {
namespace {

// What xmltodict.parse (0.13.0) makes of it, as json.dumps writes that.
TEST(Xml, DocumentsAreWhatXmltodictMakesOfThem) {
  for (const Row& row : {
           Row{"<a/>", R"({"a":null})"},
           Row{"<a> \n </a>", R"({"a":null})"},
           Row{"<a> x </a>", R"({"a":"x"})"},
           Row{"<a b='1'/>", R"({"a":{"@b":"1"}})"},
           Row{"<a b=''> t </a>", R"({"a":{"@b":"","#text":"t"}})"},
           Row{"<a><b>1</b><b>2</b><c/><b/></a>", R"({"a":{"b":["1","2",null],"c":null}})"},
           Row{"<a>1<b/>2<b/>3</a>", R"({"a":{"b":[null,null],"#text":"123"}})"},
           Row{"<a b='1' c='x&amp;y'>t<d/><d>2</d> u <e><![CDATA[<x>]]></e></a>",
               R"({"a":{"@b":"1","@c":"x&y","d":[null,"2"],"e":"<x>","#text":"t u"}})"},
           Row{"<n:r xmlns:n='u'><n:x n:a='1'/></n:r>", R"({"n:r":{"@xmlns:n":"u","n:x":{"@n:a":"1"}}})"},
           Row{"<?xml version='1.0' encoding='UTF-8'?>\n<!-- c --><a><?pi x?>\xE3\x80\x80\xE4\xB8\xAD\xC2\xA0</a>\n",
               R"({"a":"中"})"},
           Row{"<a>&lt;&#20013;&#x4e2d;&quot;&#10;b</a>", R"({"a":"<中中\"\nb"})"},
           Row{"<a b='&#10;&#9;'/>", R"({"a":{"@b":"\n\t"}})"},
           Row{"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>", R"({"a":"é"})"},
       }) {
    EXPECT_EQ(xml(row.body), row.json) << row.body;
  }
}

TEST(Xml, TheOtherStyleIsWhatUpstreamsLibraryMakesOfThem) {
  for (const Row& row : {
           Row{"<a/>", R"({"a":""})"},
           Row{"<a> x </a>", R"({"a":"x"})"},
           Row{"<a b='1'/>", R"({"a":{"-b":"1"}})"},
           Row{"<a b='1'> t </a>", R"({"a":{"-b":"1","#text":"t"}})"},
           Row{"<a><b>1</b><b/></a>", R"({"a":{"b":["1",""]}})"},
           Row{"<n:r xmlns:n='u'><n:x n:a='1'/></n:r>", R"({"r":{"-n":"u","x":{"-a":"1"}}})"},
           Row{"<a>\xE3\x80\x80</a>", "{\"a\":\"\xE3\x80\x80\"}"},
       }) {
    EXPECT_EQ(xml(row.body, XmlStyle::mxj), row.json) << row.body;
  }
}

TEST(Xml, TakesUtf16) {
  constexpr std::string_view kBody{"\xFF\xFE<\0a\0>\0-N<\0/\0a\0>\0", 18};
  EXPECT_EQ(xml(kBody), R"({"a":"中"})");
}

TEST(Xml, ARefusalNamesTheReasonAndThePlace) {
  for (const Row& row : {
           Row{"", "1:1 no element found"},
           Row{"x", "1:1 syntax error"},
           Row{"<a>\n<b></a>", "2:6 mismatched tag"},
           Row{"<a/>\nx", "2:1 junk after document element"},
           Row{"<a", "1:1 unclosed token"},
           Row{"<a b='1' b='2'/>", "1:10 duplicate attribute"},
           Row{"<a>&e;</a>", "1:4 undefined entity"},
           Row{"<a>&#0;</a>", "1:4 reference to invalid character number"},
           Row{"<a>\xFF</a>", "1:4 not well-formed (invalid token)"},
           Row{"<a>\x01</a>", "1:4 not well-formed (invalid token)"},
           Row{"<?xml version='1.0' encoding='gb2312'?><a/>", "1:31 unknown encoding"},
       }) {
    EXPECT_EQ(xml(row.body), row.json) << row.body;
  }
}

TEST(Xml, DocumentTypesAreRefusedBeforeAnythingOfThemIsRead) {
  constexpr const char* kReason = "1:13 a document type declaration: there are no entities here";
  EXPECT_EQ(xml("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), kReason);
  EXPECT_EQ(xml("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"), kReason);
  EXPECT_EQ(xml("<!DOCTYPE a [ broken"), kReason);
  EXPECT_EQ(xml("<!DOCTYPE a SYSTEM 'http://x/a.dtd'><a/>").substr(5), &kReason[5]);
  EXPECT_EQ(xml("<!DOCTYPE a><a/>").substr(5), &kReason[5]);
  std::string laughs = "<!DOCTYPE a [<!ENTITY e0 'ha'>";
  for (int i = 1; i < 30; ++i) {
    laughs += "<!ENTITY e" + std::to_string(i) + " '" + repeated("&e" + std::to_string(i - 1) + ";", 10) + "'>";
  }
  EXPECT_EQ(xml(laughs + "]><a>&e29;</a>"), kReason);
}

TEST(Xml, EachLimitHoldsWhereItSaysSo) {
  EXPECT_EQ(xml(repeated("<a>", 32) + repeated("</a>", 32)), repeated(R"({"a":)", 32) + "null" + repeated("}", 32));
  EXPECT_EQ(xml(repeated("<a>", 33) + repeated("</a>", 33)), "1:97 nested too deeply");
  EXPECT_EQ(xml(repeated("<a>", 31) + "<a b=''/>" + repeated("</a>", 31)), "1:94 nested too deeply");
  EXPECT_EQ(xml(repeated("<a>", 31) + "<b/><b/>" + repeated("</a>", 31)), "1:102 nested too deeply");
  EXPECT_EQ(xml(repeated("<a>", 30) + "<b/><b/>" + repeated("</a>", 30)).front(), '{');

  EXPECT_EQ(xml("<a><b/><c/></a>", XmlStyle::xmltodict, {.values_max = 4}), R"({"a":{"b":null,"c":null}})");
  EXPECT_EQ(xml("<a><b/><c/><d/></a>", XmlStyle::xmltodict, {.values_max = 4}), "1:20 too many values");
  EXPECT_EQ(xml("<a>xxx</a>", XmlStyle::xmltodict, {.json_bytes_max = 11}), R"({"a":"xxx"})");
  EXPECT_EQ(xml("<a>xxxx</a>", XmlStyle::xmltodict, {.json_bytes_max = 11}), "1:12 too long when written as JSON");
  EXPECT_EQ(xml("<a>" + repeated("x", 30) + "<b/></a>", XmlStyle::xmltodict, {.json_bytes_max = 20}),
            "1:4 too long when written as JSON");
  EXPECT_EQ(xml("<a/>", XmlStyle::xmltodict, {.body_bytes_max = 4}), R"({"a":null})");
  EXPECT_EQ(xml("<a />", XmlStyle::xmltodict, {.body_bytes_max = 4}), "1:1 the body is too long");

  std::string attributes;
  for (int i = 0; i < 256; ++i) attributes += " a" + std::to_string(i) + "='=>'";
  EXPECT_EQ(xml("<a" + attributes + "/>").front(), '{');
  EXPECT_EQ(xml("<a" + attributes + " b=''/>"), "1:1 more than 256 attributes of an element");
  EXPECT_EQ(xml("<a>" + repeated("=", 300) + "<!-- " + repeated("=", 300) + "--></a>").front(), '{');
}

TEST(Xml, PiecesOfTheBodyMayEndAnywhere) {
  // Longer than what expat gets at a time, so that tags, texts and characters lie across the borders.
  for (std::size_t before = 16'370; before < 16'400; ++before) {
    const std::string lead(before, 'x');
    EXPECT_EQ(xml("<a><b>" + lead + "</b><c d='中'>中&amp;</c></a>"),
              R"({"a":{"b":")" + lead + R"(","c":{"@d":"中","#text":"中&"}}})");
  }
}

TEST(Xml, AnEndOfMemoryAnywhereLeavesNothingBehind) {
  const std::string body = "<a b='1' c='2'>text<d>" + repeated("<e f='x'>y</e>", 20) + "</d>more</a>";
  std::size_t refused = 0;
  for (std::size_t bytes = 0; bytes < 256 * KiB; bytes += 64) {
    Budget memory{"test", bytes};
    std::pmr::string json;
    try {
      if (xml_to_json(body, XmlStyle::xmltodict, memory, json)) break;
    } catch (const std::bad_alloc&) {
      ++refused;
    }
    ASSERT_EQ(memory.used_bytes(), 0U) << bytes;
  }
  EXPECT_GT(refused, 100U);
}

TEST(Xml, ExpatsMemoryIsPartOfTheBudget) {
  Budget memory{"test", 8 * MiB};
  std::pmr::string json;
  ASSERT_TRUE(xml_to_json("<a/>", XmlStyle::xmltodict, memory, json));
  EXPECT_GT(memory.used_bytes_peak(), 4 * KiB);
  EXPECT_LE(memory.used_bytes_peak(), 40 * KiB);
  EXPECT_EQ(memory.used_bytes(), 0U);

  Budget names{"test", 8 * MiB};
  std::string body = "<r>";
  for (int i = 0; i < 16'000; ++i) body += "<a" + std::to_string(i) + "/>";
  ASSERT_TRUE(xml_to_json(body + "</r>", XmlStyle::xmltodict, names, json));
  EXPECT_LE(names.used_bytes_peak(), 3 * MiB);
}

}  // namespace
}  // namespace tocsin::formats
