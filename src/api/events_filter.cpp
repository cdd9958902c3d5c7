// SPDX-License-Identifier: Apache-2.0
#include "src/api/events_filter.hpp"

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::api {
namespace {

bool is_string_of(std::string_view quoted, std::string_view plain) {
  return json::kind_of(quoted) == json::Kind::string && json::stands_for(json::inside_of(quoted), plain);
}

/// {"name": "value", …}
bool object_has(std::string_view object, std::string_view name, std::string_view value) {
  json::Cursor at(object);
  std::string_view member;
  for (at.enter('{'); at.next_member(member);) {
    const std::string_view found = at.skip();
    if (json::stands_for(member, name) && is_string_of(found, value)) return true;
  }
  return false;
}

/// [{"key": "name", "value": "value"}, …]
bool tags_have(std::string_view list, std::string_view name, std::string_view value) {
  json::Cursor at(list);
  for (at.enter('['); at.next_element();) {
    const std::string_view tag = at.skip();
    if (json::kind_of(tag) == json::Kind::object && object_has(tag, "key", name) && object_has(tag, "value", value))
      return true;
  }
  return false;
}

}  // namespace

bool has_dimension(std::string_view item, std::string_view name, std::string_view value) {
  if (json::kind_of(item) != json::Kind::object) return false;
  json::Cursor at(item);
  std::string_view member;
  for (at.enter('{'); at.next_member(member);) {
    const std::string_view found = at.skip();
    const json::Kind kind = json::kind_of(found);
    if (member == "dimension" && kind == json::Kind::object && object_has(found, name, value)) return true;
    if (member == "tags" && kind == json::Kind::array && tags_have(found, name, value)) return true;
  }
  return false;
}

bool EventsFilter::may_hold(const model::SegmentReader& segment) const noexcept {
  if (data_id && !segment.may_hold(*data_id)) return false;
  const model::SegmentHeader& header = segment.header();
  if ((header.flags & model::kSegmentTrusted) == 0) return true;  // its records may be dated anew
  if (since_ms && header.wall_ms + std::int64_t{header.time_span_ms} < *since_ms) return false;
  return !until_ms || header.wall_ms < *until_ms;
}

Wall EventsFilter::received(const model::SegmentHeader& header, const model::Record& record) const noexcept {
  const bool is_trusted = (header.flags & model::kSegmentTrusted) != 0;
  if (!clocks) return {record.wall_ms, is_trusted};
  return clocks->date(header.boot, is_trusted, record.wall_ms, record.mono_ms);
}

bool EventsFilter::matches(const model::SegmentHeader& header, const model::Record& record) const {
  if (data_id && record.data_id != *data_id) return false;
  if (since_ms || until_ms) {
    const std::int64_t at = received(header, record).unix_ms;
    if ((since_ms && at < *since_ms) || (until_ms && at >= *until_ms)) return false;
  }
  if (!text.empty() && record.json.find(text) == std::string_view::npos) return false;
  return dimension_name.empty() || has_dimension(record.json, dimension_name, dimension_value);
}

}  // namespace tocsin::api
