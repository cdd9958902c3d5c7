// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/partition_session.hpp"

#include <algorithm>
#include <utility>

#include "src/base/hex.hpp"
#include "src/channel/writer.hpp"
#include "src/deliver/backoff.hpp"

namespace tocsin::deliver {

using channel::LinkState;
using channel::LogLevel;
using port::Consumer;
using port::ConsumerNews;
using port::ConsumerRecord;
using port::TopicLook;

namespace {

std::string place(std::string_view topic, std::int32_t partition) {
  return std::string(topic) + " [" + std::to_string(partition) + "]: ";
}

/// What may stand in the list of servers that the library takes.
bool is_server(std::string_view server) noexcept {
  return !server.empty() && server.size() <= 300 && std::all_of(server.begin(), server.end(), [](char c) {
    return c > ' ' && c != ',' && c != '/' && c != '@' && c != '\x7F';
  });
}

bool is_mechanism(std::string_view name) noexcept {
  return name == "PLAIN" || name == "SCRAM-SHA-256" || name == "SCRAM-SHA-512";
}

}  // namespace

bool PartitionSession::on_frame(channel::FrameReader& frame, Moment moment) {
  switch (frame.type()) {
    case channel::FrameType::ping: {
      const auto token = channel::read_ping(frame.body());
      if (token.ok()) news_.pong(*token);
      return token.ok();
    }
    case channel::FrameType::stop:
      if (!channel::read_stop(frame.body()).ok()) return false;
      phase_ = Phase::ended;  // a broker is owed no goodbye: nothing of ours is there
      return true;
    case channel::FrameType::source: return on_source(frame.body(), moment);
    case channel::FrameType::position: return on_position(frame.body());
    case channel::FrameType::settle: return on_settle(frame.body());
    default: return false;
  }
}

bool PartitionSession::on_source(Bytes body, Moment moment) {
  const auto source = channel::read_source(body);
  if (!source.ok() || phase_ != Phase::fresh) return false;
  std::vector<std::string> topics;
  std::string wrong = settle_source(*source, topics);
  if (wrong.empty()) wrong = consumer_.open(login_, topics);
  if (!wrong.empty()) {
    phase_ = Phase::unusable;
    set_state(LinkState::refused, "configuration: " + wrong);
    return true;
  }
  phase_ = Phase::looking;
  deadline_ = opened_ = moment.now;
  set_state(LinkState::connecting, {});
  return true;
}

/// Empty: usable. Else what is wrong.
std::string PartitionSession::settle_source(const channel::Source& source, std::vector<std::string>& topics) {
  if (source.version != channel::kProtocolVersion) return "another version of the channel's protocol";
  if (source.kind != "kafka") return "this worker reads kafka only";
  Id128 id;
  if (!from_hex(source.appliance_hex, id) || !from_hex(source.store_hex, id)) return "appliance or store id";
  for (std::size_t i = 0; i < source.servers_count; ++i) {
    if (!is_server(source.servers[i])) return "servers: host:port each";
    login_.servers.emplace_back(source.servers[i]);
    servers_text_ += (i == 0 ? "" : ",") + login_.servers.back();
  }
  for (std::size_t i = 0; i < source.topics_count; ++i) {
    const std::string_view name = source.topics[i];
    if (name.empty() || std::find(topics.begin(), topics.end(), name) != topics.end())
      return "topics: each a name, and once";
    topics.emplace_back(name);
    topics_.push_back({.name = topics.back()});
  }
  login_.username = source.username;
  login_.password = source.password;
  login_.sasl_mechanism = source.sasl_mechanism.empty() ? "PLAIN" : source.sasl_mechanism;
  if (!login_.username.empty() && !is_mechanism(login_.sasl_mechanism)) return "SASL mechanism";
  login_.ca_pem = source.ca_pem;
  login_.cert_pem = source.cert_pem;
  login_.key_pem = source.key_pem;
  if (login_.ca_pem.empty() && !login_.cert_pem.empty()) return "a certificate needs ca_file";
  // Short: a long one crashes librdkafka 2.0.2.
  login_.client_id = "tocsin-" + std::string(source.appliance_hex.substr(0, 8));
  from_end_ = source.from_end;
  return {};
}

bool PartitionSession::on_position(Bytes body) {
  const auto position = channel::read_position(body);
  if (!position.ok()) return false;
  if (phase_ != Phase::up) return phase_ == Phase::broken;
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (topics_[i].name != position->topic) continue;
    auto& partitions = topics_[i].partitions;
    const auto number = static_cast<std::size_t>(position->partition);
    if (number >= partitions.size() || partitions[number].state != Partition::State::asked) return false;
    Partition& partition = partitions[number];
    partition.state = Partition::State::reading;
    --answers_awaited_;
    partition.next_offset = position->next_offset;
    partition.wants_mark = position->next_offset == channel::kNoOffset && from_end_ && !partition.from_start;
    consumer_.read(i, position->partition,
                   position->next_offset != channel::kNoOffset ? position->next_offset
                   : partition.wants_mark                      ? Consumer::kFromEnd
                                                               : Consumer::kFromStart);
    return true;
  }
  return false;
}

bool PartitionSession::on_settle(Bytes body) {
  const auto settle = channel::read_settle(body);
  if (!settle.ok()) return false;
  if (phase_ != Phase::up || settle->session != session_) return true;  // of records that are read again
  return window_.settle(settle->number);
}

void PartitionSession::on_news(const ConsumerNews& news, Moment moment) {
  const bool refused = news.kind == ConsumerNews::Kind::refused;
  switch (news.kind) {
    case ConsumerNews::Kind::warning: return news_.log(LogLevel::warning, news.text);
    case ConsumerNews::Kind::unable: phase_ = Phase::broken; return news_.log(LogLevel::error, news.text);
    case ConsumerNews::Kind::trouble:
    case ConsumerNews::Kind::refused:
      trouble_ = news.text;
      trouble_state_ = refused ? LinkState::refused : LinkState::disconnected;
      news_.log(LogLevel::warning, news.text);
      if (phase_ == Phase::looking) set_state(trouble_state_, trouble_);
      return;
    case ConsumerNews::Kind::lost:
      if (phase_ == Phase::up) end_session(trouble_state_, trouble_.empty() ? news.text : trouble_, moment);
  }
}

void PartitionSession::look_for_cluster(Moment moment) {
  const auto look = consumer_.look(0, look_ms_);
  if (look.kind == TopicLook::Kind::late) look_ms_ = std::min(2 * look_ms_, kLookMsMax);
  if (look.kind == TopicLook::Kind::late || look.kind == TopicLook::Kind::away) {
    if (state_ == LinkState::connecting && moment.now >= opened_.after_ms(kOpenMsMax))
      set_state(LinkState::disconnected, "no answer within 10 s");
    deadline_ = moment.now.after_ms(backoff_ms(failures_++, moment.random));
    return;
  }
  while (const auto news = consumer_.next_news())
    on_news(*news, moment);  // what was lost on the way to the answer is back
  if (phase_ != Phase::looking) return;
  begin_session(moment);
  static_cast<void>(take_look(0, look));
}

void PartitionSession::begin_session(Moment moment) {
  phase_ = Phase::up;
  up_since_ = deadline_ = moment.now;
  ++session_;
  number_ = 0;
  window_.clear();
  trouble_.clear();
  trouble_state_ = LinkState::disconnected;
  set_state(LinkState::connected, {});
}

/// An answer that is still on its way would be taken for one of the next session, and may be older than what is settled
/// until then: reading from there would repeat. There is nothing to tell them apart but another process.
void PartitionSession::end_session(LinkState state, std::string_view why, Moment moment) {
  if (answers_awaited_ != 0) {
    phase_ = Phase::broken;
    return;
  }
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    auto& partitions = topics_[i].partitions;
    for (std::size_t number = 0; number < partitions.size(); ++number) {
      if (partitions[number].state == Partition::State::reading) consumer_.leave(i, static_cast<std::int32_t>(number));
    }
    partitions.clear();
  }
  window_.clear();
  set_state(state, why);
  if (moment.now >= up_since_.after_ms(kSteadyMs)) failures_ = 0;
  phase_ = Phase::looking;
  deadline_ = moment.now.after_ms(backoff_ms(failures_++, moment.random));
}

void PartitionSession::look_around(Moment moment) {
  deadline_ = moment.now.after_ms(kLookEveryMs);
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    const auto look = consumer_.look(i, look_ms_);
    if (look.kind == TopicLook::Kind::away) return end_session(trouble_state_, "no broker answers", moment);
    if (look.kind == TopicLook::Kind::late) {
      look_ms_ = std::min(2 * look_ms_, kLookMsMax);
      deadline_ = moment.now.after_ms(kLookAgainMs);
      return;
    }
    if (!take_look(i, look)) return end_session(LinkState::disconnected, topics_[i].name + " was made again", moment);
    if (topics_[i].absent) deadline_ = moment.now.after_ms(kLookAgainMs);
  }
}

bool PartitionSession::take_look(std::size_t index, const TopicLook& look) {
  Topic& topic = topics_[index];
  const auto is_left = [](const Partition& partition) { return partition.state == Partition::State::left; };
  if (look.kind == TopicLook::Kind::refused) {
    if (!std::exchange(topic.refused, true)) news_.log(LogLevel::error, topic.name + ": " + look.text);
    return true;
  }
  topic.refused = false;
  if (look.kind == TopicLook::Kind::absent) {
    if (!std::exchange(topic.absent, true))
      news_.log(LogLevel::warning, topic.name + ": there is no such topic; waiting for it");
    if (!topic.first_count) topic.first_count = 0;
    return true;
  }
  topic.absent = false;
  if (std::any_of(topic.partitions.begin(), topic.partitions.end(), is_left)) return false;
  if (!topic.first_count) topic.first_count = look.partitions;
  while (static_cast<std::int32_t>(topic.partitions.size()) < look.partitions) {
    if (partitions_count() == kPartitionsMax) {
      if (!std::exchange(topic.crowded, true))
        news_.log(LogLevel::error, place(topic.name, static_cast<std::int32_t>(topic.partitions.size())) +
                                       "not read, more than " + std::to_string(kPartitionsMax) + " partitions in all");
      return true;
    }
    const bool is_new = static_cast<std::int32_t>(topic.partitions.size()) >= *topic.first_count;
    topic.partitions.push_back({.from_start = is_new});
  }
  return true;
}

std::size_t PartitionSession::partitions_count() const noexcept {
  std::size_t count = 0;
  for (const auto& topic : topics_) count += topic.partitions.size();
  return count;
}

void PartitionSession::tick(Moment moment) {
  while (const auto news = consumer_.next_news()) on_news(*news, moment);
  if (phase_ == Phase::looking && moment.now >= deadline_) look_for_cluster(moment);
  if (phase_ == Phase::up && moment.now >= deadline_) look_around(moment);
  flush();
}

std::optional<Monotonic> PartitionSession::next_deadline() const noexcept {
  if (phase_ == Phase::looking || phase_ == Phase::up) return deadline_;
  return std::nullopt;
}

/// The order matters: a record belongs to the session that the last state names.
void PartitionSession::flush() {
  if (!news_.tell_hello(out_) || !news_.tell_state(out_)) return;
  if (phase_ == Phase::up) {
    ask_positions();
    pump();
  }
  static_cast<void>(news_.tell_rest(out_));
}

void PartitionSession::ask_positions() {
  for (auto& topic : topics_) {
    for (std::size_t number = 0; number < topic.partitions.size(); ++number) {
      Partition& partition = topic.partitions[number];
      if (partition.state != Partition::State::found) continue;
      if (!out_.send(channel::write_assigned({topic.name, static_cast<std::int32_t>(number)}))) return;
      partition.state = Partition::State::asked;
      ++answers_awaited_;
    }
  }
}

void PartitionSession::pump() {
  while (const auto* record = consumer_.front()) {
    if (!take(*record)) return;
  }
}

bool PartitionSession::take(const ConsumerRecord& record) {
  auto& partition = topics_[record.topic].partitions[static_cast<std::size_t>(record.partition)];
  switch (record.kind) {
    case ConsumerRecord::Kind::message:
      if (!take_message(record, partition)) return false;
      break;
    case ConsumerRecord::Kind::end:
      if (!send_mark(record, partition)) return false;
      count_lost(record, partition);
      break;
    case ConsumerRecord::Kind::gone: begin_again(record, partition); return true;
    case ConsumerRecord::Kind::absent:
      news_.log(LogLevel::warning, place(topics_[record.topic].name, record.partition) + std::string(record.text));
      partition.state = Partition::State::left;
      consumer_.leave(record.topic, record.partition);
      return true;
    case ConsumerRecord::Kind::trouble:
      news_.log(LogLevel::warning, place(topics_[record.topic].name, record.partition) + std::string(record.text));
      break;
  }
  consumer_.pop();
  return true;
}

bool PartitionSession::take_message(const ConsumerRecord& record, Partition& partition) {
  if (!send_mark(record, partition)) return false;
  if (!send_record({.topic = topics_[record.topic].name,
                    .partition = record.partition,
                    .offset = record.offset,
                    .payload_bytes = static_cast<std::uint32_t>(record.payload.size()),
                    .payload = record.payload.substr(0, channel::kRecordPayloadBytesMax)}))
    return false;
  count_lost(record, partition);
  partition.next_offset = record.offset + 1;
  return true;
}

void PartitionSession::begin_again(const ConsumerRecord& record, Partition& partition) {
  partition.counts_lost = true;
  partition.next_offset = record.offset;
  const std::size_t topic = record.topic;
  const std::int32_t number = record.partition;
  consumer_.leave(topic, number);  // `record` is no more
  consumer_.read(topic, number, Consumer::kFromStart);
}

void PartitionSession::count_lost(const ConsumerRecord& record, Partition& partition) {
  if (!std::exchange(partition.counts_lost, false)) return;
  const std::int64_t next = std::exchange(partition.next_offset, record.offset);
  const std::string where = place(topics_[record.topic].name, record.partition);
  if (record.offset >= next) {
    news_.log(LogLevel::warning, where + std::to_string(record.offset - next) + " records from offset " +
                                     std::to_string(next) +
                                     " on are gone at the broker (its retention); going on with the first there is");
  } else {
    news_.log(LogLevel::error,
              where + "the broker has nothing from offset " + std::to_string(next) +
                  " on: the topic was made again or has lost its end; beginning at its start, offset " +
                  std::to_string(record.offset));
  }
}

/// Tells where a partition begins that is read from its end, once.
bool PartitionSession::send_mark(const ConsumerRecord& record, Partition& partition) {
  if (!partition.wants_mark) return true;
  if (!send_record({.topic = topics_[record.topic].name,
                    .partition = record.partition,
                    .offset = record.offset - 1,
                    .is_mark = true}))
    return false;
  partition.wants_mark = false;
  return true;
}

bool PartitionSession::send_record(channel::Record record) {
  const std::size_t bytes =
      channel::kFrameHeadBytes + channel::kRecordHeadBytes + record.topic.size() + record.payload.size();
  if (!window_.fits(bytes)) return false;
  record.session = session_;
  record.number = number_ + 1;
  if (!out_.send_record(channel::write_record(record))) return false;
  window_.add(++number_, bytes);
  return true;
}

void PartitionSession::set_state(LinkState state, std::string_view reason) {
  if (phase_ != Phase::up && state == state_ && reason == state_reason_ && state != LinkState::connecting) return;
  state_ = state;
  state_reason_ = reason;
  const bool connected = state == LinkState::connected;
  news_.state({.state = state, .session = connected ? session_ : 0, .reason = reason, .broker = servers_text_});
}

}  // namespace tocsin::deliver
