// SPDX-License-Identifier: Apache-2.0
#include "src/config/load.hpp"

#include <gtest/gtest.h>

#include "src/config/keys.hpp"

namespace tocsin::config {
namespace {

BoardProfile board() {
  BoardProfile out = kBoard;
  out.commit_delay_ms = 20;
  return out;
}

std::vector<std::string> problems(std::string_view text) {
  const auto loaded = load(text, "t.toml", board());
  std::vector<std::string> out;
  if (!loaded) {
    for (const Problem& problem : loaded.error()) out.push_back(to_text(problem));
  }
  return out;
}
using Lines = std::vector<std::string>;

constexpr std::string_view kUpstream = "[upstream.a]\nkind = \"mqtt\"\nservers = [\"mqtt://b\"]\n";
std::string upstream_with(std::string_view line) { return std::string(kUpstream).append(line).append("\n"); }

// The library asserts, or takes for unreachable, what these hold.
TEST(ConfigLoad, TextsThatTheLibraryDoesNotExpectAreSyntaxErrors) {
  for (const std::string_view text : {"[}a]\n", "[[}]]\n", "[a\xEF\xBB\x80]\n", "a \xC3\xA9 = 1\n", "\xD2\x99=1\n"}) {
    EXPECT_EQ(problems(text).size(), 1U) << text;
  }
}

TEST(ConfigLoad, AnEmptyTextIsTheDefaultsOfTheBoard) {
  const auto loaded = load("", "t.toml", board());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.store_commit_delay_ms, 20);
  EXPECT_EQ(loaded->config.push_listen, Lines{"0.0.0.0:10205"});
  EXPECT_EQ(loaded->config.admin_listen, Lines{"127.0.0.1:10206"});
  EXPECT_EQ(loaded->config.memory_budget_bytes, kBoard.memory_limit_bytes);
  EXPECT_TRUE(loaded->config.upstreams.empty());
  EXPECT_TRUE(loaded->origins.empty());
}

TEST(ConfigLoad, TheFileWinsOverTheBoard) {
  const auto loaded = load("[store]\n\ncommit_delay_ms = 5\n", "t.toml", board());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.store_commit_delay_ms, 5);
  ASSERT_EQ(loaded->origins.size(), 1U);
  EXPECT_EQ(loaded->origins[0].key, "store.commit_delay_ms");
  EXPECT_EQ(loaded->origins[0].line, 3U);
}

TEST(ConfigLoad, EveryProblemOfAFileIsReportedWithItsLine) {
  EXPECT_EQ(problems("[store]\nretention_hour = 3\nquota_bytes = \"1\"\n[control]\nsocket = 5\n"),
            (Lines{"t.toml:5: control.socket: must be a text in quotes",
                   "t.toml:3: store.quota_bytes: must be a whole number",
                   "t.toml:2: store.retention_hour: unknown key; did you mean store.retention_hours?"}));
}

TEST(ConfigLoad, ASyntaxErrorNamesItsLine) {
  const auto got = problems("[store]\nquota_bytes = \n");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].starts_with("t.toml:2: ")) << got[0];
}

TEST(ConfigLoad, TheSameKeyTwiceIsAnError) {
  const auto got = problems("[store]\ncommit_delay_ms = 1\ncommit_delay_ms = 2\n");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].starts_with("t.toml:3: ")) << got[0];
}

TEST(ConfigLoad, AKeyOfAnotherSectionIsSuggestedThere) {
  EXPECT_EQ(problems("[store]\nbody_bytes_max = 5000\n"),
            Lines{"t.toml:2: store.body_bytes_max: unknown key; did you mean http.push.body_bytes_max?"});
}

TEST(ConfigLoad, AForgottenUnitIsSuggested) {
  EXPECT_EQ(problems("[store]\nquota = 1\n"),
            Lines{"t.toml:2: store.quota: unknown key; did you mean store.quota_bytes?"});
  EXPECT_EQ(problems("[zebra]\ncrossing = 1\n"), Lines{"t.toml:2: zebra.crossing: unknown key"});
}

TEST(ConfigLoad, AQuotedNameIsNotTakenForTwoParts) {
  EXPECT_EQ(problems("\"store.commit_delay_ms\" = 1\n"),
            Lines{"t.toml:1: \"store.commit_delay_ms\": unknown key; did you mean store.commit_delay_ms?"});
}

TEST(ConfigLoad, ASectionIsNotAValue) {
  EXPECT_EQ(problems("store = 1\n"), Lines{"t.toml:1: store: is a section: write [store]"});
  EXPECT_EQ(problems("[http]\npush = \"x\"\n"), Lines{"t.toml:2: http.push: is a section: write [http.push]"});
  EXPECT_TRUE(problems("[store]\n[http]\n[http.push]\n[upstream]\n").empty());
}

TEST(ConfigLoad, TlsListenersMayBeAnywhere) {
  EXPECT_TRUE(problems("[http.push]\ntls_listen = []\n").empty());
  EXPECT_TRUE(problems("[http.push]\ntls_listen = [\"0.0.0.0:10445\"]\n").empty());
  EXPECT_TRUE(problems("[http.push]\nlisten = []\ntls_listen = [\"0.0.0.0:10445\"]\n").empty());
  EXPECT_TRUE(problems("[http.admin]\ntls_listen = [\"0.0.0.0:10446\", \"[::]:10446\"]\n").empty());
}

TEST(ConfigLoad, CertificateAndKeyGoTogether) {
  EXPECT_TRUE(problems("[tls]\ncert_file = \"/c\"\nkey_file = \"/k\"\n").empty());
  EXPECT_EQ(problems("[tls]\ncert_file = \"/c\"\n"),
            Lines{"t.toml:2: tls.key_file: cert_file and key_file go together"});
  EXPECT_EQ(problems("[tls]\nkey_file = \"/k\"\n"),
            Lines{"t.toml:2: tls.cert_file: cert_file and key_file go together"});
}

TEST(ConfigLoad, ARequiredClientCertificateNeedsItsCa) {
  const std::string required = "[http.push]\nclient_certificate = \"required\"\n";
  EXPECT_EQ(problems(required), Lines{"t.toml:2: tls.client_ca_file: is needed for client_certificate = \"required\": "
                                      "the CA that the certificates come from"});
  EXPECT_TRUE(problems(required + "[tls]\nclient_ca_file = \"/ca\"\n").empty());
  EXPECT_TRUE(problems("[http.push]\nclient_certificate = \"off\"\n[tls]\nclient_ca_file = \"/ca\"\n").empty());
}

TEST(ConfigLoad, TlsConnectionsTakeTheirPlaceFromPlainOnes) {
  BoardProfile box = board();
  box.tls_connection_cost = 5;
  box.tls_base_cost = 16;
  box.admin_tls_connections_max = 8;
  const auto shares = [&](std::string_view text) {
    const auto loaded = load(text, "t.toml", box);
    EXPECT_TRUE(loaded);
    return connection_shares(box, loaded->config);
  };
  EXPECT_EQ(shares("").push_plain, 256);
  EXPECT_EQ(shares("").push_tls + shares("").admin_tls, 0);
  const std::string push = "[http.push]\ntls_connections_max = 20\ntls_listen = [\"0.0.0.0:1\"]\n";
  EXPECT_EQ(shares(push).push_tls, 20);
  EXPECT_EQ(shares(push).push_plain, 256 - 5 * 20 - 16);
  const std::string both = push + "[http.admin]\ntls_listen = [\"0.0.0.0:2\"]\n";
  EXPECT_EQ(shares(both).admin_tls, 8);
  EXPECT_EQ(shares(both).push_plain, 256 - 5 * 28 - 16);
  const auto sum_of = [&](std::string_view text) { return sum_bytes(ledger_for(box, load(text, "", box)->config)); };
  EXPECT_EQ(sum_of(both), sum_of(""));
  const auto took = load(push + "connections_max = 120\n", "t.toml", box);
  EXPECT_TRUE(took) << "4 plain ones are left";
  const auto refused = load(push + "connections_max = 119\n", "t.toml", box);
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_text(refused.error()[0]),
            "t.toml:4: http.push.connections_max: is too small: 20 TLS connections count as 5 each, TLS itself as 16; "
            "at least 120 are needed");
}

TEST(ConfigLoad, TheAdminListenerStaysOnLoopback) {
  EXPECT_TRUE(problems("[http.admin]\nlisten = [\"127.0.0.2:1\", \"[::1]:0\"]\n").empty());
  EXPECT_TRUE(problems("[http.admin]\nlisten = []\n").empty());
  const auto got = problems("[http.admin]\nlisten = [\"0.0.0.0:10206\"]\n");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_NE(got[0].find("\"0.0.0.0:10206\": is not a loopback address"), std::string::npos) << got[0];
}

TEST(ConfigLoad, APushListenerIsNeeded) {
  EXPECT_EQ(problems("[http.push]\nlisten = []\n"),
            Lines{"t.toml:2: http.push.listen: is empty, and so is tls_listen: nobody could push"});
}

TEST(ConfigLoad, AnUpstreamIsTakenWhole) {
  const auto loaded = load(
      "[upstream.centre]\nkind=\"mqtt\"\nservers=[\"mqtts://a\",\"mqtt://b:1\"]\ntopic=\"x/{plugin}\"\nformat=\"bk\"\n"
      "protocol=\"3.1.1\"\nusername=\"u\"\npassword_file=\"/p\"\nca_file=\"/ca\"\ncert_file=\"/c\"\nkey_file=\"/k\"\n"
      "forward=\"alerts\"\nbytes_per_second=9\n",
      "t.toml", board());
  ASSERT_TRUE(loaded) << to_text(loaded.error()[0]);
  ASSERT_EQ(loaded->config.upstreams.size(), 1U);
  const Upstream& got = loaded->config.upstreams[0];
  EXPECT_EQ(got.name, "centre");
  EXPECT_EQ(got.servers, (Lines{"mqtts://a", "mqtt://b:1"}));
  EXPECT_EQ(got.topic, "x/{plugin}");
  EXPECT_EQ(got.protocol, MqttProtocol::mqtt_3_1_1);
  EXPECT_EQ(got.username, "u");
  EXPECT_EQ(got.password_file, "/p");
  EXPECT_EQ(got.ca_file, "/ca");
  EXPECT_EQ(got.cert_file, "/c");
  EXPECT_EQ(got.key_file, "/k");
  EXPECT_EQ(got.forward, Forward::alerts);
  EXPECT_EQ(got.bytes_per_second, 9);
}

TEST(ConfigLoad, AnUpstreamNeedsKindAndServers) {
  EXPECT_EQ(problems("[upstream.a]\n"),
            (Lines{"t.toml:1: upstream.a.kind: is missing", "t.toml:1: upstream.a.servers: is missing"}));
}

TEST(ConfigLoad, AMissingKeyIsToldAtItsSection) {
  EXPECT_EQ(problems("[store]\nretention_hours = 5\n\n[upstream.b]\nusername = \"u\"\nkind = \"mqtt\"\n"),
            Lines{"t.toml:4: upstream.b.servers: is missing"});
  EXPECT_EQ(problems("\nupstream.a.kind = \"mqtt\"\n"), Lines{"t.toml:2: upstream.a.servers: is missing"});
  EXPECT_EQ(problems("[upstream]\n\na = {kind = \"mqtt\"}\n"), Lines{"t.toml:3: upstream.a.servers: is missing"});
}

TEST(ConfigLoad, TellsWhichFilesItNamesAndWhere) {
  const auto loaded = load(
      "[upstream.a]\nkind = \"mqtt\"\nservers = [\"mqtts://b\"]\nca_file = \"/ca\"\nusername = \"u\"\n"
      "password_file = \"/p\"\n",
      "t.toml", board());
  ASSERT_TRUE(loaded) << to_text(loaded.error()[0]);
  const auto files = named_files(*loaded);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].key, "upstream.a.ca_file");
  EXPECT_EQ(files[0].line, 4U);
  EXPECT_EQ(files[0].path, "/ca");
  EXPECT_EQ(files[1].key, "upstream.a.password_file");
  EXPECT_EQ(files[1].line, 6U);
  EXPECT_TRUE(named_files(*load("", "", board())).empty());
}

TEST(ConfigLoad, WhatALaterReleaseServesIsRefusedAsSuch) {
  EXPECT_EQ(problems("[upstream.a]\nkind = \"kafka\"\nservers = [\"mqtt://b\"]\n"),
            Lines{"t.toml:2: upstream.a.kind: \"kafka\" is not in this release; one of: mqtt"});
  EXPECT_EQ(problems(upstream_with("format = \"cloudevents\"")),
            Lines{"t.toml:4: upstream.a.format: \"cloudevents\" is not in this release; one of: bk"});
  EXPECT_EQ(problems(upstream_with("bytes_per_day = 5")),
            Lines{"t.toml:4: upstream.a.bytes_per_day: is not in this release"});
}

std::string source_with(const std::string& kind, const std::string& servers, const std::string& topics,
                        const std::string& more = "") {
  return "[source.plant]\nkind = \"" + kind + "\"\nservers = [\"" + servers + "\"]\ntopics = [\"" + topics +
         "\"]\nplugin = \"plant\"\n" + more;
}

TEST(ConfigLoad, SourcesAreRead) {
  const auto loaded = load(source_with("kafka", "a.example:9093", "plant-events",
                                       "from = \"end\"\nusername = \"u\"\npassword_file = \"/p\"\n"
                                       "sasl_mechanism = \"SCRAM-SHA-512\"\nca_file = \"/ca\"\n"),
                           "t.toml", board());
  ASSERT_TRUE(loaded.has_value());
  ASSERT_EQ(loaded->config.sources.size(), 1U);
  const Source& source = loaded->config.sources[0];
  EXPECT_EQ(source.name, "plant");
  EXPECT_EQ(source.kind, SourceKind::kafka);
  EXPECT_EQ(source.from, SourceFrom::end);
  EXPECT_EQ(source.sasl_mechanism, SaslMechanism::scram_sha_512);
  EXPECT_EQ(named_files(*loaded).size(), 2U);
  EXPECT_EQ(ledger_for(board(), loaded->config).body_pool, board().ledger.body_pool - kSourceBytes);
  EXPECT_TRUE(problems(source_with("mqtt", "mqtt://b", "{site}/+/alarm/#")).empty());
}

TEST(ConfigLoad, WhatASourceCannotHaveIsRefusedByName) {
  EXPECT_EQ(problems(source_with("mqtt", "b:1883", "t")),
            Lines{"t.toml:3: source.plant.servers: \"b:1883\": expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"});
  EXPECT_EQ(problems(source_with("kafka", "mqtt://b", "t")),
            Lines{"t.toml:3: source.plant.servers: \"mqtt://b\": expected HOST[:PORT]"});
  EXPECT_EQ(problems(source_with("kafka", "b", "a/+")),
            Lines{"t.toml:4: source.plant.topics: \"a/+\": a topic of Kafka has at most 249 characters of a-z, A-Z, "
                  "0-9, ., _ and -"});
  EXPECT_EQ(problems(source_with("mqtt", "mqtt://b", "{site}/{site}")),
            Lines{"t.toml:4: source.plant.topics: \"{site}/{site}\": {site} stands there twice"});
  EXPECT_EQ(problems(source_with("mqtt", "mqtt://b", "a", "from = \"end\"\n")),
            Lines{"t.toml:6: source.plant.from: is for kafka only"});
  EXPECT_EQ(problems(source_with("kafka", "b", "a", "protocol = \"5\"\n")),
            Lines{"t.toml:6: source.plant.protocol: is for mqtt only"});
  EXPECT_EQ(problems(source_with("mqtt", "mqtts://b", "a")),
            Lines{"t.toml:3: source.plant.ca_file: is required with mqtts://: the CA that the broker's certificate "
                  "comes from"});
  EXPECT_EQ(problems(source_with("kafka", "b", "a", "cert_file = \"/c\"\nkey_file = \"/k\"\n")),
            Lines{"t.toml:6: source.plant.ca_file: is needed with cert_file"});
  EXPECT_EQ(problems("[source.plant]\nkind = \"kafka\"\nservers = [\"b\"]\nplugin = \"p\"\n"),
            Lines{"t.toml:1: source.plant.topics: is missing"});
}

TEST(ConfigLoad, SourcesThatLeaveNoRoomForOneBodyAreRefused) {
  std::string text;
  for (const char* name : {"a", "b", "c", "d"}) {
    text += std::string("[source.") + name + "]\nkind = \"kafka\"\nservers = [\"b\"]\ntopics = [\"t\"]\n" +
            "plugin = \"p\"\n";
  }
  const auto got = problems(text);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_NE(got[0].find("memory.budget_bytes: is too small"), std::string::npos) << got[0];
  EXPECT_TRUE(problems("[http.push]\nconnections_max = 128\n" + text).empty());
  EXPECT_EQ(problems("[http.push]\nconnections_max = 128\n" + text + "[source.e]\nkind = \"kafka\"\n"),
            Lines{"t.toml:24: source.e: at most 4 sources"});
}

TEST(ConfigLoad, UpstreamNamesAreChecked) {
  for (const std::string name : {"1a", "Up", "\"a.b\"", "\"\"", "a23456789012345678901234567890123"}) {
    const auto got = problems("[upstream." + name + "]\nkind = \"mqtt\"\nservers = [\"mqtt://b\"]\n");
    ASSERT_EQ(got.size(), 1U) << name;
    EXPECT_NE(got[0].find("a name begins with a-z"), std::string::npos) << got[0];
  }
  EXPECT_TRUE(
      problems("[upstream.a2345678901234567890123456789_-2]\nkind = \"mqtt\"\nservers = [\"mqtt://b\"]\n").empty());
}

TEST(ConfigLoad, EightUpstreamsAreTakenAndNotNine) {
  std::string text;
  for (char c = 'a'; c < 'i'; ++c)
    text.append("[upstream.").append(1, c).append("]\nkind=\"mqtt\"\nservers=[\"mqtt://b\"]\n");
  EXPECT_TRUE(problems(text).empty());
  text += "[upstream.i]\nkind=\"mqtt\"\nservers=[\"mqtt://b\"]\n";
  EXPECT_EQ(problems(text), Lines{"t.toml:26: upstream.i: at most 8 upstreams"});
}

TEST(ConfigLoad, TlsToABrokerNeedsItsCa) {
  const auto got = problems("[upstream.a]\nkind = \"mqtt\"\nservers = [\"mqtts://b\"]\n");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].starts_with("t.toml:3: upstream.a.ca_file: is required with mqtts://")) << got[0];
}

TEST(ConfigLoad, SettingsWithoutEffectAreRefused) {
  EXPECT_EQ(problems(upstream_with("ca_file = \"/ca\"")),
            Lines{"t.toml:4: upstream.a.ca_file: has no effect, since no server is mqtts://"});
  EXPECT_EQ(problems(upstream_with("password_file = \"/p\"")),
            Lines{"t.toml:4: upstream.a.username: is needed with password_file"});
}

TEST(ConfigLoad, TopicsKnowTheirPlaceholders) {
  for (const std::string good : {"a/{appliance}/{name}/{data_id}/{plugin}/{upstream_data_id}", "x"}) {
    EXPECT_TRUE(problems(upstream_with("topic = \"" + good + "\"")).empty()) << good;
  }
  for (const std::string bad : {"a/{dataid}", "a/{", "a}", "a/#", "+/a", "$SYS/a", "", "a\\u0000b"}) {
    EXPECT_EQ(problems(upstream_with("topic = \"" + bad + "\"")).size(), 1U) << bad;
  }
}

TEST(ConfigLoad, ABudgetMustHoldTheConnectionsAndOneBody) {
  EXPECT_TRUE(problems("[memory]\nbudget_bytes = 8250000\n").empty());
  EXPECT_TRUE(problems("[memory]\nbudget_bytes = 6291456\n[http.push]\nconnections_max = 30\n").empty());
  const auto got = problems("[memory]\nbudget_bytes = 6291456\n");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].starts_with("t.toml:2: memory.budget_bytes: is too small: 256 connections")) << got[0];
}

TEST(ConfigLoad, TheLedgerStaysWithinTheBudget) {
  const auto loaded = load("[memory]\nbudget_bytes = 8250000\n", "t.toml", board());
  ASSERT_TRUE(loaded);
  const Ledger ledger = ledger_for(board(), loaded->config);
  EXPECT_LE(sum_bytes(ledger), 8250000);
  EXPECT_GE(ledger.body_pool, loaded->config.push_body_bytes_max);
  EXPECT_EQ(sum_bytes(ledger_for(board(), defaults(board()))), sum_bytes(board().ledger));
}

TEST(ConfigLoad, TheSizeOfATextIsBounded) {
  std::string text(kTextBytesMax, '#');
  EXPECT_TRUE(problems(text).empty());
  text += '#';
  EXPECT_EQ(problems(text), Lines{"t.toml: is larger than 65536 bytes"});
}

TEST(ConfigLoad, ReportedProblemsAreBounded) {
  std::string text = "[store]\n";
  for (int i = 0; i < 100; ++i) text += "x" + std::to_string(i) + " = 1\n";
  const auto got = problems(text);
  ASSERT_EQ(got.size(), kProblemsMax + 1);
  EXPECT_EQ(got.back(), "t.toml: and 36 more problems");
}

TEST(ConfigLoad, DeepTextsAreRefusedAndHarmless) {
  std::string dotted = "a";
  for (int i = 0; i < 20'000; ++i) dotted += ".a";
  EXPECT_EQ(problems("[" + dotted + "]\n").size(), 1U);
  EXPECT_EQ(problems(dotted + " = 1\n").size(), 1U);
  EXPECT_EQ(problems("a = " + std::string(30'000, '[') + "\n").size(), 1U);
  EXPECT_EQ(problems("[a.b.c.d.e.f]\ng = 1\n").size(), 1U);
}

TEST(ConfigLoad, ATextCutAnywhereIsRefusedOrTaken) {
  const std::string text =
      upstream_with("topic = \"x/{plugin}\"\n[store]\ncommit_delay_ms = 5\n[[x]]\ny = {a = [1, 2.5, true]}");
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const auto loaded = load(std::string_view(text).substr(0, n), "t.toml", board());
    EXPECT_TRUE(loaded || !loaded.error().empty()) << n;
  }
}

TEST(ConfigLoad, TheEmbeddedFormKeepsStoreAndSocketTogether) {
  const auto loaded = load_embedded("./var", board());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.data_dir, "./var");
  EXPECT_EQ(loaded->config.control_socket, "./var/control.sock");
  EXPECT_TRUE(load_embedded("/" + std::string(93, 'd'), board()));
  EXPECT_FALSE(load_embedded("/" + std::string(94, 'd'), board()));
  EXPECT_FALSE(load_embedded("", board()));
}

// Every row: both ends of its bounds are taken, one beyond either is not.
std::string literal_of(const Key<Config>& key, std::int64_t size) {
  if (std::holds_alternative<std::int64_t Config::*>(key.field)) return std::to_string(size);
  if (std::holds_alternative<std::string Config::*>(key.field)) {
    std::string text = "\"";
    return text.append(static_cast<std::size_t>(size), 'x').append("\"");
  }
  std::string list = "[";
  for (std::int64_t i = 0; i < size; ++i) list += "\"127.0.0.1:" + std::to_string(100 + i) + "\",";
  return list + "]";
}

TEST(ConfigKeys, EveryBoundIsKept) {
  for (const Key<Config>& key : config_keys()) {
    const std::int64_t max = max_of(key, board());
    const auto takes = [&](std::int64_t size) {
      const std::string text = std::string(key.name) + " = " + literal_of(key, size) + "\n";
      const auto loaded = load(text, "t.toml", board());
      if (loaded) return true;
      // Bounds of the key kept; what goes together with what is another rule.
      const std::string& why = loaded.error()[0].message;
      return why.starts_with("is too small: ") || why.starts_with("is empty, and so is tls_listen") ||
             why == "cert_file and key_file go together";
    };
    if (!key.words.empty()) continue;
    EXPECT_TRUE(takes(key.min)) << key.name;
    EXPECT_TRUE(takes(max)) << key.name;
    EXPECT_FALSE(key.min > 0 && takes(key.min - 1)) << key.name;
    if (!std::holds_alternative<std::string Config::*>(key.field) && key.min == 0) continue;
    EXPECT_FALSE(takes(max + 1)) << key.name;
  }
}

TEST(ConfigKeys, EveryDefaultIsWithinItsBounds) {
  const Config config = defaults(board());
  for (const Key<Config>& key : config_keys()) {
    const std::string text = std::string(key.name) + " = " + value_text(key, config) + "\n";
    EXPECT_TRUE(load(text, "t.toml", board())) << text;
  }
}

TEST(ConfigKeys, NoNameStandsTwice) {
  for (const Key<Config>& a : config_keys()) {
    EXPECT_EQ(
        std::count_if(config_keys().begin(), config_keys().end(), [&](const auto& b) { return a.name == b.name; }), 1);
  }
  for (const Key<Upstream>& a : upstream_keys()) {
    EXPECT_EQ(
        std::count_if(upstream_keys().begin(), upstream_keys().end(), [&](const auto& b) { return a.name == b.name; }),
        1);
  }
}

TEST(ConfigLoad, ASyslogSectionNamesWhereItListensAndWhoseEventsTheyAre) {
  const auto loaded = load(
      "[syslog.site]\nlisten = [\"udp://0.0.0.0:514\", \"unix:///run/log\"]\nplugin = \"logs\"\n"
      "target = \"hostname\"\n[syslog.other]\nlisten = [\"tcp://[::1]:514\"]\nplugin = \"7\"\n",
      "t.toml", board());
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->config.syslogs.size(), 2U);
  const Syslog& site = loaded->config.syslogs[1];
  EXPECT_EQ(site.name, "site");
  EXPECT_EQ(site.listen, (Lines{"udp://0.0.0.0:514", "unix:///run/log"}));
  EXPECT_EQ(site.plugin, "logs");
  EXPECT_EQ(site.event_name, "syslog");
  EXPECT_EQ(site.target, SyslogTarget::hostname);
  EXPECT_EQ(loaded->config.syslogs[0].target, SyslogTarget::address);
}

TEST(ConfigLoad, WhatIsWrongWithASyslogSectionIsSaid) {
  EXPECT_EQ(problems("[syslog.a]\n"),
            (Lines{"t.toml:1: syslog.a.listen: is missing", "t.toml:1: syslog.a.plugin: is missing"}));
  const std::string good = "[syslog.a]\nlisten = [\"udp://0.0.0.0:514\"]\nplugin = \"p\"\n";
  EXPECT_TRUE(problems(good).empty());
  EXPECT_EQ(problems(good + "event_nam = \"x\"\n"),
            Lines{"t.toml:4: syslog.a.event_nam: unknown key; did you mean syslog.a.event_name?"});
  EXPECT_EQ(problems(good + "event_name = \"\u00e9\"\n"),
            Lines{"t.toml:4: syslog.a.event_name: must be printable ASCII"});
  EXPECT_EQ(problems(good + "target = \"x\"\n"), Lines{"t.toml:4: syslog.a.target: must be one of: address, hostname"});
  EXPECT_EQ(problems("[syslog.a]\nlisten = [\"0.0.0.0:514\"]\nplugin = \"p\"\n"),
            Lines{"t.toml:2: syslog.a.listen: \"0.0.0.0:514\": expected udp://ADDRESS:PORT, tcp://ADDRESS:PORT, "
                  "unix:///PATH or unix-stream:///PATH"});
  EXPECT_EQ(problems("[syslog.a]\nlisten = []\nplugin = \"p\"\n"),
            Lines{"t.toml:2: syslog.a.listen: must have 1 to 4 entries"});
  std::string five;
  for (const char name : {'a', 'b', 'c', 'd', 'e'})
    five.append(good).replace(five.size() - good.size() + 8, 1, 1, name);
  EXPECT_EQ(problems(five), Lines{"t.toml:14: syslog.e: at most 4 syslogs"});
}

}  // namespace
}  // namespace tocsin::config
