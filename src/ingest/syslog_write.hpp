// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/ingest/refusal.hpp"
#include "src/ingest/syslog.hpp"
#include "src/model/batch.hpp"
#include "src/model/instance.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::ingest {

class ItemSink;

inline constexpr std::size_t kSyslogParamsMax = 32;  ///< of one message that are kept

/// Where a message came from, and how its event is called.
struct SyslogOrigin {
  std::string_view event_name = "syslog";
  std::string_view address = {};   ///< of the sender; empty: a program on this box
  std::string_view own_host = {};  ///< the box's name
  bool prefers_hostname = false;   ///< the target is the HOSTNAME when there is one, else the address
  bool is_cut = false;             ///< the message was longer
};

/// Makes events of messages, in the form of the instance's type.
///
/// type event: a custom event with event {content, sender?, procid?, structured_data? [{key, value}], cut?} and
/// dimension
///   {facility, level, severity, app?, msgid?, hostname?}. What changes with every message (procid, structured data,
///   the cut) is no dimension: a dimension is part of what an alert is recognised by.
/// type alert_source: a standard event with the same names as tags, structured data as "sd.ID.NAME"; alerts are told
///   apart by event name, target, tags.app and tags.msgid. Category "other_rt", target_type "HOST".
///
/// Target: the sender's address, or the HOSTNAME first (SyslogOrigin); of a program on this box the HOSTNAME, else the
/// box's name. Time: the message's when it has a zone and is at most kFutureSecondsMax ahead of a trusted clock, else
/// now. Bytes that are no UTF-8, and NUL, become U+FFFD.
/// Threads: one owner.
class SyslogWriter {
 public:
  /// `crypto` outlives it.
  explicit SyslogWriter(const port::Crypto& crypto) noexcept : crypto_(crypto) {}

  /// Takes the memory of `out` that add() wants for a message of that size, unless it has many bytes to escape.
  static void reserve(std::size_t message_bytes, model::EventBatch& out);

  /// Appends one event to `out`, with its facts when it may touch an alert, and sets data_id, lane, kind, is_alerting.
  /// Precondition: `instance` takes events and is the same for the whole batch; received and request_id are set.
  /// A refusal or std::bad_alloc leaves bytes and items as they were.
  [[nodiscard]] Checked<void> add(const SyslogMessage& message, const SyslogOrigin& origin,
                                  const model::Instance& instance, model::EventBatch& out);

 private:
  const port::Crypto& crypto_;
  std::string plain_;
  std::string facts_scratch_;
  std::string facts_encoded_;
  void write_custom(const SyslogMessage& message, const SyslogOrigin& origin, std::int64_t time_ms, ItemSink& sink);
  void write_standard(const SyslogMessage& message, const SyslogOrigin& origin, std::int64_t time_ms,
                      const model::Instance& instance, std::string_view event_id, ItemSink& sink);
  void write_params(std::string_view structured_data, std::string_view key_prefix, bool is_first, ItemSink& sink);
};

}  // namespace tocsin::ingest
