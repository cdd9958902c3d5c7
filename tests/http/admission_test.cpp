// SPDX-License-Identifier: Apache-2.0
// Who gets memory for a body, who waits, who is cut.
#include <algorithm>

#include "tests/http/harness.hpp"

namespace tocsin::microhttpd {
namespace {

class Admission : public HttpServerTest {
 protected:
  static std::string head(std::size_t bytes, const char* extra = "", const std::string& path = "/v2/push/") {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + extra + "Content-Length: " + std::to_string(bytes) +
           "\r\n\r\n";
  }
};

class BodySize : public HttpServerTest, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(BodySize, ArrivesWholeAndGivesItsMemoryBack) {
  start();
  std::string body(GetParam(), '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
  Client client{port};
  client.send(post(body));
  ASSERT_TRUE(run_until_answers(client));
  client.send(post(body.substr(0, body.size() / 2)));  // a shorter one must not see the end of the first
  ASSERT_TRUE(run_until_answers(client, 2));
  ASSERT_EQ(handler.bodies.size(), 2U);
  EXPECT_EQ(handler.bodies[0], body);
  EXPECT_EQ(handler.bodies[1], body.substr(0, body.size() / 2));
  EXPECT_TRUE(handler.padding_is_zero);
  EXPECT_EQ(pool.used_bytes() + small.used_bytes(), 0U);
}
INSTANTIATE_TEST_SUITE_P(Sizes, BodySize,
                         ::testing::Values(0, 1, 4'095, 4'096, 4'097, 8'192, 65'471, 65'472, 65'473, 500'000, 512'000));

TEST_F(Admission, RefusesTheFirstByteOverTheLimitAndTheClientSeesIt) {
  start();
  Client client{port};
  client.send(post(std::string(512'001, 'x')));
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_EQ(client.status(), 413);
  EXPECT_TRUE(client.has(R"({"why":"the body is too large"})"));
  EXPECT_EQ(pool.used_bytes_peak(), 0U);
  EXPECT_TRUE(handler.bodies.empty());
}

TEST_F(Admission, RefusesBeforeTheBodyAndTheClientSeesItWithAndWithoutExpect) {
  start();
  Client plain{port};
  plain.send(post(std::string(600'000, 'x'), "/deny"));
  ASSERT_TRUE(run_until_closed(plain));
  EXPECT_EQ(plain.status(), 401);
  EXPECT_TRUE(plain.has(R"({"code":"401"})"));
  Client asking{port};
  asking.send(head(600'000, "Expect: 100-continue\r\n", "/deny"));
  ASSERT_TRUE(run_until_closed(asking));
  EXPECT_EQ(asking.status(), 401);
  EXPECT_FALSE(asking.has("100 Continue"));
}

TEST_F(Admission, SaysContinueOnceTheBodyMayCome) {
  start();
  Client client{port};
  client.send(head(10'000, "Expect: 100-continue\r\n"));
  ASSERT_TRUE(run_until([&] { return client.has("100 Continue\r\n\r\n"); }, {&client}));
  client.send(std::string(10'000, 'x'));
  ASSERT_TRUE(run_until([&] { return client.has("HTTP/1.1 200 "); }, {&client}));
}

TEST_F(Admission, CutsAClientThatSendsFarMoreThanIsWorthDropping) {
  start({.discarded_bytes_max = 100'000});
  Client client{port};
  client.send("POST /deny HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n30000\r\n" +
              std::string(0x30000, 'x'));
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_TRUE(handler.bodies.empty());
}

TEST_F(Admission, GrowsAChunkedBodyUpToTheLimit) {
  start({.chunked_reserve_bytes = 1'000});
  handler.body_bytes_max = 10'000;
  Client fits{port}, over{port};
  const std::string chunk = "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
  fits.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  over.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ny\r\n");
  for (int i = 0; i < 10; ++i) {
    fits.send(chunk);
    over.send(chunk);
  }
  fits.send("0\r\n\r\n");
  over.send("0\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return fits.status() == 200 && over.closed; }, {&fits, &over}));
  EXPECT_EQ(over.status(), 413);
  EXPECT_EQ(handler.bodies, (std::vector<std::string>{std::string(10'000, 'x')}));
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST_F(Admission, AChunkedBodyOfTheLargestSizeFitsThePoolOfABoard) {
  ASSERT_TRUE(pool.try_charge(pool.limit_bytes() - 640 * KiB));
  start();
  const auto chunked = [](std::size_t bytes) {
    std::string out = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (; bytes >= 1'000; bytes -= 1'000) out += "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
    if (bytes > 0) out += "1\r\ny\r\n";
    return out + "0\r\n\r\n";
  };
  Client fits{port};
  fits.send(chunked(512'000));
  ASSERT_TRUE(run_until_answers(fits)) << fits.got;
  EXPECT_EQ(fits.status(), 200) << fits.got;
  EXPECT_EQ(handler.bodies.back(), std::string(512'000, 'x'));
  EXPECT_TRUE(handler.padding_is_zero);
  Client over{port};
  over.send(chunked(512'001));
  ASSERT_TRUE(run_until_answers(over)) << over.got;
  EXPECT_EQ(over.status(), 413) << over.got;
  EXPECT_EQ(pool.used_bytes(), pool.limit_bytes() - 640 * KiB);
}

TEST_F(Admission, LetsTwoWaitInOrderAndServesAll) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Client*> all;
  for (int i = 0; i < 12; ++i) {  // four times what the pool holds
    clients.push_back(std::make_unique<Client>(port));
    all.push_back(clients.back().get());
    clients.back()->send(post(std::string(500'000, static_cast<char>('a' + i))));
  }
  ASSERT_TRUE(run_until([&] { return std::ranges::all_of(all, [](Client* c) { return c->status() == 200; }); }, all));
  EXPECT_EQ(handler.bodies.size(), 12U);
  EXPECT_LE(pool.used_bytes_peak(), pool.limit_bytes());
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST_F(Admission, LetsAnAddressWithoutABodyPassOneThatHoldsSome) {
  start();
  Client first{port, 1}, second{port, 1}, third{port, 1}, greedy{port, 1}, other{port, 2};
  for (Client* client : {&first, &second, &third}) {
    client->send(head(500'000));  // the pool is full now
    settle({client});
  }
  greedy.send(post(std::string(500'000, 'g')));
  settle({&greedy});
  other.send(post(std::string(500'000, 'o')));
  settle({&greedy, &other});
  EXPECT_EQ(server->counters().waiting_room, 2U);
  first.send(std::string(500'000, '1'));
  ASSERT_TRUE(run_until_answers(first));
  ASSERT_TRUE(run_until([&] { return handler.bodies.size() == 2; }, {&greedy, &other}));
  EXPECT_EQ(handler.bodies[1][0], 'o');
  ASSERT_TRUE(run_until([&] { return handler.bodies.size() == 3; }, {&greedy, &other}));
  EXPECT_EQ(handler.bodies[2][0], 'g');
}

TEST_F(Admission, Answers503WithRetryAfterWhenNoRoomComes) {
  start({.room_ms = 50, .sweep_ms = 5});
  Budget tiny{"tiny", 100'000};
  HttpServer cramped{ServerParts{loop, clock, handler, small, tiny}, {.room_ms = 50, .sweep_ms = 5}};
  ListenerOptions options;
  options.address = "127.0.0.1:0";
  const auto opened = cramped.open(options);
  ASSERT_TRUE(opened.ok());
  Client holder{*opened}, waiter{*opened}, leaver{*opened};
  holder.send(head(90'000));
  settle({&holder});
  waiter.send(post(std::string(90'000, 'w')));
  leaver.send(post(std::string(90'000, 'l')));
  settle({&waiter, &leaver});
  EXPECT_EQ(cramped.counters().waiting_room, 2U);
  leaver.reset();
  ASSERT_TRUE(run_until_closed(waiter));
  EXPECT_EQ(waiter.status(), 503);
  EXPECT_TRUE(waiter.has("Retry-After: 1\r\n"));
  ASSERT_TRUE(run_until([&] { return cramped.counters().connections == 1; }, {}));
  holder.send(std::string(90'000, 'h'));
  ASSERT_TRUE(run_until_answers(holder));
  EXPECT_EQ(holder.status(), 200);
  EXPECT_EQ(tiny.used_bytes(), 0U);
}

TEST_F(Admission, DoesNotLetDrippingClientsHoldUpASmallPush) {
  start();
  std::vector<std::unique_ptr<Client>> drippers;
  std::vector<Client*> all;
  for (int i = 0; i < 64; ++i) {
    drippers.push_back(std::make_unique<Client>(port));
    all.push_back(drippers.back().get());
    drippers.back()->send(head(500'000) + "x");
  }
  settle(all);
  EXPECT_GT(server->counters().waiting_room, 50U);
  Client push{port};
  for (std::size_t i = 1; i <= 50; ++i) {
    for (Client* dripper : all) dripper->send("x");
    push.send(post(std::string(200, 'p')));
    ASSERT_TRUE(run_until_answers(push, i));
  }
  EXPECT_FALSE(push.closed);
}

TEST_F(Admission, CutsABodySlowerThanTheMinimumRate) {
  start({.body_rate_bytes_per_s = 1'000'000, .rate_grace_ms = 30, .sweep_ms = 5});
  Client slow{port}, small_slow{port};
  slow.send(head(500'000) + "x");
  small_slow.send(head(100) + "x");
  ASSERT_TRUE(run_until_closed(slow));
  EXPECT_EQ(slow.status(), 0);
  EXPECT_FALSE(small_slow.closed);  // holds no pool memory: only its whole deadline counts
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_EQ(server->counters().cut_slow, 1U);
}

TEST_F(Admission, CutsEveryKindOfUnfinishedRequestAtItsDeadline) {
  start({.head_ms = 40, .body_base_ms = 40, .idle_ms = 40, .sweep_ms = 5});
  Client silent{port}, no_head{port}, no_body{port}, idle{port}, dripping{port};
  no_head.send("GET / HTTP/1.1\r\nHost: x\r\n");
  no_body.send(head(10) + "123");
  idle.send(post("x"));
  const Monotonic until = clock.monotonic().after_ms(90);
  while (clock.monotonic() < until) {
    dripping.send("G");  // one byte a turn resets an idle timer, but not this one
    settle({&dripping});
  }
  ASSERT_TRUE(
      run_until([&] { return silent.closed && no_head.closed && no_body.closed && idle.closed && dripping.closed; },
                {&silent, &no_head, &no_body, &idle, &dripping}));
  EXPECT_EQ(idle.answers(), 1U);
  EXPECT_EQ(handler.bodies.size(), 1U);
}

TEST_F(Admission, Answers503WhenTheHandlerNeverAnswers) {
  start({.answer_ms = 40, .sweep_ms = 5});
  handler.defer = true;
  Client client{port};
  client.send(post("x"));
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_EQ(client.status(), 503);
  server->answer(handler.tickets.at(0), FakeHandler::good());
}

TEST_F(Admission, ShutsTheLongestIdleConnectionOfTheLargestCrowd) {
  start({}, 4);
  Client lone{port, 2};
  lone.send(post("x"));
  ASSERT_TRUE(run_until_answers(lone));
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 3; ++i) {
    crowd.push_back(std::make_unique<Client>(port, 1));
    crowd.back()->send(post("x"));
    ASSERT_TRUE(run_until_answers(*crowd.back()));
  }
  Client newcomer{port, 3};
  newcomer.send(post("new"));
  ASSERT_TRUE(run_until_answers(newcomer));
  ASSERT_TRUE(run_until_closed(*crowd[0]));
  settle({&lone, crowd[1].get(), crowd[2].get()});
  EXPECT_FALSE(lone.closed || crowd[1]->closed || crowd[2]->closed);
  EXPECT_EQ(server->counters().connections, 4U);
  EXPECT_EQ(server->counters().cut_over_limit, 1U);
}

TEST_F(Admission, ACrowdThatNeverFinishesPushesItselfOut) {
  start({}, 4);
  Client keeper{port};
  keeper.send(post("x"));
  ASSERT_TRUE(run_until_answers(keeper));
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(std::make_unique<Client>(port));
    crowd.back()->send("POST / HTTP/1.1\r\nX-Slow: ");
    settle({&keeper, crowd.back().get()});
  }
  ASSERT_TRUE(run_until_closed(*crowd.front()));
  EXPECT_FALSE(crowd.back()->closed) << "the slowest goes, not the newest";
  EXPECT_EQ(server->counters().cut_over_limit, 17U);
  keeper.send(post("y"));
  ASSERT_TRUE(run_until_answers(keeper, 2));
  EXPECT_FALSE(keeper.closed);
}

TEST_F(Admission, NeverShutsARequestThatWaitsForItsAnswer) {
  start({}, 2);
  handler.defer = true;
  Client one{port}, two{port};
  one.send(post("1"));
  two.send(post("2"));
  ASSERT_TRUE(run_until([&] { return handler.tickets.size() == 2; }, {&one, &two}));
  Client newcomer{port};
  newcomer.send(post("3"));
  ASSERT_TRUE(run_until_closed(newcomer));
  for (const port::Ticket ticket : handler.tickets) server->answer(ticket, FakeHandler::good());
  ASSERT_TRUE(run_until_answers(one));
  ASSERT_TRUE(run_until_answers(two));
}

TEST_F(Admission, StopsWhileSomeWaitForRoom) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Client*> all;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    all.push_back(clients.back().get());
    clients.back()->send(head(500'000));
  }
  settle(all);
  EXPECT_EQ(server->counters().waiting_room, 5U);
  server->stop();
  server.reset();
  EXPECT_EQ(pool.used_bytes(), 0U);
}

}  // namespace
}  // namespace tocsin::microhttpd
