// SPDX-License-Identifier: Apache-2.0
// Records of GSE, each in the shape that BlueKing's access.event reads, and what becomes of them.
#include "src/normalise/gse.hpp"

#include <gtest/gtest.h>

#include "platform/gnutls/crypto.hpp"
#include "tests/unit/ingest/world.hpp"
#include "tests/unit/normalise/support.hpp"

namespace tocsin::normalise {
namespace {

/// The events as JSON, or "!code message". Gives back what it takes.
std::string with_ids(std::string_view record, Explain* explain = nullptr, std::size_t bytes_max = 1 * MiB) {
  json::Parser parser;
  gnutls::Crypto crypto;
  const json::Padded body{record};
  const auto checked = parser.check(without_gse_end(body.text()));
  if (!checked) return checked.error().reason;
  Budget budget{"test", bytes_max};
  std::string out;
  {
    std::pmr::monotonic_buffer_resource arena{&budget};
    const auto document = json::build(checked->text, arena, budget);
    const auto events = gse_events(*document, {crypto, arena, budget, explain});
    if (events) {
      events->append_json(out);
    } else {
      out = std::string{"!"} + events.error().code.text() + " " + events.error().message;
    }
  }
  EXPECT_EQ(budget.used_bytes(), 0U);
  return out;
}
/// The same without the ids.
std::string events_of(std::string_view record) {
  constexpr std::string_view kId = R"("event_id":")";
  std::string out = with_ids(record);
  for (std::size_t at = out.find(kId); at != std::string::npos; at = out.find(kId)) {
    out.erase(at, out.find(',', at) - at + 1);
  }
  return out;
}
std::vector<std::string> ids_of(std::string_view record) {
  constexpr std::string_view kId = R"("event_id":")";
  std::vector<std::string> out;
  const std::string all = with_ids(record);
  for (std::size_t at = all.find(kId); at != std::string::npos; at = all.find(kId, at + 1)) {
    out.push_back(all.substr(at + kId.size(), all.find('"', at + kId.size()) - at - kId.size()));
  }
  return out;
}
/// A record of system events with one of them.
std::string system_record(std::string_view extra, std::string_view rest = R"("event_title":"","event_desc":"")") {
  return R"({"isdst":0,"server":"10.1.0.1","time":"2019-10-17 13:53:53","timezone":8,"utctime":"2019-10-17 13:53:53",)"
         R"("utctime2":"2019-10-17 05:53:53","value":[{"event_raw_id":7795,"event_time":"2019-10-17 13:53:53",)"
         R"("event_source_system":"","event_type":"gse_basic_alarm_type",)" +
         std::string{rest} + R"(,"extra":)" + std::string{extra} + "}]}";
}
std::string head(std::string_view name, std::string_view description, std::string_view category = "os") {
  return R"({"alert_name":")" + std::string{name} + R"(","description":")" + std::string{description} +
         R"(","metric":"bk_monitor.)" + std::string{name} + R"(","category":")" + std::string{category} + "\"";
}
std::string host(std::string_view target) {
  return R"(,"target_type":"HOST","target":")" + std::string{target} + R"(","severity":2)";
}
constexpr std::string_view kTime = R"(,"time":1571291633})";

TEST(Gse, EveryTextOfARecordIsAnEvent) {
  EXPECT_EQ(events_of(R"({"_bizid_":0,"_cloudid_":3,"_server_":"10.0.0.1","_time_":"2019-03-02 15:29:24",)"
                      R"("_utctime_":"2019-03-02 07:29:24","_value_":["off line","\"on\" line"]})"),
            "[" + head("gse_custom_event", "off line") + host("10.0.0.1|3") + R"(,"time":1551511764},)" +
                head("gse_custom_event", R"(\"on\" line)") + host("10.0.0.1|3") + R"(,"time":1551511764}])");
}

TEST(Gse, ALostAgentIsAnEventOfEachHost) {
  EXPECT_EQ(events_of(system_record(R"({"type":2,"count":4,"host":[
                {"bizid":0,"cloudid":0,"ip":"10.0.0.1","agent_id":"0:10.0.0.1"},
                {"bizid":7,"cloudid":2,"agent_id":"2:10.0.0.2"},
                {"bizid":0,"cloudid":0,"agent_id":"0100005254008ed86116666614661851"},
                {"cloudid":1,"ip":"10.0.0.4","agent_id":"02000052"}]})")),
            "[" + head("agent-gse", "GSE has lost this agent") + host("10.0.0.1|0") + std::string{kTime} + "," +
                head("agent-gse", "GSE has lost this agent") + host("10.0.0.2|2") + R"(,"bk_biz_id":7)" +
                std::string{kTime} + "," + head("agent-gse", "GSE has lost this agent") +
                R"(,"target_type":"AGENT","target":"0100005254008ed86116666614661851","severity":2)" +
                std::string{kTime} + "," + head("agent-gse", "GSE has lost this agent") + host("10.0.0.4|1") +
                R"(,"tags":{"bk_agent_id":"02000052"})" + std::string{kTime} + "]");
}

TEST(Gse, EachReadOnlyDiskIsAnEventButNotThoseThatAreSoByNature) {
  EXPECT_EQ(events_of(system_record(R"({"type":3,"bizid":0,"cloudid":0,"host":"10.0.0.1","ro":[
                {"position":"/sys/fs/cgroup","fs":"tmpfs","type":"TmpFS"},
                {"position":"/data","fs":"dev/vdb","type":"ext4"},
                {"positoin":"/more","fs":"dev/vdc","type":"xfs"}]})")),
            "[" + head("disk-readonly-gse", "dev/vdb (ext4) at /data is read-only") + host("10.0.0.1|0") +
                R"(,"tags":{"position":"/data","type":"ext4","fs":"dev/vdb"},)"
                R"("dedupe_keys":["tags.position","tags.type","tags.fs"])" +
                std::string{kTime} + "," + head("disk-readonly-gse", "dev/vdc (xfs) at /more is read-only") +
                host("10.0.0.1|0") +
                R"(,"tags":{"position":"/more","type":"xfs","fs":"dev/vdc"},)"
                R"("dedupe_keys":["tags.position","tags.type","tags.fs"])" +
                std::string{kTime} + "]");
}

TEST(Gse, AFullDisk) {
  EXPECT_EQ(events_of(system_record(R"({"used_percent":93,"used":45330684,"cloudid":0,"free":7,"fstype":"ext4",
                "host":"10.0.0.1","disk":"/","file_system":"/dev/vda1","size":51473888,"bizid":0,"type":6})")),
            "[" + head("disk-full-gse", "disk / has 7% left") + host("10.0.0.1|0") +
                R"(,"tags":{"used_percent":93,"used":45330684,"free":7,"fstype":"ext4","disk":"/",)"
                R"("file_system":"/dev/vda1","size":51473888},)"
                R"("dedupe_keys":["tags.file_system","tags.fstype","tags.disk"])" +
                std::string{kTime} + "]");
  for (const std::string_view full : {R"("fstype":"iso9660","file_system":"/dev/vdb")", R"("file_system":"/dev/sr0")",
                                      R"("file_system":"dev/loop7")", R"("file_system":"/mnt/a.iso")"}) {
    EXPECT_EQ(events_of(system_record(R"({"type":6,"host":"10.0.0.1",)" + std::string{full} + "}")), "[]") << full;
  }
}

TEST(Gse, ACoreFileAndAProcessOutOfMemory) {
  EXPECT_EQ(events_of(system_record(R"({"bizid":0,"cloudid":0,"executable":"test","executable_path":"/tmp/test",
                "signal":"SIGFPE","corefile":"/data/core_1","filesize":"0","host":"10.0.0.1","type":7})")),
            "[" + head("corefile-gse", "test left a core file on SIGFPE: /data/core_1") + host("10.0.0.1|0") +
                R"(,"tags":{"executable":"test","executable_path":"/tmp/test","signal":"SIGFPE",)"
                R"("corefile":"/data/core_1","filesize":"0"},)"
                R"("dedupe_keys":["tags.executable_path","tags.executable","tags.signal"])" +
                std::string{kTime} + "]");
  EXPECT_EQ(events_of(system_record(R"({"type":7,"host":"10.0.0.1","corefile":"c","signal":""})")),
            "[" + head("corefile-gse", "a process left a core file: c") + host("10.0.0.1|0") +
                R"(,"tags":{"corefile":"c"})" + std::string{kTime} + "]");
  EXPECT_EQ(events_of(system_record(R"({"bizid":0,"cloudid":0,"host":"10.0.0.1","type":9,"total":3,
                "process":"oom/java/consul","message":"anon-rss:32520504kB","oom_memcg":"cg"})")),
            "[" + head("oom-gse", "out of memory: oom/java/consul, 3 times, anon-rss:32520504kB") + host("10.0.0.1|0") +
                R"(,"tags":{"total":3,"process":"oom/java/consul","message":"anon-rss:32520504kB","oom_memcg":"cg"})" +
                std::string{kTime} + "]");
}

// Without utctime2 the time is the event's own, in its own zone.
TEST(Gse, EachSilentHostIsAnEvent) {
  const std::string_view record = R"({"server":"10.1.0.1","time":"2019-10-15 17:34:44","value":[{"event_desc":"",
      "event_raw_id":27422,"event_source_system":"","event_time":"2019-10-15 09:34:44","event_timezone":0,
      "event_title":"","event_type":"gse_basic_alarm_type","extra":{"bizid":0,"cloudid":4,"count":2,
      "host":"10.1.0.1","iplist":["10.0.0.2","10.0.0.3"],"type":8}}]})";
  const std::string rest = R"(,"tags":{"ping_server":"10.1.0.1"},"time":1571132084})";
  EXPECT_EQ(events_of(record), "[" + head("ping-gse", "no answer to ping") + host("10.0.0.2|4") + rest + "," +
                                   head("ping-gse", "no answer to ping") + host("10.0.0.3|4") + rest + "]");
}

TEST(Gse, ProcessEvents) {
  const std::string_view record = R"({"data_id":1100008,"data":[
      {"dimension":{"bk_target_cloud_id":"0","bk_target_ip":"10.0.0.1","process_group_id":"nodeman",
       "process_index":"nodeman:beat","process_name":"beat"},"event":{"content":"restarted it"},
       "event_name":"process_restart_success","target":"10.0.0.1|0","timestamp":1618382611690},
      {"event_name":"process_restart_failed","target":"10.0.0.2|0","timestamp":0}]})";
  EXPECT_EQ(
      events_of(record),
      "[" + head("gse_process_event", "process_restart_success: restarted it", "host_process") +
          R"(,"target_type":"HOST","target":"10.0.0.1|0","severity":3,"tags":{"event_name":"process_restart_success",)"
          R"("process_group_id":"nodeman","process_index":"nodeman:beat","process_name":"beat"},)"
          R"("dedupe_keys":["tags.event_name","tags.process_group_id","tags.process_name"],"time":1618382611},)" +
          head("gse_process_event", "process_restart_failed", "host_process") + host("10.0.0.2|0") +
          R"(,"tags":{"event_name":"process_restart_failed"},"dedupe_keys":["tags.event_name"]}])");
}

TEST(Gse, TitlesAndHostsAreTakenWhereARecordHasThem) {
  const std::string_view extra = R"({"type":9,"cloudid":"5","host":"10.0.0.1"})";
  EXPECT_NE(events_of(system_record(extra, R"("event_title":"T","event_desc":"D")")).find(R"("description":"T")"),
            std::string::npos);
  EXPECT_NE(events_of(system_record(extra, R"("event_desc":"D")")).find(R"("description":"D")"), std::string::npos);
  const std::string beat =
      R"({"agent":{"type":"bkmonitorbeat"},"ip":"10.0.0.9","value":[{"extra":)" + std::string{extra} + "}]}";
  EXPECT_EQ(events_of(beat), "[" + head("oom-gse", "out of memory: ,  times, ") + host("10.0.0.9|5") + "}]");
  EXPECT_NE(
      events_of(R"({"timezone":8,"value":[{"event_time":"2019-10-17 13:53:53","extra":)" + std::string{extra} + "}]}")
          .find(kTime),
      std::string::npos)
      << "the record's zone";
}

TEST(Gse, ARepeatHasTheSameIdsAndNothingElseHas) {
  const auto texts = [](std::string_view list) {
    return ids_of(R"({"_server_":"10.0.0.1","_utctime_":"2019-03-02 07:29:24","_value_":)" + std::string{list} + "}");
  };
  const auto two = texts(R"(["a","a"])");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_NE(two[0], two[1]) << "two texts that are alike are two events";
  EXPECT_EQ(texts(R"(["a","a"])"), two);
  EXPECT_NE(texts(R"(["b"])")[0], two[0]);
  EXPECT_EQ(two[0].size(), std::string_view{"gse_custom_event."}.size() + 32);
  const std::string full = system_record(R"({"type":6,"host":"10.0.0.1","disk":"/"})");
  std::string other = full;
  other.replace(other.find("7795"), 4, "7796");
  EXPECT_EQ(ids_of(full), ids_of(full + "\n"));
  EXPECT_NE(ids_of(full), ids_of(other)) << "another number of the server";
}

TEST(Gse, OneNulOrLineFeedBehindARecordIsCut) {
  EXPECT_EQ(without_gse_end({"{}\0", 3}), "{}");
  EXPECT_EQ(without_gse_end("{}\n"), "{}");
  EXPECT_EQ(without_gse_end({"{}\0\0", 4}), std::string_view("{}\0", 3));
  EXPECT_EQ(without_gse_end(""), "");
}

TEST(Gse, SkipsOtherTypesAndSaysSo) {
  Told told;
  EXPECT_EQ(with_ids(system_record(R"({"type":5,"host":"10.0.0.1"})"), &told), "[]");
  EXPECT_EQ(with_ids(system_record(R"({"type":6,"host":"10.0.0.1","fstype":"udf"})"), &told), "[]");
  EXPECT_EQ(with_ids(system_record(R"({"type":3,"host":"h","ro":[{"type":"udf"}]})"), &told), "[]");
  const std::vector<std::string> wanted{
      "skipped 0 value[0].extra.type = 5 (events of this type are not taken)",
      R"(skipped 0 value[0].extra.fstype = "udf" (file systems of this type are full by nature))",
      R"(skipped 0 value[0].extra.ro[0].type = "udf" (file systems of this type are read-only by nature))"};
  EXPECT_EQ(told.lines, wanted);
}

TEST(Gse, RefusesOtherShapesWithTheMemberAndTheRule) {
  const struct {
    std::string record;
    std::string_view wanted;
  } cases[] = {
      {"[]", "body: expected an object, got array"},
      {"{}", "body: none of value, _value_ and data is there, so it is no record of GSE"},
      {R"({"_value_":"x"})", "_value_: expected a list, got string"},
      {R"({"value":[]})", "value: expected a list that is not empty"},
      {R"({"_value_":[1],"_server_":"h"})", "_value_[0]: expected a string, got number"},
      {R"({"_value_":["a"]})", "_server_: missing or empty, and so is _agent_id_"},
      {R"({"_value_":["a"],"_server_":7})", "_server_: expected a string, got number"},
      {R"({"_value_":["a"],"_server_":"h","_cloudid_":1.5})", "_cloudid_: expected an integer of 32 bits, got number"},
      {R"({"_value_":["a"],"_server_":"h","_utctime_":"soon"})",
       "_utctime_: expected a time such as 2019-10-17 05:53:53"},
      {R"({"value":[1]})", "value[0]: expected an object, got number"},
      {R"({"value":[{}]})", "value[0].extra: expected an object, got null"},
      {system_record("{}"), "value[0].extra.type: expected an integer, got null"},
      {system_record(R"({"type":"two"})"), "value[0].extra.type: expected an integer of 32 bits, got string"},
      {system_record(R"({"type":2,"host":"h"})"), "value[0].extra.host: expected a list, got string"},
      {system_record(R"({"type":2,"host":[{"ip":"h"},{}]})"),
       "value[0].extra.host[1].ip: missing or empty, and so is value[0].extra.host[1].agent_id"},
      {system_record(R"({"type":3})"), "value[0].extra.ro: expected a list, got null"},
      {system_record(R"({"type":6})"), "value[0].extra.host: missing or empty"},
      {system_record(R"({"type":8,"iplist":["h",""]})"), "value[0].extra.iplist[1]: missing or empty"},
      {R"({"value":[{"event_time":[],"extra":{"type":9,"host":"h"}}]})",
       "value[0].event_time: expected a time such as 2019-10-17 05:53:53"},
      {R"({"data":[{}]})", "data[0].event_name: expected a string that is not empty, got null"},
      {R"({"data":[{"event_name":"e"}]})",
       "data[0].dimension.bk_target_ip: missing or empty, and so is data[0].dimension.bk_agent_id"},
      {R"({"data":[{"event_name":"e","dimension":[]}]})", "data[0].dimension: expected an object, got array"},
  };
  for (const auto& c : cases) EXPECT_EQ(with_ids(c.record), "!body_format " + std::string{c.wanted}) << c.record;
}

TEST(Gse, ARecordHasSoManyEventsAtMost) {
  const auto agents = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i)
      list += (i > 0 ? "," : "") + std::string{R"({"cloudid":0,"bizid":0,"ip":"10.0.)"} + std::to_string(i / 256) +
              "." + std::to_string(i % 256) + "\"}";
    return system_record(R"({"type":2,"host":[)" + list + "]}");
  };
  EXPECT_EQ(ids_of(agents(kGseEventsMax)).size(), kGseEventsMax);
  EXPECT_EQ(with_ids(agents(kGseEventsMax + 1)), "!events_too_many body: more than 512 events in one record");
  EXPECT_THROW((void)with_ids(agents(kGseEventsMax), nullptr, 128 * KiB), std::bad_alloc);
}

// As an instance without expressions keeps them.
TEST(Gse, TheReaderOfStandardEventsTakesThem) {
  Bench bench;
  ASSERT_EQ(bench.use(R"({"ingest_config":{"source_format":"gse"}})"), "");
  bench.options = {.strict = true, .own_cloud_id = 9};
  const std::string events = bench.run(with_ids(system_record(R"({"type":6,"host":"10.0.0.1","disk":"/","free":7})")));
  gnutls::Crypto crypto;
  ingest::StandardReader reader{bench.parser, crypto, {}};
  const json::Padded body{events};
  ASSERT_TRUE(reader.read_envelope(body.bytes())) << events;
  model::EventBatch batch{std::pmr::get_default_resource()};
  ASSERT_TRUE(reader.read_items(ingest::source_instance(), ingest::trusted_now(), Id128{}, batch));
  const auto items = ingest::take_apart(batch);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_NE(items[0].json.find(R"("metric":["bk_monitor.disk-full-gse"],"category":"os","target_type":"HOST",)"
                               R"("target":"10.0.0.1|9","severity":2,"bk_biz_id":2,)"
                               R"("tags":[{"key":"disk","value":"/"},{"key":"free","value":7}],)"
                               R"("dedupe_keys":["tags.disk"],"time":1571291633,"anomaly_time":1571291633,)"
                               R"("status":"ABNORMAL"})"),
            std::string::npos)
      << items[0].json;
}

}  // namespace
}  // namespace tocsin::normalise
