// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/syslog_write.hpp"

#include <algorithm>

#include "src/base/utf8.hpp"
#include "src/ingest/facts_again.hpp"
#include "src/ingest/item_sink.hpp"
#include "src/ingest/push_item.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::size_t kSyslogAddedBytesMax = 640;  // names, numbers and quotes of a usual event
constexpr std::size_t kSyslogFactsBytesUsual = 1024;
constexpr std::size_t kSyslogRoomAhead = 16 * KiB;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_without_nul(std::string_view text, ItemSink& sink) {
  while (!text.empty()) {
    const std::size_t good = utf8_valid_bytes(text);
    json::append_escaped(text.substr(0, good), sink);
    if (good == text.size()) return;
    sink.append(kReplacement);
    text.remove_prefix(good + 1);
  }
}

/// Looks at each byte twice, however many of them are bad.
void append_clean(std::string_view text, ItemSink& sink) {
  for (std::size_t nul = text.find('\0'); nul != std::string_view::npos; nul = text.find('\0')) {
    append_without_nul(text.substr(0, nul), sink);
    sink.append(kReplacement);
    text.remove_prefix(nul + 1);
  }
  append_without_nul(text, sink);
}

void append_text(std::string_view text, ItemSink& sink) {
  sink.append("\"");
  append_clean(text, sink);
  sink.append("\"");
}

/// `,"name":"text"`, the comma only when it is not the first; nothing for an empty text.
void append_member(std::string_view name, std::string_view text, bool is_first, ItemSink& sink) {
  if (text.empty()) return;
  sink.append(is_first ? "\"" : ",\"");
  sink.append(name);
  sink.append("\":");
  append_text(text, sink);
}

void append_tag(std::string_view key, std::string_view text, bool is_first, ItemSink& sink) {
  if (text.empty()) return;
  sink.append(is_first ? "{\"key\":\"" : ",{\"key\":\"");
  sink.append(key);
  sink.append("\",\"value\":");
  append_text(text, sink);
  sink.append("}");
}

std::string_view target_of(const SyslogMessage& message, const SyslogOrigin& origin) {
  const bool hostname_first = origin.prefers_hostname || origin.address.empty();
  if (hostname_first && !message.hostname.empty()) return message.hostname;
  if (!origin.address.empty()) return origin.address;
  return origin.own_host.empty() ? std::string_view{"localhost"} : origin.own_host;
}

std::int64_t time_of(const SyslogMessage& message, Now now) noexcept {
  if (!message.time_ms || *message.time_ms <= 0) return now.wall.unix_ms;
  const bool is_future = now.wall.trusted && *message.time_ms > now.wall.unix_ms + kFutureSecondsMax * 1000;
  return is_future ? now.wall.unix_ms : *message.time_ms;
}

constexpr std::string_view kSeverityTexts = "0123";

std::string_view severity_text(const SyslogMessage& message) {
  return kSeverityTexts.substr(severity_of_syslog(message.severity), 1);
}

/// Without the part of a character that a cut left at the end.
std::string_view whole_characters(std::string_view text) noexcept {
  constexpr std::size_t kTailMax = 3;
  for (std::size_t tail = 1; tail <= std::min(kTailMax, text.size()); ++tail) {
    const auto byte = static_cast<unsigned char>(text[text.size() - tail]);
    if (byte < 0x80) return text;
    if (byte >= 0xC2) {
      return utf8_size_at(text, text.size() - tail) == 0 ? text.substr(0, text.size() - tail) : text;
    }
  }
  return text;
}

}  // namespace

void SyslogWriter::write_params(std::string_view structured_data, std::string_view key_prefix, bool is_first,
                                ItemSink& sink) {
  SyslogParams params{structured_data};
  std::size_t count = 0;
  for (auto one = params.next(); one && count < kSyslogParamsMax; one = params.next(), ++count) {
    sink.append(is_first && count == 0 ? "{\"key\":\"" : ",{\"key\":\"");
    sink.append(key_prefix);
    append_clean(one->id, sink);
    sink.append(".");
    append_clean(one->name, sink);
    sink.append("\",\"value\":");
    plain_.clear();
    SyslogParams::append_plain(one->value, plain_);
    append_text(plain_, sink);
    sink.append("}");
  }
}

void SyslogWriter::write_custom(const SyslogMessage& message, const SyslogOrigin& origin, std::int64_t time_ms,
                                ItemSink& sink) {
  sink.append("{\"event_name\":");
  append_text(origin.event_name, sink);
  sink.append(",\"target\":");
  append_text(target_of(message, origin), sink);
  sink.append(",\"event\":{\"content\":");
  append_text(origin.is_cut ? whole_characters(message.text) : message.text, sink);
  append_member("sender", origin.address, false, sink);
  append_member("procid", message.procid, false, sink);
  if (!message.structured_data.empty()) {
    sink.append(",\"structured_data\":[");
    write_params(message.structured_data, "", true, sink);
    sink.append("]");
  }
  if (origin.is_cut) sink.append(",\"cut\":true");
  sink.append("},\"dimension\":{");
  append_member("facility", syslog_facility(message.facility), true, sink);
  append_member("level", syslog_level(message.severity), false, sink);
  append_member("severity", severity_text(message), false, sink);
  append_member("app", message.app, false, sink);
  append_member("msgid", message.msgid, false, sink);
  append_member("hostname", message.hostname, false, sink);
  sink.append("},\"timestamp\":");
  sink.append(std::to_string(time_ms));
  sink.append("}");
}

void SyslogWriter::write_standard(const SyslogMessage& message, const SyslogOrigin& origin, std::int64_t time_ms,
                                  const model::Instance& instance, std::string_view event_id, ItemSink& sink) {
  const std::string time_s = std::to_string(time_ms / 1000);
  sink.append("{\"alert_name\":");
  append_text(origin.event_name, sink);
  append_member("event_id", event_id, false, sink);
  sink.append(",\"description\":");
  append_text(origin.is_cut ? whole_characters(message.text) : message.text, sink);
  sink.append(",\"category\":\"other_rt\",\"target_type\":\"HOST\",\"target\":");
  append_text(target_of(message, origin), sink);
  sink.append(",\"severity\":");
  sink.append(severity_text(message));
  sink.append(",\"bk_biz_id\":");
  sink.append(std::to_string(instance.bk_biz_id));
  sink.append(",\"tags\":[");
  append_tag("facility", syslog_facility(message.facility), true, sink);
  append_tag("level", syslog_level(message.severity), false, sink);
  append_tag("app", message.app, false, sink);
  append_tag("msgid", message.msgid, false, sink);
  append_tag("hostname", message.hostname, false, sink);
  append_tag("sender", origin.address, false, sink);
  append_tag("procid", message.procid, false, sink);
  if (origin.is_cut) append_tag("cut", "true", false, sink);
  write_params(message.structured_data, "sd.", false, sink);
  sink.append("],\"dedupe_keys\":[\"tags.app\",\"tags.msgid\"],\"time\":");
  sink.append(time_s);
  sink.append(",\"anomaly_time\":");
  sink.append(time_s);
  sink.append(",\"status\":\"ABNORMAL\"}");
}

void SyslogWriter::reserve(std::size_t message_bytes, model::EventBatch& out) {
  // Messages come one by one: room for the next ones is taken along, or each would move all before it.
  const std::size_t wanted = out.bytes.size() + kSyslogAddedBytesMax + 2 * message_bytes + kFactsRoomMin;
  if (wanted > out.bytes.capacity()) out.bytes.reserve(wanted + kSyslogRoomAhead);
  if (out.items.size() == out.items.capacity()) out.items.reserve(2 * out.items.size() + 8);
}

Checked<void> SyslogWriter::add(const SyslogMessage& message, const SyslogOrigin& origin,
                                const model::Instance& instance, model::EventBatch& out) {
  const bool is_standard = instance.type == model::InstanceType::alert_source;
  const auto kind = is_standard ? model::RecordKind::standard_event : model::RecordKind::custom_event;
  const bool is_alerting = is_standard || instance.alert != 0;
  const std::int64_t time_ms = time_of(message, out.received);
  const std::string event_id =
      is_standard ? to_uuid_text(out.request_id) + "-" + std::to_string(out.items.size()) : std::string{};
  const std::size_t json_bytes = kSyslogAddedBytesMax + message.text.size() + message.structured_data.size() * 2;
  const ItemRoom guess{1, json_bytes, is_alerting ? facts_room(1, kSyslogFactsBytesUsual, json_bytes) : 0};
  auto written = write_items(out, guess, [&](ItemSink& sink) -> Checked<void> {
    if (is_standard) {
      write_standard(message, origin, time_ms, instance, event_id, sink);
    } else {
      write_custom(message, origin, time_ms, sink);
    }
    const std::string_view stored = sink.end_json(0);
    if (!is_alerting || !sink.fits()) return {};
    const auto facts = facts_of(crypto_, kind, instance, stored, facts_scratch_);
    if (!facts.ok()) return refuse("facts", "the event cannot be read back", 500);
    facts_encoded_.clear();
    model::encode(*facts, facts_encoded_);
    sink.add_facts(facts_encoded_);
    return {};
  });
  if (!written) return written;
  const bool is_first = out.items.size() == 1;
  if (is_first) out.lane = instance.lane;
  if (is_standard && severity_of_syslog(message.severity) == 1) out.lane = std::min(out.lane, model::Lane::critical);
  out.data_id = instance.data_id;
  out.kind = kind;
  out.is_alerting = is_alerting;
  return {};
}

}  // namespace tocsin::ingest
