// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::port {

/// How to reach a cluster and what to say who we are.
struct ConsumerLogin {
  std::vector<std::string> servers;  ///< host:port
  std::string client_id;             ///< short
  std::string username;              ///< empty: no SASL
  std::string password;
  std::string sasl_mechanism;  ///< PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; with a user name
  std::string ca_pem;          ///< contents; empty: no TLS
  std::string cert_pem;
  std::string key_pem;
};

/// What the cluster says of one topic.
struct TopicLook {
  enum class Kind : std::uint8_t {
    found,
    absent,   ///< no such topic; it was not made by asking
    refused,  ///< the cluster answered and said no
    late,     ///< a broker is there, its answer did not come in time
    away,     ///< no broker is there
  };
  Kind kind = Kind::away;
  std::int32_t partitions = 0;  ///< found: they are 0 … partitions - 1
  std::string text = {};        ///< refused: for people
};

/// What happens beside the reading. A cluster that is away is tried again by the consumer itself.
struct ConsumerNews {
  enum class Kind : std::uint8_t {
    trouble,  ///< one broker: the connection broke or never came up
    refused,  ///< one broker answered and said no: credentials, certificate
    lost,     ///< no broker is connected any more
    warning,  ///< other words for people
    unable,   ///< the consumer cannot go on in this process
  };
  Kind kind = Kind::trouble;
  std::string text = {};
};

/// The next thing of one partition that is read.
struct ConsumerRecord {
  enum class Kind : std::uint8_t {
    message,
    end,      ///< everything before `offset` was given; goes on by itself. Comes again after each catching up
    gone,     ///< the broker does not have `offset`; nothing more comes until leave() and read()
    absent,   ///< the topic or partition is not there any more
    trouble,  ///< for people; goes on by itself
  };
  Kind kind = Kind::message;
  std::size_t topic = 0;  ///< its place in open()'s list
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string_view payload = {};  ///< message
  std::string_view text = {};     ///< trouble, absent
};

/// Reads chosen partitions of a cluster from chosen offsets; committed messages only. Belongs to no group, stores
/// nothing at the broker. Owner: one thread.
class Consumer {
 public:
  static constexpr std::int64_t kFromStart = -2;
  static constexpr std::int64_t kFromEnd = -1;  ///< as it is when the broker is asked

  virtual ~Consumer() = default;
  /// Begins to connect. Not empty: these settings cannot work, and why; nothing was begun.
  [[nodiscard]] virtual std::string open(const ConsumerLogin& login, const std::vector<std::string>& topics) = 0;
  /// Asks the cluster. Blocks for `wait_ms` at most.
  [[nodiscard]] virtual TopicLook look(std::size_t topic, int wait_ms) = 0;
  /// `from`: an offset, kFromStart or kFromEnd. Precondition: this partition is not being read.
  virtual void read(std::size_t topic, std::int32_t partition, std::int64_t from) = 0;
  /// Nothing of this partition comes any more.
  virtual void leave(std::size_t topic, std::int32_t partition) = 0;
  /// The oldest thing that was not popped, valid until pop(), leave() or close(). nullptr: nothing now.
  [[nodiscard]] virtual const ConsumerRecord* front() = 0;
  virtual void pop() = 0;
  [[nodiscard]] virtual std::optional<ConsumerNews> next_news() = 0;
  /// Ends everything. May block for some seconds while a name is being resolved.
  virtual void close() noexcept = 0;
};

}  // namespace tocsin::port
