// SPDX-License-Identifier: Apache-2.0
// The parser against the cursor: what the parser accepts the cursor walks to its end and counts the same, and every
// piece of it is itself accepted. On anything else the cursor stays inside of the text and comes to an end.
#include "src/json/cursor.hpp"

#include <cmath>
#include <string>

#include "src/json/document.hpp"
#include "src/json/parser.hpp"
#include "src/json/text.hpp"
#include "src/json/value.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin {
namespace {

using fuzz::require;
using json::Kind;

bool accepts(json::Parser& parser, std::string_view text) {
  const json::Padded padded{text, '"'};
  return parser.check(padded.text()).has_value();
}

void check_string(json::Parser& parser, std::string_view inside) {
  std::string plain;
  json::append_unescaped(inside, plain);
  require(plain.size() <= inside.size(), "unescaped text is never longer");
  require(json::stands_for(inside, plain), "a string stands for its own characters");
  std::string again = "\"";
  json::append_escaped(plain, again);
  again += '"';
  require(accepts(parser, again), "what is escaped again is a string");
  require(json::stands_for(json::inside_of(again), plain), "escaping and unescaping meet");
  require(json::count_characters(inside) == json::count_characters(json::inside_of(again)), "characters are counted");
}

/// Walks one value; returns the number of values in it.
std::uint32_t walk(json::Parser& parser, json::Cursor& at) {
  const Kind kind = at.kind();
  std::uint32_t values = 1;
  std::string_view name;
  if (kind == Kind::array) {
    at.enter('[');
    while (at.next_element()) values += walk(parser, at);
  } else if (kind == Kind::object) {
    at.enter('{');
    while (at.next_member(name)) {
      check_string(parser, name);
      values += walk(parser, at);
    }
  } else {
    const std::string_view scalar = at.skip();
    if (kind == Kind::string) check_string(parser, json::inside_of(scalar));
    if (kind == Kind::number) {
      require(json::is_number(scalar), "a number is a number");
      require(std::isfinite(json::to_double(scalar)), "a number is finite");
    }
  }
  return values;
}

void check_accepted(json::Parser& parser, const json::Checked& checked) {
  json::Cursor at{checked.text};
  require(walk(parser, at) == checked.values, "parser and cursor count the same values");
  require(!at.failed() && at.rest().empty(), "the cursor comes to the end");
  json::Cursor over{checked.text};
  require(over.skip() == checked.text && !over.failed(), "a value is skipped whole");
  if (checked.kind == Kind::array) {
    json::Cursor elements{checked.text};
    std::uint32_t count = 0;
    for (elements.enter('['); elements.next_element(); ++count) {
      require(accepts(parser, elements.skip()), "an element is a text of its own");
    }
    require(count == checked.elements, "parser and cursor count the same elements");
  }
  std::string compact;
  json::append_compact(checked.text, compact);
  require(accepts(parser, compact), "what is made compact is accepted");
  std::string twice;
  json::append_compact(compact, twice);
  require(compact == twice, "compact is compact");
}

std::string written(const json::Value& value) {
  std::string out;
  value.append_json(out);
  return out;
}

/// The tree that is made while a text is checked is the one that is made of a checked text.
void check_trees(json::Parser& parser, const json::Padded& padded,
                 const tl::expected<json::Checked, json::ParseError>& checked) {
  std::pmr::monotonic_buffer_resource arena;
  const auto read = parser.read(padded.text(), arena, arena);
  require(read.has_value() == checked.has_value(), "a text is read when it is accepted");
  if (!checked) return;
  const auto built = json::build(checked->text, arena);
  require(built.ok() && written(*built) == written(*read), "both ways to a tree make the same");
}

/// Every call the readers make, on a text that nobody has checked.
void stumble(std::string_view text) {
  json::Cursor members{text};
  std::string_view name;
  for (members.enter('{'); members.next_member(name);) static_cast<void>(members.skip());
  json::Cursor elements{text};
  for (elements.enter('['); elements.next_element();) static_cast<void>(elements.skip());
  json::Cursor over{text};
  static_cast<void>(over.skip());
}

void run(std::string_view text) {
  json::Parser parser;
  const json::Padded padded{text};
  const auto checked = parser.check(padded.text());
  require(checked.has_value() == accepts(parser, text), "what follows the text does not count");
  check_trees(parser, padded, checked);
  if (checked) {
    check_accepted(parser, *checked);
  } else {
    require(checked.error().offset <= text.size() && *checked.error().reason != '\0', "a refusal says where and why");
    stumble(padded.text());
  }
  if (const auto document = json::Document::parse(parser, text)) {
    require(checked.has_value(), "what makes a document is accepted");
  }
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run(tocsin::fuzz::text_of(data, size));
  return 0;
}
