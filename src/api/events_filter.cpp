// SPDX-License-Identifier: Apache-2.0
#include "src/api/events_filter.hpp"

#include <algorithm>

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::api {
namespace {

bool is_string_of(std::string_view quoted, std::string_view plain) noexcept {
  return json::kind_of(quoted) == json::Kind::string && json::stands_for(json::inside_of(quoted), plain);
}

/// {"name": "value", …}
bool object_has(std::string_view object, std::string_view name, std::string_view value) noexcept {
  json::Cursor at(object);
  std::string_view member;
  for (at.enter('{'); at.next_member(member);) {
    const std::string_view found = at.skip();
    if (json::stands_for(member, name) && is_string_of(found, value)) return true;
  }
  return false;
}

/// [{"key": "name", "value": "value"}, …]
bool tags_have(std::string_view list, std::string_view name, std::string_view value) noexcept {
  json::Cursor at(list);
  for (at.enter('['); at.next_element();) {
    const std::string_view tag = at.skip();
    if (json::kind_of(tag) == json::Kind::object && object_has(tag, "key", name) && object_has(tag, "value", value))
      return true;
  }
  return false;
}

}  // namespace

bool has_dimension(std::string_view item, std::string_view name, std::string_view value) noexcept {
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

/// All of a segment were received by the same clocks.
Wall EventsFilter::begin_of(const model::SegmentHeader& header) const noexcept {
  const bool is_trusted = (header.flags & model::kSegmentTrusted) != 0;
  if (!clocks) return {header.wall_ms, is_trusted};
  return clocks->date(header.boot, is_trusted, header.wall_ms, header.mono_ms);
}

bool EventsFilter::may_hold(const model::SegmentReader& segment) const noexcept {
  if (data_id && !segment.may_hold(*data_id)) return false;
  const Wall begin = begin_of(segment.header());
  if (since_ms && begin.unix_ms + std::int64_t{segment.header().time_span_ms} < *since_ms) return false;
  return !until_ms || begin.unix_ms < *until_ms;
}

bool EventsFilter::is_before(const model::SegmentReader& segment) const noexcept {
  if (!since_ms) return false;
  const Wall begin = begin_of(segment.header());
  return begin.trusted && begin.unix_ms + std::int64_t{segment.header().time_span_ms} < *since_ms - kClockSetBackMs;
}

std::optional<bool> EventsFilter::is_behind(const model::SegmentReader& segment) const noexcept {
  const Wall begin = begin_of(segment.header());
  if (!until_ms || !begin.trusted) return std::nullopt;
  return begin.unix_ms >= *until_ms + kClockSetBackMs;
}

Wall EventsFilter::received(const model::SegmentHeader& header, const model::Record& record) const noexcept {
  const bool is_trusted = (header.flags & model::kSegmentTrusted) != 0;
  if (!clocks) return {record.wall_ms, is_trusted};
  return clocks->date(header.boot, is_trusted, record.wall_ms, record.mono_ms);
}

bool EventsFilter::matches(const model::SegmentHeader& header, const model::Record& record) const noexcept {
  if (data_id && record.data_id != *data_id) return false;
  if (since_ms || until_ms) {
    const std::int64_t at = received(header, record).unix_ms;
    if ((since_ms && at < *since_ms) || (until_ms && at >= *until_ms)) return false;
  }
  if (!text.is_in(record.json)) return false;
  return std::ranges::all_of(dimensions, [&](const Dimension& one) {
    return one.value_somewhere.is_in(record.json) && has_dimension(record.json, one.name, one.value);
  });
}

}  // namespace tocsin::api
