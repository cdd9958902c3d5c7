// SPDX-License-Identifier: Apache-2.0
// What goes into the reject box, and how people see it.
#include "src/core/rejects.hpp"

#include "src/model/seal.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using model::RejectWay;
using port::Listener;
using port::Method;

constexpr const char* kBadPush = R"({"data_id":1500001,"access_token":"demo-token","data":[{"event_name":"e"}]})";

class Rejects : public ApiTest {
 protected:
  Reply push(std::string body, std::string key = {}) {
    FakeRequest request(Listener::push, Method::post, "/v2/push/");
    if (!key.empty()) request.with("Idempotency-Key", key);
    return send(std::move(request), std::move(body));
  }
  Reply items(std::string body, std::string token = "demo-token") {
    FakeRequest request(Listener::push, Method::post, "/api/v1/events");
    if (!token.empty()) request.with("X-BK-TOKEN", token);
    return send(std::move(request), std::move(body));
  }
  /// What the next write takes.
  std::vector<core::Refused> written() {
    daemon.inputs.clear();
    daemon.time.mono = daemon.time.mono.after_ms(kRejectWriteMs);
    api->on_tick(false);
    std::vector<core::Refused> out;
    for (auto& input : daemon.inputs) {
      for (auto& one : std::get<core::TakeRejects>(input.what).refused) out.push_back(std::move(one));
    }
    daemon.inputs.clear();
    return out;
  }
  void expect_one(std::string_view code, std::uint16_t status, RejectWay way = RejectWay::push) {
    const auto all = written();
    ASSERT_EQ(all.size(), 1U) << code;
    EXPECT_EQ(all[0].code, code);
    EXPECT_EQ(all[0].http_status, status);
    EXPECT_EQ(all[0].way, way);
    EXPECT_EQ(all[0].data_id, 1500001);
    EXPECT_FALSE(all[0].message.empty());
    EXPECT_EQ(all[0].body.find("demo-token"), std::string::npos);
  }
  model::Reject store(std::int32_t data_id, std::string code, std::string body, std::uint64_t order,
                      RejectWay way = RejectWay::push) {
    model::Reject reject;
    reject.data_id = data_id;
    reject.code = std::move(code);
    reject.message = "m";
    reject.http_status = 400;
    reject.way = way;
    reject.is_whole = true;
    reject.count = 3;
    reject.order = order;
    reject.first_ms = 1'700'000'000'000;
    reject.last_ms = 1'700'000'001'000;
    reject.body_bytes = static_cast<std::uint32_t>(body.size());
    reject.body = std::move(body);
    put(reject);
    return reject;
  }
  void put(const model::Reject& reject) {
    auto txn = daemon.store.begin_write();
    ASSERT_TRUE(model::put_sealed(**txn, model::reject_key(reject.data_id, reject.code), reject).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  static bool has(const port::HttpResponse& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
  }
};

TEST_F(Rejects, ABadPushOfAKnownSenderIsKeptWithoutItsToken) {
  ASSERT_EQ(push(kBadPush)->status, 400);
  const auto all = written();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].body, R"({"data_id":1500001,"access_token":"**********","data":[{"event_name":"e"}]})");
  EXPECT_TRUE(all[0].is_whole);
  EXPECT_TRUE(written().empty());
}

TEST_F(Rejects, EachRefusalBehindTheTokenCheckIsKept) {
  ASSERT_EQ(push(R"({"data_id":1500001,"access_token":"demo-token","data":[]})")->status, 400);
  expect_one("data_empty", 400);
  ASSERT_EQ(push(kBadPush, "a b")->status, 400);
  expect_one("idempotency_key_characters", 400);
  ASSERT_EQ(items(R"({"status":"ABNORMAL"})")->status, 400);
  expect_one("alert_name_missing", 400, RejectWay::items);
  ASSERT_EQ(items("{not json demo-token")->status, 400);
  expect_one("json_invalid", 400, RejectWay::items);
  auto one = instance(1500001, "demo", "demo-token");
  one.max_rate = -2;
  add(one);
  ASSERT_EQ(push(kBadPush)->status, 429);
  expect_one("rate_limited", 429);
  one.max_rate = 0;
  one.type = model::InstanceType::time_series;
  add(one);
  ASSERT_EQ(items(R"({"alert_name":"a"})")->status, 400);
  expect_one("time_series", 400, RejectWay::items);
}

TEST_F(Rejects, AKeyWithAnotherBodyIsKeptWithoutABody) {
  ASSERT_FALSE(push(
      R"({"data_id":1500001,"access_token":"demo-token","data":[{"event_name":"e","target":"t","event":{"content":"c"}}]})",
      "k"));
  auto reply = daemon.inputs[0].reply;
  api->on_answer({reply, Errc::conflict, "came before with another body", 1500001});
  const auto all = written();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].code, "conflict");
  EXPECT_TRUE(all[0].body.empty());
  EXPECT_FALSE(all[0].is_whole);
  reply.shape = static_cast<std::uint32_t>(Shape::admin);
  api->on_answer({reply, Errc::conflict, "of an operator", 0});
  api->on_answer({reply, Errc::unavailable, "busy", 1500001});
  EXPECT_TRUE(written().empty());
}

TEST_F(Rejects, WhatIsNoFaultOfAKnownSenderIsNotKept) {
  ASSERT_EQ(push(R"({"data_id":1500001,"access_token":"wrong","data":[]})")->status, 401);
  ASSERT_EQ(push("{")->status, 400);
  ASSERT_EQ(items("{", "wrong")->status, 400);
  ASSERT_EQ(items("{", "")->status, 400);
  ASSERT_EQ(items(R"({"alert_name":"a"})", "wrong")->status, 401);
  daemon.is_full = true;
  ASSERT_EQ(
      push(
          R"({"data_id":1500001,"access_token":"demo-token","data":[{"event_name":"e","target":"t","event":{"content":"c"}}]})")
          ->status,
      503);
  daemon.is_full = false;
  EXPECT_TRUE(written().empty());
}

TEST_F(Rejects, AFullWriterGetsThemLater) {
  ASSERT_EQ(push(kBadPush)->status, 400);
  daemon.is_full = true;
  api->on_tick(false);
  daemon.is_full = false;
  EXPECT_EQ(written().size(), 1U);
}

TEST_F(Rejects, ListsTheLatestFirstPageByPage) {
  store(1500001, "data_empty", "{}", 1);
  store(1500001, "data_type", "{}", 3);
  store(7, "data_empty", "{}", 2);
  auto page = get("/api/v1/rejects", {{"limit", "2"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(has(
      page,
      R"("data":{"items":[{"id":"1500001.data_type","data_id":1500001,"plugin_id":"demo","code":"data_type","message":"m",)"
      R"("http_status":400,"way":"push","count":3,"first":"2023-11-14T22:13:20.000Z","first_ms":1700000000000,)"
      R"("last":"2023-11-14T22:13:21.000Z","last_ms":1700000001000,"clock_trusted":false,"body_bytes":2,"can_replay":true},)"
      R"({"id":"7.data_empty","data_id":7,"plugin_id":null,)"))
      << page.body;
  EXPECT_TRUE(has(page, R"("damaged":0,"cursor":"2")")) << page.body;
  page = get("/api/v1/rejects", {{"cursor", "2"}});
  EXPECT_TRUE(has(page, R"("items":[{"id":"1500001.data_empty")")) << page.body;
  EXPECT_TRUE(has(page, R"("cursor":null)"));
  page = get("/api/v1/rejects", {{"plugin", "7"}});
  EXPECT_TRUE(has(page, R"("items":[{"id":"7.data_empty")"));
  EXPECT_FALSE(has(page, "1500001"));
  for (const auto& [name, value] : {std::pair{"limit", "0"}, std::pair{"cursor", "x"}, std::pair{"plugin", "demo"}})
    EXPECT_EQ(get("/api/v1/rejects", {{name, value}}).status, 400) << name;
}

TEST_F(Rejects, ADamagedOneIsSaidAndLeftOut) {
  auto txn = daemon.store.begin_write();
  ASSERT_TRUE((*txn)->put(model::reject_key(7, "a"), as_bytes("damage")).ok());
  ASSERT_TRUE((*txn)->put(model::reject_alarm_key(7), as_bytes("whatever")).ok());
  ASSERT_TRUE((*txn)->commit().ok());
  EXPECT_TRUE(has(get("/api/v1/rejects"), R"({"items":[],"damaged":1,"cursor":null})"));
  EXPECT_EQ(get("/api/v1/rejects/7.a").status, 500);
}

TEST_F(Rejects, ShowsOneWithItsBody) {
  store(1500001, "data_empty", R"({"a":"b"})", 1);
  const auto one = get("/api/v1/rejects/1500001.data_empty");
  EXPECT_EQ(one.status, 200);
  EXPECT_TRUE(has(one, R"("body":"{\"a\":\"b\"}"})")) << one.body;
  for (const char* unknown : {"1500001.other", "x", "7", "7."})
    EXPECT_EQ(get(std::string("/api/v1/rejects/") + unknown).status, 404) << unknown;
}

TEST_F(Rejects, AReplayIsAPushOfTheSameInstanceWithAKeyOfItsOwn) {
  store(1500001, "rate_limited",
        R"({"data_id":1500001,"access_token":"****","data":[{"event_name":"e","target":"t","event":{"content":"c"}}]})",
        5);
  EXPECT_EQ(post("/api/v1/rejects/1500001.rate_limited/replay", "{}").status, 0) << "waits for its turn";
  ASSERT_EQ(daemon.inputs.size(), 2U);
  const auto& note = std::get<core::Note>(daemon.inputs[0].what);
  EXPECT_EQ(note.action, model::AuditAction::reject_replayed);
  EXPECT_EQ(note.object, "reject:1500001.rate_limited");
  const auto& batch = last<core::Push>().batch;
  EXPECT_EQ(batch.data_id, 1500001);
  ASSERT_EQ(batch.items.size(), 1U);
  const std::uint64_t id_hash = batch.items[0].id_hash;
  EXPECT_NE(id_hash, 0U);
  static_cast<void>(post("/api/v1/rejects/1500001.rate_limited/replay", "{}"));
  EXPECT_EQ(last<core::Push>().batch.items[0].id_hash, id_hash) << "twice is once";
  api->on_answer({daemon.inputs.back().reply, {}, {}});
  EXPECT_TRUE(has(answers.given.at(next_slot), R"({"result":true,"code":200)"));
}

TEST_F(Rejects, AReplayOfStandardEventsAnswersItemByItem) {
  store(1500001, "rate_limited", R"({"alert_name":"a","event_id":"1"})", 5, RejectWay::items);
  EXPECT_EQ(post("/api/v1/rejects/1500001.rate_limited/replay", "{}").status, 0);
  EXPECT_TRUE(last<core::Push>().wants_outcomes);
  EXPECT_EQ(last<core::Push>().batch.kind, model::RecordKind::standard_event);
}

TEST_F(Rejects, AReplaySaysWhyNot) {
  const auto expect = [&](std::uint16_t status, std::string_view why) {
    const auto answer = post("/api/v1/rejects/1500001.data_empty/replay", "{}");
    EXPECT_EQ(answer.status, status) << why;
    EXPECT_TRUE(has(answer, why)) << answer.body;
    EXPECT_TRUE(daemon.inputs.empty());
  };
  expect(404, "nothing of this id");
  auto reject = store(1500001, "data_empty", R"({"data_id":1500001,"access_token":"*","data":[]})", 5);
  expect(400, "still refused: event data cannot be empty");
  auto off = instance(1500001, "demo", "demo-token");
  off.enabled = false;
  add(off);
  expect(409, "deleted or is disabled");
  reject.way = RejectWay::source;
  put(reject);
  expect(409, "the head of that request");
  reject.is_whole = false;
  put(reject);
  expect(409, "only a part of that body was kept");
  EXPECT_TRUE(written().empty()) << "an operator's attempt is no reject of the sender";
}

TEST_F(Rejects, ViewersLookAndOperatorsReplay) {
  store(1500001, "data_empty", "{}", 1);
  const auto as = [&](Method method, const char* path, const char* user) {
    return call(FakeRequest(Listener::admin, method, path)
                    .with("Authorization", std::string("Bearer ") + user + "-token"),
                method == Method::post ? "{}" : "")
        .status;
  };
  EXPECT_EQ(as(Method::get, "/api/v1/rejects", "viewer"), 200);
  EXPECT_EQ(as(Method::get, "/api/v1/rejects/1500001.data_empty", "viewer"), 200);
  EXPECT_EQ(as(Method::post, "/api/v1/rejects/1500001.data_empty/replay", "viewer"), 403);
  EXPECT_EQ(as(Method::post, "/api/v1/rejects/1500001.data_empty/replay", "operator"), 400);
}

TEST_F(Rejects, CountersTellThemForEachInstance) {
  static_cast<void>(push(kBadPush));
  static_cast<void>(push(kBadPush));
  EXPECT_TRUE(has(get("/api/v1/plugins"), R"("rejects":2)"));
  EXPECT_TRUE(has(get("/api/v1/plugins/1500001"), R"("rejects":2)"));
  const auto metrics = get("/metrics");
  EXPECT_TRUE(has(metrics, "tocsin_rejects_total 2\n"));
  EXPECT_TRUE(has(metrics, "tocsin_instance_rejects_total{data_id=\"1500001\"} 2\n")) << metrics.body;
}

}  // namespace
}  // namespace tocsin::api
