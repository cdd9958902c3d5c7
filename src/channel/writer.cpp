// SPDX-License-Identifier: Apache-2.0
#include "src/channel/writer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin::channel {
namespace {

template <class T>
void put(std::string& out, T value) {
  std::array<std::byte, sizeof(T)> raw;
  store(raw.data(), value);
  out.append(as_text(raw));
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint16_t>(text.size()));
  out.append(text);
}

/// Never in the middle of a UTF-8 sequence, so that a log line stays text.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0u) == 0x80u) --bytes_max;
  return text.substr(0, bytes_max);
}

std::string begin(FrameType type) {
  std::string out(sizeof(std::uint32_t), '\0');
  put(out, static_cast<std::uint8_t>(type));
  return out;
}

std::string finish(std::string frame) {
  store(reinterpret_cast<std::byte*>(frame.data()), static_cast<std::uint32_t>(frame.size() - sizeof(std::uint32_t)));
  return frame;
}

template <class T>
std::string number_frame(FrameType type, T value) {
  std::string out = begin(type);
  put(out, value);
  return finish(std::move(out));
}

}  // namespace

Result<std::string> write_configure(const Configure& configure) {
  if (configure.servers_count == 0 || configure.servers_count > kServersMax)
    return error(Errc::invalid_input, "count of servers");
  const std::array texts{configure.upstream,       configure.kind,          configure.topic_template,
                         configure.format,         configure.appliance_hex, configure.store_hex,
                         configure.appliance_name, configure.hostname,      configure.ip,
                         configure.username,       configure.password,      configure.ca_pem,
                         configure.cert_pem,       configure.key_pem};
  const std::span servers(configure.servers.data(), configure.servers_count);
  std::size_t total = kFrameHeadBytes + 3;
  for (const auto text : texts) total += 2 + text.size();
  for (const auto text : servers) total += 2 + text.size();
  if (total > kConfigureFrameBytesMax) return error(Errc::invalid_input, "settings of the upstream are too long");

  std::string out = begin(FrameType::configure);
  put(out, configure.version);
  for (const auto text : texts) put_text(out, text);
  put(out, configure.servers_count);
  for (const auto text : servers) put_text(out, text);
  return finish(std::move(out));
}

Result<std::string> write_source(const Source& source) {
  if (source.servers_count == 0 || source.servers_count > kServersMax)
    return error(Errc::invalid_input, "count of servers");
  if (source.topics_count == 0 || source.topics_count > kTopicsMax)
    return error(Errc::invalid_input, "count of topics");
  const std::array texts{source.name,     source.kind,     source.appliance_hex,  source.store_hex,
                         source.username, source.password, source.sasl_mechanism, source.ca_pem,
                         source.cert_pem, source.key_pem};
  const std::span servers(source.servers.data(), source.servers_count);
  const std::span topics(source.topics.data(), source.topics_count);
  std::size_t total = kFrameHeadBytes + 5;
  for (const auto text : texts) total += 2 + text.size();
  for (const auto text : servers) total += 2 + text.size();
  for (const auto text : topics) total += 2 + text.size();
  if (total > kConfigureFrameBytesMax) return error(Errc::invalid_input, "settings of the source are too long");

  std::string out = begin(FrameType::source);
  put(out, source.version);
  for (const auto text : texts) put_text(out, text);
  put(out, static_cast<std::uint8_t>(source.from_end ? 1 : 0));
  put(out, source.servers_count);
  for (const auto text : servers) put_text(out, text);
  put(out, source.topics_count);
  for (const auto text : topics) put_text(out, text);
  return finish(std::move(out));
}

std::string write_position(const Position& position) {
  std::string out = begin(FrameType::position);
  put_text(out, position.topic);
  put(out, position.partition);
  put(out, position.next_offset);
  return finish(std::move(out));
}

std::string write_settle(const Settle& settle) {
  std::string out = begin(FrameType::settle);
  put(out, settle.session);
  put(out, settle.number);
  return finish(std::move(out));
}

std::string write_ping(std::uint64_t token) { return number_frame(FrameType::ping, token); }
std::string write_pong(std::uint64_t token) { return number_frame(FrameType::pong, token); }
std::string write_credit(std::uint32_t bytes) { return number_frame(FrameType::credit, bytes); }
std::string write_stop() { return finish(begin(FrameType::stop)); }

std::string write_hello(const Hello& hello) {
  std::string out = begin(FrameType::hello);
  put(out, hello.version);
  put_text(out, cut(hello.program, kStateTextBytesMax));
  return finish(std::move(out));
}

std::string write_state(const State& state) {
  std::string out = begin(FrameType::state);
  put(out, static_cast<std::uint8_t>(state.state));
  put(out, state.session);
  put(out, state.message_bytes_max);
  put_text(out, cut(state.reason, kStateTextBytesMax));
  put_text(out, cut(state.broker, kStateTextBytesMax));
  return finish(std::move(out));
}

std::string write_confirm(const Confirm& confirm) {
  std::string out = begin(FrameType::confirm);
  put(out, confirm.lane);
  put(out, confirm.seq);
  return finish(std::move(out));
}

std::string write_log(const Log& log) {
  std::string out = begin(FrameType::log);
  put(out, static_cast<std::uint8_t>(log.level));
  put_text(out, cut(log.text, kLogTextBytesMax));
  return finish(std::move(out));
}

std::string write_assigned(const Assigned& assigned) {
  std::string out = begin(FrameType::assigned);
  put_text(out, assigned.topic);
  put(out, assigned.partition);
  return finish(std::move(out));
}

std::string write_record(const Record& record) {
  std::string out = begin(FrameType::record);
  out.reserve(out.size() + kRecordHeadBytes + record.topic.size() + record.payload.size());
  put(out, record.session);
  put(out, record.number);
  put(out, record.partition);
  put(out, record.offset);
  put(out, static_cast<std::uint8_t>((record.may_repeat ? 1 : 0) | (record.is_mark ? 2 : 0)));
  put(out, record.payload_bytes);
  put_text(out, record.topic);
  put(out, static_cast<std::uint32_t>(record.payload.size()));
  out.append(record.payload);
  return finish(std::move(out));
}

DataWriter::DataWriter(const DataHead& head, std::size_t frame_bytes_max)
    : frame_(begin(FrameType::data)), limit_(std::min(frame_bytes_max, kDataFrameBytesMax)) {
  put(frame_, head.session);
  put(frame_, head.lane);
  put(frame_, static_cast<std::uint8_t>(head.repeat ? 1 : 0));
  put(frame_, static_cast<std::uint8_t>(head.kind));
  put(frame_, head.boot);
  put(frame_, head.data_id);
  put(frame_, head.bk_biz_id);
  put(frame_, head.upstream_data_id);
  put_text(frame_, head.plugin_id);
  count_at_ = frame_.size();
  put(frame_, std::uint32_t{0});
}

bool DataWriter::add(const DataItem& item) {
  if (item.json.empty() || (count_ > 0 && item.seq <= last_seq_)) return false;
  if (item.json.size() > limit_ || frame_.size() + kItemHeadBytes + item.json.size() > limit_) return false;
  put(frame_, item.seq);
  put(frame_, item.wall_ms);
  put(frame_, static_cast<std::uint8_t>(item.wall_trusted ? 1 : 0));
  put(frame_, static_cast<std::uint32_t>(item.json.size()));
  frame_.append(item.json);
  last_seq_ = item.seq;
  ++count_;
  return true;
}

std::string DataWriter::take() {
  store(reinterpret_cast<std::byte*>(frame_.data()) + count_at_, count_);
  count_ = 0;
  return finish(std::exchange(frame_, {}));
}

}  // namespace tocsin::channel
