// SPDX-License-Identifier: Apache-2.0
// No answer says a token, not even to the one who sent it: answers end up in logs that more people read.
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using port::Listener;
using port::Method;

constexpr std::string_view kSecretWord = "RECOGNISABLE";
constexpr std::string_view kSecretToken = "RECOGNISABLE-0123456789abcdef";

class TokenEcho : public ApiTest {
 protected:
  TokenEcho() {
    add(instance(1500007, "mine", std::string(kSecretToken)));
    auto series = instance(1500008, "series", std::string(kSecretToken));
    series.type = model::InstanceType::time_series;
    add(series);
    auto closed = instance(1500009, "closed", std::string(kSecretToken));
    closed.max_rate = -2;
    add(closed);
    auto off = instance(1500010, "off", std::string(kSecretToken));
    off.enabled = false;
    add(off);
  }
  static std::string body(std::string_view data_id, std::string_view data = R"([{}])",
                          std::string_view token = kSecretToken) {
    return R"({"data_id":)" + std::string(data_id) + R"(,"access_token":")" + std::string(token) + R"(","data":)" +
           std::string(data) + "}";
  }
  /// A request that shows the token wherever a client might put it.
  static FakeRequest request(const std::string& path = "/v2/push/", Method method = Method::post) {
    FakeRequest out(Listener::push, method, path);
    out.with("X-BK-TOKEN", std::string(kSecretToken)).with("Authorization", "Bearer " + std::string(kSecretToken));
    out.with("X-Tps-TenantID", std::string(kSecretToken)).ask("access_token", std::string(kSecretToken));
    return out;
  }
  void expect_silent(const Reply& reply, std::string_view what) {
    ASSERT_TRUE(reply) << what << " was not refused";
    EXPECT_GE(reply->status, 400) << what;
    EXPECT_EQ(body_of(*reply).find(kSecretWord), std::string_view::npos) << what << ": " << body_of(*reply);
  }
};

TEST_F(TokenEcho, NoBodyThatIsRefusedAtOnceBringsItBack) {
  const std::string token(kSecretToken);
  const std::vector<std::string> bodies = {
      "",
      token,
      "\"" + token + "\"",
      "[\"" + token + "\"]",
      "{\"" + token + "\"",
      "{\"access_token\":\"" + token,
      body("1500007", "[{}]", token + "\\q"),
      body("1500007", "[{}]", token + "\xFF"),
      body("1500007", "[{}]", token + "\n"),
      body("1500007") + token,
      body("1500001"),
      body("7"),
      body("0"),
      body("-1"),
      body("4294967303"),
      body("1.5"),
      body("true"),
      body("\"" + token + "\""),
      body("{}"),
      body("1500010"),
      body("1500007", "[{}]", token + std::string(512, 'x')),
      R"({"data_id":1500007,"access_token":{")" + token + R"(":1}})",
      R"({"data_id":1500007,"access_token":[")" + token + R"("]})",
      body("1500009"),
      body("1500007", "null"),
      body("1500007", "\"" + token + "\""),
      body("1500007", "{\"" + token + "\":1}"),
      body("1500007", "[]"),
      body("1500007", "[\"" + token + "\"]"),
      body("1500007"),
      body("1500007", R"([{"event_name":5}])"),
      body("1500007", R"([{"event_name":"e","target":"t"}])"),
      body("1500007", R"([{"event_name":"e","target":"t","event":{"content":1},"dimension":")" + token + R"("}])"),
      body("1500007", R"([{"event_name":"e","target":"t","event":{"content":1},"timestamp":")" + token + R"("}])"),
      body("1500007", R"([{"event_name":"e","target":"t","event":{"content":1},"timestamp":9999999999999}])"),
      body("1500008"),
      body("1500008", R"([{"metrics":{"a":")" + token + R"("}}])")};
  for (const std::string& text : bodies) expect_silent(send(request(), text), "push " + text);
}

TEST_F(TokenEcho, NoStandardEventThatIsRefusedAtOnceBringsItBack) {
  const std::string token(kSecretToken);
  const std::vector<std::string> bodies = {std::string(),
                                           token,
                                           "\"" + token + "\"",
                                           "{\"access_token\":\"" + token,
                                           R"({"data_id":7,"access_token":")" + token + R"("})",
                                           R"({"data_id":")" + token + R"("})",
                                           R"({"access_token":[")" + token + R"("]})",
                                           R"({"data_id":1500009,"alert_name":"a"})",
                                           R"({"data_id":1500008,"alert_name":"a"})",
                                           R"({"data_id":1500007,"alert_name":5})",
                                           R"({"data_id":1500007,"severity":")" + token + R"("})"};
  for (const std::string& text : bodies) expect_silent(send(request("/api/v1/events"), text), "items " + text);
}

TEST_F(TokenEcho, NoHeadThatIsRefusedBringsItBack) {
  const std::string good = body("1500007", R"([{"event_name":"e","target":"t","event":{"content":1}}])");
  expect_silent(send(request("/v2/push/" + std::string(kSecretToken)), good), "path");
  expect_silent(send(request("/v2/push/", Method::get)), "method");
  expect_silent(send(request().with("Content-Encoding", std::string(kSecretToken)), good), "encoding");
  expect_silent(send(request().with("Content-Encoding", "gzip"), std::string(kSecretToken)), "gzip");
  expect_silent(send(request().with("Idempotency-Key", std::string(kSecretToken) + " "), good), "key");
  expect_silent(send(request().with("Idempotency-Key", std::string(kSecretToken) + std::string(255, 'k')), good),
                "key");
  std::size_t bytes_max = 0;
  expect_silent(api->on_head(request().with("Content-Length", "20001"), bytes_max), "length");
  expect_silent(api->refusal(request(), 400, "odd framing"), "framing");
}

TEST_F(TokenEcho, NothingThatIsRefusedForWantOfRoomBringsItBack) {
  const std::string good = body("1500007", R"([{"event_name":"e","target":"t","event":{"content":1}}])");
  daemon.is_full = true;
  expect_silent(send(request(), good), "full");
  daemon.is_full = false;
  ASSERT_TRUE(intake.try_charge(intake.limit_bytes() - 16));
  expect_silent(send(request(), good), "memory");
  intake.release(intake.limit_bytes() - 16);
}

TEST_F(TokenEcho, NothingThatATurnRefusesBringsItBack) {
  const std::string good = body("1500007", R"([{"event_name":"e","target":"t","event":{"content":1}}])");
  for (const Errc code :
       {Errc::invalid_input, Errc::not_found, Errc::conflict, Errc::out_of_budget, Errc::storage_full,
        Errc::storage_corrupt, Errc::io_failed, Errc::timed_out, Errc::unavailable, Errc::unsupported}) {
    ASSERT_FALSE(send(request().with("Idempotency-Key", std::string(kSecretToken)), good));
    api->on_answer({daemon.inputs.back().reply, code, {}});
    expect_silent(answers.given.at(next_slot), to_text(code));
  }
}

}  // namespace
}  // namespace tocsin::api
