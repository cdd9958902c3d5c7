// SPDX-License-Identifier: Apache-2.0
#include "src/log/log.hpp"

#include <gtest/gtest.h>

#include "platform/sim/store.hpp"

namespace tocsin::log {
namespace {

using model::Lane;
using model::RecordKind;
using Seqs = std::vector<std::uint64_t>;

/// A lane written segment by segment.
class LogTest : public ::testing::Test {
 protected:
  void write(const Seqs& seqs, Lane lane = Lane::normal, std::size_t json_bytes = 10) {
    auto txn = store.begin_write();
    Appender appender(**txn, 3, buffers);
    const std::string json(json_bytes, 'x');
    for (const auto seq : seqs) {
      ASSERT_TRUE(appender.add(lane, {seq, 1, RecordKind::custom_event, now(seq), &request_id, 0, json}).ok());
    }
    ASSERT_TRUE(appender.finish().ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  static Now now(std::uint64_t seq) {
    const auto ms = static_cast<std::int64_t>(seq);
    return {{ms * 1'000'000}, {1'700'000'000'000 + ms, true}};
  }
  WalkResult read(std::uint64_t from, int segments, Seqs& out, Lane lane = Lane::normal, std::size_t records = 1'000) {
    auto txn = store.begin_read();
    const auto walked =
        walk(**txn, lane, from, segments, [&](const model::SegmentHeader&, const model::Record& record) {
          out.push_back(record.seq);
          return out.size() < records;
        });
    EXPECT_TRUE(walked.ok());
    return *walked;
  }
  [[nodiscard]] Seqs all(Lane lane = Lane::normal) {
    Seqs out;
    static_cast<void>(read(0, 1'000, out, lane));
    return out;
  }
  void damage(std::uint64_t first_seq, std::size_t byte) {
    auto txn = store.begin_write();
    const auto key = model::segment_key(Lane::normal, first_seq);
    std::string value(as_text(**(*txn)->get(key)));
    value[byte] = static_cast<char>(value[byte] ^ 1);
    ASSERT_TRUE((*txn)->put(key, as_bytes(value)).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  [[nodiscard]] std::optional<Oldest> find_oldest() {
    auto txn = store.begin_read();
    const auto found = oldest(**txn, Lane::normal);
    EXPECT_TRUE(found.ok());
    return *found;
  }
  Result<Gap> evict(std::uint64_t merge_after = 0) {
    const auto what = *find_oldest();
    auto txn = store.begin_write();
    auto gap = replace_by_gap(**txn, Lane::normal, what, merge_after, 3, now(99));
    if (gap.ok()) {
      EXPECT_TRUE((*txn)->commit().ok());
    }
    return gap;
  }

  sim::SimStore store;
  Appender::Buffers buffers;
  Id128 request_id{};
};

TEST_F(LogTest, AnEmptyLaneHasNoEndsAndNoOldest) {
  auto txn = store.begin_read();
  EXPECT_EQ(*find_ends(**txn), Ends{});
  EXPECT_FALSE(find_oldest());
  EXPECT_TRUE(all().empty());
}

TEST_F(LogTest, LanesAreSeparate) {
  write({1, 3}, Lane::critical);
  write({2, 4});
  EXPECT_EQ(all(Lane::critical), (Seqs{1, 3}));
  EXPECT_EQ(all(), (Seqs{2, 4}));
  EXPECT_TRUE(all(Lane::alert).empty());
  auto txn = store.begin_read();
  const auto ends = find_ends(**txn);
  EXPECT_EQ((*ends)[1], (LaneEnds{1, 3}));
  EXPECT_EQ((*ends)[2], (LaneEnds{2, 4}));
}

TEST_F(LogTest, WalksFromAnywhereAlsoFromInsideASegmentOrAHole) {
  write({1, 2, 3});
  write({10, 11});
  for (const auto& [from, expected] : std::vector<std::pair<std::uint64_t, Seqs>>{
           {0, {1, 2, 3, 10, 11}}, {2, {2, 3, 10, 11}}, {4, {10, 11}}, {11, {11}}, {12, {}}}) {
    Seqs out;
    EXPECT_FALSE(read(from, 100, out).next_seq);
    EXPECT_EQ(out, expected) << from;
  }
}

TEST_F(LogTest, StopsAfterItsSegmentsAndSaysWhereToGoOn) {
  write({1, 2});
  write({5, 6});
  Seqs out;
  EXPECT_EQ(read(0, 1, out).next_seq, 3U);
  EXPECT_EQ(out, (Seqs{1, 2}));
  EXPECT_EQ(read(3, 1, out, Lane::normal, 3).next_seq, 6U);
  EXPECT_EQ(out, (Seqs{1, 2, 5}));
}

TEST_F(LogTest, ATurnOfAnySizeBecomesSegmentsWithinTheirBound) {
  Seqs seqs;
  for (std::uint64_t seq = 1; seq <= 300; ++seq) seqs.push_back(seq);
  write(seqs, Lane::normal, 1'000);
  EXPECT_EQ(all(), seqs);
  auto txn = store.begin_read();
  std::uint64_t at = 0;
  int segments = 0;
  for (auto entry = segment_at(**txn, Lane::normal, at); entry.ok() && *entry;
       entry = segment_at(**txn, Lane::normal, at)) {
    EXPECT_LE((*entry)->value.size(), model::kSegmentBytesMax);
    at = model::SegmentReader::open((*entry)->key, (*entry)->value)->last_seq() + 1;
    ++segments;
  }
  EXPECT_EQ(segments, 5);
}

TEST_F(LogTest, ADamagedSegmentIsPassedAndCounted) {
  write({1, 2});
  write({5, 6});
  write({8});
  damage(5, 8);  // its header
  Seqs out;
  EXPECT_EQ(read(0, 100, out).damaged, 1U);
  EXPECT_EQ(out, (Seqs{1, 2, 8}));
  damage(1, sizeof(model::SegmentHeader) + 30);  // its first record
  out.clear();
  EXPECT_EQ(read(0, 100, out).damaged, 2U);
  EXPECT_EQ(out, (Seqs{2, 8}));
}

TEST_F(LogTest, ADamagedEndStillBoundsTheCounter) {
  write({1, 2});
  write({5, 6});
  damage(5, 8);
  auto txn = store.begin_read();
  EXPECT_GE((*find_ends(**txn))[2].last_seq, 6U);
}

TEST_F(LogTest, TheOldestSegmentTellsItsFacts) {
  write({4, 6});
  write({7});
  const auto found = find_oldest();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first_seq, 4U);
  EXPECT_EQ(found->last_seq, 6U);
  EXPECT_EQ(found->count, 2U);
  EXPECT_EQ(found->boot, 3U);
  EXPECT_EQ(found->newest_wall_ms, 1'700'000'000'006);
  EXPECT_EQ(found->newest_mono_ms, 6);
  EXPECT_TRUE(found->wall_trusted);
  EXPECT_FALSE(found->is_gap || found->damaged);
}

TEST_F(LogTest, DroppingTheOldestLeavesTheRest) {
  write({1, 2});
  write({3});
  const auto what = *find_oldest();
  auto txn = store.begin_write();
  ASSERT_TRUE(drop_oldest(**txn, Lane::normal, what).ok());
  ASSERT_TRUE((*txn)->commit().ok());
  EXPECT_EQ(all(), (Seqs{3}));
}

TEST_F(LogTest, AGapTakesThePlaceOfWhatWasEvictedAndGrows) {
  write({1, 2});
  write({5, 6, 7});
  write({9});
  auto gap = evict();
  ASSERT_TRUE(gap.ok());
  EXPECT_EQ(gap->first_seq, 1U);
  EXPECT_EQ(gap->last_seq, 2U);
  EXPECT_EQ(gap->events, 2U);
  EXPECT_EQ(all(), (Seqs{2, 5, 6, 7, 9}));
  EXPECT_TRUE(find_oldest()->is_gap);
  gap = evict();
  ASSERT_TRUE(gap.ok());
  EXPECT_EQ(gap->first_seq, 1U);
  EXPECT_EQ(gap->last_seq, 7U);
  EXPECT_EQ(gap->events, 5U);
  EXPECT_EQ(all(), (Seqs{7, 9})) << "one gap record, not two";
}

TEST_F(LogTest, AGapThatAnUpstreamHasIsLeftAlone) {
  write({1, 2});
  write({5});
  ASSERT_TRUE(evict().ok());
  const auto again = evict(2);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::invalid_input);
}

TEST_F(LogTest, AGapAloneCannotGrow) {
  write({1, 2});
  ASSERT_TRUE(evict().ok());
  const auto again = evict();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::not_found);
}

TEST_F(LogTest, AGapThatGrowsOverTheNewestSegmentIsTheEndOfItsLane) {
  write({1, 2});
  write({5, 9});
  ASSERT_TRUE(evict().ok());
  const auto gap = evict();
  ASSERT_TRUE(gap.ok());
  EXPECT_EQ(gap->last_seq, 9U);
  EXPECT_EQ(gap->events, 4U);
  auto txn = store.begin_read();
  EXPECT_EQ((*find_ends(**txn))[2], (LaneEnds{9, 9})) << "no sequence is given twice after a start";
}

TEST_F(LogTest, ADamagedOldestSegmentCanBeEvicted) {
  write({1, 2});
  write({5});
  damage(1, 8);
  const auto what = find_oldest();
  ASSERT_TRUE(what && what->damaged);
  EXPECT_EQ(what->last_seq, 4U) << "up to the next one";
  const auto gap = evict();
  ASSERT_TRUE(gap.ok());
  EXPECT_EQ(gap->last_seq, 4U);
  EXPECT_EQ(all(), (Seqs{4, 5}));
}

TEST(GapText, SaysWhatItStandsForAndNothingElseParses) {
  const std::string text = gap_json({3, 9, 5});
  EXPECT_EQ(text, R"({"gap":{"first":3,"last":9,"events":5,"reason":"room"}})");
  const auto gap = parse_gap(text);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->first_seq, 3U);
  EXPECT_EQ(gap->last_seq, 9U);
  EXPECT_EQ(gap->events, 5U);
  for (const char* other :
       {"", "{}", R"({"event_name":"gap"})", R"({"gap":{"first":3}})", R"({"gap":{"first":-1,"last":2,"events":1}})"}) {
    EXPECT_FALSE(parse_gap(other)) << other;
  }
}

}  // namespace
}  // namespace tocsin::log
