// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard_tags.hpp"

#include "src/ingest/go_type.hpp"
#include "src/ingest/standard.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

using json::Kind;

void write_json_text(std::string_view value, ItemSink& sink) {
  std::string compact;
  json::append_compact(value, compact);
  sink.append("\"");
  json::append_escaped(compact, sink);
  sink.append("\"");
}

void write_tag_value(std::string_view value, ItemSink& sink) {
  if (is(value, Kind::object)) return write_json_text(value, sink);
  if (!is(value, Kind::array)) return sink.append(value);
  sink.append("[");
  json::Cursor at{value};
  bool first = true;
  for (at.enter('['); at.next_element(); first = false) {
    if (!first) sink.append(",");
    const std::string_view one = at.skip();
    if (is(one, Kind::object)) {
      write_json_text(one, sink);
    } else {
      json::append_compact(one, sink);
    }
  }
  sink.append("]");
}

/// A member whose value is written as it came, without its white space.
void write_display(std::string_view name, std::string_view value, ItemSink& sink) {
  if (value.empty()) return;
  sink.append(name);
  json::append_compact(value, sink);
}

const char* read_object(json::Cursor& at, std::vector<Tag>& out) {
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    if (out.size() == kTagsMax) return "has more than 256 members";
    out.push_back({name, at.skip()});
  }
  return nullptr;
}

const char* read_list(json::Cursor& at, std::vector<Tag>& out) {
  std::string_view name;
  for (at.enter('['); at.next_element();) {
    if (out.size() == kTagsMax) return "has more than 256 elements";
    if (at.kind() != Kind::object) return "expected elements of the form {key, value}";
    Tag& tag = out.emplace_back();
    bool has_key = false;
    for (at.enter('{'); at.next_member(name);) {
      const std::string_view member = at.skip();
      if (json::stands_for(name, "value")) tag.value = member;
      if (json::stands_for(name, "display_key")) tag.display_key = member;
      if (json::stands_for(name, "display_value")) tag.display_value = member;
      if (!json::stands_for(name, "key")) continue;
      tag.key = json::inside_of(member);
      has_key = is(member, Kind::string);
    }
    if (!has_key) return "expected a string as key of each element";
  }
  return nullptr;
}

}  // namespace

const char* read_tags(std::string_view value, std::vector<Tag>& out) {
  out.clear();
  json::Cursor at{value};
  if (at.kind() == Kind::object) return read_object(at, out);
  if (at.kind() == Kind::array) return read_list(at, out);
  return "expected an object or a list of {key, value}";
}

void write_tags(std::vector<Tag>& tags, ItemSink& sink) {
  sink.append("[");
  std::size_t kept = 0;
  for (const Tag& tag : tags) {
    if (tag.value.empty() || is(tag.value, Kind::null)) continue;
    sink.append(kept == 0 ? "{\"key\":\"" : ",{\"key\":\"");
    sink.append(tag.key);
    sink.append("\",\"value\":");
    const std::size_t from = sink.written().size();
    write_tag_value(tag.value, sink);
    const std::string_view written = sink.written().substr(from);
    write_display(",\"display_key\":", tag.display_key, sink);
    write_display(",\"display_value\":", tag.display_value, sink);
    sink.append("}");
    tags[kept++] = {tag.key, written};
  }
  tags.resize(kept);
  sink.append("]");
}

}  // namespace tocsin::ingest
