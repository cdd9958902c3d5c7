// SPDX-License-Identifier: Apache-2.0
// Instances that are bound to a certificate of TLS.
#include "src/base/hex.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using port::Listener;
using port::Method;

constexpr std::string_view kEvent = R"({"event_name":"e","target":"t","event":{"content":"c"}})";

port::Digest256 certificate(unsigned char first) {
  port::Digest256 out{};
  out[0] = std::byte{first};
  return out;
}

class ClientCertificate : public ApiTest {
 protected:
  ClientCertificate() {
    auto bound = instance(1500010, "bound", "bound-token");
    bound.client_cert = certificate(1);
    add(bound);
    bound = instance(1500011, "source", "source-token");
    bound.type = model::InstanceType::alert_source;
    bound.client_cert = certificate(1);
    add(bound);
  }
  /// Every way in with the right token; what comes at once is a refusal.
  struct Way {
    FakeRequest request;
    std::string body;
  };
  static std::vector<Way> ways() {
    const auto to = [](const char* path) { return FakeRequest(Listener::push, Method::post, path); };
    return {
        {to("/v2/push/"), R"({"data_id":1500010,"access_token":"bound-token","data":[)" + std::string(kEvent) + "]}"},
        {to("/api/v1/events").with("X-BK-TOKEN", "source-token"), R"({"alert_name":"a"})"},
        {to("/fta/v1/event").with("X-BK-TOKEN", "source-token"), "{}"},
        {to("/event/source").with("X-BK-TOKEN", "source-token"), "{}"}};
  }
};

TEST_F(ClientCertificate, WithoutItTheTokenAloneIsRefusedOnEveryWayIn) {
  for (Way& way : ways()) {
    const auto none = send(way.request, way.body);
    const auto other = send(way.request.showing(certificate(2)), way.body);
    for (const auto* reply : {&none, &other}) {
      ASSERT_TRUE(*reply);
      EXPECT_EQ((*reply)->status, 401);
      EXPECT_STREQ((*reply)->error.text(), "client_certificate");
      EXPECT_NE((*reply)->body.find("reject client certificate"), std::string::npos) << (*reply)->body;
    }
  }
  EXPECT_TRUE(daemon.inputs.empty());
  EXPECT_TRUE(daemon.jobs.empty());
}

TEST_F(ClientCertificate, WithItTheTokenIsStillNeeded) {
  const auto post = [](std::string_view token) {
    return R"({"data_id":1500010,"access_token":")" + std::string(token) + R"(","data":[)" + std::string(kEvent) + "]}";
  };
  const FakeRequest showing = FakeRequest(Listener::push, Method::post, "/v2/push/").showing(certificate(1));
  EXPECT_STREQ(send(showing, post("guess"))->error.text(), "token_invalid");
  EXPECT_FALSE(send(showing, post("bound-token")));
  EXPECT_EQ(daemon.inputs.size(), 1U);
}

TEST_F(ClientCertificate, WhoIsNotBoundMayShowAny) {
  EXPECT_FALSE(send(FakeRequest(Listener::push, Method::post, "/v2/push/").showing(certificate(9)),
                    R"({"data_id":1500001,"access_token":"demo-token","data":[)" + std::string(kEvent) + "]}"));
}

TEST_F(ClientCertificate, ARefusalForItCostsNothingOfTheRate) {
  auto slow = *daemon.view().registry->instance(1500010);
  slow.max_rate = 1;
  add(slow);
  Way way = ways()[0];
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send(way.request, way.body)->status, 401);
  EXPECT_FALSE(send(way.request.showing(certificate(1)), way.body));
}

TEST_F(ClientCertificate, OperatorsSetAndShowItAsAFingerprint) {
  const std::string hex = to_hex(certificate(0xAB));
  (void)post("/api/v1/plugins/demo", R"({"client_cert":")" + hex + R"("})");
  EXPECT_EQ(last<core::ChangeInstance>().instance.client_cert, certificate(0xAB));
  std::string as_openssl_prints;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    as_openssl_prints += i > 0 ? ":" : "";
    for (const char c : hex.substr(i, 2)) as_openssl_prints += static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
  }
  (void)post("/api/v1/plugins", R"({"plugin_id":"a","client_cert":")" + as_openssl_prints + R"("})");
  EXPECT_EQ(last<core::ChangeInstance>().instance.client_cert, certificate(0xAB));
  EXPECT_NE(get("/api/v1/plugins/bound").body.find(R"("client_cert":"01)"), std::string::npos);
  (void)post("/api/v1/plugins/bound", R"({"client_cert":""})");
  EXPECT_FALSE(last<core::ChangeInstance>().instance.is_bound_to_certificate());
  (void)post("/api/v1/plugins/bound", R"({"name":"n"})");
  EXPECT_TRUE(last<core::ChangeInstance>().instance.is_bound_to_certificate());
}

}  // namespace
}  // namespace tocsin::api
