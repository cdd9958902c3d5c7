// SPDX-License-Identifier: Apache-2.0
#include "src/model/segment.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "src/base/crc32c.hpp"

namespace tocsin::model {
namespace {

Id128 request(int n) {
  Id128 out{};
  out[15] = static_cast<std::byte>(n);
  return out;
}

struct Row {
  std::uint64_t seq;
  std::int32_t data_id;
  RecordKind kind;
  Now received;
  Id128 request_id;
  std::uint64_t id_hash;
  std::string json;
};

Now at(std::int64_t ms, bool trusted = true) { return {{(5'000 + ms) * 1'000'000}, {1'793'500'000'000 + ms, trusted}}; }

/// Five records of two requests, with holes in the sequence.
std::vector<Row> rows() {
  return {{100, 10000001, RecordKind::custom_event, at(0), request(1), 0, R"({"event_name":"a"})"},
          {101, 10000001, RecordKind::custom_event, at(0), request(1), 77, R"({"event_name":"b"})"},
          {105, 10000002, RecordKind::standard_event, at(3), request(2), 78, R"({"alert_name":"c"})"},
          {106, 10000002, RecordKind::standard_event, at(3), request(2), 0, R"({"alert_name":"d"})"},
          {300, -5, RecordKind::gap, at(9), request(3), 0, "{}"}};
}

std::vector<std::byte> build(const std::vector<Row>& rows, Lane lane = Lane::normal, std::uint32_t boot = 3) {
  std::vector<std::byte> buffer;
  SegmentBuilder builder(lane, boot, buffer);
  for (const Row& r : rows) builder.add(r.seq, r.data_id, r.kind, r.received, r.request_id, r.id_hash, r.json);
  const Bytes value = builder.finish();
  return {value.begin(), value.end()};
}

bool is_row(const Record& record, const Row& row) {
  return record.seq == row.seq && record.data_id == row.data_id && record.kind == row.kind &&
         record.wall_ms == row.received.wall.unix_ms && record.mono_ms == row.received.mono.ms() &&
         record.id_hash == row.id_hash && record.request_id == row.request_id && record.json == row.json;
}

const Key kKey = segment_key(Lane::normal, 100);

TEST(Segment, GivesBackWhatWasPutIn) {
  const auto value = build(rows());
  auto segment = SegmentReader::open(kKey, value);
  ASSERT_TRUE(segment.ok());
  EXPECT_EQ(segment->header().count, 5U);
  EXPECT_EQ(segment->header().boot, 3U);
  EXPECT_EQ(segment->header().time_span_ms, 9U);
  EXPECT_EQ(segment->header().flags, kSegmentTrusted | kSegmentHasIds);
  EXPECT_EQ(segment->last_seq(), 300U);
  for (const Row& row : rows()) {
    EXPECT_TRUE(segment->may_hold(row.data_id));
    const auto record = segment->next();
    ASSERT_TRUE(record);
    EXPECT_TRUE(is_row(*record, row)) << row.seq;
  }
  EXPECT_FALSE(segment->next());
  EXPECT_EQ(segment->damaged(), 0U);
}

TEST(Segment, ReadingFromASequenceSkipsWhatIsBeforeIt) {
  const auto value = build(rows());
  auto segment = SegmentReader::open(kKey, value);
  const auto record = segment->next(106);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->seq, 106U);
  EXPECT_EQ(record->request_id, request(2)) << "the id stands at a record that was skipped";
  EXPECT_EQ(segment->damaged(), 0U);
}

TEST(Segment, RecordsOfOtherInstancesArePassedByUnread) {
  auto value = build(rows());
  auto segment = SegmentReader::open(kKey, value);
  ASSERT_TRUE(segment.ok());
  const auto all = rows();
  for (const Row& row : all) {
    EXPECT_EQ(segment->peek(), row.data_id);
    if (row.data_id != 10000002) {
      segment->skip();
      continue;
    }
    const auto record = segment->next();
    ASSERT_TRUE(record);
    EXPECT_TRUE(is_row(*record, row)) << row.seq;
  }
  EXPECT_FALSE(segment->peek());
  EXPECT_EQ(segment->damaged(), 0U);
  for (std::size_t bytes = sizeof(SegmentHeader); bytes < value.size(); ++bytes) {
    // What the header says is longer than what is there: a length inside is wrong.
    auto header = load<SegmentHeader>(value.data());
    std::vector<std::byte> cut(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(bytes));
    header.bytes = static_cast<std::uint32_t>(bytes - sizeof(SegmentHeader));
    const Bytes head{reinterpret_cast<const std::byte*>(&header), sizeof(header)};
    header.crc32c = crc32c(head.subspan(sizeof(std::uint32_t)), crc32c(kKey));
    store(cut.data(), header);
    auto reader = SegmentReader::open(kKey, cut);
    ASSERT_TRUE(reader.ok());
    while (reader->peek()) reader->skip();
    EXPECT_GT(reader->damaged(), 0U) << bytes;
  }
}

TEST(Segment, TakesRecordsUpToItsBoundAndOneOfAnySize) {
  std::vector<std::byte> buffer;
  SegmentBuilder builder(Lane::normal, 1, buffer);
  const std::size_t room = kSegmentBytesMax - sizeof(SegmentHeader) - 2 * kRecordOverheadMax;
  builder.add(1, 1, RecordKind::custom_event, at(0), request(1), 5, std::string(room - 10, 'x'));
  EXPECT_TRUE(builder.fits(10));
  EXPECT_FALSE(builder.fits(11));
  builder.add(2, 1, RecordKind::custom_event, at(0), request(2), 6, std::string(10, 'y'));
  EXPECT_EQ(builder.finish().size(), kSegmentBytesMax);
  EXPECT_TRUE(builder.fits(1'000'000));
}

TEST(Segment, RecordsOfOneSegmentShareTheirClocks) {
  std::vector<std::byte> buffer;
  SegmentBuilder builder(Lane::normal, 1, buffer);
  EXPECT_TRUE(builder.shares_clocks(at(0, false)));
  builder.add(1, 1, RecordKind::custom_event, at(0), request(1), 0, "{}");
  EXPECT_TRUE(builder.shares_clocks(at(60'000)));
  EXPECT_FALSE(builder.shares_clocks(at(0, false)));
  Now stepped = at(5);
  stepped.wall.unix_ms += 1'000;
  EXPECT_TRUE(builder.shares_clocks(stepped));
  stepped.wall.unix_ms += 1;
  EXPECT_FALSE(builder.shares_clocks(stepped));
  stepped.wall.unix_ms -= 2'002;
  EXPECT_FALSE(builder.shares_clocks(stepped));
}

TEST(Segment, EveryFlippedBitIsFoundAndNothingWrongIsHandedOut) {
  const auto good = build(rows());
  std::map<std::uint64_t, Row> by_seq;
  for (const Row& row : rows()) by_seq.emplace(row.seq, row);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    auto segment = SegmentReader::open(kKey, bad);
    if (!segment.ok()) {
      EXPECT_LT(bit / 8, sizeof(SegmentHeader)) << bit;
      continue;
    }
    std::size_t read = 0;
    while (const auto record = segment->next()) {
      ++read;
      const auto row = by_seq.find(record->seq);
      ASSERT_NE(row, by_seq.end()) << bit;
      Row expected = row->second;
      // After a lost record its request id may be unknown, never another's.
      if (record->request_id == Id128{}) expected.request_id = Id128{};
      EXPECT_TRUE(is_row(*record, expected)) << "bit " << bit << " sequence " << record->seq;
    }
    EXPECT_LT(read, by_seq.size()) << bit;
    EXPECT_EQ(read + segment->damaged(), by_seq.size()) << bit;
  }
}

TEST(Segment, TruncatedAnywhereItIsRefused) {
  const auto good = build(rows());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(SegmentReader::open(kKey, Bytes(good).first(size)).ok()) << size;
  }
}

TEST(Segment, UnderAnotherKeyItIsRefused) {
  const auto good = build(rows());
  EXPECT_FALSE(SegmentReader::open(segment_key(Lane::critical, 100), good).ok());
  EXPECT_FALSE(SegmentReader::open(segment_key(Lane::normal, 101), good).ok());
}

TEST(Segment, ARecordOfAnotherBootOrPlaceIsDamage) {
  const auto one = build(rows(), Lane::normal, 3);
  auto other = build(rows(), Lane::normal, 4);
  std::copy(one.begin() + sizeof(SegmentHeader), one.end(), other.begin() + sizeof(SegmentHeader));
  auto segment = SegmentReader::open(kKey, other);
  ASSERT_TRUE(segment.ok());
  EXPECT_FALSE(segment->next());
  EXPECT_EQ(segment->damaged(), 5U);
}

}  // namespace
}  // namespace tocsin::model
