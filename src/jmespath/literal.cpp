// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/literal.hpp"

#include <algorithm>
#include <string>

#include "src/json/text.hpp"

namespace tocsin::jmespath {
namespace {

/// `text` with the backslash removed that stands before each `delimiter`. Any other escape stays as it is.
std::string without_escapes_of(char delimiter, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != delimiter) out += '\\';
      ++i;
    }
    out += text[i];
  }
  return out;
}

std::string_view trimmed_literal(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\n\r\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text.remove_suffix(text.size() - std::min(text.find_last_not_of(kSpace) + 1, text.size()));
  return text;
}

}  // namespace

bool Literals::read(const Token& token, json::Value& out) {
  const bool has_escapes = json::has_escapes(token.text);
  switch (token.type) {
    case Token::Type::quoted_name: {
      std::string quoted;
      quoted.append(1, '"').append(token.text).append(1, '"');
      return read_json(quoted, out) || refuse("not a JSON string");
    }
    case Token::Type::literal: return read_literal(token.text, out);
    case Token::Type::raw_string:
      out = json::Value::text(has_escapes ? json::copy_text(without_escapes_of('\'', token.text), arena_) : token.text);
      return true;
    default: out = json::Value::text(token.text); return true;
  }
}

bool Literals::read_json(std::string_view text, json::Value& out) {
  std::string padded{text};
  padded.append(json::kPaddingBytes, '\0');
  const auto checked = parser_.check({padded.data(), text.size()});
  if (!checked) return false;
  const auto built = json::build(json::copy_text(checked->text, arena_), arena_, *std::pmr::new_delete_resource());
  if (built.ok()) out = *built;
  return built.ok();
}

/// What is no JSON is a string without its quotes, as the language had it before 2014 and libraries still read it.
/// Not so what begins as an array or object, or is a number that is none: that is an error of its writer.
bool Literals::read_literal(std::string_view text, json::Value& out) {
  const std::string plain = without_escapes_of('`', text);
  if (read_json(plain, out)) return true;
  const std::string_view written = trimmed_literal(plain);
  if (!written.empty() && (written.front() == '[' || written.front() == '{')) return refuse("a literal is not JSON");
  if (json::is_number(written)) return refuse("a number too large");
  std::string quoted{"\""};
  quoted.append(plain, std::min(plain.find_first_not_of(" \t\n\r\v\f"), plain.size())).append(1, '"');
  return read_json(quoted, out) || refuse("a literal is not JSON");
}

}  // namespace tocsin::jmespath
