// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard_write.hpp"

#include "src/ingest/go_type.hpp"
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

void write_tag(std::string_view quoted_key, std::string_view value, std::string_view display_key,
               std::string_view display_value, bool& first, ItemSink& sink) {
  if (value.empty() || is(value, Kind::null)) return;
  sink.append(first ? "{\"key\":" : ",{\"key\":");
  first = false;
  sink.append(quoted_key);
  sink.append(",\"value\":");
  write_tag_value(value, sink);
  if (!display_key.empty()) {
    sink.append(",\"display_key\":");
    json::append_compact(display_key, sink);
  }
  if (!display_value.empty()) {
    sink.append(",\"display_value\":");
    json::append_compact(display_value, sink);
  }
  sink.append("}");
}

}  // namespace

std::string upper_of(std::string_view text) {
  std::string out;
  json::append_unescaped(json::inside_of(text), out);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

void write_lower(std::string_view text, ItemSink& sink) {
  std::string plain;
  json::append_unescaped(json::inside_of(text), plain);
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  sink.append("\"");
  json::append_escaped(plain, sink);
  sink.append("\"");
}

void write_target_type(std::string_view text, ItemSink& sink) {
  const std::string upper = upper_of(text);
  if (upper != "HOST" && upper != "SERVICE" && upper != "TOPO") return sink.append(text);
  sink.append("\"");
  sink.append(upper);
  sink.append("\"");
}

void write_as_text(std::string_view value, ItemSink& sink) {
  if (is(value, Kind::string)) return sink.append(value);
  sink.append("\"");
  sink.append(value);
  sink.append("\"");
}

void write_as_list(std::string_view value, ItemSink& sink) {
  if (is(value, Kind::array)) return json::append_compact(value, sink);
  sink.append("[");
  if (value != "\"\"") sink.append(value);
  sink.append("]");
}

void write_tags(std::string_view value, ItemSink& sink) {
  sink.append("[");
  bool first = true;
  json::Cursor at{value};
  std::string_view name;
  if (is(value, Kind::object)) {
    for (at.enter('{'); at.next_member(name);) {
      // The name with its quotes: it is followed in the text by nothing that this touches.
      write_tag({name.data() - 1, name.size() + 2}, at.skip(), {}, {}, first, sink);
    }
  } else {
    for (at.enter('['); at.next_element();) {
      json::Cursor tag{at.skip()};
      std::string_view key, one, display_key, display_value;
      for (tag.enter('{'); tag.next_member(name);) {
        const std::string_view member = tag.skip();
        if (json::stands_for(name, "key")) key = member;
        if (json::stands_for(name, "value")) one = member;
        if (json::stands_for(name, "display_key")) display_key = member;
        if (json::stands_for(name, "display_value")) display_value = member;
      }
      write_tag(key, one, display_key, display_value, first, sink);
    }
  }
  sink.append("]");
}

}  // namespace tocsin::ingest
