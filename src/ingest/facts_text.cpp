// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/facts_text.hpp"

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"
#include "src/model/facts.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::size_t kScratchBytes = 8 * 1024;
static_assert(4 * model::kNameBytesMax + 2 * model::kTargetBytesMax + model::kDescriptionBytesMax +
                  2 * model::kDimensionsBytesMax + 64 <
              kScratchBytes);

/// Keeps the first bytes it is given.
struct Bounded {
  std::string& out;
  std::size_t room;
  bool full = false;
  void append(const char* from, std::size_t size) {
    full = full || size > room;
    const std::size_t take = size < room ? size : room;
    out.append(from, take);
    room -= take;
  }
  void append(std::string_view text) { append(text.data(), text.size()); }
};

/// Takes back what a cut character left at the end.
void trim_cut(std::string& text, std::size_t from, bool was_cut) {
  if (!was_cut) return;
  std::size_t end = text.size();
  while (end > from && (static_cast<unsigned char>(text[end - 1]) & 0xC0U) == 0x80U) --end;
  if (end > from && static_cast<unsigned char>(text[end - 1]) >= 0xC0U) --end;
  const auto lead = end < text.size() ? static_cast<unsigned char>(text[end]) : 0U;
  const std::size_t whole = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : lead >= 0xC0U ? 2 : 1;
  if (end < text.size() && text.size() - end < whole) text.resize(end);
}

void append_tag_value(std::string_view value, Bounded& sink) {
  sink.append("\"");
  if (json::kind_of(value) == json::Kind::string) {
    sink.append(json::inside_of(value));
  } else if (json::kind_of(value) == json::Kind::array || json::kind_of(value) == json::Kind::object) {
    json::append_escaped(value, sink);
  } else {
    sink.append(value);
  }
  sink.append("\"");
}

}  // namespace

FactsText::FactsText(std::string& scratch) : scratch_(scratch) {
  scratch_.clear();
  scratch_.reserve(kScratchBytes);
}

std::string_view FactsText::of_string(std::string_view inside, std::size_t bytes_max) {
  if (!json::has_escapes(inside)) return model::cut_utf8(inside, bytes_max);
  const std::size_t from = scratch_.size();
  json::append_unescaped(inside, scratch_, bytes_max);
  return std::string_view{scratch_}.substr(from);
}

std::string_view FactsText::of_value(std::string_view json, std::size_t bytes_max) {
  if (json::kind_of(json) == json::Kind::string) return of_string(json::inside_of(json), bytes_max);
  return model::cut_utf8(json, bytes_max);
}

std::string_view FactsText::of_list(std::string_view json, std::size_t bytes_max) {
  if (json::kind_of(json) != json::Kind::array) return of_value(json, bytes_max);
  const std::size_t from = scratch_.size();
  Bounded sink{scratch_, bytes_max};
  json::Cursor at{json};
  at.enter('[');
  while (!sink.full && at.next_element()) {
    if (scratch_.size() > from) sink.append(",");
    const std::string_view value = at.skip();
    if (json::kind_of(value) == json::Kind::string) {
      const std::size_t before = scratch_.size();
      json::append_unescaped(json::inside_of(value), scratch_, sink.room);
      sink.room -= scratch_.size() - before;
      sink.full = sink.room < 4;  // the next character may have been left out
    } else {
      sink.append(value);
    }
  }
  trim_cut(scratch_, from, sink.full);
  return std::string_view{scratch_}.substr(from);
}

std::string_view FactsText::of_tags(std::span<const Tag> tags, std::size_t bytes_max) {
  const std::size_t from = scratch_.size();
  Bounded sink{scratch_, bytes_max};
  sink.append("{");
  bool first = true;
  for (const Tag& tag : tags) {
    if (sink.full) break;
    sink.append(first ? "\"" : ",\"");
    sink.append(tag.key);
    sink.append("\":");
    append_tag_value(tag.value, sink);
    first = false;
  }
  sink.append("}");
  if (!sink.full) return std::string_view{scratch_}.substr(from);
  scratch_.resize(from);
  return "{}";
}

}  // namespace tocsin::ingest
