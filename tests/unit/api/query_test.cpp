// SPDX-License-Identifier: Apache-2.0
#include "src/api/events_filter.hpp"
#include "src/api/look_limit.hpp"
#include "src/audit/chain.hpp"
#include "src/log/log.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using model::Lane;
using model::RecordKind;

/// How often `part` stands in `text`.
std::size_t count(std::string_view text, std::string_view part) {
  std::size_t out = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++out;
  return out;
}
/// The numbers behind every `"name":`.
std::vector<std::uint64_t> numbers(const std::string& text, const std::string& name) {
  std::vector<std::uint64_t> out;
  const std::string key = '"' + name + "\":";
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    out.push_back(std::stoull(text.substr(at + key.size())));
  }
  return out;
}
std::string cursor_of(const std::string& body) {
  const std::size_t at = body.rfind(R"("cursor":)") + 9;
  const std::string rest = body.substr(at, body.size() - at - 2);
  return rest == "null" ? "" : rest.substr(1, rest.size() - 2);
}

class Query : public ApiTest {
 protected:
  template <class Work>
  void write(Work&& work) {
    auto txn = daemon.store.begin_write();
    ASSERT_TRUE(txn.ok());
    work(**txn);
    ASSERT_TRUE((*txn)->commit().ok());
  }
  /// Records of one turn.
  void append(const std::vector<std::tuple<Lane, std::uint64_t, std::int32_t, std::string>>& records,
              std::int64_t wall_ms, bool trusted = true) {
    write([&](port::WriteTxn& txn) {
      log::Appender::Buffers buffers;
      log::Appender appender(txn, 1, buffers);
      for (const auto& [lane, seq, data_id, json] : records) {
        log::Appender::Entry entry;
        entry.seq = seq;
        entry.data_id = data_id;
        entry.kind = RecordKind::custom_event;
        entry.received = {{1'000'000}, {wall_ms, trusted}};
        entry.request_id = &request_id;
        entry.json = json;
        ASSERT_TRUE(appender.add(lane, entry).ok());
      }
      ASSERT_TRUE(appender.finish().ok());
    });
  }
  /// A record a segment, with these sequences.
  template <class WallMs>
  void append_each(std::uint64_t first, std::uint64_t last, std::int32_t data_id, WallMs&& wall_ms,
                   Lane lane = Lane::normal) {
    write([&](port::WriteTxn& txn) {
      const std::string json = item("b");
      for (std::uint64_t seq = first; seq <= last; ++seq) {
        log::Appender::Buffers buffers;
        log::Appender appender(txn, 1, buffers);
        const Now received{{1'000'000}, {wall_ms(seq), true}};
        ASSERT_TRUE(appender.add(lane, {seq, data_id, RecordKind::custom_event, received, &request_id, 0, json}).ok());
        ASSERT_TRUE(appender.finish().ok());
      }
    });
  }
  static std::string item(std::string_view content, std::string_view module = "db") {
    return R"({"event_name":"e","event":{"content":")" + std::string(content) + R"("},"dimension":{"module":")" +
           std::string(module) + R"("}})";
  }
  std::vector<std::uint64_t> seqs(std::map<std::string, std::string> query) {
    const auto reply = get("/api/v1/events", std::move(query));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return numbers(reply.body, "seq");
  }
  using Seqs = std::vector<std::uint64_t>;
  Id128 request_id{std::byte{1}};
};

TEST_F(Query, EventsComeNewestFirstAcrossLanes) {
  append({{Lane::normal, 1, 1500001, item("one")},
          {Lane::critical, 2, 1500001, item("two")},
          {Lane::normal, 3, 1500001, item("three")}},
         1000);
  append({{Lane::alert, 4, 0, "{}"}, {Lane::normal, 5, 1500001, item("five")}}, 2000);
  EXPECT_EQ(seqs({}), (Seqs{5, 3, 2, 1})) << "alert transitions are not events";
  EXPECT_EQ(seqs({{"after_seq", "1"}}), (Seqs{2, 3, 5}));
  EXPECT_EQ(seqs({{"after_seq", "5"}}), Seqs{});
  const auto reply = get("/api/v1/events", {{"limit", "1"}});
  EXPECT_NE(reply.body.find(R"({"seq":5,"lane":"normal","data_id":1500001,"kind":"custom_event",)"
                            R"("received":"1970-01-01T00:00:02.000Z","received_ms":2000,"clock_trusted":true,)"
                            R"("request_id":"01000000-0000-0000-0000-000000000000","event":)" +
                            item("five") + "}"),
            std::string::npos)
      << reply.body;
}

TEST_F(Query, PagesJoinWithoutGapOrRepeat) {
  Seqs all;
  for (std::uint64_t seq = 1; seq <= 40; seq += 4) {
    append({{Lane::normal, seq, 1, item("a")},
            {Lane::critical, seq + 1, 1, item("b")},
            {Lane::normal, seq + 2, 1, item("c")},
            {Lane::normal, seq + 3, 1, item("d")}},
           1000);
  }
  for (const bool is_down : {true, false}) {
    Seqs seen;
    std::map<std::string, std::string> query{{"limit", "7"}};
    if (!is_down) query["after_seq"] = "0";
    for (int page = 0; page < 20; ++page) {
      const auto reply = get("/api/v1/events", query);
      for (const auto seq : numbers(reply.body, "seq")) seen.push_back(seq);
      const std::string cursor = cursor_of(reply.body);
      if (cursor.empty()) break;
      query["cursor"] = cursor;
    }
    Seqs expected(40);
    for (std::size_t i = 0; i < 40; ++i) expected[i] = is_down ? 40 - i : i + 1;
    EXPECT_EQ(seen, expected);
  }
}

TEST_F(Query, PagesJoinWhereOneLaneEndsBeforeAnEntryOfTheOther) {
  append({{Lane::critical, 1, 1500001, item("c")}, {Lane::critical, 2, 1500001, item("c")}}, 1'700'000'000'000);
  append({{Lane::normal, 3, 1500001, item("n")}, {Lane::normal, 4, 1500001, item("n")}}, 1'700'000'000'001);
  append({{Lane::critical, 5, 1500001, item("c")}, {Lane::critical, 6, 1500001, item("c")}}, 1'700'000'000'002);
  for (const char* limit : {"1", "2", "3", "4", "5", "6"}) {
    for (const bool is_up : {false, true}) {
      SCOPED_TRACE(std::string(limit) + (is_up ? " up" : " down"));
      std::map<std::string, std::string> query{{"limit", limit}};
      if (is_up) query["after_seq"] = "0";
      Seqs all;
      for (int pages = 0; pages < 10; ++pages) {
        const auto reply = get("/api/v1/events", query);
        for (const std::uint64_t seq : numbers(reply.body, "seq")) all.push_back(seq);
        query["cursor"] = cursor_of(reply.body);
        if (query["cursor"].empty()) break;
      }
      EXPECT_EQ(all, is_up ? (Seqs{1, 2, 3, 4, 5, 6}) : (Seqs{6, 5, 4, 3, 2, 1}));
    }
  }
}

TEST_F(Query, EventsAreFiltered) {
  add(instance(1500002, "other", "x"));
  append({{Lane::normal, 1, 1500001, item("disk full", "db")}}, 1'000'000);
  append({{Lane::normal, 2, 1500002, item("disk full", "web")}}, 2'000'000);
  append({{Lane::normal, 3, 1500001, item("fan stopped", "web")}}, 3'000'000);
  EXPECT_EQ(seqs({{"plugin", "1500001"}}), (Seqs{3, 1}));
  EXPECT_EQ(seqs({{"plugin", "other"}}), Seqs{2});
  EXPECT_EQ(seqs({{"text", "disk"}}), (Seqs{2, 1}));
  EXPECT_EQ(seqs({{"dimension", "module=web"}}), (Seqs{3, 2}));
  EXPECT_EQ(seqs({{"dimension", "module=we"}}), Seqs{});
  EXPECT_EQ(seqs({{"since", "1970-01-01T00:33:20Z"}}), (Seqs{3, 2}));
  EXPECT_EQ(seqs({{"until", "2000000"}}), Seqs{1}) << "until is not included";
  EXPECT_EQ(seqs({{"plugin", "1500001"}, {"text", "disk"}, {"dimension", "module=db"}}), Seqs{1});
}

TEST_F(Query, APageOfLargeEventsEndsEarlyWithACursor) {
  const std::string large(150 * KiB, 'x');
  for (std::uint64_t seq = 1; seq <= 4; ++seq) append({{Lane::normal, seq, 1, item(large)}}, 1000);
  const auto reply = get("/api/v1/events");
  EXPECT_EQ(numbers(reply.body, "seq"), (Seqs{4, 3}));
  EXPECT_EQ(cursor_of(reply.body), "b2");
}

TEST_F(Query, DamagedRecordsAreCountedAndLeftOut) {
  append({{Lane::normal, 1, 1, item("good")}}, 1000);
  write([&](port::WriteTxn& txn) {
    const std::string broken(100, 'x');
    ASSERT_TRUE(txn.put(model::segment_key(Lane::normal, 2), as_bytes(broken)).ok());
  });
  append({{Lane::normal, 3, 1, item("good")}}, 1000);
  const auto reply = get("/api/v1/events");
  EXPECT_EQ(numbers(reply.body, "seq"), (Seqs{3, 1}));
  EXPECT_EQ(numbers(reply.body, "damaged"), Seqs{1});
}

TEST_F(Query, EventsOfAnUntrustedClockSaySo) {
  append({{Lane::normal, 1, 1, item("a")}}, 5, false);
  EXPECT_NE(get("/api/v1/events").body.find(R"("clock_trusted":false)"), std::string::npos);
}

TEST_F(Query, ALongLogIsReadInSlices) {
  for (std::uint64_t seq = 1; seq <= 100; ++seq) append({{Lane::normal, seq, 1, item("a")}}, 1000);
  EXPECT_EQ(seqs({{"text", "not there"}}), Seqs{});
  EXPECT_EQ(daemon.slices, 0) << "little is looked at in one";
  for (std::uint64_t seq = 101; seq <= 140; ++seq)
    append({{Lane::normal, seq, 1, item(std::string(50'000, 'x'))}}, 1000);
  EXPECT_EQ(seqs({{"text", "not there"}}), Seqs{});
  EXPECT_GE(daemon.slices, 1);
}

TEST_F(Query, APageThatFindsNothingEndsInTimeAndTheNextGoesOn) {
  append({{Lane::critical, 1, 1500001, item("the needle")}}, 1000);
  for (std::uint64_t seq = 2; seq <= 81; ++seq)
    append({{Lane::normal, seq, 1500001, item(std::string(100'000, 'x'))}}, 1000);
  append({{Lane::critical, 82, 1500001, item("another needle")}}, 1000);
  daemon.slice_ms = LookLimit::kAnswerMs / 2;
  std::map<std::string, std::string> query{{"text", "needle"}};
  Seqs found;
  int pages = 0;
  for (std::uint64_t last = 100; pages < 10; ++pages) {
    const auto reply = get("/api/v1/events", query);
    for (const std::uint64_t seq : numbers(reply.body, "seq")) found.push_back(seq);
    const std::string cursor = cursor_of(reply.body);
    EXPECT_EQ(count(reply.body, cursor.empty() ? R"("complete":true)" : R"("complete":false)"), 1U) << reply.body;
    if (cursor.empty()) break;
    ASSERT_LT(std::stoull(cursor.substr(1)), last) << "a cursor never stands still";
    last = std::stoull(cursor.substr(1));
    query["cursor"] = cursor;
  }
  EXPECT_EQ(found, (Seqs{82, 1}));
  EXPECT_GE(pages, 2);
  daemon.slice_ms = 0;
  EXPECT_EQ(seqs({{"text", "needle"}}), (Seqs{82, 1})) << "within its bytes one page is enough";
}

TEST_F(Query, ATimeRangeInTheMiddleIsFoundWithoutLookingAtAllThatIsNewer) {
  constexpr std::int64_t kHourMs = 3'600'000;
  const auto ms = [&](std::uint64_t n) { return 1'700'000'000'000 + static_cast<std::int64_t>(n) * kHourMs; };
  const auto hours = [&](std::uint64_t n) { return std::to_string(ms(n)); };
  append_each(1, 6000, 1500001, [&](std::uint64_t n) { return ms(n); });
  EXPECT_EQ(seqs({{"since", hours(50)}, {"until", hours(52)}}), (Seqs{51, 50}));
  EXPECT_EQ(daemon.slices, 0) << "64 looks and some, not 6,000";
  EXPECT_EQ(seqs({{"after_seq", "0"}, {"since", hours(50)}, {"until", hours(52)}}), (Seqs{50, 51}));
  EXPECT_EQ(seqs({{"since", hours(6000)}}), Seqs{6000});
  EXPECT_EQ(seqs({{"since", hours(6001)}, {"until", hours(9999)}}), Seqs{});
  EXPECT_EQ(seqs({{"since", hours(0)}, {"until", hours(1)}}), Seqs{});
  EXPECT_EQ(daemon.slices, 0);
  EXPECT_EQ(seqs({{"until", hours(2)}}), Seqs{1});
  EXPECT_GE(daemon.slices, 2) << "without since it looks at each";
}

TEST_F(Query, AClockThatWasSetBackHidesNothing) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::int64_t day = 1'700'000'000'000;
  append({{Lane::normal, 1, 1500001, item("a")}}, day);
  append({{Lane::normal, 2, 1500001, item("b")}}, day + kClockSetBackMs);
  append({{Lane::normal, 3, 1500001, item("after it was set back by an hour")}}, day + 1);
  append({{Lane::normal, 4, 1500001, item("before anybody knew the time")}}, 5, false);
  append({{Lane::normal, 5, 1500001, item("e")}}, day + kDayMs);
  const auto at = [](std::int64_t ms) { return std::to_string(ms); };
  EXPECT_EQ(seqs({{"since", at(day)}, {"until", at(day + 2)}}), (Seqs{3, 1}));
  EXPECT_EQ(seqs({{"until", at(day + 2)}}), (Seqs{4, 3, 1}));
  EXPECT_EQ(seqs({{"since", at(day + 2)}}), (Seqs{5, 2}));
  EXPECT_EQ(seqs({{"since", at(1)}, {"until", at(kDayMs)}}), Seqs{4});
}

TEST_F(Query, AllDimensionsMustHold) {
  const auto both = [](std::string_view site, std::string_view module) {
    return R"({"event_name":"e","dimension":{"site":")" + std::string(site) + R"(","module":")" + std::string(module) +
           R"("}})";
  };
  append({{Lane::normal, 1, 1500001, both("north", "db")},
          {Lane::normal, 2, 1500001, both("north", "web")},
          {Lane::normal, 3, 1500001, both("\\u5317", "a\\/\\\"b")}},
         1000);
  const auto ask = [&](std::initializer_list<const char*> dimensions) {
    FakeRequest request(port::Listener::control, port::Method::get, "/api/v1/events");
    for (const char* one : dimensions) request.ask("dimension", one);
    return call(request.as_admin(true));
  };
  const auto found = [&](std::initializer_list<const char*> dimensions) {
    return numbers(ask(dimensions).body, "seq");
  };
  EXPECT_EQ(found({"site=north"}), (Seqs{2, 1}));
  EXPECT_EQ(found({"site=north", "module=db"}), Seqs{1});
  EXPECT_EQ(found({"module=db", "site=south"}), Seqs{});
  EXPECT_EQ(found({"site=\xE5\x8C\x97", "module=a/\"b"}), Seqs{3});
  EXPECT_EQ(found({"a=", "b=", "c=", "d=", "e=", "f=", "g=", "h="}), Seqs{});
  const auto many = ask({"a=", "b=", "c=", "d=", "e=", "f=", "g=", "h=", "i="});
  EXPECT_EQ(many.status, 400);
  EXPECT_NE(many.body.find(R"("message":"dimension: at most 8 of them")"), std::string::npos) << many.body;
}

TEST_F(Query, TextIsWhatPeopleReadNotHowItWasWritten) {
  append({{Lane::normal, 1, 1500001, item("\\u4e2d\\u6587 \\\"quoted\\\"")},
          {Lane::normal, 2, 1500001, item("\xE4\xB8\xAD\xE6\x96\x87 \\/var\\/log")}},
         1000);
  EXPECT_EQ(seqs({{"text", "\xE4\xB8\xAD\xE6\x96\x87"}}), (Seqs{2, 1}));
  EXPECT_EQ(seqs({{"text", R"(文 "quoted")"}}), Seqs{1});
  EXPECT_EQ(seqs({{"text", "/var/log"}}), Seqs{2});
  EXPECT_EQ(seqs({{"text", "u4e2d"}}), Seqs{});
}

TEST_F(Query, AZoneTypedWithItsPlusSignIsUnderstood) {
  append({{Lane::normal, 1, 1500001, item("a")}}, 1'700'000'000'000);  // 2023-11-14T22:13:20Z
  EXPECT_EQ(seqs({{"since", "2023-11-15T06:13:20 08:00"}}), Seqs{1}) << "+ in an address is a blank";
  EXPECT_EQ(seqs({{"since", "2023-11-15T06:13:21+08:00"}}), Seqs{});
  EXPECT_EQ(get("/api/v1/events", {{"since", "yesterday 08:00"}}).status, 400);
}

TEST_F(Query, TooManyMembersAreRefusedNotLeftOut) {
  FakeRequest request(port::Listener::control, port::Method::get, "/api/v1/events");
  for (std::size_t i = 0; i < kQueryMembersMax; ++i) request.ask("other", "x");
  EXPECT_EQ(call(FakeRequest(request).as_admin(true)).status, 200);
  request.ask("text", "x");
  EXPECT_EQ(call(request.as_admin(true)).status, 400);
}

/// What the list says of an instance, from "seen" on.
std::string heard(const std::string& body, std::int32_t data_id) {
  const std::size_t at = body.find(R"({"data_id":)" + std::to_string(data_id));
  const std::size_t seen = body.find(R"("seen":)", at);
  return body.substr(seen, body.find(R"(,"events_per_minute")", seen) - seen);
}

TEST_F(Query, TheListSaysWhenEachInstanceWasHeardLast) {
  for (const std::int32_t id : {1500002, 1500003, 1500004, 1500005}) add(instance(id, "p" + std::to_string(id), "x"));
  auto late = instance(1500006, "late", "x");
  late.created_ms = 1'699'999'000'000;
  add(late);
  append({{Lane::normal, 1, 1500002, item("a")}, {Lane::normal, 2, 1500006, item("of one before it")}},
         1'699'998'000'000);
  append({{Lane::critical, 3, 1500002, item("a")}, {Lane::normal, 4, 1500004, item("a")}}, 1'699'999'988'000);
  append({{Lane::normal, 5, 1500005, item("a")}}, 77'000, false);
  core::Answer stored;
  stored.data_id = 1500003;
  stored.events = 120;
  stored.received = daemon.time.mono;
  api->count_stored(stored);
  daemon.time.mono = daemon.time.mono.after_ms(30'000);
  daemon.time.wall.unix_ms += 30'000;
  auto body = get("/api/v1/plugins").body;
  EXPECT_EQ(heard(body, 1500001), R"("seen":"never","last_seen":null,"last_seen_ms":null,"silent_s":null)");
  EXPECT_EQ(heard(body, 1500002),
            R"("seen":"yes","last_seen":"2023-11-14T22:13:08.000Z","last_seen_ms":1699999988000,"silent_s":42)");
  EXPECT_EQ(heard(body, 1500003),
            R"("seen":"yes","last_seen":"2023-11-14T22:13:20.000Z","last_seen_ms":1700000000000,"silent_s":30)");
  EXPECT_EQ(heard(body, 1500005),
            R"("seen":"yes","last_seen":"1970-01-01T00:01:17.000Z","last_seen_ms":77000,"silent_s":null)");
  EXPECT_EQ(heard(body, 1500006), R"("seen":"never","last_seen":null,"last_seen_ms":null,"silent_s":null)");
  EXPECT_NE(body.find(R"("silent_s":30,"events_per_minute":120,"requests_per_minute":0,"rejects_per_minute":0,)"),
            std::string::npos)
      << body;
  EXPECT_EQ(get("/api/v1/plugins").body.find("unknown"), std::string::npos);
  EXPECT_TRUE(daemon.jobs.empty());
  daemon.store.fail_operation(1, sim::Repeat::for_good);
  EXPECT_EQ(get("/api/v1/plugins").status, 200) << "the log was looked through once; nobody asks it again";
}

TEST_F(Query, ALongLookBackGoesOnWithTheNextList) {
  append({{Lane::normal, 1, 1500001, item("a")}}, 1'699'999'988'000);
  const std::int32_t same_bit = 1500001 + 64;  // in the masks of segments
  append_each(
      2, 2500, same_bit, [](std::uint64_t) { return 1'699'999'989'000; }, Lane::critical);
  daemon.slice_ms = LookLimit::kAnswerMs;
  std::string body = get("/api/v1/plugins/demo").body;
  EXPECT_EQ(heard(body, 1500001), R"("seen":"unknown","last_seen":null,"last_seen_ms":null,"silent_s":null)");
  for (int more = 0; more < 10 && body.find("unknown") != std::string::npos; ++more)
    body = get(more % 2 == 0 ? "/api/v1/plugins" : "/api/v1/plugins/demo").body;
  EXPECT_EQ(heard(body, 1500001),
            R"("seen":"yes","last_seen":"2023-11-14T22:13:08.000Z","last_seen_ms":1699999988000,"silent_s":12)");
}

TEST_F(Query, WrongQueriesAreNamed) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"limit", "501"},
                                                                                    {"limit", "0"},
                                                                                    {"cursor", "7"},
                                                                                    {"cursor", "b"},
                                                                                    {"after_seq", "x"},
                                                                                    {"since", "yesterday"},
                                                                                    {"until", ""},
                                                                                    {"plugin", "nobody"},
                                                                                    {"dimension", "x"}}) {
    const auto reply = get("/api/v1/events", {{name, value}});
    EXPECT_EQ(reply.status, 400) << name;
    EXPECT_NE(reply.body.find("\"message\":\"" + name + ": "), std::string::npos) << reply.body;
  }
  EXPECT_EQ(get("/api/v1/events", {{"text", std::string(kQueryBytesMax, 'x')}}).status, 200);
  EXPECT_EQ(get("/api/v1/events", {{"text", std::string(kQueryBytesMax + 1, 'x')}}).status, 400);
}

TEST(EventsFilter, KnowsDimensionsAndTags) {
  EXPECT_TRUE(has_dimension(R"({"a":1,"dimension":{"x":"1","k":"v"}})", "k", "v"));
  EXPECT_TRUE(has_dimension(R"({"tags":[{"key":"x","value":"y"},{"key":"k","value":"v"}]})", "k", "v"));
  EXPECT_TRUE(has_dimension(R"({"dimension":{"\u006b":"v"}})", "k", "v"));
  EXPECT_FALSE(has_dimension(R"({"event":{"k":"v"}})", "k", "v"));
  EXPECT_FALSE(has_dimension(R"({"dimension":{"k":"vv"},"tags":[{"key":"k","value":1}]})", "k", "v"));
  EXPECT_FALSE(has_dimension("[]", "k", "v"));
  EXPECT_FALSE(has_dimension("", "k", "v"));
}

class Alerts : public Query {
 protected:
  void put(std::uint64_t number, model::AlertState state) {
    write([&](port::WriteTxn& txn) {
      model::Alert alert;
      alert.number = number;
      alert.state = state;
      alert.create_ms = 1'700'000'000'000;
      alert.alert_name = "cpu";
      std::string value;
      model::encode(alert, value);
      const auto key = model::Key(model::Table::alert).u64(number);
      model::seal(key, value);
      ASSERT_TRUE(txn.put(key, as_bytes(value)).ok());
    });
  }
};

TEST_F(Alerts, AreListedNewestFirstInPages) {
  for (std::uint64_t n = 1; n <= 5; ++n) put(n, n == 3 ? model::AlertState::recovered : model::AlertState::abnormal);
  EXPECT_EQ(numbers(get("/api/v1/alerts").body, "seq_id"), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(numbers(get("/api/v1/alerts", {{"state", "RECOVERED"}}).body, "seq_id"), Seqs{3});
  const auto first = get("/api/v1/alerts", {{"state", "ABNORMAL"}, {"limit", "2"}});
  EXPECT_EQ(numbers(first.body, "seq_id"), (Seqs{5, 4}));
  const auto rest = get("/api/v1/alerts", {{"state", "ABNORMAL"}, {"cursor", cursor_of(first.body)}});
  EXPECT_EQ(numbers(rest.body, "seq_id"), (Seqs{2, 1}));
  EXPECT_EQ(cursor_of(rest.body), "");
  EXPECT_EQ(get("/api/v1/alerts", {{"state", "open"}}).status, 400);
  EXPECT_EQ(get("/api/v1/alerts", {{"limit", "501"}}).status, 400);
}

TEST_F(Alerts, OneIsShownUnderItsWholeId) {
  put(12, model::AlertState::abnormal);
  const auto found = get("/api/v1/alerts/170000000012");
  EXPECT_EQ(found.status, 200);
  EXPECT_NE(found.body.find(R"("data":{"id":"170000000012")"), std::string::npos) << found.body;
  for (const char* path : {"/api/v1/alerts/160000000012", "/api/v1/alerts/170000000013", "/api/v1/alerts/x"}) {
    const auto reply = get(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_NE(reply.body.find("there is no alert of this id"), std::string::npos);
  }
}

TEST_F(Alerts, ADamagedOneIsCounted) {
  put(1, model::AlertState::abnormal);
  write([&](port::WriteTxn& txn) {
    ASSERT_TRUE(txn.put(model::Key(model::Table::alert).u64(2), as_bytes("garbage")).ok());
  });
  const auto reply = get("/api/v1/alerts");
  EXPECT_EQ(numbers(reply.body, "seq_id"), Seqs{1});
  EXPECT_EQ(numbers(reply.body, "damaged"), Seqs{1});
  EXPECT_EQ(get("/api/v1/alerts/17000000002").status, 500);
}

class Audit : public Query {
 protected:
  void put(int rows) {
    write([&](port::WriteTxn& txn) {
      audit::Head head = audit::begin();
      for (int i = 0; i < rows; ++i) {
        const auto added =
            audit::append(head, {model::AuditAction::clock_set, "uid:0", "clock", "x"}, {daemon.time, 1}, crypto);
        std::string value;
        model::encode(added.row, value);
        store(txn, model::Key(model::Table::audit_row).u64(added.row.index), value);
        if (!added.sealed) continue;
        value.clear();
        model::encode(*added.sealed, value);
        store(txn, model::Key(model::Table::audit_block).u64(added.sealed->index), value);
      }
    });
  }
  static void store(port::WriteTxn& txn, const model::Key& key, std::string value) {
    model::seal(key, value);
    ASSERT_TRUE(txn.put(key, as_bytes(value)).ok());
  }
};

TEST_F(Audit, TheNewestRowsComeFirst) {
  put(5);
  const auto first = get("/api/v1/audit", {{"limit", "2"}});
  EXPECT_EQ(numbers(first.body, "index"), (Seqs{5, 4}));
  EXPECT_EQ(numbers(get("/api/v1/audit", {{"cursor", cursor_of(first.body)}}).body, "index"), (Seqs{3, 2, 1}));
}

TEST_F(Audit, AnIntactLogVerifiesInSlices) {
  put(2000);
  const auto reply = get("/api/v1/audit/verify");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find(R"("data":{"intact":true,"fault":"none")"), std::string::npos) << reply.body;
  EXPECT_EQ(numbers(reply.body, "rows"), Seqs{2000});
  EXPECT_GE(daemon.slices, 2);
}

TEST_F(Audit, AMissingRowIsFound) {
  put(10);
  write([&](port::WriteTxn& txn) { ASSERT_TRUE(txn.erase(model::Key(model::Table::audit_row).u64(4)).ok()); });
  const auto reply = get("/api/v1/audit/verify");
  EXPECT_NE(reply.body.find(R"("intact":false)"), std::string::npos);
  EXPECT_EQ(count(reply.body, R"("fault_row":4)"), 1U) << reply.body;
}

TEST_F(Query, AStoreThatFailsIsSaid) {
  daemon.store.fail_operation(2, sim::Repeat::for_good);
  auto request = FakeRequest(port::Listener::control, port::Method::get, "/api/v1/alerts").as_admin(true);
  const auto reply = call(request);
  EXPECT_EQ(reply.status, 500);
}

}  // namespace
}  // namespace tocsin::api
