// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/channel/reader.hpp"
#include "src/channel/writer.hpp"

namespace tocsin::channel {
namespace {

DataHead sample_head() {
  DataHead head;
  head.session = 7;
  head.lane = 2;
  head.repeat = true;
  head.kind = DataKind::events;
  head.boot = 3;
  head.data_id = 1500001;
  head.bk_biz_id = -2;
  head.upstream_data_id = 1579109;
  head.plugin_id = "demo";
  return head;
}

std::string sample_data() {
  DataWriter writer(sample_head());
  EXPECT_TRUE(writer.add({10, 1700000000123, true, R"({"a":1})"}));
  EXPECT_TRUE(writer.add({12, -5, false, "[]"}));
  return writer.take();
}

Configure sample_configure() {
  Configure c;
  c.upstream = "centre";
  c.kind = "mqtt";
  c.topic_template = "tocsin/{appliance}/{data_id}";
  c.format = "bk";
  c.appliance_hex = "00112233445566778899aabbccddeeff";
  c.store_hex = "ffeeddccbbaa99887766554433221100";
  c.appliance_name = "edge-01";
  c.hostname = "box";
  c.ip = "10.0.0.1";
  c.username = "u";
  c.password = "p";
  c.servers[0] = "mqtt://a:1883";
  c.servers[1] = "mqtts://b";
  c.servers_count = 2;
  return c;
}

Source sample_source() {
  Source s;
  s.name = "plant";
  s.kind = "kafka";
  s.appliance_hex = "00112233445566778899aabbccddeeff";
  s.store_hex = "ffeeddccbbaa99887766554433221100";
  s.username = "u";
  s.password = "p";
  s.sasl_mechanism = "PLAIN";
  s.from_end = true;
  s.servers[0] = "a:9092";
  s.servers_count = 1;
  s.topics[0] = "plant-events";
  s.topics[1] = "other";
  s.topics_count = 2;
  return s;
}

Record sample_record() {
  return {.session = 3,
          .number = 1ULL << 40,
          .topic = "plant-events",
          .partition = 5,
          .offset = 1LL << 50,
          .may_repeat = true,
          .payload_bytes = 70'000,
          .payload = "{}"};
}

/// The one frame in `frame`, whose bytes must be exactly that frame's.
std::string body_of(const std::string& frame, Sender sender) {
  FrameReader reader(sender);
  Bytes in = as_bytes(frame);
  const auto done = reader.next(in);
  EXPECT_TRUE(done.ok() && *done && in.empty());
  EXPECT_EQ(reader.frame_bytes(), frame.size());
  return reader.take_body();
}

bool read_any(FrameType type, Bytes body) {
  switch (type) {
    case FrameType::configure: return read_configure(body).ok();
    case FrameType::data: return DataFrame::read(body).ok();
    case FrameType::ping:
    case FrameType::pong: return read_ping(body).ok();
    case FrameType::stop: return read_stop(body).ok();
    case FrameType::hello: return read_hello(body).ok();
    case FrameType::state: return read_state(body).ok();
    case FrameType::credit: return read_credit(body).ok();
    case FrameType::confirm: return read_confirm(body).ok();
    case FrameType::log: return read_log(body).ok();
    case FrameType::source: return read_source(body).ok();
    case FrameType::position: return read_position(body).ok();
    case FrameType::settle: return read_settle(body).ok();
    case FrameType::record: return read_record(body).ok();
    case FrameType::assigned: return read_assigned(body).ok();
  }
  return false;
}

struct Sample {
  Sender sender;
  FrameType type;
  std::string frame;
};

std::vector<Sample> samples() {
  return {{Sender::core, FrameType::configure, *write_configure(sample_configure())},
          {Sender::core, FrameType::data, sample_data()},
          {Sender::core, FrameType::ping, write_ping(0x0102030405060708)},
          {Sender::core, FrameType::stop, write_stop()},
          {Sender::core, FrameType::source, *write_source(sample_source())},
          {Sender::core, FrameType::position, write_position({"t", 3, 1LL << 40})},
          {Sender::core, FrameType::settle, write_settle({2, 7})},
          {Sender::worker, FrameType::hello, write_hello({1, "x"})},
          {Sender::worker, FrameType::state, write_state({LinkState::connected, 4, 1000, "up", "h:1883"})},
          {Sender::worker, FrameType::credit, write_credit(kCreditBytes)},
          {Sender::worker, FrameType::confirm, write_confirm({1, 99})},
          {Sender::worker, FrameType::pong, write_pong(5)},
          {Sender::worker, FrameType::log, write_log({LogLevel::warning, "text"})},
          {Sender::worker, FrameType::assigned, write_assigned({"t", 3})},
          {Sender::worker, FrameType::record, write_record(sample_record())}};
}

std::string raw_head(std::uint32_t length, std::uint8_t type) {
  std::string out(5, '\0');
  store(reinterpret_cast<std::byte*>(out.data()), length);
  out[4] = static_cast<char>(type);
  return out;
}

bool head_is_refused(Sender sender, std::uint32_t length, std::uint8_t type) {
  FrameReader reader(sender);
  const std::string head = raw_head(length, type);
  Bytes in = as_bytes(head);
  return !reader.next(in).ok();
}

TEST(Channel, ConfigureSurvivesTheWay) {
  const Configure sent = sample_configure();
  const std::string body = body_of(*write_configure(sent), Sender::core);
  const auto got = read_configure(as_bytes(body));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->version, kProtocolVersion);
  EXPECT_EQ(got->topic_template, sent.topic_template);
  EXPECT_EQ(got->store_hex, sent.store_hex);
  EXPECT_EQ(got->password, "p");
  EXPECT_EQ(got->key_pem, "");
  ASSERT_EQ(got->servers_count, 2);
  EXPECT_EQ(got->servers[1], "mqtts://b");
}

TEST(Channel, DataSurvivesTheWay) {
  const std::string body = body_of(sample_data(), Sender::core);
  auto got = DataFrame::read(as_bytes(body));
  ASSERT_TRUE(got.ok());
  const DataHead& head = got->head();
  EXPECT_EQ(head.session, 7u);
  EXPECT_EQ(head.lane, 2);
  EXPECT_TRUE(head.repeat);
  EXPECT_EQ(head.boot, 3u);
  EXPECT_EQ(head.data_id, 1500001);
  EXPECT_EQ(head.bk_biz_id, -2);
  EXPECT_EQ(head.upstream_data_id, 1579109);
  EXPECT_EQ(head.plugin_id, "demo");
  EXPECT_EQ(got->count(), 2u);
  EXPECT_EQ(got->first_seq(), 10u);
  EXPECT_EQ(got->last_seq(), 12u);
  for (int round = 0; round < 2; ++round) {
    const auto first = got->next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->wall_ms, 1700000000123);
    EXPECT_TRUE(first->wall_trusted);
    EXPECT_EQ(first->json, R"({"a":1})");
    const auto second = got->next();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->wall_ms, -5);
    EXPECT_EQ(second->json, "[]");
    EXPECT_FALSE(got->next());
    got->rewind();
  }
}

TEST(Channel, WorkerFramesSurviveTheWay) {
  std::string body = body_of(write_state({LinkState::connected, 4, 1000, "up", "h:1883"}), Sender::worker);
  const auto state = read_state(as_bytes(body));
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->session, 4u);
  EXPECT_EQ(state->message_bytes_max, 1000u);
  EXPECT_EQ(state->reason, "up");
  EXPECT_EQ(state->broker, "h:1883");
  body = body_of(write_confirm({1, 1ull << 60}), Sender::worker);
  EXPECT_EQ(read_confirm(as_bytes(body))->seq, 1ull << 60);
  body = body_of(write_credit(123), Sender::worker);
  EXPECT_EQ(*read_credit(as_bytes(body)), 123u);
  body = body_of(write_log({LogLevel::error, "bad"}), Sender::worker);
  EXPECT_EQ(read_log(as_bytes(body))->text, "bad");
  body = body_of(write_pong(77), Sender::worker);
  EXPECT_EQ(*read_ping(as_bytes(body)), 77u);
}

TEST(Channel, FramesOfASourceSurviveTheWay) {
  std::string body = body_of(*write_source(sample_source()), Sender::core);
  const auto source = read_source(as_bytes(body));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source->name, "plant");
  EXPECT_EQ(source->sasl_mechanism, "PLAIN");
  EXPECT_TRUE(source->from_end);
  EXPECT_EQ(source->servers[0], "a:9092");
  ASSERT_EQ(source->topics_count, 2);
  EXPECT_EQ(source->topics[1], "other");

  body = body_of(write_position({"t", 3, kNoOffset}), Sender::core);
  EXPECT_EQ(read_position(as_bytes(body))->next_offset, kNoOffset);
  body = body_of(write_settle({2, 1ULL << 40}), Sender::core);
  EXPECT_EQ(read_settle(as_bytes(body))->number, 1ULL << 40);
  body = body_of(write_assigned({"t", 3}), Sender::worker);
  EXPECT_EQ(read_assigned(as_bytes(body))->partition, 3);

  body = body_of(write_record(sample_record()), Sender::worker);
  const auto record = read_record(as_bytes(body));
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->number, 1ULL << 40);
  EXPECT_EQ(record->topic, "plant-events");
  EXPECT_EQ(record->partition, 5);
  EXPECT_EQ(record->offset, 1LL << 50);
  EXPECT_TRUE(record->may_repeat);
  EXPECT_FALSE(record->is_mark);
  EXPECT_EQ(record->payload_bytes, 70'000u);
  EXPECT_EQ(record->payload, "{}");
}

TEST(Channel, TheLargestRecordFitsItsFrameAndOneByteMoreIsRefused) {
  const std::string topic(kTopicBytesMax, 't');
  const std::string payload(kRecordPayloadBytesMax + 1, 'p');
  Record record = sample_record();
  record.topic = topic;
  record.payload = std::string_view(payload).substr(1);
  const std::string frame = write_record(record);
  EXPECT_LE(frame.size(), kRecordFrameBytesMax);
  EXPECT_TRUE(read_record(as_bytes(body_of(frame, Sender::worker))).ok());
  record.topic = "t";
  record.payload = payload;
  EXPECT_FALSE(read_record(as_bytes(body_of(write_record(record), Sender::worker))).ok());
}

TEST(Channel, ARecordThatContradictsItselfIsRefused) {
  const auto reads = [](Record record) {
    return read_record(as_bytes(body_of(write_record(record), Sender::worker))).ok();
  };
  const auto with = [](auto change) {
    Record record = sample_record();
    change(record);
    return record;
  };
  EXPECT_TRUE(reads(sample_record()));
  EXPECT_FALSE(reads(with([](Record& r) { r.session = 0; })));
  EXPECT_FALSE(reads(with([](Record& r) { r.number = 0; })));
  EXPECT_FALSE(reads(with([](Record& r) { r.topic = ""; })));
  EXPECT_FALSE(reads(with([](Record& r) { r.partition = -1; })));
  EXPECT_FALSE(reads(with([](Record& r) { r.offset = -2; })));
  EXPECT_FALSE(reads(with([](Record& r) { r.offset = INT64_MAX; }))) << "nothing comes behind it";
  EXPECT_FALSE(reads(with([](Record& r) { r.payload_bytes = 1; }))) << "less than there is";
  EXPECT_FALSE(reads(with([](Record& r) { r.is_mark = true; }))) << "a mark with a message";
  const auto mark = [](Record& r) {
    r.is_mark = true;
    r.payload = {};
    r.payload_bytes = 0;
  };
  EXPECT_TRUE(reads(with(mark)));
  EXPECT_TRUE(reads(with([&](Record& r) {
    mark(r);
    r.offset = kNoOffset;
  }))) << "behind nothing: to 0";
}

TEST(Channel, ASourceHasBetweenOneAndTheMostServersAndTopics) {
  Source source = sample_source();
  source.topics_count = 0;
  EXPECT_FALSE(write_source(source).ok());
  source.topics_count = kTopicsMax + 1;
  EXPECT_FALSE(write_source(source).ok());
  source = sample_source();
  source.servers_count = 0;
  EXPECT_FALSE(write_source(source).ok());
  source.servers_count = kServersMax + 1;
  EXPECT_FALSE(write_source(source).ok());
}

TEST(Channel, AnySplitGivesTheSameFrames) {
  for (const Sender sender : {Sender::core, Sender::worker}) {
    std::string stream;
    std::vector<FrameType> expected;
    for (const auto& sample : samples()) {
      if (sample.sender != sender) continue;
      stream += sample.frame;
      expected.push_back(sample.type);
    }
    for (std::size_t step = 1; step <= stream.size(); ++step) {
      FrameReader reader(sender);
      std::vector<FrameType> got;
      for (std::size_t at = 0; at < stream.size(); at += step) {
        Bytes in = as_bytes(std::string_view(stream).substr(at, step));
        for (;;) {
          const auto done = reader.next(in);
          ASSERT_TRUE(done.ok());
          if (!*done) break;
          EXPECT_TRUE(read_any(reader.type(), reader.body()));
          got.push_back(reader.type());
        }
        ASSERT_TRUE(in.empty());
      }
      ASSERT_EQ(got, expected) << "step " << step;
    }
  }
}

TEST(Channel, ATruncatedPayloadIsAProtocolErrorAtEveryByte) {
  for (const auto& sample : samples()) {
    const std::string body = body_of(sample.frame, sample.sender);
    for (std::size_t size = 0; size < body.size(); ++size)
      EXPECT_FALSE(read_any(sample.type, as_bytes(std::string_view(body).substr(0, size))))
          << int(sample.type) << " cut to " << size;
    EXPECT_TRUE(read_any(sample.type, as_bytes(body)));
    EXPECT_FALSE(read_any(sample.type, as_bytes(body + '\0'))) << "one byte more";
  }
}

TEST(Channel, AnIncompleteFrameIsNotHandedOutAtAnyByte) {
  for (const auto& sample : samples()) {
    for (std::size_t size = 0; size < sample.frame.size(); ++size) {
      FrameReader reader(sample.sender);
      Bytes in = as_bytes(std::string_view(sample.frame).substr(0, size));
      const auto done = reader.next(in);
      ASSERT_TRUE(done.ok());
      EXPECT_FALSE(*done);
    }
  }
}

TEST(Channel, LengthsAreAcceptedAtTheLimitAndRefusedOneOver) {
  struct Row {
    Sender sender;
    FrameType type;
    std::size_t max;
  };
  for (const auto& row : {Row{Sender::core, FrameType::data, kDataFrameBytesMax},
                          Row{Sender::core, FrameType::configure, kConfigureFrameBytesMax},
                          Row{Sender::core, FrameType::source, kConfigureFrameBytesMax},
                          Row{Sender::core, FrameType::ping, kControlFrameBytesMax},
                          Row{Sender::core, FrameType::settle, kControlFrameBytesMax},
                          Row{Sender::worker, FrameType::record, kRecordFrameBytesMax},
                          Row{Sender::worker, FrameType::assigned, kControlFrameBytesMax},
                          Row{Sender::worker, FrameType::log, kControlFrameBytesMax}}) {
    const auto type = static_cast<std::uint8_t>(row.type);
    EXPECT_FALSE(head_is_refused(row.sender, static_cast<std::uint32_t>(row.max - 4), type));
    EXPECT_TRUE(head_is_refused(row.sender, static_cast<std::uint32_t>(row.max - 3), type));
    EXPECT_TRUE(head_is_refused(row.sender, 0xFFFFFFFFu, type));
    EXPECT_TRUE(head_is_refused(row.sender, 0, type));
  }
}

TEST(Channel, TypesOfTheOtherSideAndUnknownTypesAreRefused) {
  for (int type = 0; type < 256; ++type) {
    const bool from_core = type >= 1 && type <= 7;
    const bool from_worker = type >= 65 && type <= 72;
    EXPECT_EQ(head_is_refused(Sender::core, 10, static_cast<std::uint8_t>(type)), !from_core) << type;
    EXPECT_EQ(head_is_refused(Sender::worker, 10, static_cast<std::uint8_t>(type)), !from_worker) << type;
  }
}

TEST(Channel, AReaderStaysBrokenAfterAProtocolError) {
  FrameReader reader(Sender::core);
  const std::string bad = raw_head(1, 99);
  Bytes in = as_bytes(bad);
  EXPECT_FALSE(reader.next(in).ok());
  const std::string good = write_stop();
  in = as_bytes(good);
  EXPECT_FALSE(reader.next(in).ok());
}

TEST(Channel, ADataFrameFillsToTheLimitAndNotBeyond) {
  DataWriter probe(sample_head());
  const std::size_t room = kDataFrameBytesMax - probe.frame_bytes() - kItemHeadBytes;
  EXPECT_FALSE(probe.add({1, 0, true, std::string(room + 1, 'x')}));
  EXPECT_EQ(probe.count(), 0u);
  EXPECT_TRUE(probe.add({1, 0, true, std::string(room, 'x')}));
  EXPECT_FALSE(probe.add({2, 0, true, "1"}));
  const std::string frame = probe.take();
  EXPECT_EQ(frame.size(), kDataFrameBytesMax);
  const std::string body = body_of(frame, Sender::core);
  EXPECT_EQ(DataFrame::read(as_bytes(body))->count(), 1u);
}

TEST(Channel, ADataWriterRefusesWhatAReaderWouldRefuse) {
  DataWriter writer(sample_head());
  EXPECT_FALSE(writer.add({1, 0, true, ""}));
  EXPECT_TRUE(writer.add({5, 0, true, "1"}));
  EXPECT_FALSE(writer.add({5, 0, true, "1"}));
  EXPECT_FALSE(writer.add({4, 0, true, "1"}));
  EXPECT_EQ(writer.count(), 1u);
}

TEST(Channel, ValuesOutsideTheirRangeAreRefused) {
  const std::string data = body_of(sample_data(), Sender::core);
  const auto with = [&](std::size_t at, char value) {
    std::string changed = data;
    changed[at] = value;
    return DataFrame::read(as_bytes(changed)).ok();
  };
  EXPECT_TRUE(with(4, 1));
  EXPECT_FALSE(with(4, 3)) << "lane";
  EXPECT_FALSE(with(5, 2)) << "flags";
  EXPECT_TRUE(with(6, 3));
  EXPECT_FALSE(with(6, 4)) << "kind";
  const std::size_t count_at = 4 + 3 + 4 + 4 + 4 + 8 + 2 + 4;
  EXPECT_FALSE(with(count_at, 0)) << "an empty batch";
  EXPECT_FALSE(with(count_at, 3)) << "more items than there are";
  EXPECT_FALSE(with(count_at + 4, 13)) << "a sequence that falls";

  std::string state = body_of(write_state({LinkState::disconnected, 0, 0, "", ""}), Sender::worker);
  EXPECT_TRUE(read_state(as_bytes(state)).ok());
  state[1] = 1;
  EXPECT_FALSE(read_state(as_bytes(state)).ok()) << "a session without connection";
  std::string credit = body_of(write_credit(kCreditBytes), Sender::worker);
  credit[3] = 1;
  EXPECT_FALSE(read_credit(as_bytes(credit)).ok()) << "more than a session may have";
}

TEST(Channel, ConfigureHasRoomForItsLimitAndRefusesOneMore) {
  Configure c = sample_configure();
  const std::size_t used = write_configure(c)->size();
  const std::string pem(kConfigureFrameBytesMax - used, 'p');
  c.ca_pem = pem;
  EXPECT_EQ(write_configure(c)->size(), kConfigureFrameBytesMax);
  const std::string longer = pem + "p";
  c.ca_pem = longer;
  EXPECT_FALSE(write_configure(c).ok());
  c.ca_pem = {};
  c.servers_count = 0;
  EXPECT_FALSE(write_configure(c).ok());
  c.servers_count = kServersMax + 1;
  EXPECT_FALSE(write_configure(c).ok());
}

TEST(Channel, TextsForPeopleAreCutAtACharacter) {
  const std::string text = std::string(kLogTextBytesMax - 1, 'a') + "\xC3\xA4";
  const std::string body = body_of(write_log({LogLevel::info, text}), Sender::worker);
  EXPECT_EQ(read_log(as_bytes(body))->text, std::string(kLogTextBytesMax - 1, 'a'));
  const std::string fits(kLogTextBytesMax, 'b');
  const std::string whole = body_of(write_log({LogLevel::info, fits}), Sender::worker);
  EXPECT_EQ(read_log(as_bytes(whole))->text, fits);
}

}  // namespace
}  // namespace tocsin::channel
