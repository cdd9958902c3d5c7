// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include "platform/linux/loop.hpp"
#include "platform/linux/queue.hpp"
#include "tests/support/manual_clock.hpp"

namespace tocsin::linux {
namespace {

struct Probe {
  std::function<void()> then = [] {};
  int calls = 0;
  void on_event(std::uint32_t) noexcept {
    ++calls;
    then();
  }
};

struct Pipe {
  Handle read, write;
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), 0), 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  void put() const { EXPECT_EQ(::write(write.get(), "x", 1), 1); }
};

TEST(Loop, CallsBackForAReadyDescriptorUntilItIsRemoved) {
  test::ManualClock clock;
  Loop loop{clock};
  Pipe pipe;
  Probe probe;
  const auto watch = loop.add(pipe.read.get(), EPOLLIN, callback<&Probe::on_event>(probe));
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(probe.calls, 0);
  pipe.put();
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(probe.calls, 1);
  loop.remove(*watch);
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(probe.calls, 1);
}

TEST(Loop, DropsAFetchedEventOfAWatchRemovedInTheSameTurn) {
  test::ManualClock clock;
  Loop loop{clock};
  Pipe first, second;
  Probe one, two;
  const auto a = loop.add(first.read.get(), EPOLLIN, callback<&Probe::on_event>(one));
  const auto b = loop.add(second.read.get(), EPOLLIN, callback<&Probe::on_event>(two));
  ASSERT_TRUE(a.ok() && b.ok());
  one.then = [&] { loop.remove(*b); };
  two.then = [&] { loop.remove(*a); };
  first.put();
  second.put();
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(one.calls + two.calls, 1);
}

TEST(Loop, ReusesASlotWithoutConfusingItsOldWatch) {
  test::ManualClock clock;
  Loop loop{clock};
  Pipe first, second;
  Probe one, two;
  const auto old_watch = loop.add(first.read.get(), EPOLLIN, callback<&Probe::on_event>(one));
  loop.remove(*old_watch);
  const auto watch = loop.add(second.read.get(), EPOLLIN, callback<&Probe::on_event>(two));
  loop.remove(*old_watch);  // gone already: must not take the new one away
  second.put();
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(one.calls, 0);
  EXPECT_EQ(two.calls, 1);
  EXPECT_FALSE(loop.modify(*old_watch, EPOLLIN).ok());
  EXPECT_TRUE(loop.modify(*watch, 0).ok());
}

TEST(Loop, RefusesTheWatchAfterTheLastOne) {
  test::ManualClock clock;
  Loop loop{clock};
  Probe probe;
  std::vector<Pipe> pipes(Loop::kWatchesMax / 2 + 1);
  std::size_t added = 0;
  for (std::size_t i = 0; i < Loop::kWatchesMax; ++i) {
    const int fd = (i % 2 == 0 ? pipes[i / 2].read : pipes[i / 2].write).get();
    added += loop.add(fd, EPOLLIN, callback<&Probe::on_event>(probe)).ok();
  }
  EXPECT_EQ(added, Loop::kWatchesMax);
  const auto one_more = loop.add(pipes.back().read.get(), EPOLLIN, callback<&Probe::on_event>(probe));
  ASSERT_FALSE(one_more.ok());
  EXPECT_EQ(one_more.error().code, Errc::out_of_budget);
}

TEST(Loop, FiresATimerOnceAndNotBeforeItsTime) {
  test::ManualClock clock;
  Loop loop{clock};
  Probe probe, cancelled;
  ASSERT_TRUE(loop.add_timer(clock.now.after_ms(5), callback<&Probe::on_event>(probe)).ok());
  const auto timer = loop.add_timer(clock.now.after_ms(5), callback<&Probe::on_event>(cancelled));
  loop.cancel(*timer);
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(probe.calls, 0);
  clock.now = clock.now.after_ms(5);
  ASSERT_TRUE(loop.run_once(0).ok());
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(probe.calls, 1);
  EXPECT_EQ(cancelled.calls, 0);
}

TEST(Loop, LetsATimerStartAnotherOne) {
  test::ManualClock clock;
  Loop loop{clock};
  Probe second, first;
  first.then = [&] { EXPECT_TRUE(loop.add_timer(clock.now.after_ms(1), callback<&Probe::on_event>(second)).ok()); };
  ASSERT_TRUE(loop.add_timer(clock.now, callback<&Probe::on_event>(first)).ok());
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(second.calls, 0);
  clock.now = clock.now.after_ms(1);
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(second.calls, 1);
}

struct Hook {
  int calls = 0;
  Monotonic next = kNever;
  Monotonic on_turn_end(Monotonic) noexcept {
    ++calls;
    return next;
  }
};

TEST(Loop, EndsEveryTurnWithTheHookAndWaitsNoLongerThanItAsks) {
  test::ManualClock clock;
  Loop loop{clock};
  Hook hook;
  hook.next = clock.now;  // due now: an unlimited wait must return at once
  ASSERT_TRUE(loop.add_turn_end(turn_end<&Hook::on_turn_end>(hook)).ok());
  ASSERT_TRUE(loop.run_once().ok());
  ASSERT_TRUE(loop.run_once().ok());
  EXPECT_EQ(hook.calls, 2);
  loop.remove_turn_end(&hook);
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_EQ(hook.calls, 2);
}

TEST(Queue, KeepsOrderAndRefusesTheItemAfterTheLast) {
  Queue<int> queue{3};
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(queue.push(int{i}));
  EXPECT_FALSE(queue.push(4));
  std::vector<int> out;
  EXPECT_EQ(queue.drain(out, 2, {}), 2U);
  EXPECT_TRUE(queue.push(5));
  EXPECT_EQ(queue.drain(out, 9, {}), 2U);
  EXPECT_EQ(out, (std::vector{1, 2, 3, 5}));
  EXPECT_EQ(queue.drain(out, 9, {}), 0U);
}

TEST(Queue, RefusesAfterCloseButGivesWhatItHas) {
  Queue<int> queue{3};
  EXPECT_TRUE(queue.push(1));
  queue.close();
  EXPECT_FALSE(queue.push(2));
  std::vector<int> out;
  EXPECT_EQ(queue.drain(out, 9, {}), 1U);
  EXPECT_TRUE(queue.closed());
}

TEST(Queue, LosesNothingBetweenFourProducersAndASleepingConsumer) {
  Queue<int> queue{8};
  constexpr int kEach = 5'000;
  std::vector<std::thread> producers;
  for (int p = 0; p < 4; ++p) {
    producers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        while (!queue.push(int{i})) std::this_thread::yield();
      }
    });
  }
  std::vector<int> out;
  long sum = 0, count = 0;
  while (count < 4L * kEach) {
    out.clear();
    count += static_cast<long>(queue.drain(out, 5, std::chrono::steady_clock::now() + std::chrono::seconds{10}));
    for (const int i : out) sum += i;
  }
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(sum, 4L * kEach * (kEach - 1) / 2);
}

TEST(Queue, PokeWakesTheConsumerWithoutAnItem) {
  Queue<int> queue{1};
  std::thread poker{[&] { queue.poke(); }};
  std::vector<int> out;
  EXPECT_EQ(queue.drain(out, 1, std::chrono::steady_clock::now() + std::chrono::seconds{10}), 0U);
  poker.join();
}

struct Drainer {
  LoopQueue<int>* queue = nullptr;
  std::vector<int> out;
  void on_wake(std::uint32_t) noexcept { static_cast<void>(queue->drain(out, 3)); }
};

TEST(LoopQueue, WakesTheLoopUntilAllIsDrained) {
  test::ManualClock clock;
  Loop loop{clock};
  LoopQueue<int> queue{8};
  Drainer drainer{&queue, {}};
  ASSERT_TRUE(queue.open(loop, callback<&Drainer::on_wake>(drainer)).ok());
  std::thread producer{[&] {
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(queue.push(int{i}));
    EXPECT_FALSE(queue.push(8) && queue.push(9) && queue.push(10) && queue.push(11));
  }};
  producer.join();
  while (drainer.out.size() < 8) ASSERT_TRUE(loop.run_once(10'000).ok());
  EXPECT_EQ(drainer.out, (std::vector{0, 1, 2, 3, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace tocsin::linux
