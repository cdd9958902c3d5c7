// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard_write.hpp"

#include "src/ingest/go_type.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
using json::Kind;

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

}  // namespace tocsin::ingest
