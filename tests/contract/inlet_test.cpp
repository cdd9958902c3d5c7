// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "platform/linux/inlet.hpp"
#include "src/base/budget.hpp"
#include "tests/support/manual_clock.hpp"

namespace tocsin::linux {
namespace {

/// Takes lines, and as many as it may.
struct LineSink final : port::InletSink {
  std::vector<std::string> datagrams, lines, peers;
  int cut = 0, opened = 0;
  std::size_t room = 1'000'000;
  std::size_t shown_most = 0;
  std::size_t datagrams_most = 1'000'000;
  bool has_room() noexcept override { return datagrams.size() < datagrams_most; }
  void on_datagram(Bytes message, bool is_cut, std::string_view peer) noexcept override {
    datagrams.emplace_back(as_text(message));
    peers.emplace_back(peer);
    cut += is_cut ? 1 : 0;
  }
  void on_stream_opened(std::size_t) noexcept override { ++opened; }
  std::size_t on_stream(std::size_t, Bytes waiting, bool is_end, std::string_view) noexcept override {
    std::string_view rest = as_text(waiting);
    shown_most = std::max(shown_most, rest.size());
    while (!rest.empty() && room > 0) {
      const std::size_t line = rest.find('\n');
      if (line == std::string_view::npos && !is_end) break;
      lines.emplace_back(rest.substr(0, line));
      rest.remove_prefix(line == std::string_view::npos ? rest.size() : line + 1);
      --room;
    }
    return waiting.size() - rest.size();
  }
};

struct InletTest : ::testing::Test {
  InletTest() {
    char name[] = "/tmp/tocsin-inlet-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~InletTest() override {
    for (const char* file : {"/d", "/s", "/f"}) static_cast<void>(::unlink((folder + file).c_str()));
    static_cast<void>(::rmdir(folder.c_str()));
  }
  InletAddress at(const char* name, bool is_stream) {
    return {.is_stream = is_stream, .host = {}, .port = 0, .unix_path = folder + name};
  }
  Handle join(const char* name, int type) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::ranges::copy(folder + name, to.sun_path);
    Handle out(::socket(AF_UNIX, type | SOCK_NONBLOCK, 0));
    const int room = 200'000;
    static_cast<void>(::setsockopt(out.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room));
    EXPECT_EQ(::connect(out.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return out;
  }
  static std::size_t send(const Handle& to, std::string_view text) {
    const auto sent = ::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void turn(int count = 3) {
    for (int i = 0; i < count; ++i) {
      clock.now = clock.now.after_ms(1);
      ASSERT_TRUE(loop.run_once(0).ok());
    }
  }

  std::string folder;
  test::ManualClock clock;
  Loop loop{clock};
  LineSink sink;
  Budget memory{"kept", 3'200};
  Inlet inlet{loop, sink, 100, 200, memory};
};

TEST_F(InletTest, DatagramsComeWholeOrCut) {
  ASSERT_TRUE(inlet.listen(at("/d", false)).ok());
  const Handle sender = join("/d", SOCK_DGRAM);
  send(sender, "a");
  send(sender, std::string(100, 'b'));
  send(sender, std::string(101, 'c'));
  turn();
  EXPECT_EQ(sink.datagrams, (std::vector<std::string>{"a", std::string(100, 'b'), std::string(100, 'c')}));
  EXPECT_EQ(sink.cut, 1);
  EXPECT_EQ(sink.peers[0], "") << "a program on this machine";
  struct stat info {};
  ASSERT_EQ(::stat((folder + "/d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0666U);
}

TEST_F(InletTest, DatagramsWaitWhileTheSinkHasNoRoom) {
  ASSERT_TRUE(inlet.listen(at("/d", false)).ok());
  const Handle sender = join("/d", SOCK_DGRAM);
  sink.datagrams_most = 2;
  for (const char* text : {"a", "b", "c", "d"}) EXPECT_EQ(send(sender, text), 1U);
  turn();
  EXPECT_EQ(sink.datagrams.size(), 2U);
  sink.datagrams_most = 1'000'000;
  turn();
  EXPECT_EQ(sink.datagrams.size(), 2U) << "nobody looks before resume()";
  inlet.resume();
  turn();
  EXPECT_EQ(sink.datagrams, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(InletTest, AStreamComesAsItArrivesAndItsEndIsTold) {
  ASSERT_TRUE(inlet.listen(at("/s", true)).ok());
  Handle sender = join("/s", SOCK_STREAM);
  turn();
  EXPECT_EQ(inlet.counters().connections, 1U);
  send(sender, "one\ntw");
  turn();
  EXPECT_EQ(sink.lines, std::vector<std::string>{"one"});
  send(sender, "o\nthree");
  turn();
  EXPECT_EQ(sink.lines, (std::vector<std::string>{"one", "two"}));
  sender.reset();
  turn();
  EXPECT_EQ(sink.lines, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(inlet.counters().connections, 0U);
}

TEST_F(InletTest, ABeginningIsKeptAndDoesNotStayInTheKernel) {
  ASSERT_TRUE(inlet.listen(at("/s", true)).ok());
  const Handle sender = join("/s", SOCK_STREAM);
  send(sender, "whole\nhalf ");
  turn();
  EXPECT_EQ(memory.used_bytes(), 200U);
  ASSERT_TRUE(memory.try_charge(3'000));
  const Handle second = join("/s", SOCK_STREAM);
  send(second, "no memory\n");
  turn();
  EXPECT_EQ(sink.lines, std::vector<std::string>{"whole"});
  send(sender, "a line\n");
  turn();
  EXPECT_EQ(sink.lines.back(), "half a line");
  EXPECT_EQ(memory.used_bytes(), 3'000U) << "nothing is held while nothing waits";
  memory.release(3'000);
  clock.now = clock.now.after_ms(100);
  turn();
  EXPECT_EQ(sink.lines.back(), "no memory");
}

TEST_F(InletTest, WhatIsNotTakenStaysThereAndComesAgain) {
  ASSERT_TRUE(inlet.listen(at("/s", true)).ok());
  const Handle sender = join("/s", SOCK_STREAM);
  sink.room = 0;
  std::size_t sent = 0;
  for (std::size_t n = 1; n != 0; sent += n) n = send(sender, std::string(99, 'x') + "\n");
  turn();
  EXPECT_TRUE(sink.lines.empty());
  EXPECT_LE(sink.shown_most, 200U);
  turn();
  while (send(sender, std::string(99, 'x') + "\n") != 0) sent += 100;  // in the place of what is kept
  turn();
  EXPECT_EQ(send(sender, "y"), 0U) << "the sender waits";
  EXPECT_EQ(memory.used_bytes(), 200U);
  sink.room = 3;
  inlet.resume();
  EXPECT_EQ(sink.lines.size(), 3U);
  sink.room = 1'000'000;
  inlet.resume();
  turn(200);  // a turn's worth at a time
  EXPECT_GE(sink.lines.size(), sent / 100);
}

TEST_F(InletTest, ATurnReadsOneStreamForSoLongOnly) {
  ASSERT_TRUE(inlet.listen(at("/s", true)).ok());
  const Handle sender = join("/s", SOCK_STREAM);
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += std::string(99, 'x') + "\n";
  std::size_t sent = 0;
  for (std::size_t n = 1; n != 0; sent += n) n = send(sender, lines);
  ASSERT_GT(sent, 2 * Inlet::kTurnBytes);
  turn(2);
  EXPECT_LE(sink.lines.size(), 2 * (Inlet::kTurnBytes / 100 + 2));
  turn(20);
  EXPECT_GE(sink.lines.size(), sent / 100);
}

TEST_F(InletTest, PlacesAreBoundedAndASilentOneGivesWay) {
  ASSERT_TRUE(inlet.listen(at("/s", true)).ok());
  std::vector<Handle> senders;
  for (std::size_t i = 0; i < port::InletSink::kStreamsMax; ++i) senders.push_back(join("/s", SOCK_STREAM));
  turn();
  senders.push_back(join("/s", SOCK_STREAM));
  turn();
  EXPECT_EQ(inlet.counters().connections, port::InletSink::kStreamsMax);
  EXPECT_EQ(inlet.counters().refused, 1U);
  clock.now = clock.now.after_ms(Inlet::kIdleMs - 10);
  send(senders[0], "busy\nhalf a line");
  turn();
  clock.now = clock.now.after_ms(10);
  senders.push_back(join("/s", SOCK_STREAM));
  turn();
  EXPECT_EQ(inlet.counters().evicted, 1U);
  EXPECT_EQ(inlet.counters().connections, port::InletSink::kStreamsMax);
  char byte = 0;
  EXPECT_EQ(::recv(senders[1].get(), &byte, 1, MSG_DONTWAIT), 0) << "the one that was silent longest";
  EXPECT_EQ(::recv(senders[0].get(), &byte, 1, MSG_DONTWAIT), -1);
  send(senders.back(), "new\n");
  turn();
  EXPECT_EQ(sink.lines.back(), "new");
}

TEST_F(InletTest, AStaleSocketIsReplacedAndNothingElse) {
  for (const bool is_stream : {false, true}) {
    const char* const name = is_stream ? "/s" : "/d";
    ASSERT_TRUE(inlet.listen(at(name, is_stream)).ok());
    Inlet second{loop, sink, 100, 200, memory};
    EXPECT_EQ(second.listen(at(name, is_stream)).error().code, Errc::conflict) << "somebody reads there";
    EXPECT_EQ(second.listen(at(name, !is_stream)).error().code, Errc::conflict);
    inlet.close();
    EXPECT_TRUE(second.listen(at(name, is_stream)).ok());
  }
  std::ofstream(folder + "/f") << "a file";
  EXPECT_EQ(inlet.listen(at("/f", false)).error().code, Errc::conflict);
}

TEST_F(InletTest, WhatIsNoAddressIsRefusedInWords) {
  EXPECT_EQ(inlet.listen({.is_stream = false, .host = "x", .port = 1, .unix_path = {}}).error().code,
            Errc::invalid_input);
  EXPECT_EQ(
      inlet.listen({.is_stream = false, .host = {}, .port = 0, .unix_path = "/" + std::string(107, 'x')}).error().code,
      Errc::invalid_input);
}

}  // namespace
}  // namespace tocsin::linux
