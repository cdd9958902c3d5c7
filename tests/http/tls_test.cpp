// SPDX-License-Identifier: Apache-2.0
// What a listener with TLS does with those who do not get through their handshake; the rest needs a real client and is
// in tests/e2e/test_tls.py.
#include "platform/gnutls/self_signed.hpp"
#include "platform/gnutls/server_tls.hpp"
#include "tests/http/harness.hpp"

namespace tocsin::microhttpd {
namespace {

class TlsListening : public HttpServerTest {
 protected:
  void start_tls(Limits limits = {}, unsigned connections_max = 8) {
    const auto made = gnutls::make_self_signed({.name = "box", .dns_names = {}, .addresses = {}, .until_unix_s = 1});
    ASSERT_TRUE(made.ok());
    auto listening = gnutls::ServerTls::make({.certificate_pem = made->certificate_pem, .key_pem = made->key_pem});
    ASSERT_TRUE(listening.ok());
    tls = std::move(*listening);
    server = std::make_unique<HttpServer>(ServerParts{loop, clock, handler, small, pool}, limits);
    ListenerOptions options;
    options.address = "127.0.0.1:0";
    options.connections_max = connections_max;
    options.tls = tls.get();
    const auto opened = server->open(options);
    ASSERT_TRUE(opened.ok());
    port = *opened;
  }
  void TearDown() override { server.reset(); }

  std::unique_ptr<gnutls::ServerTls> tls;
};

/// The beginning of a ClientHello record whose rest never comes.
const std::string kHalfAHello{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11};

TEST_F(TlsListening, ClosesWhoSpeaksPlainHttp) {
  start_tls();
  Client client{port};
  client.send(post("x"));
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_EQ(client.got.find("HTTP/"), std::string::npos);
  EXPECT_EQ(handler.heads, 0);
}

TEST_F(TlsListening, CutsAHandshakeThatDoesNotEnd) {
  Limits limits;
  limits.head_ms = 300;
  limits.sweep_ms = 10;
  start_tls(limits);
  Client silent{port}, half{port};
  half.send(kHalfAHello);
  ASSERT_TRUE(run_until([&] { return silent.closed && half.closed; }, {&silent, &half}));
  EXPECT_EQ(server->counters().cut_slow, 2U);
  ASSERT_TRUE(run_until([&] { return server->counters().connections == 0; }, {}));
}

TEST_F(TlsListening, DoesNotSpinWhileAHandshakeWaitsForItsClient) {
  start_tls();
  Client half{port};
  half.send(kHalfAHello);
  ASSERT_TRUE(run_until([&] { return server->counters().tls_connections == 1; }, {&half}));
  const Monotonic until = clock.monotonic().after_ms(400);
  int turns = 0;
  while (clock.monotonic() < until) {
    ASSERT_TRUE(loop.run_once(100).ok());
    ++turns;
  }
  EXPECT_LT(turns, 80);  // 6 until the back-off is at its 32 ms, then 12; a loop that spins makes thousands
}

TEST_F(TlsListening, TakesItsLimitFromWhoHasNotFinished) {
  start_tls({}, 2);
  const auto are_there = [&](std::uint64_t count) {
    return run_until([&] { return server->counters().tls_connections == count; }, {});
  };
  Client first{port};
  ASSERT_TRUE(are_there(1));
  Client second{port};
  ASSERT_TRUE(are_there(2));
  Client third{port};
  ASSERT_TRUE(run_until([&] { return first.closed; }, {&first, &second, &third}));
  EXPECT_FALSE(second.closed);
  EXPECT_FALSE(third.closed);
  EXPECT_EQ(server->counters().cut_over_limit, 1U);
}

}  // namespace
}  // namespace tocsin::microhttpd
