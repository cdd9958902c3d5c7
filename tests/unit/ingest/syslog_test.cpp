// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/syslog.hpp"

#include <gtest/gtest.h>

#include "src/ingest/syslog_write.hpp"
#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

using namespace std::string_literals;

/// Everything that a message is, in one line.
std::string shown(std::string_view text) {
  const SyslogMessage m = parse_syslog(text);
  std::string out = std::string(syslog_facility(m.facility)) + "." + std::string(syslog_level(m.severity));
  out += "|" + (m.time_ms ? std::to_string(*m.time_ms) : "-"s);
  for (const std::string_view part : {m.hostname, m.app, m.procid, m.msgid, m.structured_data, m.text}) {
    out.append("|").append(part);
  }
  return out;
}

// RFC 5424, 6.5.
TEST(Syslog, ReadsTheExamplesOfRfc5424) {
  EXPECT_EQ(shown("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xEF\xBB\xBF'su root' failed for "
                  "lonvick on /dev/pts/8"),
            "auth.crit|1065910455003|mymachine.example.com|su||ID47||'su root' failed for lonvick on /dev/pts/8");
  EXPECT_EQ(
      shown("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts."),
      "local4.notice|1061727255000|192.0.2.1|myproc|8710|||%% It's time to make the do-nuts.");
  EXPECT_EQ(shown("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" "
                  "eventSource=\"Application\" eventID=\"1011\"] \xEF\xBB\xBF"
                  "An application event log entry..."),
            "local4.notice|1065910455003|mymachine.example.com|evntslog||ID47|[exampleSDID@32473 iut=\"3\" "
            "eventSource=\"Application\" eventID=\"1011\"]|An application event log entry...");
  EXPECT_EQ(shown("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" "
                  "eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]"),
            "local4.notice|1065910455003|mymachine.example.com|evntslog||ID47|[exampleSDID@32473 iut=\"3\" "
            "eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]|");
}

// RFC 3164, 5.4.
TEST(Syslog, ReadsTheExamplesOfRfc3164) {
  EXPECT_EQ(shown("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"),
            "auth.crit|-|mymachine|su||||'su root' failed for lonvick on /dev/pts/8");
  EXPECT_EQ(shown("Use the BFG!"), "user.notice|-||||||Use the BFG!");
  EXPECT_EQ(shown("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!"), "user.notice|-|10.0.0.99|||||Use the BFG!");
  EXPECT_EQ(shown("<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.  %%"),
            "local4.notice|-|CST|||||1987 mymachine myproc[10]: %% It's time to make the do-nuts.  %%");
  EXPECT_EQ(
      shown("<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!"),
      "kern.emerg|-||||||1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!");
}

TEST(Syslog, ReadsWhatProgramsReallyWrite) {
  EXPECT_EQ(shown("<13>Nov 21 18:00:00 root[77]: local, no host\n"), "user.notice|-||root|77|||local, no host");
  EXPECT_EQ(shown("<27>sshd[9]: no time\0"s), "daemon.err|-||sshd|9|||no time");
  EXPECT_EQ(shown("<13>2023-10-01T12:00:00.5+08:00 host app: rsyslog\r\n"),
            "user.notice|1696132800500|host|app||||rsyslog");
  EXPECT_EQ(shown("<13>Jan 02 03:04:05 fe80::1 app:"), "user.notice|-|fe80::1|app||||");
  EXPECT_EQ(shown("<13>http://x is no tag"), "user.notice|-||||||http://x is no tag");
  EXPECT_EQ(shown("<13>1 - - - - - -"), "user.notice|-||||||");
  EXPECT_EQ(shown("<13>1 - - - - - - -"), "user.notice|-||||||-");
  EXPECT_EQ(shown("<189>1234: *Mar  1 18:46:11: %SYS-5-CONFIG_I: Configured"),
            "local7.notice|-||||||1234: *Mar  1 18:46:11: %SYS-5-CONFIG_I: Configured")
      << "a device that counts its messages names no program";
}

// RFC 3164, 4.3.3: a PRI that is none is text, and the message a notice.
TEST(Syslog, WithoutAPriorityTheWholeTextIsANotice) {
  for (const std::string_view text :
       {"<192>x", "<>x", "<013>x", "<00>x", "<1x>x", "<1234>x", "<13", "<-1>x", "13>x", " <13>x", "<", "", "<999",
        "\xFF\xFE", "1 2003-10-11T22:14:15.003Z a b - - - t"}) {
    const SyslogMessage m = parse_syslog(text);
    EXPECT_EQ(m.text, text);
    EXPECT_EQ(m.facility, kSyslogFacilityUser);
    EXPECT_EQ(m.severity, kSyslogSeverityNotice);
  }
  EXPECT_EQ(shown("<0>x"), "kern.emerg|-||||||x");
  EXPECT_EQ(shown("<191>x"), "local7.debug|-||||||x");
}

TEST(Syslog, ABrokenHeaderIsTextAndLosesNothing) {
  EXPECT_EQ(shown("<13>1 yesterday h a p m - t"), "user.notice|-||||||1 yesterday h a p m - t");
  EXPECT_EQ(shown("<13>1 2003-10-11T22:14:15 h a p m - no zone"),
            "user.notice|-||||||1 2003-10-11T22:14:15 h a p m - no zone");
  EXPECT_EQ(shown("<13>1 - h a p"), "user.notice|-||||||1 - h a p");
  EXPECT_EQ(shown("<13>2 - h a p m - t"), "user.notice|-||||||2 - h a p m - t");
  EXPECT_EQ(shown("<13>1 - h\x01 a p m - t"), "user.notice|-||||||1 - h\x01 a p m - t");
  for (const std::string bad :
       {"[", "[]", "[a", "[a b]", "[a b=c]", "[a b=\"c]", "[a b=\"c\\\"]", "[a b=\"c\"", "[=]", "[a b=\"c\"]x", "x"}) {
    EXPECT_EQ(shown("<13>1 - h a p m " + bad), "user.notice|-|h|a|p|m||" + bad) << "the header stays readable";
  }
}

TEST(Syslog, HeaderFieldsAreCutToTheirBounds) {
  const std::string_view text = "<13>1 - ";
  std::string long_fields(text);
  for (int i = 0; i < 4; ++i) long_fields += std::string(300, 'x') + " ";
  const std::string kept = long_fields + "- t";
  const SyslogMessage m = parse_syslog(kept);
  EXPECT_EQ(m.hostname.size(), kSyslogHostBytesMax);
  EXPECT_EQ(m.app.size(), kSyslogAppBytesMax);
  EXPECT_EQ(m.procid.size(), kSyslogProcBytesMax);
  EXPECT_EQ(m.msgid.size(), kSyslogMsgIdBytesMax);
  EXPECT_EQ(m.text, "t");
  EXPECT_EQ(parse_syslog("<13>" + std::string(49, 'a') + ": x").app, "") << "too long for a TAG: it is text";
}

TEST(Syslog, ParametersComeInOrderWithTheirEscapesResolved) {
  SyslogParams params{R"([a@1 x="1\]\"\\\n" y=""][empty][b x="[z q=]"])"};
  const auto next = [&]() -> std::string {
    const auto one = params.next();
    if (!one) return "end";
    std::string out = std::string(one->id) + "." + std::string(one->name) + "=";
    SyslogParams::append_plain(one->value, out);
    return out;
  };
  // "]" inside a value has to be escaped by the RFC; who forgets it is understood all the same.
  EXPECT_EQ(parse_syslog(R"(<13>1 - - - - - [b x="[z q=]"] t)").text, "t");
  EXPECT_EQ(next(), R"(a@1.x=1]"\\n)");
  EXPECT_EQ(next(), "a@1.y=");
  EXPECT_EQ(next(), "b.x=[z q=]");
  EXPECT_EQ(next(), "end");
}

TEST(Syslog, EverySeverityHasItsPlace) {
  const int wanted[] = {1, 1, 1, 2, 2, 3, 3, 3};
  for (std::uint8_t i = 0; i < 8; ++i) EXPECT_EQ(severity_of_syslog(i), wanted[i]);
}

/// The messages of a stream that arrives in pieces of `piece` bytes.
std::vector<std::string> framed(std::string_view stream, std::size_t piece) {
  SyslogFrames frames;
  std::vector<std::string> out;
  std::size_t taken = 0;
  for (std::size_t arrived = 0; arrived < stream.size();) {
    arrived = std::min(arrived + piece, stream.size());
    const bool is_end = arrived == stream.size();
    while (taken < arrived) {
      const auto waiting = stream.substr(taken, std::min(arrived - taken, SyslogFrames::kWindowBytes));
      const auto step = frames.next(waiting, is_end && taken + waiting.size() == stream.size());
      if (step.bytes == 0) break;
      EXPECT_LE(step.bytes, waiting.size());
      if (!step.message.empty()) out.push_back(std::string(step.message) + (step.is_cut ? "|cut" : ""));
      frames.take(step);
      taken += step.bytes;
    }
  }
  EXPECT_EQ(taken, stream.size());
  return out;
}
using Messages = std::vector<std::string>;

TEST(SyslogFrames, FindsBothFramingsHoweverTheStreamIsSplit) {
  const std::string stream = "<1>a\n6 <1>b\nc<2>c\n\n11 not counted\n123\n7 <3>seve<4>rest 5 <5>x";
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    EXPECT_EQ(framed(stream, piece),
              (Messages{"<1>a", "<1>b\nc", "<2>c", "11 not counted", "123", "<3>seve", "<4>rest 5 <5>x"}))
        << piece;
  }
}

TEST(SyslogFrames, WhatIsLongerThanTheBoundIsCutAndTheNextIsFound) {
  const std::string most(kSyslogBytesMax, 'x');
  EXPECT_EQ(framed(most + "\n<1>a\n", 999), (Messages{most, "<1>a"}));
  EXPECT_EQ(framed(most + "yyy\n<1>a\n", 999), (Messages{most + "|cut", "<1>a"}));
  const std::string counted = "<1>" + std::string(kSyslogBytesMax - 3, 'x');
  EXPECT_EQ(framed("8192 " + counted + "3 <2>", 999), (Messages{counted, "<2>"}));
  EXPECT_EQ(framed("20000 " + counted + std::string(20'000 - kSyslogBytesMax, '\n') + "<1>a", 4096),
            (Messages{counted + "|cut", "<1>a"}));
}

TEST(SyslogFrames, AnEndInTheMiddleGivesWhatIsThere) {
  EXPECT_EQ(framed("<1>no line feed", 4), Messages{"<1>no line feed"});
  EXPECT_EQ(framed("20 <1>short", 4), Messages{"<1>short|cut"});
  EXPECT_EQ(framed("20", 4), Messages{"20"});
  EXPECT_EQ(framed("20 ", 4), Messages{"20 "});
  EXPECT_EQ(framed("12345678 <1>x", 4), Messages{"12345678 <1>x"}) << "more digits than a length has";
  EXPECT_EQ(framed("0 <1>x", 4), Messages{"0 <1>x"});
}

struct SyslogWorld : World {
  SyslogWorld() {
    batch.received = trusted_now();
    batch.request_id = request_id;
  }
  std::string add(std::string_view message, const SyslogOrigin& origin = {.address = "10.0.0.7", .own_host = "box"},
                  const model::Instance& instance = event_instance()) {
    const auto taken = writer.add(parse_syslog(message), origin, instance, batch);
    return taken ? last() : "refused";
  }
  SyslogWriter writer{crypto};
};

constexpr std::string_view kRich =
    R"(<34>1 2003-10-11T22:14:15.003Z host su 12 ID47 [a@1 x="1\]"][b y="\"2"] 'su root' failed)";

TEST(SyslogWriter, ACustomEventHasTheHeaderAsDimensions) {
  SyslogWorld world;
  EXPECT_EQ(world.add(kRich),
            R"({"event_name":"syslog","target":"10.0.0.7","event":{"content":"'su root' failed","sender":"10.0.0.7",)"
            R"("procid":"12","structured_data":[{"key":"a@1.x","value":"1]"},{"key":"b.y","value":"\"2"}]},)"
            R"("dimension":{"facility":"auth","level":"crit","severity":"1","app":"su","msgid":"ID47",)"
            R"("hostname":"host"},"timestamp":1065910455003})");
  EXPECT_EQ(world.batch.data_id, 1500006);
  EXPECT_EQ(world.batch.kind, model::RecordKind::custom_event);
  EXPECT_FALSE(world.batch.is_alerting);
  EXPECT_EQ(world.add("plain"),
            R"({"event_name":"syslog","target":"10.0.0.7","event":{"content":"plain","sender":"10.0.0.7"},)"
            R"("dimension":{"facility":"user","level":"notice","severity":"3"},"timestamp":1700000000123})");
  EXPECT_EQ(world.batch.items.size(), 2U);
}

TEST(SyslogWriter, AStandardEventHasTheSeverityOfTheMessage) {
  SyslogWorld world;
  EXPECT_EQ(
      world.add(kRich, {.event_name = "log", .address = "10.0.0.7", .own_host = "box"}, source_instance()),
      R"({"alert_name":"log","event_id":"ab000000-0000-0000-0000-000000000000-0","description":"'su root' failed",)"
      R"("category":"other_rt","target_type":"HOST","target":"10.0.0.7","severity":1,"bk_biz_id":2,"tags":[)"
      R"({"key":"facility","value":"auth"},{"key":"level","value":"crit"},{"key":"app","value":"su"},)"
      R"({"key":"msgid","value":"ID47"},{"key":"hostname","value":"host"},{"key":"sender","value":"10.0.0.7"},)"
      R"({"key":"procid","value":"12"},{"key":"sd.a@1.x","value":"1]"},{"key":"sd.b.y","value":"\"2"}],)"
      R"("dedupe_keys":["tags.app","tags.msgid"],"time":1065910455,"anomaly_time":1065910455,"status":"ABNORMAL"})");
  EXPECT_EQ(world.batch.kind, model::RecordKind::standard_event);
  EXPECT_EQ(world.batch.lane, model::Lane::critical);
  EXPECT_TRUE(world.batch.is_alerting);
}

TEST(SyslogWriter, FactsTellAlertsApartByProgramAndNotByProcess) {
  for (const model::Instance& instance : {event_instance(2), source_instance()}) {
    std::vector<Id128> keys;
    for (const std::string_view text :
         {"<34>1 - h su 1 - [s n=\"1\"] a", "<34>1 - h su 2 - [s n=\"2\"] b", "<34>1 - h cron 1 - - c"}) {
      SyslogWorld world;
      ASSERT_NE(world.add(text, {.address = "10.0.0.7", .own_host = "box"}, instance), "refused");
      const auto items = take_apart(world.batch);
      const auto facts = model::decode_facts(as_bytes(items.at(0).facts));
      ASSERT_TRUE(facts.ok());
      keys.push_back(facts->dedupe);
    }
    EXPECT_EQ(keys[0], keys[1]);
    EXPECT_NE(keys[0], keys[2]);
  }
}

TEST(SyslogWriter, TheTargetIsTheAddressUnlessTheHostNameIsWanted) {
  const auto target = [](std::string_view message, const SyslogOrigin& origin) {
    SyslogWorld world;
    const std::string item = world.add(message, origin);
    const std::size_t from = item.find("\"target\":\"") + 10;
    return item.substr(from, item.find('"', from) - from);
  };
  constexpr std::string_view kNamed = "<13>1 - host - - - - t";
  EXPECT_EQ(target(kNamed, {.address = "10.0.0.7", .own_host = "box"}), "10.0.0.7");
  EXPECT_EQ(target(kNamed, {.address = "10.0.0.7", .own_host = "box", .prefers_hostname = true}), "host");
  EXPECT_EQ(target("t", {.address = "10.0.0.7", .own_host = "box", .prefers_hostname = true}), "10.0.0.7");
  EXPECT_EQ(target(kNamed, {.own_host = "box"}), "host");
  EXPECT_EQ(target("t", {.own_host = "box"}), "box");
  EXPECT_EQ(target("t", {}), "localhost");
}

TEST(SyslogWriter, ATimeFarAheadOfATrustedClockIsNotBelieved) {
  SyslogWorld world;
  const std::string_view late = "<13>1 2099-01-01T00:00:00Z h a - - - t";
  EXPECT_NE(world.add(late).find("\"timestamp\":1700000000123"), std::string::npos);
  world.batch.received.wall = {1'000, false};
  EXPECT_NE(world.add(late).find("\"timestamp\":4070908800000"), std::string::npos);
}

TEST(SyslogWriter, AnyBytesBecomeJson) {
  SyslogWorld world;
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const std::string& text :
       {all, "<13>1 - h a p m [x y=\"" + all.substr(0x80) + "\"] " + all, "a\xE4\xB8"s, "\xC3"s}) {
    const std::string item = world.add(text);
    const json::Padded padded{item};
    EXPECT_TRUE(world.parser.check(padded.text()).has_value()) << item;
  }
  EXPECT_NE(world.add("a\0b\xFF"s + "c")
                .find("a\xEF\xBF\xBD"
                      "b\xEF\xBF\xBD"
                      "c"),
            std::string::npos);
}

TEST(SyslogWriter, ACutMessageSaysSoAndEndsWithAWholeCharacter) {
  SyslogWorld world;
  SyslogOrigin origin{.address = "10.0.0.7", .own_host = "box", .prefers_hostname = false, .is_cut = true};
  EXPECT_NE(world.add("ab\xE4\xB8", origin).find(R"("content":"ab","sender":"10.0.0.7","cut":true})"),
            std::string::npos);
  EXPECT_NE(world.add("ab\xE4\xB8\xAD", origin).find("\"ab\xE4\xB8\xAD\""), std::string::npos);
}

TEST(SyslogWriter, ParametersAndTheLargestMessageAreBounded) {
  SyslogWorld world;
  std::string params;
  for (int i = 0; i < 40; ++i) params += " p" + std::to_string(i) + "=\"v\"";
  const std::string item = world.add("<13>1 - h a p m [x" + params + "] t");
  EXPECT_NE(item.find("\"x.p31\""), std::string::npos);
  EXPECT_EQ(item.find("\"x.p32\""), std::string::npos);
  EXPECT_NE(world.add(std::string(kSyslogBytesMax, '\x01')).find("\\u0001"), std::string::npos);
  EXPECT_LT(world.batch.bytes.size(), 60 * KiB);
}

}  // namespace
}  // namespace tocsin::ingest
