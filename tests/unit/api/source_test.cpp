// SPDX-License-Identifier: Apache-2.0
// Alert sources: what they may take, and that they leave nothing behind.
#include "src/normalise/gse.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using model::ProfilePart;
using port::Listener;
using port::Method;

class Source : public ApiTest {
 protected:
  ~Source() override {
    daemon.inputs.clear();
    EXPECT_EQ(intake.used_bytes(), 0U) << "what a request took is given back";
  }
  /// Gives the instance "pump" that profile, in a new revision.
  void profile(std::string normalization, std::string ingest = "") {
    model::Profile profile;
    profile.parts[static_cast<std::size_t>(ProfilePart::normalization_config)] = std::move(normalization);
    profile.parts[static_cast<std::size_t>(ProfilePart::ingest_config)] = std::move(ingest);
    auto txn = daemon.store.begin_write();
    ASSERT_TRUE(registry::put_profile(**txn, 1500002, profile).ok());
    ASSERT_TRUE((*txn)->commit().ok());
    auto pump = instance(1500002, "pump", "pump-token");
    pump.type = model::InstanceType::alert_source;
    pump.max_rate = 0;
    pump.profile_revision = ++revision;
    add(pump);
  }
  static FakeRequest request(std::string path = "/event/pump/") {
    return FakeRequest(Listener::push, Method::post, std::move(path)).with("X-BK-TOKEN", "pump-token");
  }
  /// Sends; what waits for the profile goes on. The answer, or nothing when the writer has it.
  Reply push(std::string body) {
    auto at_once = send(request(), std::move(body));
    if (at_once) return at_once;
    daemon.run_jobs();
    const auto at = answers.given.find(next_slot);
    return at == answers.given.end() ? Reply{} : Reply{at->second};
  }
  std::string stored(std::size_t item = 0) {
    const auto& batch = last<core::Push>().batch;
    std::size_t at = 0;
    for (std::size_t i = 0; i < item; ++i) at += batch.items[i].json_bytes + batch.items[i].facts_bytes;
    return std::string(reinterpret_cast<const char*>(batch.bytes.data()) + at, batch.items[item].json_bytes);
  }
  std::uint32_t revision = 0;
};

constexpr char kNames[] = R"([{"field":"alert_name","expr":"n"},{"field":"description","expr":"text"}])";

TEST_F(Source, WaitsForItsProfileOnceAndThenGoesStraightToTheWriter) {
  profile(kNames);
  EXPECT_FALSE(send(request(), R"({"n":"first"})"));
  ASSERT_EQ(daemon.jobs.size(), 1U) << "the profile lies in the store";
  EXPECT_TRUE(daemon.inputs.empty());
  daemon.run_jobs();
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_EQ(stored().substr(0, 24), R"({"alert_name":"first","e)");
  EXPECT_FALSE(send(request(), R"({"n":"second"})"));
  EXPECT_TRUE(daemon.jobs.empty());
  EXPECT_EQ(daemon.inputs.size(), 2U);
  EXPECT_EQ(last<core::Push>().batch.kind, model::RecordKind::standard_event);
  EXPECT_TRUE(last<core::Push>().batch.is_alerting);
  EXPECT_FALSE(last<core::Push>().wants_outcomes);
}

TEST_F(Source, ADocumentAsDeepAsAnyIsTaken) {
  profile("");
  const auto deep = [](std::size_t levels) {
    return R"({"alert_name":"n","more":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_FALSE(push(deep(json::kDepthMax)));
  EXPECT_NE(stored().find(R"("more":[[[)"), std::string::npos);
  const auto deeper = push(deep(json::kDepthMax + 1));
  ASSERT_TRUE(deeper);
  EXPECT_EQ(deeper->status, 400);
  EXPECT_NE(deeper->body.find("nested deeper than 32 levels"), std::string::npos) << deeper->body;
}

TEST_F(Source, WhatIsRefusedBehindTheTokenGoesIntoTheRejectBox) {
  profile(kNames);
  const auto written = [&] {
    daemon.time.mono = daemon.time.mono.after_ms(kRejectWriteMs);
    daemon.inputs.clear();
    api->on_tick(false);
    return daemon.inputs.empty() ? nullptr : &last<core::TakeRejects>().refused;
  };
  const auto expect_one = [&](std::string_view code, std::string_view body) {
    const auto* all = written();
    ASSERT_TRUE(all != nullptr && all->size() == 1U) << code;
    EXPECT_EQ(all->front().code, code);
    EXPECT_EQ(all->front().way, model::RejectWay::source);
    EXPECT_EQ(all->front().data_id, 1500002);
    EXPECT_EQ(all->front().body, body);
  };
  ASSERT_EQ(push(R"({"m":"pump-token"})")->status, 400);
  expect_one("alert_name_missing", R"({"m":"**********"})");
  ASSERT_EQ(push("{pump-token")->status, 400);
  expect_one("json_invalid", "{**********");
  ASSERT_EQ(send(request())->status, 400);
  expect_one("body_empty", "");
  EXPECT_FALSE(push(R"({"n":"good"})"));
  ASSERT_EQ(send(request().with("X-BK-TOKEN", "wrong"), "{}")->status, 401);
  EXPECT_EQ(written(), nullptr);
}

TEST_F(Source, FollowsARevisionOfItsProfile) {
  profile(kNames);
  EXPECT_FALSE(push(R"({"n":"a","m":"b"})"));
  profile(R"([{"field":"alert_name","expr":"m"}])");
  EXPECT_FALSE(push(R"({"n":"a","m":"b"})"));
  EXPECT_EQ(stored().substr(0, 20), R"({"alert_name":"b","e)");
}

TEST_F(Source, IsRefusedWhenItsInstanceWentAwayMeanwhile) {
  profile(kNames);
  EXPECT_FALSE(send(request(), R"({"n":"a"})"));
  daemon.set(daemon.view().registry->without_instance(1500002));
  daemon.run_jobs();
  EXPECT_EQ(answers.given.at(next_slot).status, 401);
  EXPECT_TRUE(daemon.inputs.empty());
}

TEST_F(Source, IsToldWhenTheReaderOrTheWriterHasNoRoom) {
  profile(kNames);
  daemon.is_full = true;
  EXPECT_EQ(push(R"({"n":"a"})")->status, 503);
  daemon.is_full = false;
  EXPECT_FALSE(push(R"({"n":"a"})"));
  daemon.is_full = true;
  const auto busy = push(R"({"n":"a"})");
  EXPECT_EQ(busy->status, 503);
  EXPECT_EQ(busy->retry_after_s, 1);
}

TEST_F(Source, WithoutAProfileSendsStandardEvents) {
  auto plain = instance(1500002, "pump", "pump-token");
  add(plain);
  EXPECT_FALSE(push(R"({"alert_name":"as it is","extra":1})"));
  EXPECT_TRUE(daemon.jobs.empty());
  EXPECT_NE(stored().find(R"("extra":1)"), std::string::npos);
  EXPECT_EQ(push(R"({"extra":1})")->status, 400);
}

TEST_F(Source, NoEventsAreASuccessThatStoresNothing) {
  profile(kNames, R"({"multiple_events":true})");
  const auto none = push("[]");
  ASSERT_TRUE(none);
  EXPECT_EQ(without_id(none->body), R"({"result":true,"data":null,"message":"success","request_id":"ID"})");
  EXPECT_TRUE(daemon.inputs.empty());
}

TEST_F(Source, TakesARecordOfGseWithWhatItsPipeAdds) {
  profile("", R"({"source_format":"gse"})");
  EXPECT_FALSE(push(R"({"_server_":"10.0.0.1","_cloudid_":0,"_value_":["off"]})" + std::string(1, '\0')));
  EXPECT_NE(stored().find(R"("description":"off","metric":["bk_monitor.gse_custom_event"])"), std::string::npos);
  const auto none = push(R"({"value":[{"extra":{"type":5}}]})");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->status, 200) << "a type that is not taken";
  const auto wrong = push(R"({"value":{}})");
  ASSERT_TRUE(wrong);
  EXPECT_NE(wrong->body.find("value: expected a list, got object"), std::string::npos);
  EXPECT_EQ(push("{}" + std::string(normalise::kGseBytesMax, ' '))->status, 413);
}

TEST_F(Source, AsManyLostAgentsAsARecordMayHaveFitAnIdleIntake) {
  profile("", R"({"source_format":"gse"})");
  std::string hosts;
  for (std::size_t i = 0; i < normalise::kGseEventsMax; ++i) {
    hosts += (i > 0 ? "," : "") + (R"({"ip":"10.0.)" + std::to_string(i / 256) + "." + std::to_string(i % 256) + "\"}");
  }
  const auto answer = push(
      R"({"utctime2":"2023-11-14 22:13:20","value":[{"event_raw_id":1,"extra":{"type":2,"host":[)" + hosts + "]}}]}");
  EXPECT_FALSE(answer) << answer->body;
  EXPECT_EQ(last<core::Push>().batch.items.size(), normalise::kGseEventsMax);
}

TEST_F(Source, WhatAnIdleBoxHasNoRoomForIsTooLargeAndABusyOneAsksAgain) {
  profile(kNames);
  EXPECT_FALSE(push(R"({"n":"a"})"));
  daemon.inputs.clear();
  std::string body = R"({"n":"a","list":[)";
  while (body.size() < 19'000) body += "1,";
  body += "1]}";
  ASSERT_TRUE(intake.try_charge(900 * KiB));
  EXPECT_EQ(push(body)->status, 503);
  intake.release(900 * KiB);
  EXPECT_FALSE(push(body));
  daemon.inputs.clear();
  Budget small{"intake", 128 * KiB};
  api = std::make_unique<Api>(Parts{.daemon = daemon,
                                    .answers = answers,
                                    .crypto = crypto,
                                    .random = random,
                                    .secret = secret,
                                    .intake = &small,
                                    .profiles = &profiles,
                                    .push_body_bytes_max = 20'000});
  EXPECT_FALSE(push(R"({"n":"a"})"));
  daemon.inputs.clear();
  const auto refused = push(body);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 413);
  EXPECT_NE(refused->body.find("more memory than this box has for one request"), std::string::npos) << refused->body;
  EXPECT_EQ(small.used_bytes(), 0U);
  api.reset();
}

TEST_F(Source, AnExpressionThatTakesTooManyStepsIsRefused) {
  profile(R"j([{"field":"alert_name","expr":"n"},{"field":"description","expr":"join(t, l)"}])j");
  std::string list;
  for (int i = 0; i < 4000; ++i) list += "\"\",";
  const auto body = [&](std::size_t bytes) {
    return R"({"n":"a","l":[)" + list + R"(""],"t":")" + std::string(bytes, 't') + "\"}";
  };
  EXPECT_FALSE(push(body(1)));
  EXPECT_NE(stored().find("description"), std::string::npos);
  const auto reply = push(body(2'000));  // 8 MB of text
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413);
  EXPECT_NE(reply->body.find("join(t, l): takes more steps than it may (event 0)"), std::string::npos) << reply->body;
}

TEST_F(Source, AProfileBeyondTheBoxIsRefusedWhenItIsSaved) {
  std::string fields;
  for (int i = 0; i < 250; ++i)
    fields += std::string(i > 0 ? "," : "") + R"({"field":"x","expr":"a.b.c.d.e.f.g.h.i.j"})";
  const auto reply = post("/api/v1/plugins", R"({"plugin_id":"a","normalization_config":[)" + fields + "]}");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("KiB that this box has for profiles"), std::string::npos) << reply.body;
  EXPECT_EQ(profiles.used_bytes(), 0U);
}

TEST_F(Source, TheProfilesUsedLeastMakeRoomForOthers) {
  std::string fields;
  for (int i = 0; i < 60; ++i) fields += std::string(i > 0 ? "," : "") + R"({"field":"tags","expr":"a.b.c.d.e.f.g.h"})";
  fields += R"(,{"field":"alert_name","expr":"n"})";
  for (int round = 0; round < 12; ++round) {
    for (const std::int32_t data_id : {1500002, 1500003, 1500004, 1500005, 1500006, 1500007}) {
      model::Profile one;
      one.parts[static_cast<std::size_t>(ProfilePart::normalization_config)] = "[" + fields + "]";
      auto txn = daemon.store.begin_write();
      ASSERT_TRUE(registry::put_profile(**txn, data_id, one).ok());
      ASSERT_TRUE((*txn)->commit().ok());
      const std::string id = std::to_string(data_id);
      auto pump = instance(data_id, "p" + id, "token-" + id);
      pump.profile_revision = 1;
      pump.max_rate = 0;
      add(pump);
      next_slot++;
      EXPECT_FALSE(send(FakeRequest(Listener::push, Method::post, "/event/p" + id).with("X-BK-TOKEN", "token-" + id),
                        R"({"n":"a"})"));
      daemon.run_jobs();
      ASSERT_EQ(daemon.inputs.size(), 1U) << body_of(answers.given[next_slot]);
      daemon.inputs.clear();
      EXPECT_LE(profiles.used_bytes(), profiles.limit_bytes());
    }
  }
}

TEST_F(Source, EveryWayToNameTheSenderIsReadInItsOrder) {
  profile(kNames);
  const auto path = "/fta/v1/event";
  EXPECT_EQ(body_of(*send(FakeRequest(Listener::push, Method::post, path), "{}")),
            R"({"error":"empty token","status":"error"})");
  EXPECT_EQ(send(FakeRequest(Listener::push, Method::post, path), "{}")->status, 403);
  const auto by = [&](FakeRequest one) { return !send(std::move(one), R"({"n":"a"})"); };
  EXPECT_TRUE(by(FakeRequest(Listener::push, Method::post, path).ask("token", "pump-token")));
  EXPECT_TRUE(
      by(FakeRequest(Listener::push, Method::post, path).with("Authorization", basic("bkmonitor", "pump-token"))));
  EXPECT_FALSE(by(FakeRequest(Listener::push, Method::post, path).with("Authorization", basic("other", "pump-token"))));
  EXPECT_FALSE(by(FakeRequest(Listener::push, Method::post, path).with("X-BK-TOKEN", "no").ask("token", "pump-token")));
  daemon.jobs.clear();
}

TEST_F(Source, NeitherEventsNorAnswersRepeatTheTokenWhereverItStood) {
  profile(R"j([{"field":"alert_name","expr":"'a'"},{"field":"description","expr":"to_string(__http_headers__)"},
      {"field":"target","expr":"to_string(__http_query_params__)"}])j");
  const auto plain = [] { return FakeRequest(Listener::push, Method::post, "/event/pump"); };
  for (auto& one :
       {plain().with("X-Tps-TenantID", "pump-token"), plain().with("X-BK-TOKEN", "pump-token"),
        plain().ask("X-BK-TOKEN", "pump-token"), plain().ask("X-Tps-TenantID", "pump-token"),
        plain().ask("token", "pump-token"), request().with("X-Original-URI", "/event/pump?token=pump-token&a=1")}) {
    auto shown = one;
    shown.ask("debug", "1").ask("unit", "7");
    const auto reply = call(shown, "{}");
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.body.find("pump-token"), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("unit"), std::string::npos) << reply.body;
    EXPECT_TRUE(daemon.inputs.empty());
    EXPECT_EQ(call(one, "{}").status, 0);
    EXPECT_EQ(stored().find("pump-token"), std::string::npos) << stored();
    daemon.inputs.clear();
  }
}

TEST_F(Source, DebugRefusesWhatWouldBeRefused) {
  add(instance(1500002, "pump", "pump-token"));
  const auto reply = call(request().ask("debug", "1"), R"({"description":"no name"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("alert_name missing"), std::string::npos) << reply.body;
}

TEST_F(Source, ARequestIdOfTheSenderIsShownAndNotStored) {
  profile(kNames);
  const std::string given = "0f8fad5b-d9cb-469f-a165-70867728950e";
  EXPECT_EQ(call(request().with("X-Request-ID", given), R"({"n":"a"})").status, 0);
  const auto& input = daemon.inputs.back();
  EXPECT_EQ(to_uuid_text(input.reply.request_id), given);
  EXPECT_NE(to_uuid_text(last<core::Push>().batch.request_id), given);
  EXPECT_EQ(stored().find(given), std::string::npos) << "two requests with one id may be two events";
}

TEST_F(Source, InstancesMayShareATokenWhereThePathTellsThemApart) {
  for (const std::int32_t data_id : {1500003, 1500004}) {
    auto one = instance(data_id, data_id == 1500003 ? "first" : "second", "site-token");
    add(one);
  }
  for (const auto& [plugin, data_id] : {std::pair{"first", 1500003}, std::pair{"second", 1500004}}) {
    const auto to = FakeRequest(Listener::push, Method::post, "/event/" + std::string(plugin));
    EXPECT_EQ(call(FakeRequest(to).with("X-BK-TOKEN", "site-token"), R"({"alert_name":"a"})").status, 0);
    EXPECT_EQ(last<core::Push>().batch.data_id, data_id);
    EXPECT_EQ(call(FakeRequest(to).with("X-BK-TOKEN", "wrong"), "{}").status, 401);
  }
}

TEST_F(Source, BkCollectorsWordsStandBeforeARateToo) {
  profile(kNames);
  auto pump = *daemon.view().registry->instance(1500002);
  pump.max_rate = -2;
  add(pump);
  EXPECT_EQ(body_of(*send(request("/fta/v1/event"), "{}")),
            R"({"error":"run pre-check failed, rtype=fta, code=429, ip=10.0.0.7: rate limit: this instance refuses )"
            R"(all requests","status":"error"})");
}

TEST_F(Source, ADisabledOneAndOneThatTakesMetricsAreNotLetIn) {
  profile(kNames);
  auto pump = *daemon.view().registry->instance(1500002);
  pump.type = model::InstanceType::time_series;
  add(pump);
  EXPECT_EQ(push("{}")->status, 400);
  pump.enabled = false;
  add(pump);
  EXPECT_EQ(push("{}")->status, 401);
}

TEST_F(Source, TheRateOfItsInstanceCounts) {
  profile(kNames);
  auto pump = *daemon.view().registry->instance(1500002);
  pump.max_rate = -2;
  add(pump);
  const auto reply = push("{}");
  EXPECT_EQ(reply->status, 429);
  EXPECT_GT(reply->retry_after_s, 0);
}

}  // namespace
}  // namespace tocsin::api
