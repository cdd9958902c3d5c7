// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/gse_event.hpp"

#include <algorithm>
#include <memory>

#include "src/base/hex.hpp"
#include "src/json/writer.hpp"

namespace tocsin::normalise {

using json::Value;

namespace {

constexpr std::string_view kTagsPrefix = "tags.";
constexpr std::size_t kMembersMax = 12;

Value list_of(std::span<const Value> elements, std::pmr::memory_resource& arena) {
  if (elements.empty()) return Value::array({});
  auto* const own = static_cast<Value*>(arena.allocate(elements.size_bytes(), alignof(Value)));
  std::uninitialized_copy(elements.begin(), elements.end(), own);
  return Value::array({own, elements.size()});
}

}  // namespace

std::string_view GseEvents::text(std::initializer_list<std::string_view> parts) {
  line_.clear();
  for (const std::string_view part : parts) line_.append(part);
  return json::copy_text(line_, means_.arena);
}

Value GseEvents::integer(std::int64_t value) { return Value::number_as_written(text({std::to_string(value)})); }

void GseEvents::tag(std::string_view name, const Value& value) {
  const bool is_empty = value.is_null() || (value.is_text() && value.text().empty());
  if (!is_empty && !value.is_array() && !value.is_object()) tags_.push_back({name, value});
}

void GseEvents::locate(const GseHost& host, GseEvent& event) {
  if (host.ip.empty()) {
    event.target_type = "AGENT";
    event.target = host.agent_id;
    return;
  }
  event.target = text({host.ip, "|", std::to_string(host.cloud_id)});
  tag("bk_agent_id", Value::text(host.agent_id));
}

Value GseEvents::keys_of(const GseType& type) {
  std::array<Value, std::tuple_size_v<decltype(type.keys)>> keys;
  std::size_t count = 0;
  for (const std::string_view key : type.keys) {
    const auto is_it = [&](const json::Member& tag) { return tag.name == key.substr(kTagsPrefix.size()); };
    if (!key.empty() && std::ranges::any_of(tags_, is_it)) keys[count++] = Value::text(key);
  }
  return list_of(std::span{keys}.first(count), means_.arena);
}

std::string_view GseEvents::id_of(const GseType& type, const GseEvent& event, const Value& tags) {
  line_.clear();
  json::Writer line{line_};
  line.array().text(event.server).text(event.target).text(event.description).number(std::uint64_t{event.place});
  line.end_array();
  event.raw_id.append_json(line_);
  tags.append_json(line_);
  return text({type.name, ".", to_hex(means_.crypto.md5(as_bytes(line_)))});
}

bool GseEvents::add(const GseType& type, const GseEvent& event) {
  if (made_.size() == kGseEventsMax) return false;
  const Value tags = Value::object(tags_, means_.arena);
  std::array<json::Member, kMembersMax> members;
  std::size_t count = 0;
  const auto put = [&](std::string_view name, const Value& value) { members[count++] = {name, value}; };
  put("alert_name", Value::text(type.name));
  put("event_id", Value::text(id_of(type, event, tags)));
  put("description", Value::text(event.description));
  put("metric", Value::text(type.metric));
  put("category", Value::text(type.category));
  put("target_type", Value::text(event.target_type));
  put("target", Value::text(event.target));
  put("severity", integer(event.severity));
  if (event.bk_biz_id != 0) put("bk_biz_id", integer(event.bk_biz_id));
  if (!tags_.empty()) put("tags", tags);
  if (const Value keys = keys_of(type); !keys.elements().empty()) put("dedupe_keys", keys);
  if (event.time_s) put("time", integer(*event.time_s));
  made_.push_back(Value::object(std::span{members}.first(count), means_.arena));
  tags_.clear();
  return true;
}

Value GseEvents::list() { return list_of(made_, means_.arena); }

}  // namespace tocsin::normalise
