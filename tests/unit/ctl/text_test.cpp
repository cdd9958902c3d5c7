// SPDX-License-Identifier: Apache-2.0
// What tocsinctl prints and sends: tables, answers, batches.
#include <gtest/gtest.h>

#include <sstream>

#include "src/programs/tocsinctl_answer.hpp"
#include "src/programs/tocsinctl_batch.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_status.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

TEST(CtlTable, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("告警"), 4U);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);
  EXPECT_EQ(columns_of("ｱ"), 1U);
  EXPECT_EQ(columns_of("Ａ"), 2U);
  EXPECT_EQ(columns_of("\xff\xfe"), 2U);
  EXPECT_EQ(columns_of("\xe5\x91"), 2U);
}

TEST(CtlTable, ColumnsStandBelowEachOther) {
  EXPECT_EQ(table_of({"NAME", "N"}, {{"磁盘", "1"}, {"cpu", "22"}}),
            "NAME  N\n"
            "磁盘  1\n"
            "cpu   22\n");
  EXPECT_EQ(table_of({"A", "B"}, {}), "A  B\n");
}

TEST(CtlTable, ALongCellIsCutAtACharacter) {
  std::string exact;
  for (std::size_t i = 0; i < kCellColumnsMax / 2; ++i) exact += "警";
  EXPECT_EQ(table_of({"A"}, {{exact}}), "A\n" + exact + "\n");
  const std::string cut = exact.substr(0, exact.size() - 3) + "…";
  EXPECT_EQ(table_of({"A"}, {{exact + "x"}}), "A\n" + cut + "\n");
}

TEST(CtlTable, ATerminalIsNotSteeredByData) {
  EXPECT_EQ(plain_line("a\x1b[31mb\nc\x7f"
                       "d\xc2\x9b"
                       "e\xe2\x80\xae"
                       "f"),
            "a [31mb c d ef");
}

TEST(CtlTable, ListsAlignTheirValues) { EXPECT_EQ(list_of({{"a", "1"}, {"long", "2"}}), "a     1\nlong  2\n"); }

TEST(CtlAnswer, ValuesKeepHowTheyWereWritten) {
  json::Parser parser;
  Document document;
  ASSERT_TRUE(
      document.parse(parser, R"( {"a": 18446744073709551615, "b\u00e9": "x\ny", "c": [1, {"d": null}], "e": true} )"));
  const Value& root = document.root();
  EXPECT_EQ(root.member("a").written(), "18446744073709551615");
  EXPECT_FALSE(root.member("a").integer());
  EXPECT_EQ(root.member("bé").text(), "x\ny");
  EXPECT_EQ(root.member("c").elements().size(), 2U);
  EXPECT_EQ(root.member("c").shown(), R"([1,{"d":null}])");
  EXPECT_TRUE(root.member("e").is_true());
  EXPECT_FALSE(root.member("x").exists());
  EXPECT_EQ(root.member("x").member("y").written(), "null");
  EXPECT_EQ(root.member("x").shown(), "-");
  EXPECT_EQ(root.members().size(), 4U);
  EXPECT_EQ(root.any_of({"x", "e"}).written(), "true");
}

TEST(CtlAnswer, BrokenTextIsNoAnswer) {
  json::Parser parser;
  Document document;
  for (const char* bad : {"", "{", "<html>", "{} x", "{\"a\":01}"}) EXPECT_FALSE(document.parse(parser, bad)) << bad;
  EXPECT_EQ(document.root().written(), "null");
}

TEST(CtlAnswer, AListMayStandAloneOrAsItems) {
  json::Parser parser;
  Document document;
  ASSERT_TRUE(document.parse(parser, "[1,2]"));
  EXPECT_EQ(entries_of(document.root()).size(), 2U);
  ASSERT_TRUE(document.parse(parser, "{\"items\":[1],\"cursor\":null}"));
  EXPECT_EQ(entries_of(document.root()).size(), 1U);
  ASSERT_TRUE(document.parse(parser, "7"));
  EXPECT_TRUE(entries_of(document.root()).empty());
}

TEST(CtlAnswer, CellsLookAlongTheirPaths) {
  json::Parser parser;
  Document document;
  ASSERT_TRUE(document.parse(parser, R"({"event":{"target":"t"},"n":null})"));
  EXPECT_EQ(cell_of(document.root(), {"X", {"n", "event.target"}}), "t");
  EXPECT_EQ(cell_of(document.root(), {"X", {"event.nope"}}), "-");
}

TEST(CtlText, QueriesAreEncoded) {
  EXPECT_EQ(percent_encoded("a b&=/+é~"), "a%20b%26%3D%2F%2B%C3%A9~");
  Query query;
  EXPECT_EQ(query.text(), "");
  query.add("a", "1 2");
  query.add("b", "");
  EXPECT_EQ(query.text(), "?a=1%202&b=");
}

TEST(CtlText, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(to_utf8("aé告\xf0\x9f\x98\x80"), "aé告\xf0\x9f\x98\x80");
  EXPECT_EQ(to_utf8("\xff"
                    "a\xe5\x91"),
            "\xef\xbf\xbd"
            "a\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(to_utf8("\xc0\xaf\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(to_utf8(std::string_view("a\0b", 3)), "ab");
}

TEST(CtlBatch, TextBecomesTheContentOfAnEvent) {
  EXPECT_EQ(item_of({"n\"", "t", {{"k", "v"}}, 5}, "a\tb"),
            R"({"event_name":"n\"","event":{"content":"a\tb"},"target":"t","dimension":{"k":"v"},"timestamp":5})");
  EXPECT_EQ(item_of({"n", "t", {}, {}}, ""),
            R"({"event_name":"n","event":{"content":""},"target":"t","dimension":{}})");
}

TEST(CtlBatch, MetricsAreNumbersWithNames) {
  json::Parser parser;
  const auto load = metric_of(parser, "load=-0.50e1");
  ASSERT_TRUE(load);
  EXPECT_EQ(metric_item_of({"", "t", {{"k", "v"}}, 5}, {*load, {"n", "1"}}),
            R"({"metrics":{"load":-0.50e1,"n":1},"target":"t","dimension":{"k":"v"},"timestamp":5})");
  EXPECT_EQ(metric_item_of({}, {*load}), R"({"metrics":{"load":-0.50e1},"dimension":{}})");
  for (const char* bad : {"", "load", "=1", "load=", "load=x", "load=01", "load=\"1\"", "load=1,", "load=true"})
    EXPECT_FALSE(metric_of(parser, bad)) << bad;
}

TEST(CtlBatch, LinesAreBounded) {
  std::istringstream in("a\n\n" + std::string(kLineBytesMax, 'x') + "\n" + std::string(kLineBytesMax + 1, 'x'));
  EXPECT_EQ(read_line(in).value(), "a");
  EXPECT_EQ(read_line(in).value(), "");
  EXPECT_EQ(read_line(in).value()->size(), kLineBytesMax);
  EXPECT_FALSE(read_line(in).ok());
  std::istringstream open_end("last");
  EXPECT_EQ(read_line(open_end).value(), "last");
  EXPECT_EQ(read_line(open_end).value(), std::nullopt);
}

TEST(CtlBatch, BatchesAreBoundedInItemsAndBytes) {
  Batch batch;
  for (std::size_t i = 0; i < kBatchItemsDefault; ++i) {
    EXPECT_TRUE(batch.has_room_for("{}"));
    batch.add("{}");
  }
  EXPECT_FALSE(batch.has_room_for("{}"));
  batch = Batch(1);
  batch.add("{}");
  EXPECT_FALSE(batch.has_room_for("{}"));
  batch = Batch();
  EXPECT_TRUE(batch.has_room_for(std::string(kBatchBytesMax * 2, 'x')));
  batch.add("{}");
  EXPECT_TRUE(batch.has_room_for(std::string(kBatchBytesMax - 3, 'x')));
  EXPECT_FALSE(batch.has_room_for(std::string(kBatchBytesMax - 2, 'x')));
  batch.add("{}");
  EXPECT_EQ(batch.body(7, "t\""), R"({"data_id":7,"access_token":"t\"","data":[{},{}]})");
}

TEST(CtlBatch, AWildcardListenerIsReachedOnLoopback) {
  EXPECT_EQ(url_of_listener("0.0.0.0:10205"), "http://127.0.0.1:10205");
  EXPECT_EQ(url_of_listener("[::]:80"), "http://[::1]:80");
  EXPECT_EQ(url_of_listener("192.0.2.7:1"), "http://192.0.2.7:1");
  EXPECT_EQ(url_of_listener("[2001:db8::1]:65535"), "http://[2001:db8::1]:65535");
  for (const char* none : {"", "127.0.0.1:0", "127.0.0.1", "host:80"}) EXPECT_EQ(url_of_listener(none), "") << none;
}

TEST(CtlStatus, FiguresAreForPeople) {
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(268'435'456), "256.0 MiB");
  EXPECT_EQ(bytes_text(INT64_MAX), "8388608.0 TiB");
  EXPECT_EQ(duration_text(59'999), "59 s");
  EXPECT_EQ(duration_text(3'599'999), "59 min");
  EXPECT_EQ(duration_text(5 * 3'600'000 + 60'000), "5 h 1 min");
  EXPECT_EQ(duration_text(49LL * 3'600'000), "2 d 1 h");
}

}  // namespace
}  // namespace tocsin::ctl
