// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_source.hpp"

#include <algorithm>
#include <cstdio>
#include <new>

#include "src/base/hex.hpp"
#include "src/channel/writer.hpp"
#include "src/config/address.hpp"
#include "src/core/job.hpp"
#include "src/model/seal.hpp"

namespace tocsin::programs {
namespace {

/// In the shape of an answer: above the numbers of api::Shape, beside those of syslog.
constexpr std::uint32_t kSourceReplies = 0x5352'0000;

const char* kind_of(const config::Source& config) noexcept {
  if (config.kind == config::SourceKind::kafka) return "kafka";
  switch (config.protocol) {
    case config::MqttProtocol::mqtt_5: return "mqtt-5";
    case config::MqttProtocol::mqtt_3_1_1: return "mqtt-3.1.1";
    case config::MqttProtocol::automatic: break;
  }
  return "mqtt";
}

const char* to_text(config::SaslMechanism mechanism) noexcept {
  switch (mechanism) {
    case config::SaslMechanism::plain: return "PLAIN";
    case config::SaslMechanism::scram_sha_256: return "SCRAM-SHA-256";
    case config::SaslMechanism::scram_sha_512: return "SCRAM-SHA-512";
  }
  return "PLAIN";
}

api::RecordSettings settings_of(const config::Source& config, std::uint32_t reply_shape) {
  const bool is_kafka = config.kind == config::SourceKind::kafka;
  return {.name = config.name,
          .plugin = config.plugin,
          .topics = is_kafka ? std::vector<std::string>{} : config.topics,
          .has_offsets = is_kafka,
          .reply_shape = reply_shape};
}

}  // namespace

/// What the store says of one partition.
class SourceRunner::PositionJob final : public core::Job {
 public:
  PositionJob(std::shared_ptr<SourceRunner*> self, std::uint32_t launch, model::SourcePosition asked, model::Key key)
      : self_(std::move(self)), launch_(launch), asked_(std::move(asked)), key_(key) {}

  Result<bool> step(port::ReadTxn& txn) override {
    const auto stored = txn.get(key_);
    if (!stored.ok()) return stored.error().in("the position of a source cannot be read");
    if (!*stored) return true;
    const auto position = model::open_sealed(key_, **stored, model::decode_source_position);
    if (position.ok()) asked_.next_offset = position->next_offset;  // damaged: none is known, as the turn sees it
    return true;
  }
  void finish(const Status& outcome) noexcept override {
    if (*self_ != nullptr) (*self_)->on_position(outcome, launch_, asked_);
  }

 private:
  std::shared_ptr<SourceRunner*> self_;
  std::uint32_t launch_;
  model::SourcePosition asked_;
  model::Key key_;
};

SourceRunner::SourceRunner(const WorkerParts& parts, const api::RecordParts& records, config::Source config,
                           std::uint32_t reply_shape, std::size_t data_bytes_max)
    : WorkerRunner(parts, {"source " + config.name,
                           config.kind == config::SourceKind::kafka ? "tocsin-kafka" : "tocsin-mqtt", data_bytes_max}),
      config_(std::move(config)),
      intake_(records, settings_of(config_, reply_shape)),
      self_(std::make_shared<SourceRunner*>(this)) {}

SourceRunner::~SourceRunner() { *self_ = nullptr; }

Result<std::string> SourceRunner::first_frame(std::string& unreadable) {
  WorkerFiles files;
  unreadable = read_worker_files({config_.password_file, config_.ca_file, config_.cert_file, config_.key_file}, files);
  if (!unreadable.empty()) return std::string{};
  const bool is_kafka = config_.kind == config::SourceKind::kafka;
  const std::string appliance = to_hex(parts().identity.appliance);
  const std::string store = to_hex(parts().identity.store);
  channel::Source frame{.name = config_.name,
                        .kind = kind_of(config_),
                        .appliance_hex = appliance,
                        .store_hex = store,
                        .username = config_.username,
                        .password = files.password,
                        .sasl_mechanism = is_kafka && !config_.username.empty() ? to_text(config_.sasl_mechanism) : "",
                        .ca_pem = files.ca,
                        .cert_pem = files.cert,
                        .key_pem = files.key,
                        .from_end = config_.from == config::SourceFrom::end};
  std::vector<std::string> topics;
  for (const std::string& topic : config_.topics) topics.push_back(is_kafka ? topic : config::plain_filter(topic));
  for (const std::string& server : config_.servers) {
    if (frame.servers_count < channel::kServersMax) frame.servers[frame.servers_count++] = server;
  }
  for (const std::string& topic : topics) {
    if (frame.topics_count < channel::kTopicsMax) frame.topics[frame.topics_count++] = topic;
  }
  return channel::write_source(frame);
}

bool SourceRunner::on_own_frame(channel::FrameReader& frame) {
  switch (frame.type()) {
    case channel::FrameType::state: return on_state(frame.body());
    case channel::FrameType::assigned: return on_assigned(frame.body());
    case channel::FrameType::record: return intake_.take(frame.body());
    default: return false;
  }
}

bool SourceRunner::on_state(Bytes body) {
  const auto state = channel::read_state(body);
  if (!state.ok()) return false;
  if (state->state != channel::LinkState::connected) {
    on_disconnected();
    note_link_state(*state);
    return true;
  }
  session_ = state->session;
  ++launches_;
  intake_.begin_session(session_);
  set_state("connected", std::string(state->broker));
  return true;
}

void SourceRunner::on_disconnected() noexcept {
  session_ = 0;
  ++launches_;
  intake_.begin_session(0);
}

bool SourceRunner::on_assigned(Bytes body) {
  const auto assigned = channel::read_assigned(body);
  if (!assigned.ok() || session_ == 0 || !intake_.settings().has_offsets) return false;
  ask_position(std::string(assigned->topic), assigned->partition);
  return true;
}

void SourceRunner::ask_position(std::string topic, std::int32_t partition) noexcept try {
  const model::Key key = model::source_position_key(parts().crypto, config_.name, topic, partition);
  model::SourcePosition asked{config_.name, std::move(topic), partition, model::kNoOffset};
  // Without an answer the worker would wait for ever.
  if (!parts().daemon.post(std::make_unique<PositionJob>(self_, launches_, std::move(asked), key))) kill();
} catch (const std::bad_alloc&) {
  kill();
}

void SourceRunner::on_position(const Status& outcome, std::uint32_t launch,
                               const model::SourcePosition& found) noexcept {
  if (launch != launches_ || link() == nullptr) return;
  if (!outcome.ok()) return kill();
  try {
    // What the writer has of the session before may move it.
    if (intake_.is_busy()) return ask_position(found.topic, found.partition);
    const bool done = intake_.set_position(found.topic, found.partition, found.next_offset) &&
                      link()->send_control(channel::write_position({found.topic, found.partition, found.next_offset}));
    if (!done) return kill();
  } catch (const std::bad_alloc&) {
    return kill();
  }
  update_interest();
}

void SourceRunner::pump() noexcept {
  if (intake_.take_restart()) kill();
  if (const auto settled = intake_.take_settled(); settled && link() != nullptr) {
    try {
      if (!link()->send_control(channel::write_settle(*settled))) kill();
    } catch (const std::bad_alloc&) {
      kill();
    }
    note_success();
  }
  update_interest();
}

std::optional<Monotonic> SourceRunner::on_time(Monotonic now) noexcept {
  const auto due = intake_.on_time(now);
  pump();
  return due;
}

core::SourceStatus SourceRunner::status() const {
  core::SourceStatus out;
  out.name = config_.name;
  out.kind = config_.kind == config::SourceKind::kafka ? "kafka" : "mqtt";
  out.plugin = config_.plugin;
  out.obstacle = intake_.obstacle();
  out.counts = intake_.counts();
  tell(out);
  return out;
}

bool Sources::open(const std::vector<config::Source>& all, const WorkerParts& parts, const api::RecordParts& records,
                   DataBytes data_bytes_max) {
  if (all.empty()) return true;
  for (const config::Source& from : all) {
    const bool is_kafka = from.kind == config::SourceKind::kafka;
    all_.push_back(std::make_unique<SourceRunner>(parts, records, from,
                                                  kSourceReplies + static_cast<std::uint32_t>(all_.size()),
                                                  is_kafka ? data_bytes_max.kafka : data_bytes_max.mqtt));
    all_.back()->start();
  }
  if (loop_.add_turn_end(linux::turn_end<&Sources::on_turn_end>(*this)).ok()) return true;
  std::fputs("tocsind: no place left for the sources\n", stderr);
  return false;
}

Monotonic Sources::on_turn_end(Monotonic now) noexcept {
  Monotonic next = linux::kNever;
  for (auto& one : all_) {
    if (const auto due = one->on_time(now)) next = std::min(next, *due);
  }
  return next;
}

bool Sources::take_answer(const core::Answer& answer) noexcept {
  const std::uint32_t index = answer.reply.shape - kSourceReplies;
  if (index >= all_.size()) return false;
  all_[index]->on_answer(answer);
  return true;
}

void Sources::begin_stop() noexcept {
  for (auto& one : all_) one->begin_stop();
}

void Sources::kill() noexcept {
  for (auto& one : all_) one->kill();
}

bool Sources::is_running() const noexcept {
  return std::any_of(all_.begin(), all_.end(), [](const auto& one) { return one->is_running(); });
}

void Sources::clear() noexcept {
  loop_.remove_turn_end(this);
  all_.clear();
}

std::vector<core::SourceStatus> Sources::status() const {
  std::vector<core::SourceStatus> out;
  for (const auto& one : all_) out.push_back(one->status());
  return out;
}

}  // namespace tocsin::programs
