// SPDX-License-Identifier: Apache-2.0
#include "src/core/feed.hpp"

#include <gtest/gtest.h>

#include "platform/sim/store.hpp"
#include "src/channel/reader.hpp"
#include "src/log/log.hpp"

namespace tocsin::core {
namespace {

using model::Lane;
using model::RecordKind;

struct Fed {
  Status outcome;
  FeedResult result;
  std::uint32_t damaged = 0;
  std::size_t frame_bytes = 0;
  channel::DataHead head;
  std::string plugin_id;
  std::vector<std::uint64_t> seqs;
  std::vector<std::int64_t> wall_ms;
  std::vector<bool> trusted;
};

/// A log written by hand, and the reader's answer to a request.
class FeedTest : public ::testing::Test {
 protected:
  struct Row {
    std::uint64_t seq;
    std::int32_t data_id = 1;
    RecordKind kind = RecordKind::custom_event;
    std::string json = R"({"a":1})";
    bool trusted = true;
  };
  void write(const std::vector<Row>& rows, std::uint32_t boot = 1) {
    auto txn = store.begin_write();
    log::Appender appender(**txn, boot, buffers);
    for (const Row& row : rows) {
      const Now now{{static_cast<std::int64_t>(row.seq) * 1'000'000},
                    {row.trusted ? 1'700'000'000'000 : 1'000, row.trusted}};
      ASSERT_TRUE(appender.add(Lane::normal, {row.seq, row.data_id, row.kind, now, &request_id, 0, row.json}).ok());
    }
    ASSERT_TRUE(appender.finish().ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  [[nodiscard]] static FeedRequest request(std::uint64_t from, std::uint64_t head) {
    FeedRequest out;
    out.session = 7;
    out.lane = Lane::normal;
    out.from_seq = from;
    out.head_seq = head;
    out.window_left_bytes = 1 * MiB;
    out.frame_bytes_max = channel::kCreditBytes;
    return out;
  }
  Fed feed(const FeedRequest& asked) {
    Fed out;
    FeedJob job(asked, registry, clocks,
                [&](const FeedRequest&, const Status& outcome, const FeedResult& result, std::string&& frame,
                    std::uint32_t damaged) {
                  out.outcome = outcome;
                  out.result = result;
                  out.damaged = damaged;
                  out.frame_bytes = frame.size();
                  if (!frame.empty()) decode(frame, out);
                });
    auto txn = store.begin_read();
    const auto done = job.step(**txn);
    job.finish(done.ok() ? Status{} : Status{done.error()});
    return out;
  }
  static void decode(const std::string& frame, Fed& out) {
    channel::FrameReader reader(channel::Sender::core);
    Bytes in = as_bytes(frame);
    ASSERT_TRUE(*reader.next(in));
    auto data = channel::DataFrame::read(reader.body());
    ASSERT_TRUE(data.ok());
    out.head = data->head();
    out.plugin_id = data->head().plugin_id;
    while (const auto item = data->next()) {
      out.seqs.push_back(item->seq);
      out.wall_ms.push_back(item->wall_ms);
      out.trusted.push_back(item->wall_trusted);
    }
  }
  using Seqs = std::vector<std::uint64_t>;

  sim::SimStore store;
  log::Appender::Buffers buffers;
  Id128 request_id{};
  registry::Registry::Pointer registry = std::make_shared<const registry::Registry>();
  std::shared_ptr<const BootClocks> clocks = std::make_shared<const BootClocks>();
};

TEST_F(FeedTest, PutsWhatBelongsTogetherIntoOneFrame) {
  model::Instance instance;
  instance.data_id = 1;
  instance.bk_biz_id = 2;
  instance.plugin_id = "demo";
  instance.upstream_data_id = 1500000;
  registry = registry->with(instance);
  write({{1}, {2}, {4}});
  write({{5}});
  const auto got = feed(request(2, 5));
  EXPECT_EQ(got.seqs, (Seqs{2, 4, 5}));
  EXPECT_EQ(got.result.last_seq, 5U);
  EXPECT_EQ(got.result.items, 3U);
  EXPECT_EQ(got.result.cost_bytes, 3 * window_cost(7));
  EXPECT_EQ(got.head.session, 7U);
  EXPECT_EQ(got.head.bk_biz_id, 2);
  EXPECT_EQ(got.head.upstream_data_id, 1500000);
  EXPECT_EQ(got.plugin_id, "demo");
  EXPECT_FALSE(got.head.repeat);
}

TEST_F(FeedTest, SplitsAtBootDataIdAndKind) {
  write({{1}, {2, 9, RecordKind::custom_metric}, {3, 9}, {4, 9, RecordKind::gap}}, 1);
  write({{5, 9, RecordKind::gap}, {6, 9, RecordKind::standard_event}, {7, 9}}, 2);
  EXPECT_EQ(feed(request(1, 7)).seqs, (Seqs{1}));
  const auto second = feed(request(2, 7));
  EXPECT_EQ(second.seqs, (Seqs{2, 3})) << "metrics and custom events travel alike";
  EXPECT_EQ(second.head.data_id, 9);
  const auto standard = feed(request(6, 7));
  EXPECT_EQ(standard.seqs, (Seqs{6}));
  EXPECT_EQ(standard.head.kind, channel::DataKind::standard_events);
  const auto gap = feed(request(4, 5));
  EXPECT_EQ(gap.seqs, (Seqs{4}));
  EXPECT_EQ(gap.head.kind, channel::DataKind::gap_records);
  EXPECT_EQ(gap.head.boot, 1U);
  EXPECT_EQ(feed(request(5, 5)).head.boot, 2U);
}

TEST_F(FeedTest, SplitsAtTheBorderOfWhatWasOffered) {
  write({{1}, {2}, {3}});
  auto asked = request(1, 3);
  asked.repeat_to_seq = 2;
  const auto repeats = feed(asked);
  EXPECT_EQ(repeats.seqs, (Seqs{1, 2}));
  EXPECT_TRUE(repeats.result.repeat && repeats.head.repeat);
  asked.from_seq = 3;
  EXPECT_FALSE(feed(asked).head.repeat);
}

TEST_F(FeedTest, MarksTheWindowOfAnEarlierRunToTheByte) {
  write({{1}, {2}, {3}});
  auto asked = request(1, 3);
  asked.start_head_seq = 3;
  asked.start_window_bytes = 2 * window_cost(7);
  auto got = feed(asked);
  EXPECT_EQ(got.seqs, (Seqs{1, 2}));
  EXPECT_TRUE(got.head.repeat);
  EXPECT_EQ(got.result.start_window_bytes, 0U);
  asked.start_window_bytes -= 1;
  got = feed(asked);
  EXPECT_EQ(got.seqs, (Seqs{1}));
  asked.from_seq = 2;
  asked.repeat_to_seq = 1;
  asked.start_window_bytes = got.result.start_window_bytes;
  got = feed(asked);
  EXPECT_EQ(got.seqs, (Seqs{2, 3}));
  EXPECT_FALSE(got.head.repeat);
  EXPECT_EQ(got.result.start_window_bytes, 0U) << "the border is passed for good";
}

TEST_F(FeedTest, WhatCameAfterTheStartIsNoRepeat) {
  write({{1}, {2}});
  auto asked = request(1, 2);
  asked.start_head_seq = 1;
  asked.start_window_bytes = 10'000;
  EXPECT_EQ(feed(asked).seqs, (Seqs{1}));
  asked.from_seq = 2;
  EXPECT_FALSE(feed(asked).head.repeat);
}

TEST_F(FeedTest, EndsBeforeTheWindowIsPassed) {
  write({{1}, {2}, {3}});
  auto asked = request(1, 3);
  asked.window_left_bytes = 2 * window_cost(7);
  EXPECT_EQ(feed(asked).seqs, (Seqs{1, 2}));
  asked.window_left_bytes = window_cost(7) - 1;
  const auto none = feed(asked);
  EXPECT_EQ(none.result.last_seq, 0U) << "waits";
  EXPECT_EQ(none.frame_bytes, 0U);
}

TEST_F(FeedTest, NeverMakesAFrameBeyondTheCredit) {
  write({{1, 1, RecordKind::custom_event, std::string(5'000, 'x')},
         {2, 1, RecordKind::custom_event, std::string(5'000, 'x')}});
  auto asked = request(1, 2);
  asked.frame_bytes_max = 9'000;
  const auto got = feed(asked);
  EXPECT_EQ(got.seqs, (Seqs{1}));
  EXPECT_LE(got.frame_bytes, 9'000U);
  asked.frame_bytes_max = 4'000;
  EXPECT_EQ(feed(asked).result.last_seq, 0U) << "waits for credit";
}

TEST_F(FeedTest, PassesOverARecordThatNoFrameCanHold) {
  write({{1, 1, RecordKind::custom_event, std::string(channel::kDataFrameBytesMax, 'x')}, {2}});
  const auto got = feed(request(1, 2));
  EXPECT_TRUE(got.seqs.empty());
  EXPECT_EQ(got.result.last_seq, 1U);
  EXPECT_EQ(got.result.items, 0U);
  EXPECT_EQ(got.damaged, 1U);
}

TEST_F(FeedTest, PassesOverHolesUpToTheHead) {
  write({{1}});
  const auto got = feed(request(2, 9));
  EXPECT_EQ(got.result.last_seq, 9U);
  EXPECT_EQ(got.result.items, 0U);
}

TEST_F(FeedTest, ABatchHasAtMostSoManyItems) {
  std::vector<Row> rows;
  for (std::uint64_t seq = 1; seq <= kBatchItemsMax + 1; ++seq) rows.push_back({seq});
  write(rows);
  EXPECT_EQ(feed(request(1, rows.size())).seqs.size(), kBatchItemsMax);
}

TEST_F(FeedTest, DatesRecordsByTheClockThatTheirBootLearnt) {
  write({{20, 1, RecordKind::custom_event, "{}", false}}, 4);
  EXPECT_FALSE(feed(request(1, 20)).trusted.at(0));
  auto known = std::make_shared<BootClocks>();
  known->offsets.emplace_back(4, 1'700'000'000'000);
  clocks = known;
  const auto got = feed(request(1, 20));
  EXPECT_TRUE(got.trusted.at(0));
  EXPECT_EQ(got.wall_ms.at(0), 1'700'000'000'020);
}

TEST_F(FeedTest, AReaderThatFailsSaysSo) {
  write({{1}});
  auto txn = store.begin_read();
  store.fail_operation(1, sim::Repeat::once);
  FeedJob job(request(1, 1), registry, clocks, [](auto&&...) {});
  EXPECT_FALSE(job.step(**txn).ok());
}

}  // namespace
}  // namespace tocsin::core
