// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/http/harness.hpp"

namespace tocsin::microhttpd {
namespace {

class Exchange : public HttpServerTest {};

TEST_F(Exchange, KeepsAConnectionForManyRequests) {
  start();
  Client client{port};
  for (std::size_t i = 1; i <= 20; ++i) {
    client.send(post("body " + std::to_string(i)));
    ASSERT_TRUE(run_until_answers(client, i)) << client.got;
  }
  EXPECT_EQ(client.status(), 200);
  EXPECT_FALSE(client.closed);
  ASSERT_EQ(handler.bodies.size(), 20U);
  EXPECT_EQ(handler.bodies.back(), "body 20");
  EXPECT_TRUE(handler.padding_is_zero);
  EXPECT_EQ(small.used_bytes(), 0U);
  EXPECT_EQ(small.used_bytes_peak(), 0U);  // whole small bodies take no memory of their own
}

TEST_F(Exchange, AnswersPipelinedRequestsInOrder) {
  start();
  Client client{port};
  client.send(post("1") + post("2") + "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until_answers(client, 3)) << client.got;
  EXPECT_EQ(handler.bodies, (std::vector<std::string>{"1", "2", ""}));
}

TEST_F(Exchange, AnswersWhenTheTicketIsAnswered) {
  start();
  handler.defer = true;
  Client one{port}, two{port};
  one.send(post("one"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&one}));
  two.send(post("two"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 2; }, {&one, &two}));
  EXPECT_EQ(server->counters().waiting_answers, 2U);
  EXPECT_TRUE(one.got.empty());
  server->answer(handler.tickets[1], FakeHandler::good());
  ASSERT_TRUE(run_until_answers(two));
  EXPECT_TRUE(one.got.empty());
  server->answer(handler.tickets[0], FakeHandler::good());
  ASSERT_TRUE(run_until_answers(one));
  EXPECT_EQ(server->counters().waiting_answers, 0U);
}

TEST_F(Exchange, IgnoresATicketAnsweredTwiceOrNeverGiven) {
  start();
  handler.defer = true;
  Client client{port};
  client.send(post("one"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&client}));
  server->answer({}, FakeHandler::good());
  server->answer({handler.tickets[0].slot, handler.tickets[0].generation + 1}, FakeHandler::good());
  server->answer({9'999, 1}, FakeHandler::good());
  server->answer(handler.tickets[0], FakeHandler::good());
  server->answer(handler.tickets[0], FakeHandler::good());
  ASSERT_TRUE(run_until_answers(client));
  client.send(post("two"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 2; }, {&client}));
  server->answer(handler.tickets[0], FakeHandler::good());
  settle({&client});
  EXPECT_EQ(client.answers(), 1U);
}

TEST_F(Exchange, DoesNotSpinWhileRequestsWait) {
  start();
  handler.defer = true;
  Client client{port};
  client.send(post("one"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&client}));
  const Monotonic until = clock.monotonic().after_ms(100);
  int turns = 0;
  while (clock.monotonic() < until) {
    ASSERT_TRUE(loop.run_once(50).ok());
    ++turns;
  }
  EXPECT_LT(turns, 40);
}

TEST_F(Exchange, ForgetsAClientThatLeftWhileItsRequestWaited) {
  start();
  handler.defer = true;
  Client client{port};
  client.send(post("one"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&client}));
  client.reset();
  ASSERT_TRUE(run_until([&] { return server->counters().connections == 0; }, {}));
  server->answer(handler.tickets[0], FakeHandler::good());
  Client next{port};
  next.send(post("two"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 2; }, {&next}));
  server->answer(handler.tickets[0], FakeHandler::good());  // the slot is in use again, the ticket is old
  settle({&next});
  EXPECT_TRUE(next.got.empty());
  server->answer(handler.tickets[1], FakeHandler::good());
  EXPECT_TRUE(run_until_answers(next));
}

TEST_F(Exchange, ClosesBehindAClientWhoseRequestAndEndCameTogether) {
  Limits limits;
  limits.half_closed_ms = 20;  // and 60 s of idleness
  start(limits);
  Client client{port};
  Client other{port};
  other.send(post("kept"));
  client.send(post("one"));
  client.end_sending();
  ASSERT_TRUE(run_until_answers(client));
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_EQ(client.answers(), 1U);
  other.send(post("again"));
  EXPECT_TRUE(run_until_answers(other, 2)) << "a client that only thinks is left alone";
}

TEST_F(Exchange, Serves256ConnectionsThatAllWaitAtOnce) {
  start();
  handler.defer = true;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Client*> all;
  for (int i = 0; i < 256; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    all.push_back(clients.back().get());
    clients.back()->send(post(std::string(200, 'x')));
  }
  for (std::size_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 256; }, all));
    for (const port::Ticket ticket : std::exchange(handler.tickets, {})) server->answer(ticket, FakeHandler::good());
    ASSERT_TRUE(run_until(
        [&] { return std::ranges::all_of(all, [&](Client* client) { return client->answers() == round; }); }, all));
    if (round < 3) {
      for (Client* client : all) client->send(post("again"));
    }
  }
  EXPECT_EQ(server->counters().cut_over_limit, 0U);
}

TEST_F(Exchange, GivesEveryHeaderAnAnswerMayHave) {
  start();
  handler.defer = true;
  Client client{port};
  client.send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&client}));
  port::HttpResponse response;
  response.status = 405;
  response.type = port::ContentType::html;
  response.static_body = "<p>static</p>";
  response.retry_after_s = 7;
  response.allow = "GET, HEAD";
  response.ask_for_credentials = true;
  response.clock_untrusted = true;
  response.error = "path_unknown";
  response.request_id[0] = std::byte{0xAB};
  server->answer(handler.tickets[0], std::move(response));
  ASSERT_TRUE(run_until_answers(client));
  for (const char* line :
       {"HTTP/1.1 405 ", "Retry-After: 7\r\n", "Allow: GET, HEAD\r\n", "WWW-Authenticate: Basic ",
        "X-Tocsin-Clock: untrusted\r\n", "X-Tocsin-Error: path_unknown\r\n",
        "X-Request-ID: ab000000-0000-0000-0000-000000000000\r\n", "Content-Security-Policy: default-src 'none';",
        "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
        "Content-Type: text/html; charset=utf-8\r\n", "\r\n\r\n<p>static</p>"})
    EXPECT_TRUE(client.has(line)) << line << client.got;
  EXPECT_FALSE(client.has("Server:"));
  EXPECT_FALSE(client.closed);
}

TEST_F(Exchange, EachAnswerBearsItsOwnRequestIdAlsoWhereOneFollowsAnotherLikeIt) {
  start();
  handler.defer = true;
  Client client{port};
  for (std::uint8_t n = 1; n <= 3; ++n) {
    client.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(run_until([&] { return handler.tickets.size() == n; }, {&client}));
    port::HttpResponse response = FakeHandler::good();
    if (n < 3) response.request_id[15] = std::byte{n};
    client.got.clear();
    server->answer(handler.tickets.back(), std::move(response));
    ASSERT_TRUE(run_until_answers(client));
    const std::string own = "X-Request-ID: 00000000-0000-0000-0000-00000000000" + std::to_string(n) + "\r\n";
    EXPECT_EQ(client.has(own.c_str()), n < 3) << client.got;
    EXPECT_EQ(client.has("X-Request-ID"), n < 3) << "and none that was another's: " << client.got;
  }
}

TEST_F(Exchange, SendsLongBodiesWhole) {
  start();
  handler.defer = true;
  Client client{port};
  client.send("GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&client}));
  port::HttpResponse response;
  response.body = std::string(3'000'000, 'y') + "end";
  server->answer(handler.tickets[0], std::move(response));
  ASSERT_TRUE(run_until([&] { return client.has("yend"); }, {&client}));
}

TEST_F(Exchange, AnswersHeadWithoutABody) {
  start();
  Client client{port};
  client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until_answers(client));
  settle({&client});
  EXPECT_TRUE(client.has("Content-Length: 17\r\n"));
  EXPECT_FALSE(client.has("result"));
}

TEST_F(Exchange, ShowsTheHandlerTheRequestAsItWasSent) {
  start();
  bool looked = false;
  handler.inspect = [&](const port::HttpRequest& request) {
    looked = true;
    EXPECT_EQ(request.path(), "/a%2Fb%41");
    EXPECT_EQ(request.method(), port::Method::get);
    EXPECT_EQ(request.query("t"), "1+2 3&");
    EXPECT_EQ(request.query("empty"), "");
    EXPECT_EQ(request.query("none"), std::nullopt);
    EXPECT_EQ(request.query("flag"), "");
    EXPECT_EQ(request.query("t2"), "%zz%4");
    EXPECT_EQ(request.header("x-bk-token"), "secret");
    EXPECT_EQ(request.header("X-None"), "");
    EXPECT_EQ(request.peer(), "127.0.0.9");
    EXPECT_TRUE(request.peer_is_loopback());
    EXPECT_FALSE(request.peer_is_admin());
  };
  Client client{port, 9};
  client.send(
      "GET /a%2Fb%41?t=1+2%203%26&empty=&flag&t2=%zz%4&t=2 HTTP/1.1\r\nHost: x\r\nX-BK-TOKEN:  secret \r\n\r\n");
  ASSERT_TRUE(run_until_answers(client)) << client.got;
  EXPECT_TRUE(looked);
}

TEST_F(Exchange, FinishesWhatIsWaitingBeforeItStops) {
  start();
  handler.defer = true;
  Client busy{port}, idle{port};
  busy.send(post("one"));
  idle.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 2; }, {&busy, &idle}));
  server->begin_stop();
  EXPECT_FALSE(server->quiet());
  for (const port::Ticket ticket : handler.tickets) server->answer(ticket, FakeHandler::good());
  ASSERT_TRUE(run_until([&] { return server->quiet(); }, {&busy, &idle}));
  ASSERT_TRUE(run_until([&] { return busy.closed && idle.closed; }, {&busy, &idle}));
  EXPECT_EQ(busy.status(), 200);
  EXPECT_TRUE(busy.has("Connection: close"));
  Client late{port};
  settle({&late});
  EXPECT_TRUE(late.closed);
}

TEST_F(Exchange, AnswersWhatStillWaitsWith503WhenItStopsAtOnce) {
  start();
  handler.defer = true;
  Client waiting{port};
  waiting.send(post("one"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 1; }, {&waiting}));
  server->stop();
  server->answer(handler.tickets[0], FakeHandler::good());
  waiting.move();
  EXPECT_EQ(waiting.status(), 503);
  server.reset();
}

TEST_F(Exchange, KnowsWhoIsAtTheUnixSocket) {
  start();
  const std::string path = "/tmp/tocsin-http-" + std::to_string(::getpid()) + ".sock";
  ListenerOptions options;
  options.kind = port::Listener::control;
  options.unix_path = path;
  options.unix_group = "no-such-group";
  ASSERT_TRUE(server->open(options).ok());
  HttpServer second{ServerParts{loop, clock, handler, small, pool}};
  EXPECT_EQ(second.open(options).error().code, Errc::conflict);
  bool looked = false;
  handler.inspect = [&](const port::HttpRequest& request) {
    looked = true;
    EXPECT_EQ(request.listener(), port::Listener::control);
    EXPECT_TRUE(request.peer_is_admin());
    EXPECT_EQ(request.peer_uid(), ::getuid());
    EXPECT_EQ(request.peer(), "unix");
    EXPECT_FALSE(request.peer_is_loopback());
  };
  Client client{path};
  client.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until_answers(client));
  EXPECT_TRUE(looked);
  EXPECT_TRUE(client.has("Cache-Control: no-store"));
  server->stop();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(Exchange, ReplacesAStaleUnixSocketButNotAFile) {
  start();
  const std::string path = "/tmp/tocsin-stale-" + std::to_string(::getpid()) + ".sock";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  ListenerOptions options;
  options.unix_path = path;
  EXPECT_TRUE(server->open(options).ok());
  options.unix_path = "/etc/hostname";
  EXPECT_EQ(server->open(options).error().code, Errc::conflict);
  options.unix_path = {};
  options.address = "nonsense";
  EXPECT_EQ(server->open(options).error().code, Errc::invalid_input);
  options.address = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(server->open(options).error().code, Errc::conflict);
}

}  // namespace
}  // namespace tocsin::microhttpd
