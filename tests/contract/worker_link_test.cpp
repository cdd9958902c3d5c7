// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "platform/linux/worker_link.hpp"
#include "src/channel/feed.hpp"
#include "src/channel/writer.hpp"

namespace tocsin::linux {
namespace {

struct Recorder final : channel::FrameHandler {
  std::vector<channel::FrameType> types;
  std::vector<std::size_t> sizes;
  bool on_frame(channel::FrameReader& frame) override {
    types.push_back(frame.type());
    sizes.push_back(frame.frame_bytes());
    return true;
  }
};

/// Both ends of one socket, as tocsind and a worker hold them.
struct Pair {
  static std::array<int, 2> sockets() {
    std::array<int, 2> out{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, out.data()), 0);
    return out;
  }
  std::array<int, 2> fds = sockets();
  Recorder at_core;
  Recorder at_worker;
  channel::FrameFeed core_feed{channel::Sender::worker, at_core};
  channel::FrameFeed worker_feed{channel::Sender::core, at_worker};
  WorkerLink core{fds[0], core_feed};
  WorkerLink worker{fds[1], worker_feed};
  ~Pair() {
    ::close(fds[0]);
    ::close(fds[1]);
  }
  void pump() {
    for (int i = 0; i < 1000 && (core.wants_write() || worker.wants_write()); ++i) {
      core.on_writable();
      worker.on_readable();
      worker.on_writable();
      core.on_readable();
    }
    worker.on_readable();
    core.on_readable();
  }
};

std::string data_frame(std::size_t json_bytes) {
  channel::DataWriter writer({.session = 1});
  EXPECT_TRUE(writer.add({1, 0, true, std::string(json_bytes, '1')}));
  return writer.take();
}

TEST(WorkerLink, CarriesTheLargestDataFrameWithoutBlocking) {
  Pair pair;
  const std::size_t overhead = data_frame(1).size() - 1;
  ASSERT_TRUE(pair.core.send_data(data_frame(channel::kDataFrameBytesMax - overhead)));
  EXPECT_TRUE(pair.core.wants_write());
  EXPECT_TRUE(pair.core.data_pending());
  pair.pump();
  EXPECT_EQ(pair.at_worker.sizes, std::vector<std::size_t>{channel::kDataFrameBytesMax});
  EXPECT_FALSE(pair.core.data_pending());
}

TEST(WorkerLink, HoldsOneDataFrameAtATime) {
  Pair pair;
  ASSERT_TRUE(pair.core.send_data(data_frame(500'000)));
  std::string second = data_frame(10);
  EXPECT_FALSE(pair.core.send_data(std::move(second)));
  EXPECT_FALSE(second.empty());
  pair.pump();
  EXPECT_TRUE(pair.core.send_data(std::move(second)));
  pair.pump();
  EXPECT_EQ(pair.at_worker.types.size(), 2u);
}

TEST(WorkerLink, HoldsSixtyFourControlFramesAndNoMore) {
  Pair pair;
  ASSERT_TRUE(pair.core.send_data(data_frame(600'000)));  // begun, so everything else waits behind it
  for (std::size_t i = 0; i < WorkerLink::kControlMax; ++i) EXPECT_TRUE(pair.core.send_control(channel::write_ping(i)));
  EXPECT_FALSE(pair.core.send_control(channel::write_ping(64)));
  pair.pump();
  EXPECT_EQ(pair.at_worker.types.size(), 65u);
  EXPECT_EQ(pair.at_worker.types.front(), channel::FrameType::data);
  EXPECT_TRUE(pair.core.send_control(channel::write_ping(65)));
}

TEST(WorkerLink, DeliversWhatThePeerSaidBeforeItWent) {
  Pair pair;
  ASSERT_TRUE(pair.worker.send_control(channel::write_pong(1)));
  pair.worker.close();
  EXPECT_TRUE(pair.core.send_control(channel::write_ping(1)) || !pair.core.closed());
  pair.core.on_readable();
  EXPECT_EQ(pair.at_core.types, std::vector<channel::FrameType>{channel::FrameType::pong});
  EXPECT_TRUE(pair.core.closed());
  EXPECT_FALSE(pair.core.peer_was_wrong());
  EXPECT_FALSE(pair.core.send_control(channel::write_ping(2)));
  EXPECT_FALSE(pair.core.wants_write());
}

TEST(WorkerLink, ClosesOnAProtocolErrorAndSaysSo) {
  Pair pair;
  ASSERT_EQ(::send(pair.fds[1], "\1\0\0\0\x63", 5, 0), 5);
  pair.core.on_readable();
  EXPECT_TRUE(pair.core.closed());
  EXPECT_TRUE(pair.core.peer_was_wrong());
}

TEST(CreditAccount, IsVoidWithEveryStateAndNeverAboveOneFrame) {
  channel::CreditAccount credit;
  EXPECT_FALSE(credit.on_credit(1)) << "not connected";
  credit.on_state({.state = channel::LinkState::connected, .session = 1});
  EXPECT_FALSE(credit.spend(1));
  EXPECT_TRUE(credit.on_credit(channel::kCreditBytes));
  EXPECT_FALSE(credit.on_credit(1)) << "more than one session may have";
  EXPECT_TRUE(credit.spend(channel::kDataFrameBytesMax));
  EXPECT_FALSE(credit.spend(1));
  EXPECT_TRUE(credit.on_credit(1));
  credit.on_state({.state = channel::LinkState::disconnected});
  EXPECT_EQ(credit.bytes(), 0u);
  EXPECT_FALSE(credit.spend(0));
}

}  // namespace
}  // namespace tocsin::linux
