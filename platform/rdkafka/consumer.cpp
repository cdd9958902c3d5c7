// SPDX-License-Identifier: Apache-2.0
#include "platform/rdkafka/consumer.hpp"

#include <librdkafka/rdkafka.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "platform/rdkafka/settings.hpp"

namespace tocsin::rdkafka {

using port::ConsumerNews;
using port::ConsumerRecord;
using port::TopicLook;

namespace {

constexpr int kThreadsWithoutBroker = 2;  // its main loop, and the broker that stands for none
constexpr int kThreadWaitMsMax = 2'000;
constexpr std::size_t kErrorBytes = 512;

/// Without " (after 3ms in state CONNECT, …)", which differs every time.
std::string plain(const char* words) {
  std::string text = words == nullptr ? "" : words;
  if (const auto at = text.rfind(" (after "); at != std::string::npos) text.resize(at);
  return text;
}

/// Empty, or what is wrong. On success `made` is the client and the configuration is its own.
std::string make_client(const port::ConsumerLogin& login, rd_kafka_t*& made) {
  std::array<char, kErrorBytes> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings_of(login)) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), error.data(), error.size()) == RD_KAFKA_CONF_OK) continue;
    rd_kafka_conf_destroy(conf);
    return error.data();
  }
  rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
  made = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error.data(), error.size());
  if (made != nullptr) return {};
  rd_kafka_conf_destroy(conf);
  return error.data();
}

/// A failed thread is not an error of rd_kafka_new: only counting shows it.
bool threads_run(int wanted) {
  for (int ms = 0; ms < kThreadWaitMsMax; ++ms) {
    if (rd_kafka_thread_cnt() >= wanted) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

ConsumerNews::Kind kind_of(rd_kafka_resp_err_t error) noexcept {
  switch (error) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return ConsumerNews::Kind::lost;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM: return ConsumerNews::Kind::refused;
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
    case RD_KAFKA_RESP_ERR__FATAL: return ConsumerNews::Kind::unable;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT: return ConsumerNews::Kind::trouble;
    default: return ConsumerNews::Kind::warning;
  }
}

ConsumerRecord::Kind kind_of(const rd_kafka_message_t& message) noexcept {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return ConsumerRecord::Kind::message;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: return ConsumerRecord::Kind::end;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return ConsumerRecord::Kind::gone;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return ConsumerRecord::Kind::absent;
    default: return ConsumerRecord::Kind::trouble;
  }
}

}  // namespace

void Consumer::Delete::operator()(rd_kafka_t* handle) const noexcept { rd_kafka_destroy(handle); }
void Consumer::Delete::operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
void Consumer::Delete::operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }
void Consumer::Delete::operator()(rd_kafka_message_t* message) const noexcept { rd_kafka_message_destroy(message); }

Consumer::Consumer() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Consumer::~Consumer() { close(); }

std::string Consumer::library_name() { return std::string("librdkafka ") + rd_kafka_version_str(); }

bool Consumer::works() {
  if (!wake_.valid()) return false;
  rd_kafka_t* probe = nullptr;
  if (!make_client({}, probe).empty()) return false;
  const Owned<rd_kafka_t> owned(probe);
  return threads_run(kThreadsWithoutBroker);
}

std::string Consumer::open(const port::ConsumerLogin& login, const std::vector<std::string>& topics) {
  close();
  rd_kafka_t* made = nullptr;
  if (auto wrong = make_client(login, made); !wrong.empty()) return wrong;
  handle_.reset(made);
  username_ = login.username;
  password_ = login.password;
  rd_kafka_set_log_queue(made, nullptr);
  main_.reset(rd_kafka_queue_get_main(made));
  records_.reset(rd_kafka_queue_new(made));
  constexpr std::uint64_t kOne = 1;
  for (auto* queue : {main_.get(), records_.get()})
    rd_kafka_queue_io_event_enable(queue, wake_.get(), &kOne, sizeof kOne);
  for (const auto& name : topics) {
    topics_.emplace_back(rd_kafka_topic_new(made, name.c_str(), nullptr));
    if (topics_.back() != nullptr) continue;
    close();
    return "topic " + name;
  }
  return {};
}

void Consumer::close() noexcept {
  message_.reset();
  for (const auto& [topic, partition] : reading_)  // the library wants it so before its end
    static_cast<void>(rd_kafka_consume_stop(topics_[topic].get(), partition));
  reading_.clear();
  topics_.clear();
  records_.reset();
  main_.reset();
  handle_.reset();
}

/// One topic at a time: asking for all that are known would let a broker make those that are absent.
TopicLook Consumer::look(std::size_t topic, int wait_ms) {
  const struct rd_kafka_metadata* answer = nullptr;
  const auto error = rd_kafka_metadata(handle_.get(), 0, topics_[topic].get(), &answer, wait_ms);
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT) return {.kind = TopicLook::Kind::away};
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return {.kind = TopicLook::Kind::late};
  TopicLook out{.kind = TopicLook::Kind::absent};
  if (answer->topic_cnt == 1) {
    const auto& found = answer->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      out = {.kind = TopicLook::Kind::found, .partitions = found.partition_cnt};
    } else if (found.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
      out.kind = TopicLook::Kind::late;
    } else if (found.err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      out = {.kind = TopicLook::Kind::refused, .text = rd_kafka_err2str(found.err)};
    }
  }
  rd_kafka_metadata_destroy(answer);
  return out;
}

void Consumer::read(std::size_t topic, std::int32_t partition, std::int64_t from) {
  static_assert(kFromStart == RD_KAFKA_OFFSET_BEGINNING && kFromEnd == RD_KAFKA_OFFSET_END);
  reading_.emplace_back(topic, partition);
  // Fails for settings and arguments that cannot be ours only.
  static_cast<void>(rd_kafka_consume_start_queue(topics_[topic].get(), partition, from, records_.get()));
}

void Consumer::leave(std::size_t topic, std::int32_t partition) {
  if (message_ != nullptr && front_.topic == topic && front_.partition == partition) message_.reset();
  const auto at = std::find(reading_.begin(), reading_.end(), std::pair(topic, partition));
  if (at == reading_.end()) return;
  reading_.erase(at);
  static_cast<void>(rd_kafka_consume_stop(topics_[topic].get(), partition));
}

const ConsumerRecord* Consumer::front() {
  while (message_ == nullptr) {
    if (handle_ == nullptr) return nullptr;
    message_.reset(rd_kafka_consume_queue(records_.get(), 0));
    if (message_ == nullptr) return nullptr;
    if (!take_front()) message_.reset();
  }
  return &front_;
}

/// False: of no topic of ours.
bool Consumer::take_front() {
  const auto& message = *message_;
  const auto is_its = [&](const auto& topic) { return topic.get() == message.rkt; };
  const auto at = std::find_if(topics_.begin(), topics_.end(), is_its);
  if (at == topics_.end()) return false;
  front_ = {.kind = kind_of(message),
            .topic = static_cast<std::size_t>(at - topics_.begin()),
            .partition = message.partition,
            .offset = message.offset};
  // With an error the payload is its text.
  const std::string_view bytes(static_cast<const char*>(message.payload), message.payload == nullptr ? 0 : message.len);
  (front_.kind == ConsumerRecord::Kind::message ? front_.payload : front_.text) = bytes;
  return true;
}

void Consumer::pop() {
  popped_bytes_ += message_->len;
  ++popped_;
  message_.reset();
  if (popped_bytes_ >= std::size_t{kQueuedKilobytes} * 1024 / 2 || popped_ >= kQueuedMessages / 2) wake_fetchers();
}

/// A fetcher that found the queue full looks again after a second (2.0.2; later ones have a setting), which would be
/// our speed: a queue a second. New credentials wake it, and these are the old ones.
void Consumer::wake_fetchers() {
  popped_bytes_ = 0;
  popped_ = 0;
  rd_kafka_error_t* const error = rd_kafka_sasl_set_credentials(handle_.get(), username_.c_str(), password_.c_str());
  if (error != nullptr) rd_kafka_error_destroy(error);
}

std::optional<ConsumerNews> Consumer::next_news() {
  while (handle_ != nullptr) {
    rd_kafka_event_t* const event = rd_kafka_queue_poll(main_.get(), 0);
    if (event == nullptr) return std::nullopt;
    std::optional<ConsumerNews> out;
    const char* facility = nullptr;
    const char* words = nullptr;
    int level = 0;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
      out = ConsumerNews{kind_of(rd_kafka_event_error(event)), plain(rd_kafka_event_error_string(event))};
    } else if (rd_kafka_event_log(event, &facility, &words, &level) == 0) {
      const std::string_view what = facility;
      // The first comes as an error too; the second is about settings that are for producers.
      if (what != "FAIL" && what != "CONFWARN") out = ConsumerNews{ConsumerNews::Kind::warning, plain(words)};
    }
    rd_kafka_event_destroy(event);
    if (out) return out;
  }
  return std::nullopt;
}

void Consumer::on_readable() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(wake_.get(), &count, sizeof count));
}

}  // namespace tocsin::rdkafka
