// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/ingest/push_item.hpp"
#include "src/ingest/refusal.hpp"
#include "src/model/batch.hpp"
#include "src/model/instance.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::ingest {

/// Who pushes, before it is known whether that is true. Views into the body or the reader.
struct PushEnvelope {
  std::int64_t data_id = 0;       ///< 0: absent
  std::string_view access_token;  ///< empty: absent
};

/// The push contract of BlueKing's custom events and custom metrics, in two steps with the caller's token check and
/// rate limit between: read_envelope(), then read_items() for the same body. Either all items of a request are taken or
/// none. Which of the two an instance takes is its type, never the body.
///
/// What is stored of an event: event_name, target, event, dimension, timestamp; of a metric: metrics, target ("" when
/// there was none), dimension, timestamp; in this order and nothing else. Numbers keep their text, dimensions become
/// strings (null is dropped), a missing or zero timestamp becomes now.
/// When instance.alert is not 0 the encoded facts follow each event as long as there is room; metrics have none.
/// What takes more than model::kBatchBytesMax in that form is refused with 413.
///
/// Threads: one owner thread, the parser's. Memory: the batch's resource for what is kept; a few KiB of scratch
/// (kMetricsMax names at most).
class PushReader {
 public:
  /// Both must outlive the reader.
  PushReader(json::Parser& parser, const port::Crypto& crypto) noexcept : parser_(parser), crypto_(crypto) {}

  /// Checks all JSON of `body` and the types of data_id and access_token (a string for data_id is refused).
  /// Precondition: json::kPaddingBytes readable bytes follow `body`. The envelope and the reader's view of the items
  /// last until `body` changes or the next call. Throws std::bad_alloc.
  [[nodiscard]] Checked<PushEnvelope> read_envelope(std::span<const std::byte> body);

  /// Checks the items of the body last given to read_envelope() and appends them to `out` (also its data_id, lane and
  /// kind). Precondition: read_envelope() had a value. On a refusal, and when std::bad_alloc leaves, `out.bytes` and
  /// `out.items` are as before and the reader can be used again.
  [[nodiscard]] Checked<void> read_items(const model::Instance& instance, Now now, model::EventBatch& out);

 private:
  /// Checks one item and writes its stored form.
  [[nodiscard]] Checked<void> read_item(PushKind kind, json::Cursor& at, std::size_t index, Now now,
                                        std::string_view now_ms, ItemSink& sink);

  [[nodiscard]] Checked<void> write_all(PushKind kind, const model::Instance& instance, Now now, bool with_facts,
                                        ItemSink& sink);

  json::Parser& parser_;
  const port::Crypto& crypto_;
  std::string token_;  ///< when it came with escapes
  std::string_view data_;
  std::uint32_t data_count_ = 0;
  Names names_;
  std::string facts_scratch_;
  std::string facts_encoded_;
};

}  // namespace tocsin::ingest
