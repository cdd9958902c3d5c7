// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/session.hpp"

#include <span>
#include <utility>

#include "src/base/hex.hpp"
#include "src/deliver/topic.hpp"

namespace tocsin::deliver {

using channel::LinkState;
using channel::LogLevel;
using port::BrokerEvent;

bool Session::on_frame(channel::FrameReader& frame, Moment moment) {
  if (frame.type() == channel::FrameType::ping) {
    const auto token = channel::read_ping(frame.body());
    if (!token.ok()) return false;
    news_.pong(*token);
    return true;
  }
  if (frame.type() == channel::FrameType::stop) return channel::read_stop(frame.body()).ok() && on_stop(moment);
  if (frame.type() == channel::FrameType::configure) return on_configure(frame.body(), moment);
  return frame.type() == channel::FrameType::data && on_data(frame.take_body());
}

bool Session::on_configure(Bytes body, Moment moment) {
  const auto configure = channel::read_configure(body);
  if (!configure.ok() || phase_ != Phase::fresh) return false;
  const auto settled = settle_configuration(*configure);
  if (!settled.ok()) {
    phase_ = Phase::unusable;
    set_state(LinkState::refused, std::string("configuration: ") + settled.error().context[0]);
    return true;
  }
  phase_ = Phase::waiting;
  deadline_ = moment.now;
  return true;
}

Status Session::settle_configuration(const channel::Configure& configure) {
  const auto bad = [](Where where) { return error(Errc::invalid_input, where); };
  if (configure.version != channel::kProtocolVersion) return bad("another version of the channel's protocol");
  if (configure.format != "bk") return bad("format must be bk");
  const std::string_view appliance = configure.appliance_hex;
  const std::string_view store = configure.store_hex;
  Id128 id;
  if (!from_hex(appliance, id) || !from_hex(store, id)) return bad("appliance or store id");
  if (auto topic = check_topic_template(configure.topic_template); !topic.ok()) return topic;
  const std::span servers(configure.servers.data(), configure.servers_count);
  if (auto taken = connector_.configure(configure.kind, servers, !configure.ca_pem.empty()); !taken.ok()) return taken;
  origin_ = {std::string(appliance), std::string(store), std::string(configure.hostname), std::string(configure.ip)};
  name_ = configure.appliance_name;
  topic_template_ = configure.topic_template;
  // 23 characters, the most that every 3.1.1 broker must take. The store is part of it: a restored or copied appliance
  // must not push its twin off the broker, nor be taken for it.
  login_.client_id = "tocsin-" + origin_.appliance.substr(0, 8) + origin_.store.substr(0, 8);
  login_.username = configure.username;
  login_.password = configure.password;
  login_.ca_pem = configure.ca_pem;
  login_.cert_pem = configure.cert_pem;
  login_.key_pem = configure.key_pem;
  return {};
}

bool Session::on_data(std::string body) {
  const auto frame_bytes = static_cast<std::uint32_t>(body.size() + channel::kFrameHeadBytes);
  auto packer = Packer::make(std::move(body));
  if (!packer.ok()) return false;
  if (phase_ != Phase::up || packer->head().session != session_) return true;  // meant for another connection
  auto& offered = offered_seq_[packer->head().lane];
  if (frame_bytes > channel::kCreditBytes - held_bytes_ || packer->first_seq() <= offered) return false;
  offered = packer->last_seq();
  held_bytes_ += frame_bytes;
  queue_.push_back({std::move(*packer), frame_bytes});
  return true;
}

bool Session::on_stop(Moment moment) {
  queue_.clear();
  if (phase_ == Phase::up) {
    phase_ = Phase::draining;
    deadline_ = moment.now.after_ms(kGoodbyeMsMax);
  } else if (phase_ != Phase::draining) {
    broker_.close();
    phase_ = Phase::ended;
  }
  return true;
}

void Session::on_broker(const BrokerEvent& event, Moment moment) {
  const bool live = phase_ == Phase::opening || phase_ == Phase::up || phase_ == Phase::draining;
  if (!live) return;
  switch (event.kind) {
    case BrokerEvent::Kind::connected: return on_connected(event, moment);
    case BrokerEvent::Kind::acked: return on_acked(event, moment);
    case BrokerEvent::Kind::lost: connector_.lost(event); return fail(LinkState::disconnected, event.text, moment);
    case BrokerEvent::Kind::refused:
      if (connector_.falls_back(event)) {
        news_.log(LogLevel::info, connector_.server_text() + " does not speak MQTT 5, going on with 3.1.1");
        broker_.close();
        return open(moment);
      }
      return fail(LinkState::refused, event.text, moment);
    case BrokerEvent::Kind::subscribed: return;
  }
}

void Session::on_connected(const BrokerEvent& event, Moment moment) {
  if (phase_ != Phase::opening) return;
  phase_ = Phase::up;
  connector_.connected(moment.now);
  ++session_;
  message_bytes_max_ = event.message_bytes_max;
  held_bytes_ = 0;
  offered_seq_ = {};
  set_state(LinkState::connected, connector_.version_in_use() == port::MqttVersion::v5 ? "MQTT 5" : "MQTT 3.1.1");
  credit_ = channel::kCreditBytes;
}

void Session::on_acked(const BrokerEvent& event, Moment moment) {
  if (event.failed) return fail(LinkState::refused, event.text, moment);
  const auto acked = confirms_.ack(event.message);
  if (!acked) return;
  connector_.proven();
  if (acked->confirmed_seq != 0) confirm_[acked->lane] = acked->confirmed_seq;
  held_bytes_ -= acked->cost_bytes;
  credit_ += acked->cost_bytes;
}

void Session::fail(LinkState state, std::string_view why, Moment moment) {
  broker_.close();
  queue_.clear();
  confirms_.clear();
  held_bytes_ = 0;
  credit_ = 0;
  if (phase_ == Phase::draining) {
    phase_ = Phase::ended;
    return;
  }
  set_state(state, why);
  news_.log(LogLevel::warning, connector_.server_text() + ": " + std::string(why));
  deadline_ = moment.now.after_ms(connector_.pause_ms(phase_ == Phase::up, moment));
  phase_ = Phase::waiting;
}

void Session::open(Moment moment) {
  phase_ = Phase::opening;
  deadline_ = moment.now.after_ms(kOpenMsMax);
  set_state(LinkState::connecting, {});
  broker_.open(connector_.server(), login_, connector_.begin());
}

void Session::tick(Moment moment) {
  if (phase_ == Phase::waiting && moment.now >= deadline_) open(moment);
  if (phase_ == Phase::opening && moment.now >= deadline_) {
    fail(LinkState::disconnected, "no answer within 10 s", moment);
  }
  if (phase_ == Phase::up) hand_over(moment);
  if (phase_ == Phase::draining && (confirms_.size() == 0 || moment.now >= deadline_)) {
    broker_.close();
    phase_ = Phase::ended;
  }
  flush();
}

std::optional<Monotonic> Session::next_deadline() const noexcept {
  if (phase_ == Phase::waiting || phase_ == Phase::opening || phase_ == Phase::draining) return deadline_;
  return std::nullopt;
}

void Session::hand_over(Moment moment) {
  while (phase_ == Phase::up && !queue_.empty() && confirms_.size() < kMessagesOutMax)
    if (!hand_over_one(moment)) return;
}

bool Session::hand_over_one(Moment moment) {
  Queued& queued = queue_.front();
  const auto head = queued.packer.head();
  std::string topic;
  switch (head.kind) {
    case channel::DataKind::alert_transitions: topic = "tocsin/" + origin_.appliance + "/alerts"; break;
    case channel::DataKind::gap_records: topic = "tocsin/" + origin_.appliance + "/gaps"; break;
    case channel::DataKind::events:
    case channel::DataKind::standard_events:
      topic = expand_topic(topic_template_, {.appliance = origin_.appliance,
                                             .name = name_,
                                             .plugin = head.plugin_id,
                                             .data_id = head.data_id,
                                             .upstream_data_id = head.upstream_data_id});
  }
  // The limit is one of packets: room for topic, properties and headers.
  const std::size_t around = topic.size() + kSeqPropertyBytesMax + 512;
  const std::size_t payload_max = message_bytes_max_ == 0           ? 0
                                  : message_bytes_max_ > 2 * around ? message_bytes_max_ - around
                                                                    : message_bytes_max_ / 2;
  const Message message = queued.packer.next(origin_, payload_max);
  const std::uint32_t cost = queued.packer.done() ? queued.cost_bytes : 0;
  if (queued.packer.done()) queue_.pop_front();

  const std::string boot = std::to_string(head.boot);
  const std::array<port::BrokerProperty, 6> properties{{{"tocsin-appliance", origin_.appliance},
                                                        {"tocsin-store", origin_.store},
                                                        {"tocsin-boot", boot},
                                                        {"tocsin-lane", lane_name(head.lane)},
                                                        {"tocsin-repeat", head.repeat ? "true" : "false"},
                                                        {"tocsin-seq", message.seqs}}};
  const std::span all(properties);
  const auto result =
      broker_.publish({topic, message.payload, message.seqs.empty() ? all.first(properties.size() - 1) : all});
  if (result.outcome == port::Published::yes) {
    confirms_.add(result.message, head.lane, message.last_seq, cost);
    return true;
  }
  const std::string what = "event " + std::to_string(message.first_seq) + ": ";
  if (result.outcome == port::Published::too_large)
    fail(LinkState::refused, what + "larger than the broker takes (" + std::to_string(message_bytes_max_) + " bytes)",
         moment);
  else if (result.outcome == port::Published::refused)
    fail(LinkState::refused, what + "the broker takes no messages of QoS 1, or the message is not valid", moment);
  else
    fail(LinkState::disconnected, "the connection broke while sending", moment);
  return false;
}

void Session::set_state(LinkState state, std::string_view reason) {
  const bool connected = state == LinkState::connected;
  news_.state({.state = state,
               .session = connected ? session_ : 0,
               .message_bytes_max = connected ? message_bytes_max_ : 0,
               .reason = reason,
               .broker = connector_.server_text()});
}

/// The order matters: confirmations belong to what was true before the state, credit to what is true after it.
void Session::flush() {
  if (!news_.tell_hello(out_)) return;
  for (std::uint8_t lane = 0; lane < channel::kLanes; ++lane) {
    if (confirm_[lane] == 0) continue;
    if (!out_.send(channel::write_confirm({lane, confirm_[lane]}))) return;
    confirm_[lane] = 0;
  }
  if (!news_.tell_state(out_)) return;
  if (credit_ != 0) {
    if (!out_.send(channel::write_credit(credit_))) return;
    credit_ = 0;
  }
  static_cast<void>(news_.tell_rest(out_));
}

}  // namespace tocsin::deliver
