// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard.hpp"

#include <algorithm>
#include <charconv>

#include "src/ingest/event_time.hpp"
#include "src/ingest/facts_again.hpp"
#include "src/ingest/go_type.hpp"
#include "src/ingest/item_sink.hpp"
#include "src/ingest/standard_write.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

using json::Kind;

constexpr std::size_t kStandardAddedBytesMax = 320;  // all names and defaults that an event may lack
constexpr std::size_t kStandardFactsBytesUsual = 512;

tl::unexpected<Refusal> refuse_event(RefusalCode code, std::string message, std::size_t index) {
  return refuse(code, message.append(" (event ").append(std::to_string(index)).append(")"));
}

tl::unexpected<Refusal> refuse_type(Field field, const char* expected, std::string_view value, std::size_t index) {
  std::string message{to_text(field)};
  message.append(" expected ").append(expected).append(", got ").append(json::to_text(json::kind_of(value)));
  return refuse_event("field_type", std::move(message), index);
}

bool is_integer(std::string_view value) { return is(value, Kind::number) && json::to_integer(value).has_value(); }

/// As Python's int() sees it: numbers lose their fraction, words count 1 and 0, texts may hold an integer.
int severity_of(std::string_view value) {
  constexpr int kLeast = 3;
  if (is(value, Kind::number)) return static_cast<int>(std::clamp(json::to_double(value), 1.0, 3.0));
  if (is(value, Kind::boolean)) return 1;
  if (!is(value, Kind::string)) return kLeast;
  std::string text;
  json::append_unescaped(json::inside_of(value), text, 24);
  const auto integer = json::to_integer(text);
  return integer ? static_cast<int>(std::clamp<std::int64_t>(*integer, 1, 3)) : kLeast;
}

std::optional<std::int32_t> biz_of(std::string_view value) {
  std::string text{value};
  if (is(value, Kind::string)) {
    text.clear();
    json::append_unescaped(json::inside_of(value), text, 24);
  } else if (!is(value, Kind::number)) {
    return std::nullopt;
  }
  const auto integer = json::to_integer(text);
  if (!integer || *integer < INT32_MIN || *integer > INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(*integer);
}

const char* status_of(std::string_view value) {
  const std::string upper = upper_of(value);
  return upper == "RECOVERED" ? "RECOVERED" : upper == "CLOSED" ? "CLOSED" : "ABNORMAL";
}

/// The reason why `value` is no list of strings of at most `max`, or null.
const char* not_strings(std::string_view value, std::size_t max) {
  json::Cursor at{value};
  std::size_t count = 0;
  for (at.enter('['); at.next_element(); ++count) {
    if (!is(at.skip(), Kind::string)) return "expected strings only";
    if (count == max) return "has too many elements";
  }
  return nullptr;
}

/// The first rule of shape that an event breaks.
Checked<void> check_shapes(const StandardFields& fields, std::vector<Tag>& tags, std::size_t index) {
  const std::string_view name = fields[Field::alert_name];
  if (name.empty()) return refuse_event("alert_name_missing", "alert_name missing", index);
  for (const Field field :
       {Field::alert_name, Field::description, Field::category, Field::target_type, Field::status}) {
    if (!fields[field].empty() && !is(fields[field], Kind::string)) {
      return refuse_type(field, "a string", fields[field], index);
    }
  }
  if (name == "\"\"") return refuse_event("alert_name_empty", "alert_name cannot be empty", index);
  for (const Field field : {Field::event_id, Field::target}) {
    const std::string_view value = fields[field];
    if (!value.empty() && !is(value, Kind::string) && !is_integer(value)) {
      return refuse_type(field, "a string or an integer", value, index);
    }
  }
  for (const Field field : {Field::metric, Field::assignee, Field::dedupe_keys}) {
    const std::string_view value = fields[field];
    if (value.empty() || (field != Field::dedupe_keys && is(value, Kind::string))) continue;
    if (!is(value, Kind::array)) {
      return refuse_type(field, field == Field::dedupe_keys ? "a list" : "a string or a list", value, index);
    }
    if (const char* reason = not_strings(value, kDedupeKeysMax)) {
      return refuse_event("field_list", std::string{to_text(field)} + " " + reason, index);
    }
  }
  tags.clear();
  if (!fields[Field::tags].empty()) {
    if (const char* reason = read_tags(fields[Field::tags], tags)) {
      return refuse_event("tags_type", std::string{"tags "} + reason, index);
    }
  }
  return {};
}

/// Writes members in their order, and notes where the values stand.
class FieldsWriter {
 public:
  explicit FieldsWriter(ItemSink& sink) noexcept : sink_(sink) {}

  /// The sink, for the value.
  ItemSink& name(Field field) {
    end();
    sink_.append(from_ == 0 ? "{\"" : ",\"");
    sink_.append(to_text(field));
    sink_.append("\":");
    field_ = field;
    from_ = sink_.written().size();
    return sink_;
  }
  StandardFields& end() noexcept {
    if (from_ != 0) fields_.set(field_, sink_.written().substr(from_));
    return fields_;
  }

 private:
  ItemSink& sink_;
  StandardFields fields_;
  Field field_ = Field::alert_name;
  std::size_t from_ = 0;
};

/// `event`: the text from its beginning on.
void write_unknown_members(std::string_view event, ItemSink& sink) {
  json::Cursor at{event};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (field_of(name) || json::stands_for(name, "data_id") || json::stands_for(name, "access_token")) continue;
    sink.append(",\"");
    sink.append(name);
    sink.append("\":");
    json::append_compact(value, sink);
  }
}

}  // namespace

Checked<StandardEnvelope> StandardReader::read_envelope(std::span<const std::byte> body) {
  data_ = {};
  data_count_ = 0;
  std::array<json::Pick, 4> picks{{{"data_id"}, {"access_token"}, {"data"}, {"alert_name"}}};
  const auto checked = parser_.check(as_text(body), picks);
  if (!checked) return refuse(checked.error());
  if (checked->kind != Kind::object && checked->kind != Kind::array) {
    return refuse("body_type", std::string{"request body expected an event or a list of events, got "} +
                                   json::to_text(checked->kind));
  }
  const auto& [data_id, token, data, alert_name] = picks;
  const bool wrapped = !data.text.empty() && alert_name.text.empty();
  data_ = wrapped ? data.text : checked->text;
  data_count_ = wrapped ? data.elements : checked->elements;
  if (!is(data_, Kind::array)) data_count_ = 1;
  StandardEnvelope envelope;
  if (!data_id.text.empty() && !is(data_id.text, Kind::null)) {
    if (!is_integer(data_id.text)) return refuse("data_id_type", "data_id expected an integer");
    envelope.data_id = json::to_integer(data_id.text);
  }
  if (!token.text.empty() && !is(token.text, Kind::null)) {
    if (!is(token.text, Kind::string)) return refuse("access_token_type", "access_token expected a string");
    std::string_view inside = json::inside_of(token.text);
    if (inside.size() > model::kTokenBytesMax) {
      return refuse("access_token_too_long", "access_token is longer than 512 bytes");
    }
    if (json::has_escapes(inside)) {
      token_.clear();
      json::append_unescaped(inside, token_);
      inside = token_;
    }
    envelope.access_token = inside;
  }
  return envelope;
}

void StandardReader::use_made(std::string_view list, std::uint32_t count) noexcept {
  data_ = list;
  data_count_ = count;
}

Checked<std::int64_t> StandardReader::check_time(const Event& event, Field field, std::int64_t otherwise,
                                                 std::size_t index) const {
  const std::string_view value = event.fields[field];
  if (value.empty() || value == "\"\"") return otherwise;
  std::optional<std::int64_t> ms;
  if (is(value, Kind::number)) {
    ms = time_of_number(json::to_double(value));
  } else if (is(value, Kind::string)) {
    std::string text;
    json::append_unescaped(json::inside_of(value), text, 64);
    ms = parse_time_text(text, options_.offset_minutes);
  } else {
    return refuse_type(field, "a number or a time", value, index);
  }
  if (ms) return *ms < 1000 ? otherwise : *ms / 1000;  // zero is no time, however it is written
  return refuse_event(
      "time_form",
      std::string{to_text(field)} + " expected epoch seconds, epoch milliseconds, or a time like 2023-10-01T12:00:00Z",
      index);
}

Checked<StandardReader::Event> StandardReader::check_event(json::Cursor& at, const model::Instance& instance, Now now,
                                                           std::size_t index) {
  if (at.kind() != Kind::object) {
    return refuse_event("event_type", std::string{"event expected an object, got "} + json::to_text(at.kind()), index);
  }
  Event event;
  if (const auto twice = event.fields.split(at)) {
    return refuse_event("member_repeated", std::string{to_text(*twice)} + " appears twice", index);
  }
  if (auto shapes = check_shapes(event.fields, tags_, index); !shapes) return tl::unexpected(shapes.error());
  event.severity = severity_of(event.fields[Field::severity]);
  event.bk_biz_id = instance.bk_biz_id;
  if (const std::string_view biz = event.fields[Field::bk_biz_id]; !biz.empty() && biz != "\"\"") {
    const auto value = biz_of(biz);
    if (!value) return refuse_type(Field::bk_biz_id, "an integer of 32 bits", biz, index);
    event.bk_biz_id = *value;
  }
  const auto time = check_time(event, Field::time, now.wall.unix_ms / 1000, index);
  if (!time) return tl::unexpected(time.error());
  event.time_s = *time;
  const auto anomaly = check_time(event, Field::anomaly_time, event.time_s, index);
  if (!anomaly) return tl::unexpected(anomaly.error());
  event.anomaly_time_s = *anomaly;
  if (!event.fields[Field::status].empty()) event.status = status_of(event.fields[Field::status]);
  return event;
}

std::uint64_t StandardReader::hash_of_id(std::int32_t data_id, const Event& event) const {
  const std::string_view id = event.fields[Field::event_id];
  if (id.empty() || id == "\"\"") return 0;
  std::string text = std::to_string(data_id);
  text.push_back('\0');
  json::append_unescaped(is(id, Kind::string) ? json::inside_of(id) : id, text);
  text.append(1, '\0').append(event.status).append(1, '\0').append(std::to_string(event.time_s));
  const port::Digest256 digest = crypto_.hmac_sha256(secret_, as_bytes(text));
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 7; ++i) hash = hash << 8U | std::to_integer<std::uint64_t>(digest[i]);
  return hash | 1U;  // 0 means "no id"
}

StandardFields StandardReader::write_event(const Event& event, std::string_view request, std::size_t index,
                                           ItemSink& sink) {
  const StandardFields& fields = event.fields;
  FieldsWriter writer{sink};
  const auto number = [&](Field field, std::int64_t value) { writer.name(field).append(std::to_string(value)); };
  const auto optional = [&](Field field, void (*write)(std::string_view, ItemSink&)) {
    if (!fields[field].empty()) write(fields[field], writer.name(field));
  };
  writer.name(Field::alert_name).append(fields[Field::alert_name]);
  writer.name(Field::event_id);
  if (const std::string_view id = fields[Field::event_id]; id.empty() || id == "\"\"") {
    sink.append("\"");
    sink.append(request);
    sink.append("-");
    sink.append(std::to_string(index));
    sink.append("\"");
  } else {
    write_as_text(id, sink);
  }
  optional(Field::description, write_as_text);
  optional(Field::metric, write_as_list);
  const std::string_view category = fields[Field::category];
  write_lower(category.empty() || category == "\"\"" ? "\"other_rt\"" : category, writer.name(Field::category));
  const std::string_view target_type = fields[Field::target_type];
  write_target_type(target_type.empty() ? "\"\"" : target_type, writer.name(Field::target_type));
  const std::string_view target = fields[Field::target];
  write_as_text(target.empty() ? "\"\"" : target, writer.name(Field::target));
  number(Field::severity, event.severity);
  number(Field::bk_biz_id, event.bk_biz_id);
  if (!fields[Field::tags].empty()) write_tags(tags_, writer.name(Field::tags));
  optional(Field::dedupe_keys, write_as_list);
  optional(Field::assignee, write_as_list);
  number(Field::time, event.time_s);
  number(Field::anomaly_time, event.anomaly_time_s);
  writer.name(Field::status).append("\"");
  sink.append(event.status);
  sink.append("\"");
  return writer.end();
}

Checked<void> StandardReader::read_items(const model::Instance& instance, Now now, const Id128& request_id,
                                         model::EventBatch& out) {
  if (instance.type == model::InstanceType::time_series) {
    return refuse("time_series", "this data id takes metrics, at /v2/push/");
  }
  if (data_count_ == 0) return refuse("data_empty", "the list of events cannot be empty");
  model::Lane lane = instance.lane;
  const std::size_t json_bytes = data_.size() + data_count_ * kStandardAddedBytesMax;
  const ItemRoom guess{data_count_, json_bytes, facts_room(data_count_, kStandardFactsBytesUsual, json_bytes)};
  auto written =
      write_items(out, guess, [&](ItemSink& sink) { return write_all(instance, now, request_id, lane, sink); });
  if (!written) return written;
  out.data_id = instance.data_id;
  out.lane = lane;
  out.kind = model::RecordKind::standard_event;
  out.is_alerting = true;
  return {};
}

Checked<void> StandardReader::write_all(const model::Instance& instance, Now now, const Id128& request_id,
                                        model::Lane& lane, ItemSink& sink) {
  const std::string request_text = to_uuid_text(request_id);
  json::Cursor at{data_};
  const bool is_list = is(data_, Kind::array);
  if (is_list) at.enter('[');
  for (std::size_t index = 0; is_list ? at.next_element() : index == 0; ++index) {
    const std::string_view rest = at.rest();
    const auto event = check_event(at, instance, now, index);
    if (!event) return tl::unexpected(event.error());
    const StandardFields written = write_event(*event, request_text, index, sink);
    if (event->fields.has_others()) write_unknown_members(rest, sink);
    sink.append("}");
    if (event->severity == 1 && event->status == std::string_view("ABNORMAL"))
      lane = std::min(lane, model::Lane::critical);
    const std::string_view stored = sink.end_json(hash_of_id(instance.data_id, *event));
    if (!sink.fits() || sink.facts_room() < kStandardFactsBytesUsual / 2) continue;  // they would hardly fit either
    const auto facts = facts_of_standard(CountMd5{crypto_, &digests_}, written, tags_, stored, facts_scratch_);
    if (!facts.ok()) return refuse("facts", "the event cannot be read back", 500);
    facts_encoded_.clear();
    model::encode(*facts, facts_encoded_);
    sink.add_facts(facts_encoded_);
  }
  return {};
}

}  // namespace tocsin::ingest
