// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using model::AuditAction;
using model::Role;
using port::Listener;
using port::Method;

class AccessRules : public ApiTest {
 protected:
  /// Notes that were posted, oldest first.
  std::vector<core::Note> notes() const {
    std::vector<core::Note> out;
    for (const auto& input : daemon.inputs) {
      if (const auto* note = std::get_if<core::Note>(&input.what)) out.push_back(*note);
    }
    return out;
  }
  static FakeRequest status() { return {Listener::admin, Method::get, "/api/v1/status"}; }
  static FakeRequest ack() {
    return FakeRequest(Listener::admin, Method::post, "/ack_alert").with("Content-Type", "application/json");
  }
  void wait_ms(std::int64_t ms) { daemon.time.mono = daemon.time.mono.after_ms(ms); }
};

std::string filled(std::string_view pattern) {
  std::string out(pattern);
  const std::size_t open = out.find('{');
  if (open != std::string::npos) out.replace(open, out.find('}') - open + 1, "1500001");
  return out;
}

TEST_F(AccessRules, EveryRouteAdmitsExactlyTheRolesOfItsRow) {
  for (const Route& route : routes()) {
    if (route.intake != Intake::none) continue;
    for (const auto& [name, role] : {std::pair{"", Role::anyone}, std::pair{"viewer", Role::viewer},
                                     std::pair{"operator", Role::operator_}, std::pair{"admin", Role::admin}}) {
      SCOPED_TRACE(std::string(route.path) + " as " + name);
      FakeRequest request(Listener::admin, route.method, filled(route.path));
      if (role != Role::anyone) request.with("Authorization", std::string("Bearer ") + name + "-token");
      const std::uint16_t status = call(request).status;
      const bool is_refused = status == 401 || status == 403;
      EXPECT_EQ(is_refused, role < role_of(route.need)) << status;
      if (is_refused) {
        EXPECT_EQ(status, role == Role::anyone ? 401 : 403);
      }
    }
  }
}

TEST_F(AccessRules, EveryRouteIsServedOnItsListenersOnly) {
  for (const Route& route : routes()) {
    for (const Listener listener : {Listener::push, Listener::admin, Listener::control}) {
      SCOPED_TRACE(std::string(route.path) + " on " + std::to_string(static_cast<int>(listener)));
      const Match found = match(listener, route.method, filled(route.path));
      EXPECT_EQ(found.route == &route, serves(route.on, listener));
      if (serves(route.on, listener) && route.method == Method::get) {
        EXPECT_EQ(match(listener, Method::head, filled(route.path)).route, &route);
      }
    }
  }
}

TEST_F(AccessRules, OtherMethodsAreAnswered405WithAllow) {
  const auto both = call(FakeRequest(Listener::admin, Method::put, "/api/v1/plugins"));
  EXPECT_EQ(both.status, 405);
  EXPECT_EQ(both.allow, "GET, HEAD, POST");
  EXPECT_EQ(call(FakeRequest(Listener::admin, Method::post, "/api/v1/events")).allow, "GET, HEAD");
  EXPECT_EQ(call(FakeRequest(Listener::admin, Method::get, "/api/v1/alerts/ack")).allow, "POST");
  EXPECT_EQ(call(FakeRequest(Listener::push, Method::post, "/healthz")).allow, "GET, HEAD");
}

TEST_F(AccessRules, UnknownPathsAre404) {
  for (const char* path :
       {"/api/v1/plugins/", "/api/v1/plugins/a/b", "/api/openapi.json", "/v2/push/", "", "/api/v1/users//passwd"}) {
    EXPECT_EQ(call(FakeRequest(Listener::admin, Method::get, path)).status, 404) << path;
  }
}

TEST_F(AccessRules, TheControlSocketMakesAdminsOfThoseItTrusts) {
  FakeRequest request(Listener::control, Method::get, "/api/v1/users");
  EXPECT_EQ(call(request.as_admin(true)).status, 200);
  EXPECT_EQ(call(request.as_admin(false)).status, 403);
  ASSERT_EQ(notes().size(), 1U);
  EXPECT_EQ(notes()[0].actor, "uid:1000");
  EXPECT_EQ(notes()[0].action, AuditAction::access_refused);
  EXPECT_EQ(call(FakeRequest(Listener::control, Method::get, "/healthz").as_admin(false)).status, 200);
}

TEST_F(AccessRules, MetricsAndReadinessAreOpenOnLoopbackOnly) {
  for (const char* path : {"/metrics", "/readyz"}) {
    FakeRequest request(Listener::admin, Method::get, path);
    EXPECT_EQ(call(request.from("127.0.0.1", true)).status, 200);
    EXPECT_EQ(call(request.from("10.0.0.7", false)).status, 401);
    EXPECT_EQ(call(request.with("Authorization", "Bearer viewer-token")).status, 200);
  }
  EXPECT_EQ(call(FakeRequest(Listener::admin, Method::get, "/healthz")).status, 200);
}

TEST_F(AccessRules, MissingCredentialsAreAskedForAndOnlyAttemptsAreRecorded) {
  const auto reply = call(status());
  EXPECT_EQ(reply.status, 401);
  EXPECT_TRUE(reply.ask_for_credentials);
  EXPECT_TRUE(notes().empty()) << "a browser's first request";
  EXPECT_EQ(call(ack(), R"({"ids":["1"]})").status, 401);
  ASSERT_EQ(notes().size(), 1U);
  EXPECT_EQ(notes()[0].action, AuditAction::alert_ack_refused);
  EXPECT_EQ(notes()[0].actor, "peer:10.0.0.7");
  EXPECT_EQ(notes()[0].object, "/ack_alert");
}

TEST_F(AccessRules, AViewerMayNotAcknowledge) {
  EXPECT_EQ(call(ack().with("Authorization", "Bearer viewer-token"), R"({"ids":["1"]})").status, 403);
  ASSERT_EQ(notes().size(), 1U);
  EXPECT_EQ(notes()[0].action, AuditAction::alert_ack_refused);
  EXPECT_EQ(notes()[0].actor, "token:viewer");
}

TEST_F(AccessRules, AFewRefusalsAreRecordedEachAndManyWithTheirNumber) {
  const auto guess = status().with("Authorization", "Bearer guess");
  for (int i = 0; i < 1000; ++i) (void)call(guess);
  ASSERT_EQ(notes().size(), std::size_t{kNotesAtOnceMax});
  EXPECT_EQ(notes().back().detail, "the API token is not known or has expired");
  wait_ms(kNoteEveryMs - 1);
  (void)call(guess);
  EXPECT_EQ(notes().size(), std::size_t{kNotesAtOnceMax});
  wait_ms(1);
  (void)call(guess);
  (void)call(guess);
  ASSERT_EQ(notes().size(), std::size_t{kNotesAtOnceMax} + 1);
  EXPECT_EQ(notes().back().detail, "the API token is not known or has expired (and 985 more refusals before this one)");
  EXPECT_EQ(api->counters().refused_credentials, 1003U);
}

TEST_F(AccessRules, NoRefusalIsLostWhenNoOtherFollows) {
  for (int i = 0; i < kNotesAtOnceMax; ++i) (void)call(status().with("Authorization", "Bearer guess"));
  for (int i = 0; i < 3; ++i) (void)call(ack(), R"({"ids":["1"]})");
  (void)call(status().with("Authorization", "Bearer guess"));
  api->on_tick(false);
  EXPECT_EQ(notes().size(), std::size_t{kNotesAtOnceMax}) << "no row is free yet";
  wait_ms(kNoteEveryMs);
  daemon.is_full = true;
  api->on_tick(false);
  daemon.is_full = false;
  wait_ms(kNoteEveryMs);
  api->on_tick(false);
  api->on_tick(false);
  ASSERT_EQ(notes().size(), std::size_t{kNotesAtOnceMax} + 1);
  EXPECT_EQ(notes().back().action, AuditAction::alert_ack_refused);
  EXPECT_EQ(notes().back().detail, "4 more refusals, 3 of acknowledgements: too many to record each");
}

TEST_F(AccessRules, TheLastTickRecordsWhatWasLeftOutAtOnce) {
  for (int i = 0; i < kNotesAtOnceMax + 2; ++i) (void)call(status().with("Authorization", "Bearer guess"));
  api->on_tick(true);
  ASSERT_EQ(notes().size(), std::size_t{kNotesAtOnceMax} + 1);
  EXPECT_EQ(notes().back().action, AuditAction::access_refused);
  EXPECT_EQ(notes().back().detail, "2 more refusals, 0 of acknowledgements: too many to record each");
}

TEST_F(AccessRules, EveryUnattendedAcknowledgementOfABurstIsRecorded) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call(ack(), R"({"ids":["1"]})").status, 401);
  EXPECT_EQ(notes().size(), 5U);
}

TEST_F(AccessRules, APasswordIsStretchedOnceAndThenRemembered) {
  const auto request = status().with("Authorization", basic("viewer", "viewer-password"));
  EXPECT_FALSE(send(request));
  EXPECT_EQ(daemon.jobs.size(), 1U);
  EXPECT_FALSE(send(request)) << "waits for the same login";
  EXPECT_EQ(daemon.jobs.size(), 1U);
  daemon.run_jobs();
  EXPECT_EQ(answers.given.at(1).status, 200);
  EXPECT_EQ(answers.given.at(2).status, 200);
  const auto again = send(request);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, 200);
  wait_ms(kLoginCachedMs);
  EXPECT_FALSE(send(request)) << "forgotten after ten minutes";
}

TEST_F(AccessRules, ARememberedLoginEndsWhenTheRegistryChanges) {
  const auto request = status().with("Authorization", basic("viewer", "viewer-password"));
  EXPECT_EQ(call(request).status, 200);
  daemon.set(daemon.view().registry->without_user("viewer"));
  EXPECT_EQ(call(request).status, 401);
}

TEST_F(AccessRules, AWrongPasswordAndAnUnknownUserLookTheSame) {
  const auto wrong = call(status().with("Authorization", basic("viewer", "guess")));
  const int slices = daemon.slices;
  const auto unknown = call(status().with("Authorization", basic("nobody", "guess")));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_TRUE(wrong.ask_for_credentials);
  EXPECT_EQ(without_id(wrong.body), without_id(unknown.body));
  EXPECT_EQ(daemon.slices, 2 * slices);
  ASSERT_EQ(notes().size(), 2U);
  EXPECT_EQ(notes()[0].action, AuditAction::login_refused);
}

TEST_F(AccessRules, AnAccountMustWaitFromItsFifthFailureOn) {
  const auto wrong = status().with("Authorization", basic("admin", "guess"));
  for (int i = 0; i < kFailuresFree; ++i) EXPECT_EQ(call(wrong).status, 401);
  const auto right = status().with("Authorization", basic("admin", "admin-password"));
  const auto refused = call(right);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.retry_after_s, 1);
  wait_ms(1'000);
  EXPECT_EQ(call(wrong).status, 401);
  EXPECT_EQ(call(right).retry_after_s, 2) << "the wait grows";
  EXPECT_EQ(call(status().with("Authorization", basic("viewer", "viewer-password"))).status, 200)
      << "others do not wait";
  wait_ms(2'000);
  EXPECT_EQ(call(right).status, 200);
  EXPECT_EQ(call(wrong).status, 401) << "a success clears the account";
}

TEST_F(AccessRules, OneGuessAtATimeAndAccount) {
  EXPECT_FALSE(send(status().with("Authorization", basic("admin", "guess-1"))));
  const auto second = send(status().with("Authorization", basic("admin", "guess-2")));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->status, 503);
}

TEST_F(AccessRules, LoginsThatRunAreBounded) {
  for (std::size_t i = 0; i < kLoginsRunningMax; ++i) {
    EXPECT_FALSE(send(status().with("Authorization", basic("user" + std::to_string(i), "x"))));
  }
  EXPECT_EQ(send(status().with("Authorization", basic("another", "x")))->status, 503);
  for (std::size_t i = 1; i < kCallsPerLoginMax; ++i) {
    EXPECT_FALSE(send(status().with("Authorization", basic("user0", "x"))));
  }
  EXPECT_EQ(send(status().with("Authorization", basic("user0", "x")))->status, 503);
  daemon.run_jobs();
  EXPECT_EQ(answers.given.size(), kLoginsRunningMax + kCallsPerLoginMax - 1) << "everybody who waits is answered";
}

TEST_F(AccessRules, ABasicLoginOfAViewerMayNotChangeThings) {
  EXPECT_EQ(call(ack().with("Authorization", basic("viewer", "viewer-password")), R"({"ids":["1"]})").status, 403);
  ASSERT_EQ(notes().size(), 1U);
  EXPECT_EQ(notes()[0].action, AuditAction::alert_ack_refused);
}

TEST_F(AccessRules, AnotherSitesPageCannotUseTheBrowsersLogin) {
  auto request = ack().with("Authorization", basic("operator", "operator-password")).with("Host", "box:10206");
  EXPECT_EQ(call(FakeRequest(request).with("Origin", "http://evil.example"), R"({"ids":["1"]})").status, 403);
  EXPECT_EQ(call(FakeRequest(request).with("Origin", "null"), R"({"ids":["1"]})").status, 403);
  for (const char* sign : {"Origin", "Sec-Fetch-Site", "Cookie", "Referer"}) {
    const auto form = FakeRequest(request).with("Content-Type", "text/plain").with(sign, "http://box:10206");
    EXPECT_EQ(call(form, R"({"ids":["1"]})").status, 415) << sign;
  }
  EXPECT_FALSE(send(FakeRequest(request).with("Origin", "http://box:10206"), R"({"ids":["1"]})"));
  daemon.run_jobs();
  ASSERT_TRUE(std::holds_alternative<core::AckAlerts>(daemon.inputs.back().what));
  EXPECT_EQ(last<core::AckAlerts>().actor, "user:operator");
}

TEST_F(AccessRules, WhoIsNoBrowserNeedsNoContentType) {
  FakeRequest request(Listener::admin, Method::post, "/ack_alert");
  request.with("Authorization", basic("operator", "operator-password")).with("Host", "box:10206");
  EXPECT_FALSE(send(request, R"({"ids":["1"]})"));
  daemon.run_jobs();
  EXPECT_FALSE(send(request.with("Content-Type", "application/x-www-form-urlencoded"), R"({"ids":["1"]})"));
  EXPECT_EQ(last<core::AckAlerts>().actor, "user:operator");
}

TEST_F(AccessRules, AnExpiredTokenIsRefusedUnlessTheClockIsUntrusted) {
  const model::ApiToken old{"old", Role::viewer, 1, daemon.time.wall.unix_ms,
                            registry::token_hash("old-token", crypto, secret)};
  daemon.set(daemon.view().registry->with(old));
  EXPECT_EQ(call(status().with("Authorization", "Bearer old-token")).status, 401);
  daemon.time.wall.trusted = false;
  EXPECT_EQ(call(status().with("Authorization", "Bearer old-token")).status, 200);
}

TEST_F(AccessRules, ABodyOfThePowerfulIsBoundedToo) {
  std::size_t bytes_max = 0;
  FakeRequest request(Listener::admin, Method::post, "/api/v1/users");
  request.with("Content-Length", "100");
  EXPECT_EQ(api->on_head(request, bytes_max)->status, 401) << "refused before the body";
  request.with("Authorization", "Bearer admin-token").with("Content-Length", std::to_string(kAdminBodyBytesMax));
  EXPECT_FALSE(api->on_head(request, bytes_max));
  EXPECT_EQ(bytes_max, kAdminBodyBytesMax);
  request.with("Content-Length", std::to_string(kAdminBodyBytesMax + 1));
  EXPECT_EQ(api->on_head(request, bytes_max)->status, 413);
}

TEST(Credentials, AreReadFromTheHeader) {
  const auto known = parse_basic("Basic dXNlcjpwYXNzOndvcmQ=");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->user, "user");
  EXPECT_EQ(known->password, "pass:word");
  EXPECT_TRUE(parse_basic("bAsIc dXNlcjpwYXNz"));
  for (const char* wrong :
       {"", "Basic", "Basic !!!", "Basic dXNlcg==", "Basic OnBhc3M=", "Bearer x", "Basicx dXNlcjpwYXNz"}) {
    EXPECT_FALSE(parse_basic(wrong)) << wrong;
  }
  EXPECT_FALSE(parse_basic("Basic " + std::string(kCredentialsBytesMax, 'A')));
  EXPECT_EQ(parse_bearer("Bearer abc"), "abc");
  EXPECT_EQ(parse_bearer("Basic abc"), "");
}

TEST(FailedLogins, AreForgottenAndBounded) {
  FailedLogins failed;
  Monotonic now{1};
  for (int i = 0; i < 20; ++i) failed.failed("a", now);
  EXPECT_EQ(failed.wait_s("a", now), 60);
  now = now.after_ms(kFailuresKeptMs);
  failed.failed("a", now);
  EXPECT_EQ(failed.wait_s("a", now), 0) << "a new count after ten quiet minutes";
  for (std::size_t i = 0; i < 2 * kAccountsWatchedMax; ++i) failed.failed("user" + std::to_string(i), now);
  EXPECT_EQ(failed.size(), kAccountsWatchedMax);
}

TEST(LoginCache, IsBounded) {
  const gnutls::Crypto crypto;
  CountingRandom random;
  LoginCache cache(crypto, random);
  for (std::size_t i = 0; i <= kLoginsCachedMax; ++i) {
    cache.add(cache.key_of("header" + std::to_string(i)), "user", 1, {1});
  }
  EXPECT_EQ(cache.size(), kLoginsCachedMax);
  EXPECT_EQ(cache.find(cache.key_of("header0"), 1, {1}), "");
  EXPECT_EQ(cache.find(cache.key_of("header1"), 1, {1}), "user");
}

TEST(Stretch, InPiecesIsTheSameAsAtOnce) {
  const gnutls::Crypto crypto;
  const std::array<std::byte, 16> salt{std::byte{7}};
  const std::string long_password(100, 'x');
  for (const std::string& password : {std::string("secret"), long_password}) {
    for (const std::uint32_t iterations : {1U, 2U, 5000U}) {
      Stretch stretch(crypto, password, salt, iterations);
      while (!stretch.step(999)) {
      }
      EXPECT_EQ(stretch.result(), crypto.pbkdf2(password, salt, iterations));
    }
  }
}

}  // namespace
}  // namespace tocsin::api
