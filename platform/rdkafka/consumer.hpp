// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/linux/handle.hpp"
#include "src/port/consumer.hpp"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;

namespace tocsin::rdkafka {

/// librdkafka as a reader of partitions, through its interface without groups: no group id is needed and none is set,
/// so nobody else can make us give a partition away. The library has threads of its own (two, and one a broker), which
/// never call us: everything is fetched from queues by the owner, which waits on fd(). Memory: about kQueuedKilobytes
/// of records, beside one answer a broker: kFetchBytes, or one batch of records if that is larger, at most
/// kAnswerBytesMax. The library ends the process when it gets no memory.
class Consumer final : public port::Consumer {
 public:
  static constexpr int kQueuedKilobytes = 256;
  static constexpr int kQueuedMessages = 1'000;
  static constexpr int kFetchBytes = 256 * 1024;
  static constexpr int kFetchPartitionBytes = 64 * 1024;
  static constexpr int kAnswerBytesMax = 8 * 1024 * 1024;  ///< a larger batch of records is never read

  Consumer();
  ~Consumer() override;
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// False: the library cannot make a client here, or its threads do not start. Takes a moment.
  [[nodiscard]] bool works();
  [[nodiscard]] static std::string library_name();

  [[nodiscard]] std::string open(const port::ConsumerLogin& login, const std::vector<std::string>& topics) override;
  [[nodiscard]] port::TopicLook look(std::size_t topic, int wait_ms) override;
  void read(std::size_t topic, std::int32_t partition, std::int64_t from) override;
  void leave(std::size_t topic, std::int32_t partition) override;
  [[nodiscard]] const port::ConsumerRecord* front() override;
  void pop() override;
  [[nodiscard]] std::optional<port::ConsumerNews> next_news() override;
  void close() noexcept override;

  /// Readable: front() or next_news() may have something new since they last had nothing.
  [[nodiscard]] int fd() const noexcept { return wake_.get(); }
  void on_readable() noexcept;

 private:
  struct Delete {
    void operator()(::rd_kafka_s* handle) const noexcept;
    void operator()(::rd_kafka_topic_s* topic) const noexcept;
    void operator()(::rd_kafka_queue_s* queue) const noexcept;
    void operator()(::rd_kafka_message_s* message) const noexcept;
  };
  template <class T>
  using Owned = std::unique_ptr<T, Delete>;

  [[nodiscard]] bool take_front();
  void wake_fetchers();

  linux::Handle wake_;
  std::string username_, password_;  ///< as the library has them
  std::size_t popped_bytes_ = 0;     ///< since the fetchers were woken
  int popped_ = 0;
  // Destroyed from the last to the first: messages and queues before the client that made them.
  Owned<::rd_kafka_s> handle_;
  Owned<::rd_kafka_queue_s> main_;     ///< what happens
  Owned<::rd_kafka_queue_s> records_;  ///< of all partitions
  std::vector<Owned<::rd_kafka_topic_s>> topics_;
  std::vector<std::pair<std::size_t, std::int32_t>> reading_;
  Owned<::rd_kafka_message_s> message_;
  port::ConsumerRecord front_;
};

}  // namespace tocsin::rdkafka
