// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/bytes.hpp"

/// The frames between tocsind and its workers; FORMAT.md has the grammar and the conversation.
namespace tocsin::channel {

inline constexpr std::uint16_t kProtocolVersion = 1;

inline constexpr std::size_t kDataFrameBytesMax = 600 * KiB;  ///< whole frames, their length included
inline constexpr std::size_t kConfigureFrameBytesMax = 32 * KiB;
inline constexpr std::size_t kControlFrameBytesMax = 4 * KiB;
inline constexpr std::size_t kFrameHeadBytes = 5;          ///< length and type
inline constexpr std::size_t kControlOutstandingMax = 64;  ///< control frames that may wait to be written
inline constexpr std::size_t kServersMax = 16;
inline constexpr std::size_t kStateTextBytesMax = 256;
inline constexpr std::size_t kLogTextBytesMax = 512;
inline constexpr std::size_t kItemHeadBytes = 8 + 8 + 1 + 4;
inline constexpr std::size_t kTopicsMax = 16;        ///< of a source
inline constexpr std::size_t kTopicBytesMax = 1024;  ///< of one topic name, as brokers give it
inline constexpr std::size_t kRecordPayloadBytesMax = 60'000;
inline constexpr std::size_t kRecordFrameBytesMax = 64 * KiB;
inline constexpr std::size_t kRecordHeadBytes = 4 + 8 + 4 + 8 + 1 + 4 + 2 + 4;  ///< topic and payload beside it
static_assert(kFrameHeadBytes + kRecordHeadBytes + kTopicBytesMax + kRecordPayloadBytesMax <= kRecordFrameBytesMax);
/// Whole record frames that may be unsettled; at least one fits.
inline constexpr std::size_t kRecordWindowBytes = kRecordFrameBytesMax;
/// The first grant of a session, and the most that is ever outstanding.
inline constexpr std::uint32_t kCreditBytes = static_cast<std::uint32_t>(kDataFrameBytesMax);

enum class FrameType : std::uint8_t {
  configure = 1,  ///< core -> worker
  data = 2,
  ping = 3,
  stop = 4,
  source = 5,
  position = 6,
  settle = 7,
  hello = 65,  ///< worker -> core
  state = 66,
  credit = 67,
  confirm = 68,
  pong = 69,
  log = 70,
  record = 71,
  assigned = 72,
};

enum class Sender : std::uint8_t { core, worker };
enum class LinkState : std::uint8_t { connecting = 0, connected = 1, disconnected = 2, refused = 3 };
enum class DataKind : std::uint8_t { events = 0, alert_transitions = 1, gap_records = 2, standard_events = 3 };
/// Whether many items make one message.
[[nodiscard]] constexpr bool is_events(DataKind kind) noexcept {
  return kind == DataKind::events || kind == DataKind::standard_events;
}
enum class LogLevel : std::uint8_t { debug = 0, info = 1, warning = 2, error = 3 };
inline constexpr std::uint8_t kLanes = 3;  ///< 0 alert, 1 critical, 2 normal

/// Largest whole frame of that type; 0: `sender` never sends it, or nobody does.
[[nodiscard]] constexpr std::size_t frame_bytes_max(Sender sender, std::uint8_t type) noexcept {
  const auto is_one_of = [type](FrameType first, FrameType last) {
    return type >= static_cast<std::uint8_t>(first) && type <= static_cast<std::uint8_t>(last);
  };
  if (sender == Sender::core) {
    if (is_one_of(FrameType::data, FrameType::data)) return kDataFrameBytesMax;
    if (is_one_of(FrameType::configure, FrameType::configure) || is_one_of(FrameType::source, FrameType::source))
      return kConfigureFrameBytesMax;
    return is_one_of(FrameType::ping, FrameType::settle) ? kControlFrameBytesMax : 0;
  }
  if (is_one_of(FrameType::record, FrameType::record)) return kRecordFrameBytesMax;
  return is_one_of(FrameType::hello, FrameType::assigned) ? kControlFrameBytesMax : 0;
}

// The contents of frames. Views: of decoded frames they point into the frame's body.

struct Configure {
  std::uint16_t version = kProtocolVersion;
  std::string_view upstream = {};  ///< its name in the configuration
  std::string_view kind = {};      ///< "mqtt", "mqtt-5", "mqtt-3.1.1"
  std::string_view topic_template = {};
  std::string_view format = {};  ///< "bk", …
  std::string_view appliance_hex = {};
  std::string_view store_hex = {};
  std::string_view appliance_name = {};
  std::string_view hostname = {};
  std::string_view ip = {};
  std::string_view username = {};  ///< empty: no credentials
  std::string_view password = {};
  std::string_view ca_pem = {};  ///< contents, not names; empty: none
  std::string_view cert_pem = {};
  std::string_view key_pem = {};
  std::array<std::string_view, kServersMax> servers{};
  std::uint8_t servers_count = 0;  ///< 1 … kServersMax
};

/// The settings of a worker that brings records in.
struct Source {
  std::uint16_t version = kProtocolVersion;
  std::string_view name = {};  ///< in the configuration
  std::string_view kind = {};  ///< "mqtt", "mqtt-5", "mqtt-3.1.1", "kafka"
  std::string_view appliance_hex = {};
  std::string_view store_hex = {};
  std::string_view username = {};  ///< empty: no credentials
  std::string_view password = {};
  std::string_view sasl_mechanism = {};  ///< kafka; empty: PLAIN when there is a user name
  std::string_view ca_pem = {};          ///< contents, not names; empty: none
  std::string_view cert_pem = {};
  std::string_view key_pem = {};
  bool from_end = false;  ///< kafka: a partition without a position begins at its end, as it is then
  std::array<std::string_view, kServersMax> servers{};
  std::uint8_t servers_count = 0;  ///< 1 … kServersMax
  std::array<std::string_view, kTopicsMax> topics{};
  std::uint8_t topics_count = 0;  ///< 1 … kTopicsMax
};

inline constexpr std::int64_t kNoOffset = -1;

/// Where the reading of a partition begins: the answer to `assigned`.
struct Position {
  std::string_view topic = {};
  std::int32_t partition = 0;
  std::int64_t next_offset = kNoOffset;  ///< kNoOffset: none is known
};

/// Every record of that session up to that number is on flash, or will not be.
struct Settle {
  std::uint32_t session = 0;
  std::uint64_t number = 0;
};

struct Assigned {
  std::string_view topic = {};
  std::int32_t partition = 0;
};

/// One message of a broker.
struct Record {
  std::uint32_t session = 0;
  std::uint64_t number = 0;  ///< from 1 in each session, without gaps
  std::string_view topic = {};
  std::int32_t partition = 0;       ///< 0 where there are none
  std::int64_t offset = kNoOffset;  ///< kNoOffset where there is none
  bool may_repeat = false;          ///< the broker says that it may have come before
  bool is_mark = false;             ///< no message: the position moves behind `offset` (-1: to 0), and that is all
  std::uint32_t payload_bytes = 0;  ///< of the message; more than `payload` has when that was cut
  std::string_view payload = {};    ///< at most kRecordPayloadBytesMax
};

/// What all items of one data frame share.
struct DataHead {
  std::uint32_t session = 0;
  std::uint8_t lane = 0;
  bool repeat = false;
  DataKind kind = DataKind::events;
  std::uint32_t boot = 0;
  std::int32_t data_id = 0;
  std::int32_t bk_biz_id = 0;
  std::int64_t upstream_data_id = 0;  ///< 0: none
  std::string_view plugin_id = {};
};

struct DataItem {
  std::uint64_t seq = 0;
  std::int64_t wall_ms = 0;  ///< when it was received, already re-dated
  bool wall_trusted = false;
  std::string_view json = {};
};

struct Hello {
  std::uint16_t version = kProtocolVersion;
  std::string_view program = {};  ///< for people
};

struct State {
  LinkState state = LinkState::disconnected;
  std::uint32_t session = 0;            ///< with connected: from 1; else 0
  std::uint32_t message_bytes_max = 0;  ///< with connected: the broker's limit, 0 none; else 0
  std::string_view reason = {};         ///< for people; cut at kStateTextBytesMax when written
  std::string_view broker = {};
};

struct Confirm {
  std::uint8_t lane = 0;
  std::uint64_t seq = 0;
};

struct Log {
  LogLevel level = LogLevel::info;
  std::string_view text = {};  ///< cut at kLogTextBytesMax when written
};

}  // namespace tocsin::channel
