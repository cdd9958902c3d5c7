// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using port::Listener;
using port::Method;

class Push : public ApiTest {
 protected:
  static std::string body(std::string_view data_id = "1500001", std::string_view token = "demo-token", int count = 1) {
    std::string items;
    for (int i = 0; i < count; ++i) {
      items += i > 0 ? "," : "";
      items += R"({"event_name":"e","target":"t","event":{"content":"c"}})";
    }
    return R"({"data_id":)" + std::string(data_id) + R"(,"access_token":")" + std::string(token) + R"(","data":[)" +
           items + "]}";
  }
  Reply push(std::string text) { return send(FakeRequest(Listener::push, Method::post, "/v2/push/"), std::move(text)); }
  /// Status and text of an answer that came at once.
  void expect_refused(const Reply& reply, std::uint16_t status, std::string_view message) {
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, status);
    EXPECT_EQ(without_id(reply->body), R"({"code":")" + std::to_string(status) + R"(","message":")" +
                                           std::string(message) + R"(","request_id":"ID","result":"false"})");
    EXPECT_TRUE(daemon.inputs.empty());
  }
  core::Answer answer_to(const core::Input& input, std::optional<Errc> refused = {}, std::string data = {}) {
    return {input.reply, refused, std::move(data)};
  }
};

TEST_F(Push, WaitsForFlashAndThenAnswersFourStringsInOrder) {
  ASSERT_FALSE(push(body("1500001", "demo-token", 3)));
  ASSERT_EQ(daemon.inputs.size(), 1U);
  const auto& batch = last<core::Push>().batch;
  EXPECT_EQ(batch.items.size(), 3U);
  EXPECT_EQ(batch.data_id, 1500001);
  EXPECT_EQ(batch.registry_generation, daemon.view().registry->generation());
  EXPECT_GT(intake.used_bytes(), 0U);
  api->on_answer(answer_to(daemon.inputs[0]));
  const auto& given = answers.given.at(next_slot);
  EXPECT_EQ(given.status, 200);
  EXPECT_EQ(given.body, R"({"code":"200","message":"success","request_id":")" + to_uuid_text(batch.request_id) +
                            R"(","result":"true"})");
}

TEST_F(Push, EveryAnswerHasAFreshRequestId) {
  const auto first = push("{");
  const auto second = push("{");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->body, second->body);
}

TEST_F(Push, RefusesInTheShapeOfItsCallers) {
  expect_refused(push(body("1500001", "wrong")), 401, "reject invalid token");
  expect_refused(push(body("7")), 401, "reject invalid token");
  expect_refused(push(body("-1")), 401, "reject invalid token");
  expect_refused(push(body("4294967297")), 401, "reject invalid token");
  expect_refused(push(R"({"data":[{}]})"), 401, "reject empty token");
  const auto no_json = push("{");
  ASSERT_TRUE(no_json);
  EXPECT_EQ(no_json->status, 400);
  const auto no_items = push(R"({"data_id":1500001,"access_token":"demo-token","data":[]})");
  ASSERT_TRUE(no_items);
  EXPECT_EQ(no_items->status, 400);
  EXPECT_EQ(intake.used_bytes(), 0U);
}

TEST_F(Push, EveryAnswerBearsItsRequestIdAsAHeaderToo) {
  const auto expect_same = [](const Reply& reply) {
    ASSERT_TRUE(reply);
    EXPECT_NE(reply->request_id, Id128{});
    EXPECT_NE(reply->body.find(to_uuid_text(reply->request_id)), std::string::npos) << reply->body;
  };
  expect_same(push(body("1500001", "wrong")));
  expect_same(send(FakeRequest(Listener::push, Method::post, "/elsewhere")));
  expect_same(send(FakeRequest(Listener::push, Method::post, "/api/v1/events"), "{}"));
  expect_same(send(FakeRequest(Listener::push, Method::post, "/event/demo/"), "{}"));
  EXPECT_NE(send(FakeRequest(Listener::push, Method::post, "/fta/v1/event"), "{}")->request_id, Id128{});
  EXPECT_NE(send(FakeRequest(Listener::push, Method::get, "/healthz"))->request_id, Id128{});
  EXPECT_NE(get("/").request_id, Id128{});
  expect_same(get("/api/v1/plugins"));
  EXPECT_FALSE(push(body()));
  const core::ReplyTo reply = daemon.inputs.back().reply;
  for (const auto& refused : {std::optional<Errc>{}, std::optional(Errc::unavailable)}) {
    api->on_answer({reply, refused, {}});
    EXPECT_EQ(answers.given.at(next_slot).request_id, reply.request_id);
    expect_same(answers.given.at(next_slot));
  }
}

TEST_F(Push, NeverRepeatsTheToken) {
  const auto reply = push(body("1500001", "a-secret-that-is-wrong"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body.find("a-secret"), std::string::npos);
}

TEST_F(Push, AnEmptyBodyIsRefusedWithTheAddress) {
  expect_refused(push(""), 400, "empty request body not allowed, ip=10.0.0.7");
}

TEST_F(Push, WrongMethodsAndPathsAreAnsweredInJson) {
  const auto wrong_method = send(FakeRequest(Listener::push, Method::get, "/v2/push/"));
  expect_refused(wrong_method, 405, "this path does not take this method");
  EXPECT_EQ(wrong_method->allow, "POST");
  expect_refused(send(FakeRequest(Listener::push, Method::post, "/v2/push")), 404,
                 "unknown path; did you mean /v2/push/ ?");
  expect_refused(send(FakeRequest(Listener::push, Method::post, "/elsewhere")), 404, "unknown path");
  expect_refused(send(FakeRequest(Listener::push, Method::get, "/api/v1/status")), 404, "unknown path");
}

TEST_F(Push, ABodyOneOverTheLimitIsRefusedAtItsHead) {
  std::size_t bytes_max = 0;
  FakeRequest fits(Listener::push, Method::post, "/v2/push/");
  fits.with("Content-Length", "20000");
  EXPECT_FALSE(api->on_head(fits, bytes_max));
  EXPECT_EQ(bytes_max, 20'000U);
  FakeRequest larger(Listener::push, Method::post, "/v2/push/");
  larger.with("Content-Length", "20001");
  expect_refused(api->on_head(larger, bytes_max), 413, "the body is larger than 20000 bytes");
  larger.with("Content-Length", "99999999999999999999999999");
  expect_refused(api->on_head(larger, bytes_max), 413, "the body is larger than 20000 bytes");
  expect_refused(api->refusal(larger, 413, "too large"), 413, "too large");
}

TEST_F(Push, ADisabledInstanceIsNotLetIn) {
  auto off = instance(1500002, "off", "off-token");
  off.enabled = false;
  add(off);
  expect_refused(push(body("1500002", "off-token")), 401, "reject invalid token");
}

TEST_F(Push, TheTypeOfTheInstanceSaysWhatItTakes) {
  auto series = instance(1500003, "series", "series-token");
  series.type = model::InstanceType::time_series;
  add(series);
  auto source = instance(1500009, "source", "source-token");
  source.type = model::InstanceType::alert_source;
  add(source);
  expect_refused(push(body("1500003", "series-token")), 400, "metrics missing (data[0])");
  expect_refused(push(body("1500009", "source-token")), 400,
                 "this data id takes alert-source events, at /api/v1/events");
  ASSERT_FALSE(push(R"({"data_id":1500003,"access_token":"series-token","data":[{"metrics":{"load":1.5}}]})"));
  EXPECT_EQ(last<core::Push>().batch.kind, model::RecordKind::custom_metric);
}

TEST_F(Push, TheRateIsCountedInRequests) {
  auto slow = instance(1500004, "slow", "slow-token");
  slow.max_rate = 2;
  add(slow);
  ASSERT_FALSE(push(body("1500004", "slow-token", 5)));
  ASSERT_FALSE(push(body("1500004", "slow-token")));
  daemon.inputs.clear();
  const auto third = push(body("1500004", "slow-token"));
  expect_refused(third, 429, "rate limit: at most 2 requests a minute");
  EXPECT_EQ(third->retry_after_s, 30);
  daemon.time.mono = daemon.time.mono.after_ms(30'000);
  EXPECT_FALSE(push(body("1500004", "slow-token")));
}

TEST_F(Push, AFullIntakeIs503) {
  daemon.is_full = true;
  const auto reply = push(body());
  expect_refused(reply, 503, "too many requests are waiting for the writer");
  EXPECT_EQ(reply->retry_after_s, 1);
  EXPECT_EQ(intake.used_bytes(), 0U);
}

TEST_F(Push, MemoryThatRunsOutIs503AndNothingIsKept) {
  ASSERT_TRUE(intake.try_charge(intake.limit_bytes() - 16));
  const auto reply = push(body());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->retry_after_s, 1);
  expect_refused(reply, 503, "out of memory for now");
  EXPECT_TRUE(daemon.inputs.empty());
  EXPECT_EQ(api->counters().out_of_memory, 1U);
  intake.release(intake.limit_bytes() - 16);
  EXPECT_FALSE(push(body())) << "the next request is served again";
}

TEST_F(Push, AllInstancesTogetherHaveARateOfTheirOwn) {
  auto one = instance(1500011, "one", "one-token");
  one.max_rate = 0;
  add(one);
  auto few = instance(1500012, "few", "few-token");
  few.max_rate = 1;
  add(few);
  for (std::int64_t i = 0; i < kTotalRate; ++i) {
    ASSERT_FALSE(push(body("1500011", "one-token")));
    daemon.inputs.clear();
  }
  const auto over = push(body("1500012", "few-token"));
  expect_refused(over, 429, "rate limit: this box takes at most 200 requests a second");
  EXPECT_EQ(over->retry_after_s, 1);
  EXPECT_EQ(api->counters().rate_limited, 1U);
  expect_refused(push(body("1500011", "wrong")), 401, "reject invalid token");  // the token is looked at before
  const auto item = send(FakeRequest(Listener::push, Method::post, "/api/v1/events").with("X-BK-TOKEN", "one-token"),
                         R"({"alert_name":"a"})");
  ASSERT_TRUE(item);
  EXPECT_EQ(item->status, 429) << "the other way in has no rate of its own";
  daemon.time.mono = daemon.time.mono.after_ms(1'000);
  ASSERT_FALSE(push(body("1500012", "few-token"))) << "it was not charged for what the box refused";
  daemon.inputs.clear();
  for (std::int64_t i = 0; i < 2 * kTotalRate; ++i) static_cast<void>(push(body("1500012", "few-token")));
  EXPECT_FALSE(push(body("1500011", "one-token"))) << "nor the box for what an instance's own rate refused";
}

TEST_F(Push, TheRateComesAfterTheTokenAndBeforeTheItems) {
  auto closed = instance(1500005, "closed", "closed-token");
  closed.max_rate = -2;
  add(closed);
  const std::string_view no_items = R"({"data_id":1500005,"access_token":"closed-token","data":5})";
  expect_refused(push(std::string(no_items)), 429, "rate limit: this instance refuses all requests");
  const auto no_json = push(std::string(no_items) + "x");
  ASSERT_TRUE(no_json);
  EXPECT_EQ(no_json->status, 400) << "and after the JSON";
}

class PushWithKey : public Push {
 protected:
  Reply push_under(const std::string& key, std::string text) {
    return send(FakeRequest(Listener::push, Method::post, "/v2/push/").with("Idempotency-Key", key), std::move(text));
  }
};

TEST_F(PushWithKey, PutsItUnderTheFirstItemAndIntoTheRequestId) {
  ASSERT_FALSE(push_under("k", body("1500001", "demo-token", 2)));
  const auto& batch = last<core::Push>().batch;
  EXPECT_NE(batch.items[0].id_hash, 0U);
  EXPECT_EQ(batch.items[1].id_hash, 0U);
  EXPECT_EQ(daemon.inputs.back().reply.request_id, batch.request_id);
  const Id128 first = batch.request_id;
  const std::uint64_t hash = batch.items[0].id_hash;
  ASSERT_FALSE(push_under("k", body("1500001", "demo-token", 2)));
  EXPECT_EQ(last<core::Push>().batch.request_id, first);
  EXPECT_EQ(last<core::Push>().batch.items[0].id_hash, hash);
  ASSERT_FALSE(push_under("k", body()));
  EXPECT_EQ(last<core::Push>().batch.request_id, first);
  EXPECT_NE(last<core::Push>().batch.items[0].id_hash, hash);
  ASSERT_FALSE(push_under("l", body()));
  EXPECT_NE(last<core::Push>().batch.request_id, first);
}

TEST_F(PushWithKey, WithoutTheHeaderNoItemHasAnId) {
  ASSERT_FALSE(push(body()));
  EXPECT_EQ(last<core::Push>().batch.items[0].id_hash, 0U);
}

TEST_F(PushWithKey, AnOddKeyIsRefused) {
  expect_refused(push_under("", body()), 400, "Idempotency-Key cannot be empty");
  expect_refused(push_under("a b", body()), 400, "Idempotency-Key may have visible ASCII characters only");
  expect_refused(push_under(std::string(256, 'k'), body()), 400, "Idempotency-Key is longer than 255 bytes");
  EXPECT_FALSE(push_under(std::string(255, 'k'), body()));
}

TEST_F(PushWithKey, IsLookedAtAfterTheTokenAndTheRate) {
  expect_refused(push_under("a b", body("1500001", "wrong")), 401, "reject invalid token");
  auto closed = instance(1500005, "closed", "closed-token");
  closed.max_rate = -2;
  add(closed);
  expect_refused(push_under("a b", body("1500005", "closed-token")), 429,
                 "rate limit: this instance refuses all requests");
}

struct Refusal {
  const char* name;
  Errc code;
  std::uint16_t status;
  std::uint16_t retry_after_s;
};
class PushRefusedByTheTurn : public Push, public ::testing::WithParamInterface<Refusal> {};

TEST_P(PushRefusedByTheTurn, IsSaidWithTheRightStatus) {
  ASSERT_FALSE(push(body()));
  api->on_answer(answer_to(daemon.inputs[0], GetParam().code, "why"));
  const auto& given = answers.given.at(next_slot);
  EXPECT_EQ(given.status, GetParam().status);
  EXPECT_EQ(given.retry_after_s, GetParam().retry_after_s);
  EXPECT_EQ(without_id(given.body), R"({"code":")" + std::to_string(GetParam().status) +
                                        R"(","message":"why","request_id":"ID","result":"false"})");
}
INSTANTIATE_TEST_SUITE_P(Codes, PushRefusedByTheTurn,
                         ::testing::Values(Refusal{"OutOfBudget", Errc::out_of_budget, 503, 1},
                                           Refusal{"Unavailable", Errc::unavailable, 503, 1},
                                           Refusal{"StorageFull", Errc::storage_full, 503, 5},
                                           Refusal{"Conflict", Errc::conflict, 409, 0},
                                           Refusal{"NotFound", Errc::not_found, 401, 0},
                                           Refusal{"IoFailed", Errc::io_failed, 503, 5},
                                           Refusal{"InvalidInput", Errc::invalid_input, 400, 0}),
                         [](const auto& row) { return row.param.name; });

TEST_F(Push, AnUntrustedClockIsSaidInEveryAnswer) {
  daemon.time.wall.trusted = false;
  const auto refused = push("{");
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->clock_untrusted);
  ASSERT_FALSE(push(body()));
  api->on_answer(answer_to(daemon.inputs[0]));
  EXPECT_TRUE(answers.given.at(next_slot).clock_untrusted);
}

TEST_F(Push, AnAnswerNobodyWaitsForIsIgnored) {
  api->on_answer({});
  EXPECT_TRUE(answers.given.empty());
}

class Items : public Push {
 protected:
  FakeRequest request() { return {Listener::push, Method::post, "/api/v1/events"}; }
  std::string event = R"({"alert_name":"cpu","target":"10.0.0.1","description":"d"})";
};

TEST_F(Items, TheTokenMayComeInThreeWays) {
  EXPECT_FALSE(send(request().with("X-BK-TOKEN", "demo-token"), event));
  EXPECT_FALSE(send(request().with("Authorization", "Bearer demo-token"), event));
  EXPECT_FALSE(send(request(), R"({"data_id":1500001,"access_token":"demo-token","data":[)" + event + "]}"));
  ASSERT_EQ(daemon.inputs.size(), 3U);
  for (const auto& input : daemon.inputs) {
    EXPECT_EQ(std::get<core::Push>(input.what).batch.data_id, 1500001);
    EXPECT_TRUE(std::get<core::Push>(input.what).wants_outcomes);
  }
}

TEST_F(Items, AnswersWithTheOutcomesOfTheTurn) {
  ASSERT_FALSE(send(request().with("X-BK-TOKEN", "demo-token"), event));
  api->on_answer({daemon.inputs[0].reply, {}, R"({"items":[{"event_id":"1","outcome":"opened","alert_id":"17"}]})"});
  EXPECT_EQ(without_id(answers.given.at(next_slot).body),
            R"({"result":true,"code":200,"message":"success","request_id":"ID","data":{"items":[{"event_id":"1",)"
            R"("outcome":"opened","alert_id":"17"}]}})");
}

TEST_F(Items, RefusesInTheEnvelope) {
  const auto reply = send(request().with("X-BK-TOKEN", "wrong"), event);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 401);
  EXPECT_EQ(without_id(reply->body),
            R"({"result":false,"code":401,"message":"reject invalid token","request_id":"ID","data":{"items":[]}})");
  const auto get = send(FakeRequest(Listener::push, Method::get, "/api/v1/events"));
  ASSERT_TRUE(get);
  EXPECT_EQ(get->status, 405);
  EXPECT_EQ(get->allow, "POST");
}

TEST_F(Items, ATimeSeriesInstanceIsRefused) {
  auto series = instance(1500003, "series", "series-token");
  series.type = model::InstanceType::time_series;
  add(series);
  const auto reply = send(request().with("X-BK-TOKEN", "series-token"), event);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 400);
}

}  // namespace
}  // namespace tocsin::api
