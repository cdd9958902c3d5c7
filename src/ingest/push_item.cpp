// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/push_item.hpp"

#include <algorithm>

#include "src/ingest/go_type.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

using json::Kind;

constexpr std::size_t kNameShownBytesMax = 64;  // of a member's name in a message

std::string shown(std::string_view inside) {
  std::string out;
  json::append_unescaped(inside, out, kNameShownBytesMax);
  return out;
}

/// ^[a-zA-Z_][a-zA-Z0-9_]*$
bool is_metric_name(std::string_view name) noexcept {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_word(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_word(c) || (c >= '0' && c <= '9'); });
}

Checked<void> check_metric_name(std::string_view inside, std::size_t index) {
  std::string plain;
  std::string_view name = inside;
  if (json::has_escapes(inside)) {
    json::append_unescaped(inside, plain);
    name = plain;
  }
  if (is_metric_name(name)) return {};
  return refuse_item("name_regex", "name '" + shown(inside) + "' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$]",
                     index);
}

/// Whole seconds; far values stay far.
std::int64_t seconds_of(double ms) noexcept {
  constexpr double kBound = 9.0e15;
  return static_cast<std::int64_t>(std::clamp(ms / 1000.0, -kBound, kBound));
}

void append_dimension(std::string_view dimension, ItemSink& sink) {
  sink.append("{");
  if (!dimension.empty()) {
    bool first = true;
    json::Cursor at{dimension};
    std::string_view name;
    for (at.enter('{'); at.next_member(name);) {
      const std::string_view value = at.skip();
      const Kind kind = json::kind_of(value);
      if (kind == Kind::null) continue;
      sink.append(first ? "\"" : ",\"");
      first = false;
      sink.append(name);
      sink.append(kind == Kind::string ? "\":" : "\":\"");
      sink.append(value);
      if (kind != Kind::string) sink.append("\"");
    }
  }
  sink.append("}");
}

void append_end(const PushItem& item, std::string_view now_ms, ItemSink& sink) {
  sink.append(",\"dimension\":");
  append_dimension(item.dimension, sink);
  sink.append(",\"timestamp\":");
  sink.append(item.timestamp.empty() ? now_ms : item.timestamp);
  sink.append("}");
}

}  // namespace

void Names::add(std::string_view inside) {
  has_escapes_ = has_escapes_ || json::has_escapes(inside);
  names_.push_back(inside);
}

bool Names::has_twin() {
  if (has_escapes_) {
    std::size_t room = 0;
    for (const std::string_view one : names_) room += one.size();
    plain_.clear();
    plain_.reserve(room);  // the views below stay good: unescaped text is never longer
    for (std::string_view& one : names_) {
      const std::size_t from = plain_.size();
      json::append_unescaped(one, plain_);
      one = std::string_view{plain_}.substr(from);
    }
  }
  std::sort(names_.begin(), names_.end());
  return std::adjacent_find(names_.begin(), names_.end()) != names_.end();
}

std::string_view* PushItem::member(PushKind kind, std::string_view name) noexcept {
  if (name == "target") return &target;
  if (name == "dimension") return &dimension;
  if (name == "timestamp") return &timestamp;
  if (kind == PushKind::metric) return name == "metrics" ? &metrics : nullptr;
  if (name == "event_name") return &event_name;
  return name == "event" ? &event : nullptr;
}

Checked<PushItem> PushItem::split(PushKind kind, json::Cursor& at, std::size_t index) {
  if (at.kind() != Kind::object) {
    return refuse_type("item_type",
                       kind == PushKind::event ? "event each item expected map[string]any"
                                               : "timeseries each item expected map[string]any",
                       at.skip(), index);
  }
  PushItem item;
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    std::string plain;
    if (json::has_escapes(name)) {
      plain = shown(name);  // longer than every name that means something
      name = plain;
    }
    const std::string_view value = at.skip();
    std::string_view* const member = item.member(kind, name);
    if (member == nullptr) continue;
    if (!member->empty()) return refuse_item("member_repeated", std::string{name} + " appears twice", index);
    *member = value;
  }
  return item;
}

tl::unexpected<Refusal> refuse_item(RefusalCode code, std::string message, std::size_t index) {
  return refuse(code, message.append(" (data[").append(std::to_string(index)).append("])"));
}

tl::unexpected<Refusal> refuse_type(RefusalCode code, const char* expectation, std::string_view json,
                                    std::size_t index) {
  return refuse_item(code, std::string{expectation} + " type, got " + go_type(json), index);
}

Checked<void> check_event(const PushItem& item, std::size_t index) {
  if (item.target.empty()) return refuse_item("event_target_missing", "target missing", index);
  if (!is(item.target, Kind::string))
    return refuse_type("event_target_type", "target expected string", item.target, index);
  if (item.target == "\"\"") return refuse_item("event_target_empty", "target cannot be empty", index);
  if (item.event_name.empty()) return refuse_item("event_name_missing", "event_name missing", index);
  if (!is(item.event_name, Kind::string)) {
    return refuse_type("event_name_type", "eventName expected string", item.event_name, index);
  }
  if (item.event_name == "\"\"") return refuse_item("event_name_empty", "event_name cannot be empty", index);
  if (item.event_name.size() > kEventNameCharactersMax + 2 &&
      json::count_characters(json::inside_of(item.event_name)) > kEventNameCharactersMax) {
    return refuse_item("event_name_too_long", "event_name is longer than 128 characters", index);
  }
  if (item.event.empty()) return refuse_item("event_missing", "event missing", index);
  if (!is(item.event, Kind::object))
    return refuse_type("event_type", "event expected map[string]any", item.event, index);
  json::Cursor inner{item.event};
  std::string_view name;
  bool has_content = false;
  for (inner.enter('{'); inner.next_member(name); static_cast<void>(inner.skip())) {
    has_content = has_content || json::stands_for(name, "content");
  }
  if (!has_content) return refuse_item("event_content_missing", "event.content missing", index);
  return {};
}

Checked<void> check_metric(const PushItem& item, std::size_t index, Names& names) {
  if (item.metrics.empty()) return refuse_item("metrics_missing", "metrics missing", index);
  if (!is(item.metrics, Kind::object))
    return refuse_type("metrics_type", "metrics expected map[string]any", item.metrics, index);
  names.clear();
  json::Cursor at{item.metrics};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (auto good = check_metric_name(name, index); !good) return good;
    if (!is(value, Kind::number)) return refuse_type("metric_value_type", "value expected float64", value, index);
    if (names.size() == kMetricsMax)
      return refuse_item("metrics_too_many", "metrics has more than 1024 members", index);
    names.add(name);
  }
  if (names.size() == 0) return refuse_item("metrics_empty", "metrics cannot be empty", index);
  if (names.has_twin()) return refuse_item("metrics_repeated", "metrics has a name twice", index);
  if (!item.target.empty() && !is(item.target, Kind::string) && !is(item.target, Kind::null))
    return refuse_type("metric_target_type", "target expected string", item.target, index);
  return {};
}

Checked<void> check_dimension(PushKind kind, const PushItem& item, std::size_t index, Names& names) {
  if (item.dimension.empty()) return {};
  if (!is(item.dimension, Kind::object)) {
    return refuse_type("dimension_type", "dimension expected map[string]any", item.dimension, index);
  }
  names.clear();
  json::Cursor at{item.dimension};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (kind == PushKind::metric) {
      if (auto good = check_metric_name(name, index); !good) return good;
    }
    if (is(value, Kind::object) || is(value, Kind::array)) {
      return refuse_item("dimension_value_type",
                         "dimension '" + shown(name) + "' value expected string type, got " + go_type(value), index);
    }
    if (names.size() == kDimensionsMax)
      return refuse_item("dimension_too_many", "dimension has more than 256 members", index);
    names.add(name);
  }
  if (names.has_twin()) return refuse_item("dimension_repeated", "dimension has a name twice", index);
  return {};
}

Checked<void> check_timestamp(PushItem& item, std::size_t index, Now now) {
  if (item.timestamp.empty()) return {};
  if (!is(item.timestamp, Kind::number)) {
    return refuse_type("timestamp_type", "timestamp expected float64", item.timestamp, index);
  }
  const double ms = json::to_double(item.timestamp);
  const std::int64_t server_seconds = now.wall.unix_ms / 1000;
  if (now.wall.trusted && seconds_of(ms) - server_seconds > kFutureSecondsMax) {
    return refuse_item("timestamp_future",
                       "reject future timestamp, dataTs=" + std::to_string(seconds_of(ms)) + ", serverTs=" +
                           std::to_string(server_seconds) + ", offset=" + std::to_string(kFutureSecondsMax) + "(s)",
                       index);
  }
  if (ms == 0) item.timestamp = {};
  return {};
}

void append_event(const PushItem& item, std::string_view now_ms, ItemSink& sink) {
  sink.append("{\"event_name\":");
  sink.append(item.event_name);
  sink.append(",\"target\":");
  sink.append(item.target);
  sink.append(",\"event\":");
  json::append_compact(item.event, sink);
  append_end(item, now_ms, sink);
}

void append_metric(const PushItem& item, std::string_view now_ms, ItemSink& sink) {
  sink.append("{\"metrics\":");
  json::append_compact(item.metrics, sink);
  sink.append(",\"target\":");
  sink.append(is(item.target, Kind::string) ? item.target : std::string_view{"\"\""});
  append_end(item, now_ms, sink);
}

}  // namespace tocsin::ingest
