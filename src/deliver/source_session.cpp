// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/source_session.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "src/base/crc32c.hpp"
#include "src/base/hex.hpp"
#include "src/channel/writer.hpp"

namespace tocsin::deliver {

using channel::FrameType;
using channel::LinkState;
using channel::LogLevel;
using port::BrokerEvent;

namespace {

/// 23 characters, the most that every 3.1.1 broker must take, and never those of a worker that publishes. The store is
/// part of it, so that a restored or copied appliance does not take its twin's messages away.
std::string source_client_id(const channel::Source& source) {
  std::array<std::byte, sizeof(std::uint32_t)> sum;
  store(sum.data(), crc32c(as_bytes(source.name), crc32c(as_bytes(source.store_hex))));
  return "tocsrc-" + std::string(source.appliance_hex.substr(0, 8)) + to_hex(sum);
}

std::string_view topic_within_bounds(std::string_view topic) noexcept {
  std::size_t bytes = std::min(topic.size(), channel::kTopicBytesMax);
  if (bytes < topic.size())
    while (bytes > 0 && (static_cast<unsigned char>(topic[bytes]) & 0xC0u) == 0x80u) --bytes;
  return topic.substr(0, bytes);
}

std::uint32_t saturated(std::size_t bytes) noexcept {
  return static_cast<std::uint32_t>(std::min<std::size_t>(bytes, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

bool SourceSession::on_frame(channel::FrameReader& frame, Moment moment) {
  switch (frame.type()) {
    case FrameType::source: return on_source(frame.body(), moment);
    case FrameType::settle: return on_settle(frame.body());
    case FrameType::stop: return channel::read_stop(frame.body()).ok() && on_stop(moment);
    case FrameType::ping: {
      const auto token = channel::read_ping(frame.body());
      if (token.ok()) news_.pong(*token);
      return token.ok();
    }
    default: return false;
  }
}

bool SourceSession::on_source(Bytes body, Moment moment) {
  const auto source = channel::read_source(body);
  if (!source.ok() || phase_ != Phase::fresh) return false;
  const auto settled = settle_configuration(*source);
  if (!settled.ok()) {
    phase_ = Phase::unusable;
    set_state(LinkState::refused, std::string("configuration: ") + settled.error().context[0]);
    return true;
  }
  phase_ = Phase::waiting;
  deadline_ = moment.now;
  return true;
}

Status SourceSession::settle_configuration(const channel::Source& source) {
  if (source.version != channel::kProtocolVersion)
    return error(Errc::invalid_input, "another version of the channel's protocol");
  Id128 id;
  if (!from_hex(source.appliance_hex, id) || !from_hex(source.store_hex, id))
    return error(Errc::invalid_input, "appliance or store id");
  const std::span servers(source.servers.data(), source.servers_count);
  if (auto taken = connector_.configure(source.kind, servers, !source.ca_pem.empty()); !taken.ok()) return taken;
  login_.client_id = source_client_id(source);
  login_.username = source.username;
  login_.password = source.password;
  login_.ca_pem = source.ca_pem;
  login_.cert_pem = source.cert_pem;
  login_.key_pem = source.key_pem;
  wish_.topics.assign(source.topics.begin(), source.topics.begin() + source.topics_count);
  wish_.payload_bytes_kept = channel::kRecordPayloadBytesMax;
  return {};
}

bool SourceSession::on_settle(Bytes body) {
  const auto settle = channel::read_settle(body);
  if (!settle.ok()) return false;
  const bool is_live = reads() || phase_ == Phase::draining;
  if (!is_live || settle->session != session_) return true;  // meant for another connection
  if (!window_.settle(settle->number)) return false;
  connector_.proven();
  is_settling_ = true;
  return true;
}

bool SourceSession::on_stop(Moment moment) {
  if (phase_ == Phase::up) {
    phase_ = Phase::draining;
    deadline_ = moment.now.after_ms(kGoodbyeMsMax);
  } else if (phase_ != Phase::draining) {
    broker_.close();
    phase_ = Phase::ended;
  }
  return true;
}

void SourceSession::on_broker(const BrokerEvent& event, Moment moment) {
  if (phase_ != Phase::opening && phase_ != Phase::draining && !reads()) return;
  switch (event.kind) {
    case BrokerEvent::Kind::connected: return on_connected(event, moment);
    case BrokerEvent::Kind::subscribed: return on_subscribed(event, moment);
    case BrokerEvent::Kind::lost: return on_lost(event, moment);
    case BrokerEvent::Kind::refused:
      if (connector_.falls_back(event)) {
        news_.log(LogLevel::info, connector_.server_text() + " does not speak MQTT 5, going on with 3.1.1");
        broker_.close();
        return open(moment);
      }
      return fail(LinkState::refused, event.text, moment);
    case BrokerEvent::Kind::acked: return;
  }
}

void SourceSession::on_connected(const BrokerEvent& event, Moment moment) {
  if (phase_ != Phase::opening) return;
  phase_ = Phase::subscribing;
  connector_.connected(moment.now);
  limited_until_ = moment.now.after_ms(kLimitedMs);
  if (session_ != 0 && !event.resumed)
    news_.log(LogLevel::warning, connector_.server_text() + " has not kept our session: messages may be lost");
}

void SourceSession::on_subscribed(const BrokerEvent& event, Moment moment) {
  if (event.failed) return fail(LinkState::refused, event.text, moment);
  if (!event.text.empty()) news_.log(LogLevel::warning, connector_.server_text() + ": " + event.text);
  if (phase_ == Phase::subscribing) begin_session();
}

void SourceSession::begin_session() {
  phase_ = Phase::up;
  ++session_;
  set_state(LinkState::connected, connector_.version_in_use() == port::MqttVersion::v5 ? "MQTT 5" : "MQTT 3.1.1");
}

/// A broker keeps a message that we cannot read, and gives it out again with each connection: nothing behind it would
/// ever come. MQTT 5 lets us ask that larger ones be left out.
void SourceSession::on_lost(const BrokerEvent& event, Moment moment) {
  connector_.lost(event);
  if (!event.too_large) return fail(LinkState::disconnected, event.text, moment);
  if (connector_.version_in_use() == port::MqttVersion::v5) {
    wish_.message_bytes_max = kMessageBytesMax;
    return fail(LinkState::refused, event.text + "; the broker is asked to drop those above 512 KiB for a minute",
                moment);
  }
  fail(LinkState::refused, event.text + "; MQTT 3.1.1 cannot leave it out, so the broker has to", moment);
}

void SourceSession::forget() noexcept {
  window_.clear();
  record_.clear();
  number_ = 0;
  is_settling_ = false;
}

void SourceSession::fail(LinkState state, std::string_view why, Moment moment) {
  const bool was_up = reads();
  broker_.close();
  forget();
  if (phase_ == Phase::draining) {
    phase_ = Phase::ended;
    return;
  }
  set_state(state, why);
  news_.log(LogLevel::warning, connector_.server_text() + ": " + std::string(why));
  deadline_ = moment.now.after_ms(connector_.pause_ms(was_up, moment));
  phase_ = Phase::waiting;
}

void SourceSession::open(Moment moment) {
  phase_ = Phase::opening;
  deadline_ = moment.now.after_ms(kOpenMsMax);
  set_state(LinkState::connecting, {});
  broker_.open(connector_.server(), login_, connector_.begin(), wish_);
}

void SourceSession::tick(Moment moment) {
  if (phase_ == Phase::waiting && moment.now >= deadline_) open(moment);
  if ((phase_ == Phase::opening || phase_ == Phase::subscribing) && moment.now >= deadline_)
    fail(LinkState::disconnected, "no answer within 10 s", moment);
  flush();
  if (phase_ == Phase::draining && (all_settled() || moment.now >= deadline_)) {
    broker_.close();
    phase_ = Phase::ended;
  }
  if (phase_ == Phase::up && wish_.message_bytes_max != 0 && all_settled() && moment.now >= limited_until_) {
    wish_.message_bytes_max = 0;
    broker_.close();
    forget();
    open(moment);
    flush();
  }
}

std::optional<Monotonic> SourceSession::next_deadline() const noexcept {
  switch (phase_) {
    case Phase::waiting:
    case Phase::opening:
    case Phase::subscribing:
    case Phase::draining: return deadline_;
    case Phase::up: return wish_.message_bytes_max != 0 && all_settled() ? std::optional(limited_until_) : std::nullopt;
    default: return std::nullopt;
  }
}

/// Whether there is a record to send; takes the next message when none waits.
bool SourceSession::has_record() {
  if (!record_.empty()) return true;
  const auto message = broker_.take();
  if (!message) return false;
  if (phase_ == Phase::subscribing) begin_session();  // a session that the broker has kept goes on at once
  if (message->left_out != 0)
    news_.log(LogLevel::warning, std::to_string(message->left_out) + " messages of QoS 0 found no room");
  record_ = channel::write_record({.session = session_,
                                   .number = ++number_,
                                   .topic = topic_within_bounds(message->topic),
                                   .may_repeat = message->is_repeat,
                                   .payload_bytes = saturated(message->payload_bytes),
                                   .payload = message->payload});
  return true;
}

void SourceSession::bring_in() {
  while (has_record()) {
    const std::size_t bytes = record_.size();
    if (!window_.fits(bytes) || !news_.tell_state(out_) || !out_.send_record(std::move(record_))) break;
    record_.clear();
    window_.add(number_, bytes);
  }
  if (all_settled()) {
    is_settling_ = false;
    broker_.acknowledge();
  }
  broker_.set_reading(reads() && record_.empty() && !is_settling_);
}

void SourceSession::set_state(LinkState state, std::string_view reason) {
  news_.state({.state = state,
               .session = state == LinkState::connected ? session_ : 0,
               .reason = reason,
               .broker = connector_.server_text()});
}

/// The order matters: records belong to the state before them.
void SourceSession::flush() {
  if (!news_.tell_state(out_)) return;
  if (reads() || phase_ == Phase::draining) bring_in();
  static_cast<void>(news_.tell_rest(out_));
}

}  // namespace tocsin::deliver
