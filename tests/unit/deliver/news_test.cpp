// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/news.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/channel/reader.hpp"

namespace tocsin::deliver {
namespace {

using channel::FrameType;

/// Takes `room` frames and no more.
struct NarrowCore final : FrameOut {
  int room = 100;
  std::vector<FrameType> types;
  std::string last_text;

  bool send(std::string frame) override {
    if (room == 0) return false;
    --room;
    channel::FrameReader reader(channel::Sender::worker);
    Bytes in = as_bytes(frame);
    EXPECT_TRUE(reader.next(in).value());
    types.push_back(reader.type());
    if (reader.type() == FrameType::state) last_text = channel::read_state(reader.body())->reason;
    if (reader.type() == FrameType::log) last_text = channel::read_log(reader.body())->text;
    return true;
  }
};

TEST(WorkerNews, IsToldOnceAndOnlyTheNewest) {
  News news;
  NarrowCore core;
  news.hello("test");
  news.state({.reason = "old"});
  news.state({.reason = "new"});
  news.pong(1);
  news.pong(2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(news.tell_hello(core));
    EXPECT_TRUE(news.tell_state(core));
    EXPECT_TRUE(news.tell_rest(core));
  }
  EXPECT_EQ(core.types, (std::vector{FrameType::hello, FrameType::state, FrameType::pong}));
  EXPECT_EQ(core.last_text, "new");
}

TEST(WorkerNews, WaitsForACoreWithoutRoom) {
  News news;
  NarrowCore core;
  core.room = 0;
  news.state({.reason = "kept"});
  news.log(channel::LogLevel::info, "first");
  news.log(channel::LogLevel::info, "second");
  EXPECT_FALSE(news.tell_state(core));
  EXPECT_FALSE(news.tell_rest(core));
  core.room = 2;
  EXPECT_TRUE(news.tell_state(core));
  EXPECT_FALSE(news.tell_rest(core));
  EXPECT_EQ(core.last_text, "first");
  core.room = 1;
  EXPECT_TRUE(news.tell_rest(core));
  EXPECT_EQ(core.last_text, "second");
}

TEST(WorkerNews, KeepsTheLastLogLines) {
  News news;
  NarrowCore core;
  for (std::size_t i = 0; i <= News::kLogsMax; ++i) news.log(channel::LogLevel::info, std::to_string(i));
  core.room = 1;
  EXPECT_FALSE(news.tell_rest(core));
  EXPECT_EQ(core.last_text, "1") << "the oldest line has gone";
  core.room = static_cast<int>(News::kLogsMax) - 1;
  EXPECT_TRUE(news.tell_rest(core));
  EXPECT_EQ(core.last_text, std::to_string(News::kLogsMax));
}

}  // namespace
}  // namespace tocsin::deliver
