// SPDX-License-Identifier: Apache-2.0
#include "src/channel/reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin::channel {
namespace {

Error protocol_error(Where where) { return error(Errc::invalid_input, where); }

/// Takes fields off the front; a field that is not there makes it bad for good.
class Fields {
 public:
  explicit Fields(Bytes body) noexcept : rest_(body) {}

  template <class T>
  [[nodiscard]] T number() noexcept {
    if (!has(sizeof(T))) return T{};
    const T out = load<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return out;
  }
  [[nodiscard]] std::string_view bytes(std::size_t count) noexcept {
    if (!has(count)) return {};
    const auto out = as_text(rest_.first(count));
    rest_ = rest_.subspan(count);
    return out;
  }
  [[nodiscard]] std::string_view text() noexcept { return bytes(number<std::uint16_t>()); }
  [[nodiscard]] std::string_view blob() noexcept { return bytes(number<std::uint32_t>()); }

  void require(bool condition) noexcept { good_ = good_ && condition; }
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool ended() const noexcept { return good_ && rest_.empty(); }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }

 private:
  bool has(std::size_t count) noexcept {
    if (rest_.size() < count) {
      good_ = false;
      rest_ = {};
    }
    return good_;
  }

  Bytes rest_;
  bool good_ = true;
};

DataItem take_item(Fields& fields) noexcept {
  DataItem item;
  item.seq = fields.number<std::uint64_t>();
  item.wall_ms = fields.number<std::int64_t>();
  const auto flags = fields.number<std::uint8_t>();
  fields.require(flags <= 1);
  item.wall_trusted = flags == 1;
  item.json = fields.blob();
  fields.require(!item.json.empty());
  return item;
}

}  // namespace

Result<bool> FrameReader::next(Bytes& in) {
  if (broken_) return protocol_error("channel frame");
  if (complete_) {
    complete_ = false;
    head_bytes_ = 0;
    std::string().swap(body_);
  }
  if (head_bytes_ < head_.size()) {
    const std::size_t count = std::min(in.size(), head_.size() - head_bytes_);
    std::copy_n(in.begin(), count, head_.begin() + static_cast<std::ptrdiff_t>(head_bytes_));
    head_bytes_ += count;
    in = in.subspan(count);
    if (head_bytes_ < head_.size()) return false;
    if (!begin_body()) {
      broken_ = true;
      return protocol_error("channel frame");
    }
  }
  const std::size_t count = std::min(in.size(), body_wanted_ - body_.size());
  body_.append(as_text(in.first(count)));
  in = in.subspan(count);
  complete_ = body_.size() == body_wanted_;
  return complete_;
}

bool FrameReader::begin_body() {
  const std::size_t frame_max = frame_bytes_max(sender_, static_cast<std::uint8_t>(head_[4]));
  const std::size_t length = load<std::uint32_t>(head_.data());
  if (length == 0 || frame_max == 0 || length > frame_max - sizeof(std::uint32_t)) return false;
  body_wanted_ = length - 1;
  body_.reserve(body_wanted_);
  return true;
}

std::string FrameReader::take_body() noexcept { return std::exchange(body_, {}); }

Result<Configure> read_configure(Bytes body) {
  Fields fields(body);
  Configure out;
  out.version = fields.number<std::uint16_t>();
  for (auto* text : {&out.upstream, &out.kind, &out.topic_template, &out.format, &out.appliance_hex, &out.store_hex,
                     &out.appliance_name, &out.hostname, &out.ip, &out.username, &out.password, &out.ca_pem,
                     &out.cert_pem, &out.key_pem})
    *text = fields.text();
  out.servers_count = fields.number<std::uint8_t>();
  fields.require(out.servers_count >= 1 && out.servers_count <= kServersMax);
  for (std::size_t i = 0; fields.good() && i < out.servers_count; ++i) out.servers[i] = fields.text();
  if (!fields.ended()) return protocol_error("configure frame");
  return out;
}

Result<std::uint64_t> read_ping(Bytes body) {
  Fields fields(body);
  const auto token = fields.number<std::uint64_t>();
  if (!fields.ended()) return protocol_error("ping frame");
  return token;
}

Status read_stop(Bytes body) {
  if (!body.empty()) return protocol_error("stop frame");
  return {};
}

Result<Hello> read_hello(Bytes body) {
  Fields fields(body);
  Hello out;
  out.version = fields.number<std::uint16_t>();
  out.program = fields.text();
  fields.require(out.program.size() <= kStateTextBytesMax);
  if (!fields.ended()) return protocol_error("hello frame");
  return out;
}

Result<State> read_state(Bytes body) {
  Fields fields(body);
  State out;
  const auto state = fields.number<std::uint8_t>();
  fields.require(state <= static_cast<std::uint8_t>(LinkState::refused));
  out.state = static_cast<LinkState>(state);
  out.session = fields.number<std::uint32_t>();
  out.message_bytes_max = fields.number<std::uint32_t>();
  out.reason = fields.text();
  out.broker = fields.text();
  const bool connected = out.state == LinkState::connected;
  fields.require(connected == (out.session != 0) && (connected || out.message_bytes_max == 0));
  fields.require(out.reason.size() <= kStateTextBytesMax && out.broker.size() <= kStateTextBytesMax);
  if (!fields.ended()) return protocol_error("state frame");
  return out;
}

Result<std::uint32_t> read_credit(Bytes body) {
  Fields fields(body);
  const auto bytes = fields.number<std::uint32_t>();
  fields.require(bytes > 0 && bytes <= kCreditBytes);
  if (!fields.ended()) return protocol_error("credit frame");
  return bytes;
}

Result<Confirm> read_confirm(Bytes body) {
  Fields fields(body);
  Confirm out;
  out.lane = fields.number<std::uint8_t>();
  out.seq = fields.number<std::uint64_t>();
  fields.require(out.lane < kLanes);
  if (!fields.ended()) return protocol_error("confirm frame");
  return out;
}

Result<Log> read_log(Bytes body) {
  Fields fields(body);
  Log out;
  const auto level = fields.number<std::uint8_t>();
  fields.require(level <= static_cast<std::uint8_t>(LogLevel::error));
  out.level = static_cast<LogLevel>(level);
  out.text = fields.text();
  fields.require(out.text.size() <= kLogTextBytesMax);
  if (!fields.ended()) return protocol_error("log frame");
  return out;
}

Result<Source> read_source(Bytes body) {
  Fields fields(body);
  Source out;
  out.version = fields.number<std::uint16_t>();
  for (auto* text : {&out.name, &out.kind, &out.appliance_hex, &out.store_hex, &out.username, &out.password,
                     &out.sasl_mechanism, &out.ca_pem, &out.cert_pem, &out.key_pem})
    *text = fields.text();
  const auto flags = fields.number<std::uint8_t>();
  fields.require(flags <= 1);
  out.from_end = flags == 1;
  out.servers_count = fields.number<std::uint8_t>();
  fields.require(out.servers_count >= 1 && out.servers_count <= kServersMax);
  for (std::size_t i = 0; fields.good() && i < out.servers_count; ++i) out.servers[i] = fields.text();
  out.topics_count = fields.number<std::uint8_t>();
  fields.require(out.topics_count >= 1 && out.topics_count <= kTopicsMax);
  for (std::size_t i = 0; fields.good() && i < out.topics_count; ++i) {
    out.topics[i] = fields.text();
    fields.require(out.topics[i].size() <= kTopicBytesMax);
  }
  if (!fields.ended()) return protocol_error("source frame");
  return out;
}

Result<Position> read_position(Bytes body) {
  Fields fields(body);
  Position out;
  out.topic = fields.text();
  out.partition = fields.number<std::int32_t>();
  out.next_offset = fields.number<std::int64_t>();
  fields.require(out.topic.size() <= kTopicBytesMax && out.partition >= 0 && out.next_offset >= kNoOffset);
  if (!fields.ended()) return protocol_error("position frame");
  return out;
}

Result<Settle> read_settle(Bytes body) {
  Fields fields(body);
  Settle out;
  out.session = fields.number<std::uint32_t>();
  out.number = fields.number<std::uint64_t>();
  if (!fields.ended()) return protocol_error("settle frame");
  return out;
}

Result<Assigned> read_assigned(Bytes body) {
  Fields fields(body);
  Assigned out;
  out.topic = fields.text();
  out.partition = fields.number<std::int32_t>();
  fields.require(!out.topic.empty() && out.topic.size() <= kTopicBytesMax && out.partition >= 0);
  if (!fields.ended()) return protocol_error("assigned frame");
  return out;
}

Result<Record> read_record(Bytes body) {
  Fields fields(body);
  Record out;
  out.session = fields.number<std::uint32_t>();
  out.number = fields.number<std::uint64_t>();
  out.partition = fields.number<std::int32_t>();
  out.offset = fields.number<std::int64_t>();
  const auto flags = fields.number<std::uint8_t>();
  fields.require(flags <= 3);
  out.may_repeat = (flags & 1) != 0;
  out.is_mark = (flags & 2) != 0;
  out.payload_bytes = fields.number<std::uint32_t>();
  out.topic = fields.text();
  out.payload = fields.blob();
  fields.require(out.session != 0 && out.number != 0 && out.partition >= 0 && out.offset >= kNoOffset);
  fields.require(out.offset < std::numeric_limits<std::int64_t>::max());
  fields.require(!out.topic.empty() && out.topic.size() <= kTopicBytesMax);
  fields.require(out.payload.size() <= kRecordPayloadBytesMax && out.payload.size() <= out.payload_bytes);
  fields.require(!out.is_mark || out.payload_bytes == 0);
  if (!fields.ended()) return protocol_error("record frame");
  return out;
}

Result<DataFrame> DataFrame::read(Bytes body) {
  Fields fields(body);
  DataFrame out;
  out.head_.session = fields.number<std::uint32_t>();
  out.head_.lane = fields.number<std::uint8_t>();
  const auto flags = fields.number<std::uint8_t>();
  const auto kind = fields.number<std::uint8_t>();
  out.head_.repeat = flags == 1;
  out.head_.kind = static_cast<DataKind>(kind);
  out.head_.boot = fields.number<std::uint32_t>();
  out.head_.data_id = fields.number<std::int32_t>();
  out.head_.bk_biz_id = fields.number<std::int32_t>();
  out.head_.upstream_data_id = fields.number<std::int64_t>();
  out.head_.plugin_id = fields.text();
  out.count_ = fields.number<std::uint32_t>();
  fields.require(out.head_.lane < kLanes && flags <= 1 && out.count_ > 0);
  fields.require(kind <= static_cast<std::uint8_t>(DataKind::standard_events));
  out.items_ = fields.rest();
  for (std::uint32_t i = 0; fields.good() && i < out.count_; ++i) {
    const DataItem item = take_item(fields);
    fields.require(i == 0 || item.seq > out.last_seq_);
    if (i == 0) out.first_seq_ = item.seq;
    out.last_seq_ = item.seq;
  }
  if (!fields.ended()) return protocol_error("data frame");
  out.rest_ = out.items_;
  return out;
}

std::optional<DataItem> DataFrame::next() noexcept {
  if (rest_.empty()) return std::nullopt;
  Fields fields(rest_);
  const DataItem item = take_item(fields);
  rest_ = fields.rest();
  return item;
}

}  // namespace tocsin::channel
