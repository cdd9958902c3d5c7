// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using port::Listener;
using port::Method;

class Operator : public ApiTest {
 protected:
  /// Every refusal has the envelope, the status twice, and names what is wrong.
  void expect_refused(const port::HttpResponse& reply, std::uint16_t status, std::string_view message) {
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(without_id(reply.body), R"({"result":false,"code":)" + std::to_string(status) + R"(,"message":")" +
                                          std::string(message) + R"(","request_id":"ID","data":null})");
  }
  std::string data_of(const port::HttpResponse& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    const std::size_t at = reply.body.find(R"("data":)");
    return at == std::string::npos ? "" : reply.body.substr(at + 7, reply.body.size() - at - 8);
  }
};

TEST_F(Operator, ListsInstancesWithoutTheirTokens) {
  EXPECT_EQ(
      data_of(get("/api/v1/plugins/demo")),
      R"({"data_id":1500001,"plugin_id":"demo","name":"Demo","bk_biz_id":2,"type":"event","alert":0,"lane":"normal",)"
      R"("max_rate":-1,"enabled":true,"upstream_data_id":null,"plugin_type":"http_push","note":"","strict":false,)"
      R"("rewrite_cloud":false,"client_cert":"","version":"","config_params":[],"ingest_config":{},"normalization_config":[],)"
      R"("clean_configs":[],"alert_config":[],"old_token_holds":false,"old_token_until":null,"rejects":0,)"
      R"("seen":"never","last_seen":null,"last_seen_ms":null,"silent_s":null,)"
      R"("events_per_minute":0,"requests_per_minute":0,"rejects_per_minute":0,)"
      R"("created":"1970-01-01T00:00:00.000Z","created_ms":0,)"
      R"("updated":"1970-01-01T00:00:00.000Z","updated_ms":0})");
  EXPECT_EQ(data_of(get("/api/v1/plugins")).find(R"({"items":[{"data_id":1500001,)"), 0U);
  EXPECT_EQ(get("/api/v1/plugins/1500001").status, 200);
  expect_refused(get("/api/v1/plugins/1500009"), 404, "no plugin instance has this data id");
  expect_refused(get("/api/v1/plugins/other"), 404, "no plugin instance has this id");
  add(instance(1500002, "demo", "x"));
  expect_refused(get("/api/v1/plugins/demo"), 409,
                 "several instances have this plugin id; name one by its data id: 1500001, 1500002");
}

TEST_F(Operator, CreatesAnInstanceAndShowsTheTokenOnce) {
  EXPECT_EQ(post("/api/v1/plugins", R"({"plugin_id":"boiler"})").status, 0) << "waits for the turn";
  const auto& change = last<core::ChangeInstance>();
  EXPECT_EQ(change.change, core::InstanceChange::create);
  EXPECT_EQ(change.instance.data_id, 0) << "the core allocates";
  EXPECT_EQ(change.instance.name, "boiler");
  EXPECT_EQ(change.instance.bk_biz_id, 2);
  EXPECT_EQ(change.actor, "uid:1000");
  EXPECT_EQ(change.shown_token.size(), 32U);
  EXPECT_EQ(change.instance.token_hash, registry::token_hash(change.shown_token, crypto, secret));
  api->on_answer({daemon.inputs.back().reply, {}, R"({"data_id":10000001})"});
  EXPECT_EQ(without_id(answers.given.at(next_slot).body),
            R"({"result":true,"code":200,"message":"success","request_id":"ID","data":{"data_id":10000001}})");
}

TEST_F(Operator, CreatesAnInstanceAsTold) {
  (void)post("/api/v1/plugins", R"({"plugin_id":"b_1","name":"锅炉","bk_biz_id":7,"type":"event","data_id":2147483647,)"
                                R"("token":"given-token","alert":3,"lane":"critical","max_rate":0})");
  const auto& i = last<core::ChangeInstance>().instance;
  EXPECT_EQ(i.name, "锅炉");
  EXPECT_EQ(i.bk_biz_id, 7);
  EXPECT_EQ(i.data_id, 2147483647);
  EXPECT_EQ(i.upstream_data_id, 2147483647) << "a given id is that of the centre";
  EXPECT_EQ(i.alert, 3);
  EXPECT_EQ(i.lane, model::Lane::critical);
  EXPECT_EQ(i.max_rate, 0);
  EXPECT_EQ(i.token_hash, registry::token_hash("given-token", crypto, secret));
}

struct BadBody {
  const char* name;
  const char* path;
  std::string body;
  const char* message;
};
class RefusedInput : public Operator, public ::testing::WithParamInterface<BadBody> {};

TEST_P(RefusedInput, IsAnswered400NamingMemberAndRule) {
  expect_refused(post(GetParam().path, GetParam().body), 400, GetParam().message);
  EXPECT_TRUE(daemon.inputs.empty());
}
constexpr const char* kPlugins = "/api/v1/plugins";
constexpr const char* kUsers = "/api/v1/users";
INSTANTIATE_TEST_SUITE_P(
    Bodies, RefusedInput,
    ::testing::Values(
        BadBody{"NoPluginId", kPlugins, "{}", "plugin_id: missing"},
        BadBody{"EmptyPluginId", kPlugins, R"({"plugin_id":""})",
                "plugin_id: must be a string of 1 to 64 bytes without control characters"},
        BadBody{"PluginIdTooLong", kPlugins, R"({"plugin_id":")" + std::string(65, 'a') + R"("})",
                "plugin_id: must be a string of 1 to 64 bytes without control characters"},
        BadBody{"PluginIdWithDigitFirst", kPlugins, R"({"plugin_id":"1a"})",
                "plugin_id: must match ^[a-zA-Z][a-zA-Z0-9_]*$"},
        BadBody{"UnknownMember", kPlugins, R"({"plugin_id":"a","tokn":"x"})",
                "tokn: not known here; the members are plugin_id, name, bk_biz_id, type, data_id, token, alert, lane, "
                "max_rate, "
                "upstream_data_id, enabled, plugin_type, strict, rewrite_cloud, client_cert, version, config_params, "
                "ingest_config, "
                "normalization_config, clean_configs, alert_config"},
        BadBody{"DataIdZero", kPlugins, R"({"plugin_id":"a","data_id":0})",
                "data_id: must be a whole number from 1 to 2147483647"},
        BadBody{"DataIdAsText", kPlugins, R"({"plugin_id":"a","data_id":"5"})",
                "data_id: must be a whole number from 1 to 2147483647"},
        BadBody{"Type", kPlugins, R"({"plugin_id":"a","type":"log"})",
                R"(type: must be one of \"event\" \"time_series\" \"alert_source\")"},
        BadBody{"Alert", kPlugins, R"({"plugin_id":"a","alert":4})", "alert: must be a whole number from 0 to 3"},
        BadBody{"AlertOfASeries", kPlugins, R"({"plugin_id":"a","type":"time_series","alert":1})",
                "alert: only instances of type event raise alerts from their custom events"},
        BadBody{"Lane", kPlugins, R"({"plugin_id":"a","lane":"alert"})",
                R"(lane: must be one of \"normal\" \"critical\")"},
        BadBody{"ClientCertTooShort", kPlugins, R"({"plugin_id":"a","client_cert":"ab"})",
                "client_cert: must be the SHA-256 fingerprint of a certificate, 64 hex digits, or empty"},
        BadBody{"ClientCertOfZeros", kPlugins, R"({"plugin_id":"a","client_cert":")" + std::string(64, '0') + R"("})",
                "client_cert: must be the SHA-256 fingerprint of a certificate, 64 hex digits, or empty"},
        BadBody{"TokenBeyondAscii", kPlugins, R"({"plugin_id":"a","token":"é"})", "token: must be printable ASCII"},
        BadBody{"OverlapNegative", "/api/v1/plugins/demo/rotate", R"({"overlap_s":-1})",
                "overlap_s: must be a whole number from 0 to 2592000"},
        BadBody{"OverlapBeyondAMonth", "/api/v1/plugins/demo/rotate", R"({"overlap_s":2592001})",
                "overlap_s: must be a whole number from 0 to 2592000"},
        BadBody{"TokenTooLong", kPlugins, R"({"plugin_id":"a","token":")" + std::string(513, 'a') + R"("})",
                "token: must be a string of 1 to 512 bytes without control characters"},
        BadBody{"List", kPlugins, "[]", "the body must be a JSON object"},
        BadBody{
            "UpdateOfTheType", "/api/v1/plugins/demo", R"({"type":"event"})",
            "type: not known here; the members are name, bk_biz_id, alert, lane, max_rate, upstream_data_id, enabled, "
            "plugin_type, strict, rewrite_cloud, client_cert, version, config_params, ingest_config, "
            "normalization_config, "
            "clean_configs, "
            "alert_config"},
        BadBody{"EnabledAsNumber", "/api/v1/plugins/demo", R"({"enabled":1})", "enabled: must be true or false"},
        BadBody{"DeleteWithMembers", "/api/v1/plugins/demo/delete", R"({"force":true})",
                "force: not known here; the body must be empty"},
        BadBody{"UserWithoutRole", kUsers, R"({"name":"a"})", "role: missing"},
        BadBody{"UserName", kUsers, R"({"name":"a/b","role":"viewer"})",
                "name: 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit"},
        BadBody{"ShortPassword", kUsers, R"({"name":"a","role":"viewer","password":"123456789"})",
                "password: must be a string of 10 to 256 bytes without control characters"},
        BadBody{"Role", "/api/v1/tokens", R"({"name":"a","role":"root"})",
                R"(role: must be one of \"viewer\" \"operator\" \"admin\")"},
        BadBody{"ExpiredToken", "/api/v1/tokens", R"({"name":"a","role":"admin","expires":"2001-01-01T00:00:00Z"})",
                "expires: must be in the future"},
        BadBody{"Expires", "/api/v1/tokens", R"({"name":"a","role":"admin","expires":"soon"})",
                "expires: must be an RFC 3339 time such as 2026-01-31T08:00:00Z or epoch milliseconds"},
        BadBody{"Time", "/api/v1/clock", R"({"time":"noon"})",
                "time: must be an RFC 3339 time such as 2026-01-31T08:00:00Z or epoch milliseconds"},
        BadBody{"TwoTimes", "/api/v1/clock", R"({"time":1,"unix_ms":1})", "unix_ms: give either this or time"},
        BadBody{"NoIds", "/api/v1/alerts/ack", R"({"message":"m"})", "ids: missing"},
        BadBody{"EmptyIds", "/ack_alert", R"({"ids":[]})", "ids: must be a list of 1 to 200 strings of 1 to 40 bytes"},
        BadBody{"NumbersAsIds", "/ack_alert", R"({"ids":[1]})",
                "ids: must be a list of 1 to 200 strings of 1 to 40 bytes"},
        BadBody{"LongMessage", "/ack_alert", R"({"ids":["1"],"message":")" + std::string(513, 'm') + R"("})",
                "message: must be a string of 0 to 512 bytes without control characters"}),
    [](const auto& row) { return row.param.name; });

TEST_F(Operator, BrokenJsonIsSaidWithItsPlace) {
  const auto reply = post("/api/v1/plugins", "{\"plugin_id\":");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("the body is not JSON: "), std::string::npos);
}

TEST_F(Operator, ChangesAnInstance) {
  (void)post("/api/v1/plugins/demo", R"({"max_rate":-2,"enabled":false,"upstream_data_id":0})");
  const auto& change = last<core::ChangeInstance>();
  EXPECT_EQ(change.change, core::InstanceChange::update);
  EXPECT_EQ(change.instance.max_rate, -2);
  EXPECT_EQ(change.enabled, false);
  EXPECT_EQ(change.instance.name, "Demo") << "what is not said stays";
  (void)post("/api/v1/plugins/1500001/disable", "");
  EXPECT_EQ(last<core::ChangeInstance>().change, core::InstanceChange::disable);
  (void)post("/api/v1/plugins/1500001/enable", "{}");
  EXPECT_EQ(last<core::ChangeInstance>().change, core::InstanceChange::enable);
  (void)post("/api/v1/plugins/demo/delete", "");
  EXPECT_EQ(last<core::ChangeInstance>().change, core::InstanceChange::remove);
}

TEST_F(Operator, RotatesATokenWithADayOfOverlapUnlessTold) {
  (void)post("/api/v1/plugins/demo/rotate", "");
  const auto& random_one = last<core::ChangeInstance>();
  EXPECT_EQ(random_one.change, core::InstanceChange::rotate);
  EXPECT_EQ(random_one.instance.data_id, 1500001);
  EXPECT_EQ(random_one.shown_token.size(), 32U);
  EXPECT_EQ(random_one.instance.token_hash, registry::token_hash(random_one.shown_token, crypto, secret));
  EXPECT_EQ(random_one.overlap_ms, 24 * 3'600'000);
  const std::string longest = std::string(256, ' ') + std::string(256, '~');
  (void)post("/api/v1/plugins/demo/rotate", R"({"overlap_s":0,"token":")" + longest + R"("})");
  EXPECT_EQ(last<core::ChangeInstance>().shown_token, longest);
  EXPECT_EQ(last<core::ChangeInstance>().overlap_ms, 0);
}

TEST_F(Operator, ADataIdIsGivenOnce) {
  expect_refused(post("/api/v1/plugins", R"({"plugin_id":"a","data_id":1500001})"), 409,
                 "data_id: another instance has this data id");
}

TEST_F(Operator, CreatesAUserWithAPasswordNobodyChose) {
  (void)post("/api/v1/users", R"({"name":"alice","role":"operator"})");
  const auto& change = last<core::ChangeUser>();
  EXPECT_TRUE(change.must_be_new);
  EXPECT_EQ(change.user.name, "alice");
  EXPECT_EQ(change.user.role, model::Role::operator_);
  EXPECT_EQ(change.user.iterations, kTestIterations);
  EXPECT_GE(change.shown_password.size(), 16U);
  EXPECT_EQ(change.user.password_hash, crypto.pbkdf2(change.shown_password, change.user.salt, kTestIterations));
  expect_refused(post("/api/v1/users", R"({"name":"viewer","role":"viewer"})"), 409, "name: this user exists already");
}

TEST_F(Operator, ChangesAPasswordAndDeletesAUser) {
  (void)post("/api/v1/users/viewer/passwd", R"({"password":"0123456789"})");
  EXPECT_EQ(last<core::ChangeUser>().shown_password, "0123456789");
  EXPECT_FALSE(last<core::ChangeUser>().must_be_new);
  EXPECT_EQ(last<core::ChangeUser>().user.role, model::Role::viewer);
  (void)post("/api/v1/users/viewer/delete", "");
  EXPECT_TRUE(last<core::ChangeUser>().remove);
  expect_refused(post("/api/v1/users/nobody/delete", ""), 404, "there is no user of this name");
  const std::string listed = data_of(get("/api/v1/users"));
  EXPECT_NE(listed.find(R"({"user":"viewer","role":"viewer","created":"1970-01-01T00:00:00.001Z","created_ms":1})"),
            std::string::npos);
}

TEST_F(Operator, CreatesListsAndDeletesApiTokens) {
  (void)post("/api/v1/tokens", R"({"name":"ci","role":"viewer","expires":"2033-01-01T00:00:00Z"})");
  const auto change = last<core::ChangeApiToken>();
  EXPECT_EQ(change.token.expires_ms, 1'988'150'400'000);
  EXPECT_EQ(change.token.hash, registry::token_hash(change.shown_token, crypto, secret));
  expect_refused(post("/api/v1/tokens", R"({"name":"viewer","role":"viewer"})"), 409,
                 "name: an API token has this name already");
  const std::string listed = data_of(get("/api/v1/tokens"));
  EXPECT_NE(listed.find(R"("name":"viewer","role":"viewer")"), std::string::npos);
  EXPECT_EQ(listed.find(to_hex(daemon.view().registry->api_tokens()[0].hash)), std::string::npos);
  (void)post("/api/v1/tokens/viewer/delete", "");
  EXPECT_TRUE(last<core::ChangeApiToken>().remove);
}

TEST_F(Operator, SetsTheClockOrVouchesForIt) {
  daemon.process.clock_source = "operator";
  (void)post("/api/v1/clock", R"({"time":"2023-11-14T22:13:20+00:00"})");
  EXPECT_EQ(last<core::SetClock>().unix_ms, 1'700'000'000'000);
  (void)post("/api/v1/clock", R"({"unix_ms":1700000000001})");
  EXPECT_EQ(last<core::SetClock>().unix_ms, 1'700'000'000'001);
  (void)post("/api/v1/clock", "");
  EXPECT_EQ(last<core::SetClock>().unix_ms, 0);
  EXPECT_EQ(data_of(get("/api/v1/clock")),
            R"({"wall":"2023-11-14T22:13:20.000Z","unix_ms":1700000000000,"trusted":true,)"
            R"("source":"operator","monotonic_ms":1000000,"boot":0})");
}

TEST_F(Operator, AcknowledgesUnderEitherName) {
  (void)post("/ack_alert", R"({"ids":["17000000001","17000000002"],"message":"seen"})");
  EXPECT_EQ(last<core::AckAlerts>().ids.size(), 2U);
  EXPECT_EQ(last<core::AckAlerts>().message, "seen");
  EXPECT_EQ(last<core::AckAlerts>().actor, "uid:1000");
  (void)post("/api/v1/alerts/ack", R"({"alert_ids":["17000000001"]})");
  EXPECT_EQ(last<core::AckAlerts>().ids.size(), 1U);
}

TEST_F(Operator, WhatComesLaterSaysSo) {
  for (const char* path : {"/assign_alert", "/upgrade_alert", "/close_alert"}) {
    expect_refused(post(path, R"({"alert_ids":["1"]})"), 501, "not in this release");
  }
}

TEST_F(Operator, AFullIntakeIs503) {
  daemon.is_full = true;
  for (const auto& reply :
       {post("/api/v1/plugins", R"({"plugin_id":"a"})"), post("/api/v1/users", R"({"name":"a","role":"admin"})"),
        get("/api/v1/alerts"), get("/api/v1/events"), get("/api/v1/audit/verify")}) {
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.retry_after_s, 1);
  }
}

TEST_F(Operator, ARefusedTurnIsSaidWithItsReason) {
  (void)post("/api/v1/plugins", R"({"plugin_id":"a"})");
  api->on_answer({daemon.inputs.back().reply, Errc::conflict, "data_id 5 is taken"});
  expect_refused(answers.given.at(next_slot), 409, "data_id 5 is taken");
}

TEST_F(Operator, HealthIsALineOfText) {
  const auto healthy = call(FakeRequest(Listener::push, Method::get, "/healthz"));
  EXPECT_EQ(healthy.status, 200);
  EXPECT_EQ(healthy.body, "ok\n");
  EXPECT_EQ(healthy.type, port::ContentType::text);
  EXPECT_EQ(get("/readyz").body, "ready\n");
  daemon.is_ready_now = false;
  const auto not_ready = get("/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(not_ready.body, "not ready: the store does not serve\n");
}

TEST_F(Operator, TheStatusHoldsWhatThePageShows) {
  daemon.process.name = "edge-01";
  daemon.process.upstreams.push_back({});
  daemon.process.upstreams[0].name = "centre";
  daemon.process.upstreams[0].lanes[2] = {10, 7, 6, 9};
  daemon.process.ledger = {{"intake", 100, 50, 60, true}, {"stacks", 10, 0, 0, false}};
  const std::string data = data_of(get("/api/v1/status"));
  for (const char* part :
       {R"("name":"edge-01")", R"("ready":true,"why":"")", R"("backlog_at_most":3,"lanes")",
        R"({"lane":"normal","last_seq":10,"confirmed_seq":7,"durable_seq":6,"offered_seq":9,"backlog_at_most":3})",
        R"({"name":"intake","limit_bytes":100,"used_bytes":50,"peak_bytes":60})",
        R"({"name":"stacks","limit_bytes":10,"used_bytes":null,"peak_bytes":null})", R"("trusted":true)"}) {
    EXPECT_NE(data.find(part), std::string::npos) << part << "\n" << data;
  }
  EXPECT_EQ(data_of(get("/api/v1/config")), daemon.config_json());
}

TEST_F(Operator, EveryMetricHasHelpAndTypeBeforeItsSamples) {
  daemon.process.upstreams.push_back({});
  daemon.process.upstreams[0].name = "a\"b\\c";
  const auto reply = get("/metrics");
  EXPECT_EQ(reply.type, port::ContentType::prometheus);
  EXPECT_NE(reply.body.find(R"(tocsin_upstream_connected{upstream="a\"b\\c"} 0)"), std::string::npos);
  std::string family;
  std::size_t samples = 0;
  for (std::size_t at = 0; at < reply.body.size();) {
    const std::size_t end = reply.body.find('\n', at);
    const std::string line = reply.body.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# HELP ")) family = line.substr(7, line.find(' ', 7) - 7);
    if (line.starts_with("# TYPE ")) {
      EXPECT_EQ(line.substr(7, line.find(' ', 7) - 7), family);
    }
    if (line.starts_with("#")) continue;
    EXPECT_TRUE(line.starts_with("tocsin_")) << line;
    EXPECT_EQ(line.substr(0, line.find_first_of("{ ")), family);
    ++samples;
  }
  EXPECT_GT(samples, 40U);
}

TEST_F(Operator, ServesThePage) {
  const auto page = call(FakeRequest(Listener::admin, Method::get, "/").with("Authorization", "Bearer viewer-token"));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.type, port::ContentType::html);
  EXPECT_EQ(page.static_body, "asset");
}

}  // namespace
}  // namespace tocsin::api
