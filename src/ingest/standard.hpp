// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/ingest/count_md5.hpp"
#include "src/ingest/refusal.hpp"
#include "src/ingest/standard_fields.hpp"
#include "src/ingest/standard_tags.hpp"
#include "src/json/parser.hpp"
#include "src/model/batch.hpp"
#include "src/model/instance.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::ingest {

class ItemSink;

inline constexpr std::size_t kTagsMax = 256;       ///< of one event
inline constexpr std::size_t kDedupeKeysMax = 32;  ///< of one event

/// Who sends, when the body says so; else headers do. Views into the body or the reader.
struct StandardEnvelope {
  std::optional<std::int64_t> data_id;
  std::optional<std::string_view> access_token;
};

struct StandardOptions {
  int offset_minutes = 0;  ///< of time texts without a zone, ahead of UTC
};

/// Standard events: one object, a list of them, or {"data_id", "access_token", "data": object or list}. In a single
/// event data_id and access_token may stand beside its own members; they are never stored.
///
/// What is stored: the fields in the order of Field, normalised (below), then unknown members as written.
///   alert_name required, not empty; event_id text or integer, else the request's id with the item's index;
///   metric a list; category lower case, else "other_rt"; target_type HOST, SERVICE, TOPO in capitals, others as sent;
///   severity 1..3 (clamped; 3 when unreadable); bk_biz_id else the instance's; tags a list of {key, value};
///   time and anomaly_time epoch seconds, else now and time; status ABNORMAL, RECOVERED or CLOSED.
/// Null members count as absent. A wrong type is refused. The encoded facts follow each item as long as there is
/// room. What takes more than model::kBatchBytesMax in that form is refused with 413.
///
/// Threads: one owner thread, the parser's. Memory: the batch's resource for what is kept; 4 KiB of digests, and
/// scratch
///          for one event (64 bytes a tag).
class StandardReader {
 public:
  /// `secret` keys the id hashes. Parser and crypto must outlive the reader.
  StandardReader(json::Parser& parser, const port::Crypto& crypto, const port::Digest256& secret,
                 StandardOptions options = {}) noexcept
      : parser_(parser), crypto_(crypto), secret_(secret), options_(options) {}

  /// As PushReader::read_envelope().
  [[nodiscard]] Checked<StandardEnvelope> read_envelope(std::span<const std::byte> body);

  /// In the place of read_envelope(): a list of events that is made here, not sent. Precondition: the parser would
  /// accept it, and it has `count` elements.
  void use_made(std::string_view list, std::uint32_t count) noexcept;

  /// As PushReader::read_items(). The lane is critical when an ABNORMAL event of severity 1 is among the items.
  /// The id hash of an item covers data id, event id, status and time; 0 when the sender gave no event id.
  [[nodiscard]] Checked<void> read_items(const model::Instance& instance, Now now, const Id128& request_id,
                                         model::EventBatch& out);

 private:
  /// One event after its checks: what is not simply copied.
  struct Event {
    StandardFields fields;
    int severity = 3;
    std::int32_t bk_biz_id = 0;
    std::int64_t time_s = 0;
    std::int64_t anomaly_time_s = 0;
    const char* status = "ABNORMAL";
  };
  /// The fields as they were written, when they fit.
  StandardFields write_event(const Event& event, std::string_view request, std::size_t index, ItemSink& sink);
  [[nodiscard]] Checked<void> write_all(const model::Instance& instance, Now now, const Id128& request_id,
                                        model::Lane& lane, ItemSink& sink);
  [[nodiscard]] Checked<Event> check_event(json::Cursor& at, const model::Instance& instance, Now now,
                                           std::size_t index);
  [[nodiscard]] Checked<std::int64_t> check_time(const Event& event, Field field, std::int64_t otherwise,
                                                 std::size_t index) const;
  [[nodiscard]] std::uint64_t hash_of_id(std::int32_t data_id, const Event& event) const;

  json::Parser& parser_;
  const port::Crypto& crypto_;
  port::Digest256 secret_;
  StandardOptions options_;
  std::string token_;
  std::string_view data_;
  std::uint32_t data_count_ = 0;
  std::vector<Tag> tags_;  ///< of the event being read
  CountMd5::Known digests_;
  std::string facts_scratch_;
  std::string facts_encoded_;
};

}  // namespace tocsin::ingest
