// SPDX-License-Identifier: Apache-2.0
// What other systems send, from the body to the events that the reader of standard events keeps.
#include <gtest/gtest.h>

#include "tests/unit/ingest/world.hpp"
#include "tests/unit/normalise/support.hpp"

namespace tocsin::normalise {
namespace {

/// Normalises, and reads the result as the events of an instance; each stored event on a line, or what is refused.
std::string stored(Bench& bench, std::string_view document) {
  const std::string events = bench.run(document);
  if (events.front() != '[') return events;
  gnutls::Crypto crypto;
  ingest::StandardReader reader{bench.parser, crypto, {}};
  const json::Padded body{events};
  const auto envelope = reader.read_envelope(body.bytes());
  if (!envelope) return envelope.error().message;
  model::EventBatch batch{std::pmr::get_default_resource()};
  const auto read = reader.read_items(ingest::source_instance(), ingest::trusted_now(), Id128{}, batch);
  if (!read) return read.error().message;
  std::string out;
  for (const auto& item : ingest::take_apart(batch)) out += item.json + "\n";
  return out;
}
std::string stored(std::string_view profile, std::string_view document) {
  Bench bench;
  const std::string wrong = bench.use(profile);
  return wrong.empty() ? stored(bench, document) : "?" + wrong;
}

// The event of the documentation, sent as it is.
TEST(NormaliseVendors, TheDocumentedStandardEvent) {
  Bench bench;
  ASSERT_EQ(bench.use(model::Profile{}), "");
  bench.options.strict = true;
  EXPECT_EQ(stored(bench, R"({"alert_name":"CPU使用率过高","event_id":"event-001",
      "description":"服务器CPU使用率持续超过90%","metric":"cpu_usage","category":"os","target_type":"host",
      "target":"192.168.1.100","severity":1,"time":"2023-10-01T12:00:00Z"})"),
            R"({"alert_name":"CPU使用率过高","event_id":"event-001","description":"服务器CPU使用率持续超过90%",)"
            R"("metric":["cpu_usage"],"category":"os","target_type":"HOST","target":"192.168.1.100","severity":1,)"
            R"("bk_biz_id":2,"time":1696161600,"anomaly_time":1696161600,"status":"ABNORMAL"})"
            "\n");
}

// The same facts under other names: what the time field needs upstream is its option.
TEST(NormaliseVendors, TheDocumentedEventUnderOtherNames) {
  EXPECT_EQ(stored(R"j({"normalization_config":[
      {"field":"alert_name","expr":"name"},{"field":"event_id","expr":"id"},{"field":"severity","expr":"level"},
      {"field":"target","expr":"join('|', [ip, to_string(cloud)])"},{"field":"target_type","expr":"'HOST'"},
      {"field":"time","expr":"at","option":{"time_format":"datetime","time_zone":8}}]})j",
                   R"({"name":"CPU","id":7,"level":"2","ip":"192.168.1.100","cloud":0,"at":"2023-10-01 20:00:00"})"),
            R"({"alert_name":"CPU","event_id":"7","category":"other_rt","target_type":"HOST",)"
            R"("target":"192.168.1.100|0","severity":2,"bk_biz_id":2,"time":1696161600,"anomaly_time":1696161600,)"
            R"("status":"ABNORMAL"})"
            "\n");
}

// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
TEST(NormaliseVendors, Alertmanager) {
  const std::string_view profile = R"j({
    "ingest_config": {"source_format":"json","multiple_events":true,"events_path":"alerts"},
    "normalization_config": [
      {"field":"alert_name","expr":"labels.alertname"},
      {"field":"event_id","expr":"fingerprint"},
      {"field":"description","expr":"annotations.description || annotations.summary"},
      {"field":"target","expr":"split(labels.instance, ':')[0]"},
      {"field":"target_type","expr":"'HOST'"},
      {"field":"severity","expr":"get_field({critical: '1', warning: '2', info: '3'}, labels.severity)"},
      {"field":"status","expr":"get_field({firing: 'ABNORMAL', resolved: 'RECOVERED'}, status)"},
      {"field":"time","expr":"get_field({firing: startsAt, resolved: endsAt}, status)"},
      {"field":"anomaly_time","expr":"startsAt"},
      {"field":"tags","expr":"annotations"},
      {"field":"dimensions","expr":"labels"}]})j";
  const std::string_view document = R"({"version":"4","groupKey":"{}:{alertname=\"DiskFull\"}","truncatedAlerts":0,
    "status":"firing","receiver":"tocsin","groupLabels":{"alertname":"DiskFull"},"commonLabels":{},
    "commonAnnotations":{},"externalURL":"http://am:9093","alerts":[
    {"status":"firing","labels":{"alertname":"DiskFull","instance":"10.0.0.7:9100","severity":"critical"},
     "annotations":{"summary":"disk is full"},"startsAt":"2024-05-01T10:00:00.123Z","endsAt":"0001-01-01T00:00:00Z",
     "generatorURL":"http://p/graph","fingerprint":"1a30ba71cca2921f"},
    {"status":"resolved","labels":{"alertname":"DiskFull","instance":"10.0.0.8:9100"},
     "annotations":{},"startsAt":"2024-05-01T12:00:00+02:00","endsAt":"2024-05-01T10:05:00Z",
     "generatorURL":"","fingerprint":"1a30ba71cca29220"}]})";
  EXPECT_EQ(
      stored(profile, document),
      R"({"alert_name":"DiskFull","event_id":"1a30ba71cca2921f","description":"disk is full","category":"other_rt",)"
      R"("target_type":"HOST","target":"10.0.0.7","severity":1,"bk_biz_id":2,)"
      R"("tags":[{"key":"alertname","value":"DiskFull"},{"key":"instance","value":"10.0.0.7:9100"},)"
      R"({"key":"severity","value":"critical"},{"key":"summary","value":"disk is full"}],)"
      R"("dedupe_keys":["tags.alertname","tags.instance","tags.severity"],)"
      R"("time":1714557600,"anomaly_time":1714557600,"status":"ABNORMAL"})"
      "\n"
      R"({"alert_name":"DiskFull","event_id":"1a30ba71cca29220","category":"other_rt",)"
      R"("target_type":"HOST","target":"10.0.0.8","severity":3,"bk_biz_id":2,)"
      R"("tags":[{"key":"alertname","value":"DiskFull"},{"key":"instance","value":"10.0.0.8:9100"}],)"
      R"("dedupe_keys":["tags.alertname","tags.instance"],)"
      R"("time":1714557900,"anomaly_time":1714557600,"status":"RECOVERED"})"
      "\n");
}

// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
TEST(NormaliseVendors, Grafana) {
  const std::string_view profile = R"j({
    "ingest_config": {"multiple_events":true,"events_path":"alerts"},
    "normalization_config": [
      {"field":"event_id","expr":"fingerprint"},
      {"field":"description","expr":"annotations.summary"},
      {"field":"status","expr":"get_field({resolved: 'RECOVERED'}, status)"},
      {"field":"time","expr":"startsAt","option":{"time_format":"rfc3339"}},
      {"field":"tags","expr":"merge(labels, {values: values})"},
      {"field":"dimensions","expr":"{zone: labels.zone}"}],
    "alert_config": [
      {"name":"Memory","rules":[{"key":"labels.alertname","value":["(?i)memory"],"method":"reg","condition":""}]},
      {"name":"Other"}]})j";
  const std::string_view document = R"({"receiver":"r","status":"firing","orgId":1,"title":"t","state":"alerting",
    "alerts":[{"status":"firing","labels":{"alertname":"High memory usage","team":"blue","zone":"us-1"},
      "annotations":{"summary":"in us-1"},"startsAt":"2021-10-12T09:51:03.157076+02:00","endsAt":"0001-01-01T00:00:00Z",
      "fingerprint":"c6eadffa33fcdf37","silenceURL":"","dashboardURL":"","panelURL":"","values":{"B":44.5,"C":1}},
      {"status":"resolved","labels":{"alertname":"High CPU usage"},"annotations":{},
       "startsAt":"2021-10-12T09:56:03.157076+02:00","fingerprint":"bc97ff14869b13e3","values":null}]})";
  EXPECT_EQ(stored(profile, document),
            R"({"alert_name":"Memory","event_id":"c6eadffa33fcdf37","description":"in us-1","category":"other_rt",)"
            R"("target_type":"","target":"","severity":3,"bk_biz_id":2,)"
            R"("tags":[{"key":"alertname","value":"High memory usage"},{"key":"team","value":"blue"},)"
            R"({"key":"values","value":"{\"B\":44.5,\"C\":1}"},{"key":"zone","value":"us-1"}],)"
            R"("dedupe_keys":["tags.zone"],"time":1634025063,"anomaly_time":1634025063,"status":"ABNORMAL"})"
            "\n"
            R"({"alert_name":"Other","event_id":"bc97ff14869b13e3","category":"other_rt",)"
            R"("target_type":"","target":"","severity":3,"bk_biz_id":2,)"
            R"("tags":[{"key":"alertname","value":"High CPU usage"}],)"
            R"("dedupe_keys":["tags.zone"],"time":1634025363,"anomaly_time":1634025363,"status":"RECOVERED"})"
            "\n");
}

// A webhook's parameters are chosen by whoever makes the media type; these are macros of
// https://www.zabbix.com/documentation/current/en/manual/appendix/macros/supported_by_location
TEST(NormaliseVendors, Zabbix) {
  Bench bench;
  ASSERT_EQ(bench.use(R"j({
    "normalization_config": [
      {"field":"alert_name","expr":"event_name"},
      {"field":"event_id","expr":"event_id"},
      {"field":"description","expr":"trigger_description"},
      {"field":"target","expr":"join('|', [host_ip, '0'])"},
      {"field":"target_type","expr":"'host'"},
      {"field":"severity","expr":"get_field({\"5\": '1', \"4\": '1', \"3\": '2', \"2\": '2'}, event_nseverity)"},
      {"field":"status","expr":"get_field({\"0\": 'RECOVERED', \"1\": 'ABNORMAL'}, event_value)"},
      {"field":"time","expr":"join(' ', [event_date, event_time])","option":{"time_format":"datetime","time_zone":8}},
      {"field":"tags","expr":"to_json(event_tagsjson)[].{key: tag, value: value}"},
      {"field":"dimensions","expr":"{host: host_name, trigger: trigger_id}"}]})j"),
            "");
  bench.options.own_cloud_id = 3;
  EXPECT_EQ(stored(bench, R"({"event_value":"1","event_id":"7001","event_name":"High load","event_nseverity":"4",
      "event_date":"2024.05.01","event_time":"18:00:00","host_name":"db1","host_ip":"10.0.0.9","trigger_id":"15",
      "trigger_description":"load > 5","event_tagsjson":"[{\"tag\":\"scope\",\"value\":\"performance\"}]"})"),
            R"({"alert_name":"High load","event_id":"7001","description":"load > 5","category":"other_rt",)"
            R"("target_type":"HOST","target":"10.0.0.9|3","severity":1,"bk_biz_id":2,)"
            R"("tags":[{"key":"host","value":"db1"},{"key":"scope","value":"performance"},)"
            R"({"key":"trigger","value":"15"}],"dedupe_keys":["tags.host","tags.trigger"],)"
            R"("time":1714557600,"anomaly_time":1714557600,"status":"ABNORMAL"})"
            "\n");
  EXPECT_EQ(stored(bench, R"({"event_value":"0","event_id":"7001","event_name":"High load","event_nseverity":"9",
      "event_date":"?","event_time":"","host_name":"db1","host_ip":"10.0.0.9","trigger_id":"15","event_tagsjson":""})"),
            R"({"alert_name":"High load","event_id":"7001","category":"other_rt",)"
            R"("target_type":"HOST","target":"10.0.0.9|3","severity":3,"bk_biz_id":2,)"
            R"("tags":[{"key":"host","value":"db1"},{"key":"trigger","value":"15"}],)"
            R"("dedupe_keys":["tags.host","tags.trigger"],)"
            R"("time":1700000000,"anomaly_time":1700000000,"status":"RECOVERED"})"
            "\n");
}

// As a text body comes out of the format readers.
TEST(NormaliseVendors, PlainText) {
  EXPECT_EQ(stored(R"({"ingest_config":{"source_format":"text"},"normalization_config":[
      {"field":"alert_name","expr":"regex_extract(text, '^\\[(\\w+)\\] (.*)')[1]"},
      {"field":"description","expr":"text"}]})",
                   R"({"text":"[DISK] /var is full"})"),
            R"({"alert_name":"DISK","event_id":"00000000-0000-0000-0000-000000000000-0",)"
            R"("description":"[DISK] /var is full","category":"other_rt","target_type":"","target":"","severity":3,)"
            R"("bk_biz_id":2,"time":1700000000,"anomaly_time":1700000000,"status":"ABNORMAL"})"
            "\n");
}

}  // namespace
}  // namespace tocsin::normalise
