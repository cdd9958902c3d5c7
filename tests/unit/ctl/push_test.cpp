// SPDX-License-Identifier: Apache-2.0
// What tocsinctl push reads, when it tries again, what it shows; what the flags of bkmonitorbeat come to.
#include <gtest/gtest.h>

#include <sstream>

#include "platform/zlib/gzip.hpp"
#include "platform/zlib/inflater.hpp"
#include "src/programs/tocsinctl_push_input.hpp"
#include "src/programs/tocsinctl_push_progress.hpp"
#include "src/programs/tocsinctl_push_report.hpp"
#include "src/programs/tocsinctl_push_retry.hpp"
#include "src/programs/tocsinctl_push_url.hpp"

namespace tocsin::ctl {
namespace {

struct Taken {
  std::vector<std::string> items;
  std::string fault = "none";
  Place place;
};

Taken read(const std::string& input, InputOptions options = {}, std::size_t most = SIZE_MAX) {
  json::Parser parser({.bytes_max = kDocumentBytesMax, .elements_max = 4'000'000});
  std::istringstream in(input);
  options.name = "in";
  if (options.data_id == 0) options.data_id = 5;
  Taken out;
  const auto fault = read_items(parser, in, options, [&](std::string_view item, const Place& place) {
    out.items.emplace_back(item);
    out.place = place;
    return out.items.size() < most;
  });
  if (fault) out.fault = *fault;
  return out;
}

using List = std::vector<std::string>;
const EventTemplate kText{"e", "t", {}, {}};

TEST(CtlPushInput, AJsonLineIsTakenAsItStands) {
  const Taken got = read("{\"a\": 1 }\r\n\n {\"b\":2}");
  EXPECT_EQ(got.items, (List{R"({"a": 1 })", R"({"b":2})"}));
  EXPECT_EQ(got.fault, "none");
  EXPECT_EQ(got.place.total, 0U);
}

TEST(CtlPushInput, ALineOfTextIsTheContentOfAnEvent) {
  const Taken got = read("[12:00] x\n{\"a\":1}\n", {.name = {}, .common = kText});
  EXPECT_EQ(got.items, (List{item_of(kText, "[12:00] x"), R"({"a":1})"}));
  EXPECT_EQ(read("x\n").fault, "in:1: a line of text needs --event-name and --target");
  EXPECT_EQ(read("x\n", {.name = {}, .common = {"e", "", {}, {}}}).items, List{});
}

TEST(CtlPushInput, ListsAndEnvelopesGiveTheirItems) {
  EXPECT_EQ(read("[{\"a\":1},{\"b\":2}]\n{\"data_id\":5,\"access_token\":\"x\",\"data\":[{\"c\":3}]}\n").items,
            (List{R"({"a":1})", R"({"b":2})", R"({"c":3})"}));
  EXPECT_EQ(read("{\"data\":[{\"c\":3}]}").items, List{R"({"c":3})"});
  EXPECT_EQ(read("{\"event_name\":\"e\",\"data\":[]}").items, List{R"({"event_name":"e","data":[]})"});
  EXPECT_EQ(read("{\"data_id\":6,\"data\":[{}]}").fault, "in:1: is for data id 6");
  EXPECT_EQ(read("[{},7]").fault, "in:1: item 2 is not a JSON object");
  EXPECT_EQ(read("[{},7]").items, List{});
  EXPECT_EQ(read("[]").fault, "none");
}

TEST(CtlPushInput, ADocumentMayStretchOverLines) {
  const Taken got = read("{\n \"data\": [\n  {\"a\":1},\n  {\"b\":2}\n ]\n}\n");
  EXPECT_EQ(got.items, (List{R"({"a":1})", R"({"b":2})"}));
  EXPECT_EQ(got.place.done, 2U);
  EXPECT_EQ(got.place.total, 2U);
  EXPECT_EQ(read("[\n{\"a\":1}\n]").items, List{R"({"a":1})"});
  EXPECT_EQ(read("[\n{\"a\":1}\n]", {.name = {}, .common = kText, .is_document = true}).items, List{R"({"a":1})"});
  EXPECT_EQ(read("\"x\"", {.name = {}, .common = {}, .is_document = true}).fault, "in: is no item: not a JSON object");
  EXPECT_EQ(read("{\"a\":\n").fault, "in: is neither lines of JSON nor one JSON document");
}

TEST(CtlPushInput, ADocumentIsBounded) {
  const std::string spaces(kDocumentBytesMax - 2, ' ');
  EXPECT_EQ(read(spaces + "{}", {.name = {}, .common = {}, .is_document = true}).items, List{"{}"});
  EXPECT_NE(read(spaces + " {}", {.name = {}, .common = {}, .is_document = true}).fault.find("16 MiB"),
            std::string::npos);
}

TEST(CtlPushInput, AMistakeIsNamedByItsLineAndWhatCameBeforeIsTaken) {
  const Taken got = read("{\"a\":1}\n{\"a\":\n{}\n");
  EXPECT_EQ(got.items, List{R"({"a":1})"});
  EXPECT_EQ(got.fault, "in:2: begins with { and is not a JSON object");
  EXPECT_EQ(read("{x\n", {.name = {}, .common = kText}).fault, "in:1: begins with { and is not a JSON object");
}

TEST(CtlPushInput, WhoHasEnoughGetsNoMore) {
  EXPECT_EQ(read("{}\n{}\nx", {}, 2).items.size(), 2U);
  EXPECT_EQ(read("[{},{},{}]\nx", {}, 2).items.size(), 2U);
}

TEST(CtlPushRetry, OnlyWhatMayChangeIsTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(may_be_taken_later(status)) << status;
  for (const int status : {200, 301, 400, 401, 404, 409, 413, 415, 501, 505}) {
    EXPECT_FALSE(may_be_taken_later(status)) << status;
  }
  EXPECT_TRUE(may_be_taken_later(error(Errc::io_failed, "x")));
  EXPECT_TRUE(may_be_taken_later(error(Errc::unavailable, "x")));
  EXPECT_TRUE(may_be_taken_later(error(Errc::timed_out, "x")));
  EXPECT_FALSE(may_be_taken_later(error(Errc::invalid_input, "x")));
}

TEST(CtlPushRetry, ItNeverComesBeforeItWasTold) {
  EXPECT_EQ(wait_ms(1, 9, 0), 1000);
  EXPECT_EQ(wait_ms(1, 9, 1), 1250);
  EXPECT_EQ(wait_ms(60, 1, 0), 60'000);
  EXPECT_EQ(wait_ms(60, 1, 1), 60'500);
  EXPECT_GT(wait_ms(INT64_MAX, 1, 1), 0);
}

TEST(CtlPushRetry, LeftAloneItWaitsLongerEachTimeAndNotForEver) {
  EXPECT_EQ(wait_ms(0, 1, 0), 125);
  EXPECT_EQ(wait_ms(0, 1, 1), 375);
  EXPECT_EQ(wait_ms(0, 2, 0.5), 500);
  EXPECT_EQ(wait_ms(0, 7, 0.5), 16'000);
  EXPECT_EQ(wait_ms(0, 8, 0.5), 30'000);
  EXPECT_EQ(wait_ms(0, 1'000'000, 1), 45'000);
}

TEST(CtlPushProgress, ALineFitsATerminal) {
  EXPECT_EQ(progress_line(1, 2, 1234, 400), "[###############...............]  50 %  1234 events, 400/s");
  EXPECT_EQ(progress_line(7, 0, 1, 1), "1 events, 1/s");
  EXPECT_EQ(progress_line(9, 2, 0, 0), "[##############################] 100 %  0 events, 0/s");
  EXPECT_LE(progress_line(UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX).size(), 79U);
}

TEST(CtlPushProgress, WithoutATerminalNothingIsShown) {
  std::ostringstream err;
  {
    Progress progress(err, false);
    progress.show(1, 2, 3);
  }
  EXPECT_EQ(err.str(), "");
}

TEST(CtlPushUrl, ThePathIsAddedWhereItIsMissing) {
  for (const char* listener : {"http://h:1", "http://h:1/", "http://h:1/v2/push", "http://h:1/v2/push//"}) {
    EXPECT_EQ(push_url(listener), "http://h:1/v2/push/") << listener;
  }
}

TEST(CtlGzip, WhatIsCompressedInflatesAgain) {
  Budget memory("test", 1 * MiB);
  zlib::Inflater inflater;
  for (const std::string& plain : {std::string{}, std::string("x"), std::string(512'000, 'y')}) {
    const std::string packed = zlib::gzip(plain);
    std::string out(plain.size(), '\0');
    const auto got =
        inflater.inflate(port::Coding::gzip, as_bytes(packed), std::as_writable_bytes(std::span(out)), memory);
    EXPECT_EQ(got.fault, port::InflateFault::none);
    EXPECT_EQ(got.bytes, plain.size());
    EXPECT_EQ(out, plain);
  }
  EXPECT_LT(zlib::gzip(std::string(512'000, 'y')).size(), 2000U);
}

constexpr std::array kPush = {Command{"push", "", 0, 1, "x", kReportOptions, [](Context&, const Args&) { return 0; }}};

struct Reported {
  Report report;
  std::string fault = "none";
};
Reported report_of(std::vector<std::string_view> words, const std::string& environment = "") {
  json::Parser parser;
  words.insert(words.begin(), {"push", "-report"});
  const auto args = parse_args(words, kPush);
  Reported out;
  if (!args) return {{}, args.error().text};
  auto report = read_report(parser, *args, environment, 77);
  if (report) {
    out.report = *report;
  } else {
    out.fault = report.error();
  }
  return out;
}

TEST(CtlReport, FlagsMakeAnEventAndTheLastOfARepeatedOneWins) {
  const auto got =
      report_of({"-report.type", "http", "-report.http.server", "10.0.1.10:10205", "-report.http.token", "t",
                 "-report.message.kind", "event", "-report.bk_data_id", "1500512", "-report.event.target", "a",
                 "-report.event.name", "n", "-report.event.target", "b", "--report.event.content=c"});
  EXPECT_EQ(got.fault, "none");
  EXPECT_EQ(got.report.url, "http://10.0.1.10:10205");
  EXPECT_EQ(got.report.data_id, 1500512);
  EXPECT_EQ(got.report.token, "t");
  EXPECT_EQ(got.report.items,
            List{R"({"dimension":{},"event_name":"n","target":"b","event":{"content":"c"},"timestamp":77})"});
}

TEST(CtlReport, FlagsStandInPlaceOfWhatTheFirstEventHas) {
  const auto got = report_of(
      {"-report.type", "agent", "-report.agent.address", "/x", "-c", "beat.conf", "-report.message.kind", "event",
       "-report.event.content", "new", "-report.event.timestamp", "9", "-report.message.body",
       R"({"data_id":6,"access_token":"own","data":[{"event_name":"n","target":"t","event":{"content":"old","count":2},)"
       R"("dimension":{"k":"v"},"metrics":{"f":1.10},"timestamp":5},{"event_name":"second"}]})"});
  EXPECT_EQ(got.fault, "none");
  EXPECT_EQ(got.report.url, "");
  EXPECT_EQ(got.report.data_id, 6);
  EXPECT_EQ(got.report.token, "own");
  EXPECT_EQ(got.report.items, (List{R"({"event_name":"n","target":"t","dimension":{"k":"v"},"metrics":{"f":1.10},)"
                                    R"("event":{"count":2,"content":"new"},"timestamp":9})",
                                    R"({"event_name":"second"})"}));
}

TEST(CtlReport, OfATimeSeriesOnlyTheDataIdIsReplaced) {
  constexpr std::string_view kBody =
      R"({"data_id":6,"access_token":"own","data":[{"metrics":{"f":1},"target":"t","dimension":{},"timestamp":5}]})";
  const auto got = report_of({"-report.type", "agent", "-report.message.kind", "timeseries", "-report.bk_data_id", "7",
                              "-report.http.token", "flag", "-report.event.name", "n", "-report.message.body", kBody});
  EXPECT_EQ(got.fault, "none");
  EXPECT_EQ(got.report.data_id, 7);
  EXPECT_EQ(got.report.token, "own");
  EXPECT_EQ(got.report.items, List{R"({"metrics":{"f":1},"target":"t","dimension":{},"timestamp":5})"});
}

TEST(CtlReport, WhatIsMissingIsNamed) {
  const auto fault = [](std::vector<std::string_view> more, const std::string& environment = "t") {
    std::vector<std::string_view> words{"-report.type",         "agent", "-report.message.kind",  "event",
                                        "-report.bk_data_id",   "5",     "-report.event.name",    "n",
                                        "-report.event.target", "t",     "-report.event.content", "c"};
    words.insert(words.end(), more.begin(), more.end());
    return report_of(words, environment).fault;
  };
  EXPECT_EQ(fault({}), "none");
  EXPECT_EQ(fault({}, ""), "no token: -report.http.token, access_token in the body, or TOCSIN_TOKEN");
  EXPECT_TRUE(fault({"-report.message.kind", "metric"}).starts_with("unexpected message kind: metric"));
  EXPECT_TRUE(fault({"-report.type", ""}).starts_with("invalid sender name: "));
  EXPECT_EQ(fault({"-report.type", "http"}), "-report.http.server is required for -report.type http");
  EXPECT_TRUE(fault({"-report.bk_data_id", "0"}).starts_with("data_id is required"));
  EXPECT_TRUE(fault({"-report.bk_data_id", "2147483648"}).starts_with("data_id is required"));
  EXPECT_TRUE(fault({"-report.event.name", ""}).starts_with("event_name is required"));
  EXPECT_TRUE(fault({"-report.event.target", ""}).starts_with("target is required"));
  EXPECT_TRUE(fault({"-report.event.content", ""}).starts_with("event.content is required"));
  EXPECT_EQ(fault({"-report.message.body", "{"}), "-report.message.body is not a JSON object");
  EXPECT_EQ(fault({"-report.message.body", "{\"data\":[]}"}), "data is required: a list that is not empty");
  EXPECT_EQ(fault({"-report.message.body", "{\"data\":[1]}"}), "data has something that is no object");
  EXPECT_EQ(fault({"-report.message.kind", "timeseries"}), "-report.message.body is not a JSON object");
  EXPECT_EQ(fault({"-report.message.body", R"({"data":[{"timestamp":"x"}]})"}), "timestamp is required");
}

}  // namespace
}  // namespace tocsin::ctl
