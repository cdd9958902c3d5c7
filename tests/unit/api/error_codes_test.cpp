// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>

#include "src/model/seal.hpp"
#include "tests/unit/api/fakes.hpp"

/// Provokes every code of conf/REFERENCE.md, so that the page promises none that nobody can meet.
namespace tocsin::api {
namespace {

using port::Listener;
using port::Method;

constexpr std::string_view kGood = R"({"event_name":"e","target":"t","event":{"content":"c"}})";

class ErrorCodes : public ApiTest {
 protected:
  ErrorCodes() {
    api = make(&intake_, 512'000);
    auto series = instance(1500002, "series", "series-token");
    series.type = model::InstanceType::time_series;
    add(series);
    auto source = instance(1500003, "source", "source-token");
    source.type = model::InstanceType::alert_source;
    add(source);
  }
  ~ErrorCodes() override { daemon.inputs.clear(); }  // their batches live in intake_

  std::unique_ptr<Api> make(Budget* memory, std::size_t body_bytes_max, std::int64_t total_rate = 0) {
    return std::make_unique<Api>(Parts{.daemon = daemon,
                                       .answers = answers,
                                       .crypto = crypto,
                                       .random = random,
                                       .secret = secret,
                                       .intake = memory,
                                       .profiles = &profiles,
                                       .push_body_bytes_max = body_bytes_max,
                                       .push_requests_per_second_max = total_rate,
                                       .inflater = &inflater,
                                       .body_pool = &body_pool,
                                       .password_iterations = kTestIterations});
  }

  /// The answer is a refusal with that code, and with a status that the code's row names.
  void expect(const port::HttpResponse& answer, RefusalCode code) {
    SCOPED_TRACE(code.text());
    EXPECT_STREQ(answer.error.text(), code.text()) << body_of(answer);
    const auto row = std::ranges::find(kRefusals, std::string_view(code.text()), &RefusalRow::name);
    ASSERT_NE(row, kRefusals.end());
    EXPECT_NE(std::ranges::find(row->statuses, answer.status), row->statuses.end()) << answer.status;
    seen.insert(answer.error.text());
  }

  static FakeRequest to(std::string path) { return {Listener::push, Method::post, std::move(path)}; }
  static FakeRequest asking(std::string path = "/api/v1/status") {
    return {Listener::admin, Method::get, std::move(path)};
  }
  static FakeRequest ack() { return FakeRequest(Listener::admin, Method::post, "/ack_alert").with("Host", "box"); }

  static std::string with_items(std::string_view items, std::string_view token = "demo-token",
                                std::string_view data_id = "1500001") {
    return R"({"data_id":)" + std::string(data_id) + R"(,"access_token":")" + std::string(token) + R"(","data":)" +
           std::string(items) + "}";
  }
  void body(std::string text, RefusalCode code) { expect(call(to("/v2/push/"), std::move(text)), code); }
  void item(std::string_view json, RefusalCode code) { body(with_items("[" + std::string(json) + "]"), code); }
  void metric(std::string_view json, RefusalCode code) {
    body(with_items("[" + std::string(json) + "]", "series-token", "1500002"), code);
  }
  void standard(std::string json, RefusalCode code) {
    expect(call(to("/api/v1/events").with("X-BK-TOKEN", "source-token"), std::move(json)), code);
  }

  void bodies();
  void items();
  void metrics();
  void standard_events();
  void alert_sources();
  void http();
  void credentials();
  void limits();
  void faults();
  void replays();

  Budget intake_{"intake", 1 * MiB};
  Budget nothing{"nothing", 0};
  std::set<std::string> seen;
};

std::string members(std::size_t count, std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += (i > 0 ? ",\"m" : "\"m") + std::to_string(i) + "\":" + std::string(value);
  return "{" + out + "}";
}

void ErrorCodes::bodies() {
  body("", "body_empty");
  body("{", "json_invalid");
  body("7", "body_type");
  std::string many = "[";
  for (int i = 0; i < 100'000; ++i) many += "0,";
  body(many + "0]", "body_too_many_elements");
  body(R"({"data_id":"x"})", "data_id_type");
  body(R"({"access_token":1})", "access_token_type");
  body(R"({"access_token":")" + std::string(513, 't') + R"("})", "access_token_too_long");
  body(R"({"data":[]})", "token_missing");
  body(with_items("[]", "wrong"), "token_invalid");
  auto bound = instance(1500006, "bound", "bound-token");
  bound.client_cert[0] = std::byte{1};
  add(bound);
  body(with_items("[]", "bound-token", "1500006"), "client_certificate");
  body(with_items("[]"), "data_empty");
  body(with_items("{}"), "data_type");
  body(with_items("[]", "source-token", "1500003"), "alert_source");
  const auto with_key = [&](std::string key) {
    return call(to("/v2/push/").with("Idempotency-Key", std::move(key)), with_items("[" + std::string(kGood) + "]"));
  };
  expect(with_key(""), "idempotency_key_empty");
  expect(with_key(std::string(256, 'k')), "idempotency_key_too_long");
  expect(with_key("a b"), "idempotency_key_characters");
}

void ErrorCodes::items() {
  item("1", "item_type");
  item(R"({"target":"t","target":"t"})", "member_repeated");
  item("{}", "event_target_missing");
  item(R"({"target":1})", "event_target_type");
  item(R"({"target":""})", "event_target_empty");
  item(R"({"target":"t"})", "event_name_missing");
  item(R"({"target":"t","event_name":1})", "event_name_type");
  item(R"({"target":"t","event_name":""})", "event_name_empty");
  item(R"({"target":"t","event_name":")" + std::string(129, 'n') + R"("})", "event_name_too_long");
  item(R"({"target":"t","event_name":"e"})", "event_missing");
  item(R"({"target":"t","event_name":"e","event":1})", "event_type");
  item(R"({"target":"t","event_name":"e","event":{}})", "event_content_missing");
  const std::string open = std::string(kGood.substr(0, kGood.size() - 1)) + ",";
  item(open + R"("dimension":1})", "dimension_type");
  item(open + R"("dimension":{"a":[]}})", "dimension_value_type");
  item(open + R"("dimension":)" + members(257, "\"\"") + "}", "dimension_too_many");
  item(open + R"("dimension":{"a":"1","a":"2"}})", "dimension_repeated");
  item(open + R"("timestamp":"now"})", "timestamp_type");
  item(open + R"("timestamp":9700000000000})", "timestamp_future");
}

void ErrorCodes::metrics() {
  metric("{}", "metrics_missing");
  metric(R"({"metrics":1})", "metrics_type");
  metric(R"({"metrics":{}})", "metrics_empty");
  metric(R"({"metrics":{"a b":1}})", "name_regex");
  metric(R"({"metrics":{"a":"1"}})", "metric_value_type");
  metric(R"({"metrics":)" + members(1025, "1") + "}", "metrics_too_many");
  metric(R"({"metrics":{"a":1,"a":2}})", "metrics_repeated");
  metric(R"({"metrics":{"a":1},"target":1})", "metric_target_type");
}

void ErrorCodes::standard_events() {
  standard("{}", "alert_name_missing");
  standard(R"({"alert_name":""})", "alert_name_empty");
  standard(R"({"alert_name":1})", "field_type");
  standard(R"({"alert_name":"a","assignee":[1]})", "field_list");
  standard(R"({"alert_name":"a","tags":1})", "tags_type");
  standard(R"({"alert_name":"a","time":"noon"})", "time_form");
  standard("[1]", "event_type");
  std::string large = "[";
  for (int i = 0; i < 180; ++i)
    large += (i > 0 ? "," : "") + (R"({"alert_name":"a","tags":)" + members(256, "\"\"")) + "}";
  standard(large + "]", "items_too_large");
  expect(call(to("/api/v1/events").with("X-BK-TOKEN", "series-token"), R"({"alert_name":"a"})"), "time_series");
}

/// Each case with a profile of its own.
void ErrorCodes::alert_sources() {
  auto pump = instance(1500005, "pump", "pump-token");
  pump.type = model::InstanceType::alert_source;
  pump.max_rate = 0;
  const auto by = [&](std::string fields, std::string ingest, std::string body_text, RefusalCode code) {
    model::Profile profile;
    profile.parts[static_cast<std::size_t>(model::ProfilePart::normalization_config)] = std::move(fields);
    profile.parts[static_cast<std::size_t>(model::ProfilePart::ingest_config)] = std::move(ingest);
    auto txn = daemon.store.begin_write();
    ASSERT_TRUE(registry::put_profile(**txn, pump.data_id, profile).ok());
    ASSERT_TRUE((*txn)->commit().ok());
    ++pump.profile_revision;
    add(pump);
    expect(call(to("/event/pump").with("X-BK-TOKEN", "pump-token"), std::move(body_text)), code);
    daemon.inputs.clear();
  };
  const std::string name = R"([{"field":"alert_name","expr":"n"}])";
  const std::string list = R"({"multiple_events":true})";
  by(name, R"({"source_format":"yaml"})", "a: [", "body_format");
  by(name, R"j({"events_path":"abs(@)"})j", "{}", "events_path");
  by(name, "", "[]", "events_type");
  by(name, "", "{}", "alert_name_missing");
  std::string many = "[{}";
  for (int i = 0; i < 1000; ++i) many += ",{}";
  by(name, list, many + "]", "events_too_many");
  const std::string long_text = R"({"n":")" + std::string(200'000, 'x') + "\"}";
  by(name, list, "[" + long_text + "," + long_text + "]", "normalisation_output");
  by(R"([{"field":"alert_name","expr":"n"},{"field":"tags","expr":"t"}])", "",
     R"({"n":"a","t":)" + members(257, "\"\"") + "}", "normalisation_tags");
  by(R"j([{"field":"alert_name","expr":"join(n, l)"}])j", "",
     R"({"n":")" + std::string(20'000, 'x') + R"(","l":["","","","","","","","","","","","","","",""]})",
     "normalisation_steps");
  std::string patterns;
  for (int i = 0; i < 17; ++i) patterns += (i > 0 ? ",\"a.*" : "\"a.*") + std::to_string(i) + "\"";
  by(R"j([{"field":"alert_name","expr":"n"},{"field":"description","expr":"p[].regex_extract('x', @)"}])j", "",
     R"({"n":"a","p":[)" + patterns + "]}", "normalisation_regex");
  by("{", "", "{}", "profile_unusable");

  std::string numbers = "1";
  for (int i = 0; i < 90'000; ++i) numbers += ",1";
  const std::string large = R"({"n":"a","l":[)" + numbers + "]}";
  by(name, "", large, "out_of_memory");  // it waits for the profile, and takes room while it does
  expect(call(to("/event/pump").with("X-BK-TOKEN", "pump-token"), large), "body_takes_too_much");
  expect(call(to("/event/pump").with("X-BK-TOKEN", "pump-token").ask("debug", "1"),
              R"({"n":")" + std::string(9'000, 'n') + "\"}"),
         "debug_too_large");
  pump.strict = true;
  by(name, "", R"({"n":"a"})", "field_required");
  expect(call(to("/event/nobody"), "{}"), "plugin_unknown");
  expect(call(to("/fta/v1/event"), "{}"), "token_missing");
}

void ErrorCodes::http() {
  expect(call(to("/elsewhere"), "{}"), "path_unknown");
  expect(call({Listener::push, Method::get, "/v2/push/"}), "method_not_allowed");
  expect(api->refusal(to("/v2/push/"), 400, "a header"), "framing_invalid");
  expect(api->refusal(to("/v2/push/"), 413, "the body is too large"), "body_too_long");
  expect(call(to("/v2/push/"), std::string(512'001, ' ')), "body_too_long");
  expect(call(to("/v2/push/").with("Content-Encoding", "br"), "x"), "encoding_unknown");
  expect(call(to("/v2/push/").with("Content-Encoding", "gzip"), "x"), "compressed_broken");
  expect(get("/api/v1/alerts/7"), "not_found");
  expect(get("/api/v1/alerts", {{"limit", "0"}}), "invalid_input");
  expect(get("/api/v1/plugin_check", {{"plugin_id", "demo"}}), "name_taken");
  expect(post("/close_alert", "{}"), "unsupported");
  expect(post("/api/v1/users", R"({"name":"viewer","role":"viewer"})"), "conflict");
}

void ErrorCodes::credentials() {
  const std::string ids = R"({"ids":["1"]})";
  expect(call(FakeRequest(Listener::control, Method::get, "/api/v1/users")), "control_socket_denied");
  expect(call(asking()), "credentials_missing");
  expect(call(asking().with("Authorization", "Digest x")), "credentials_form");
  expect(call(asking().with("Authorization", "Bearer guess")), "credentials_unknown");
  expect(call(asking("/api/v1/users").with("Authorization", "Bearer viewer-token")), "role_too_low");
  const auto operating = ack().with("Authorization", basic("operator", "operator-password"));
  expect(call(FakeRequest(operating).with("Origin", "http://evil"), ids), "origin_foreign");
  expect(call(FakeRequest(operating).with("Cookie", "a=b"), ids), "content_type");
  expect(call(ack().with("Authorization", basic("viewer", "viewer-password")), ids), "role_too_low");
  const auto guess = asking().with("Authorization", basic("admin", "guess"));
  for (int i = 0; i < kFailuresFree; ++i) expect(call(guess), "login_failed");
  expect(call(guess), "login_too_often");
  EXPECT_FALSE(send(asking().with("Authorization", basic("nobody", "a"))));
  expect(*send(asking().with("Authorization", basic("nobody", "b"))), "login_busy");
  daemon.run_jobs();
}

void ErrorCodes::limits() {
  auto none = instance(1500004, "none", "none-token");
  none.max_rate = -2;
  add(none);
  body(with_items("[]", "none-token", "1500004"), "rate_limited");
  api = make(&intake_, 512'000, 1);
  ASSERT_FALSE(send(to("/v2/push/"), with_items("[" + std::string(kGood) + "]")));
  body(with_items("[]"), "rate_limited_total");
  api = make(&intake_, 512'000);
  daemon.is_full = true;
  item(kGood, "queue_full");
  expect(get("/api/v1/alerts"), "queue_full");
  daemon.is_full = false;
  api = make(&nothing, 512'000);
  item(kGood, "out_of_memory");
  api = make(&intake_, 512'000);
  daemon.is_ready_now = false;
  expect(get("/readyz"), "not_ready");
  daemon.is_ready_now = true;
}

/// What only the writer, or a bug, can answer.
void ErrorCodes::faults() {
  for (const Errc code :
       {Errc::not_found, Errc::invalid_input, Errc::out_of_budget, Errc::storage_full, Errc::storage_corrupt,
        Errc::io_failed, Errc::timed_out, Errc::unavailable, Errc::conflict, Errc::unsupported}) {
    for (const Shape shape : {Shape::push, Shape::admin}) {
      core::Answer answer{{pack({1, 1}), static_cast<std::uint32_t>(shape), {}}, code, {}};
      api->on_answer(std::move(answer));
      const bool is_gone = code == Errc::not_found && shape == Shape::push;
      expect(answers.given.at(1), is_gone ? RefusalCode("token_invalid") : code_of(code));
    }
  }
  std::string room(kRoomBytes, ' ');
  expect(emergency_reply(Shape::push, 500, {}, room), "internal_error");
}

void ErrorCodes::replays() {
  model::Reject part;
  part.data_id = 1500001;
  part.code = "data_empty";
  {
    auto txn = daemon.store.begin_write();
    ASSERT_TRUE(model::put_sealed(**txn, model::reject_key(part.data_id, part.code), part).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  expect(post("/api/v1/rejects/1500001.data_empty/replay", "{}"), "replay_impossible");
}

TEST_F(ErrorCodes, EveryCodeOfTheReferenceIsMetAndEveryRefusalHasOne) {
  bodies();
  items();
  metrics();
  standard_events();
  alert_sources();
  http();
  credentials();
  limits();
  faults();
  replays();
  seen.insert("facts");  // only a bug brings it
  for (const RefusalRow& row : kRefusals) EXPECT_TRUE(seen.contains(row.name)) << row.name;
}

TEST_F(ErrorCodes, ASuccessHasNone) {
  ASSERT_FALSE(send(to("/v2/push/"), with_items("[" + std::string(kGood) + "]")));
  api->on_answer({daemon.inputs.back().reply, std::nullopt, {}});
  EXPECT_TRUE(answers.given.at(next_slot).error.is_none());
  EXPECT_TRUE(get("/healthz").error.is_none());
  EXPECT_TRUE(get("/api/v1/status").error.is_none());
  EXPECT_TRUE(get("/readyz").error.is_none());
}

TEST_F(ErrorCodes, AStatusWithoutACloserCodeHasItsOwn) {
  constexpr std::array<std::uint16_t, 12> kStatuses{400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 503};
  for (const std::uint16_t status : kStatuses) {
    const RefusalCode code = refuse(Shape::admin, status, "why", {}).error;
    ASSERT_FALSE(code.is_none()) << status;
    const auto row = std::ranges::find(kRefusals, std::string_view(code.text()), &RefusalRow::name);
    EXPECT_EQ(row->statuses[0], status);
  }
}

}  // namespace
}  // namespace tocsin::api
