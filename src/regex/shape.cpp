// SPDX-License-Identifier: Apache-2.0
#include "src/regex/shape.hpp"

namespace tocsin::regex {
namespace {

constexpr std::string_view kOperators = R"(\.+*?()|[]{}^$)";

bool is_punctuation(char c) noexcept {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool take_front(std::string_view& text, std::string_view part) noexcept {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}

}  // namespace

Plain plain_of(std::string_view pattern) {
  const bool from_start = take_front(pattern, "^") || take_front(pattern, R"(\A)");
  bool to_end = false;
  Plain out;
  while (!pattern.empty()) {
    if (pattern == "$" || pattern == R"(\z)") {
      to_end = true;
      break;
    }
    if (pattern.front() == '\\' && pattern.size() > 1 && is_punctuation(pattern[1])) {
      pattern.remove_prefix(1);
    } else if (kOperators.find(pattern.front()) != std::string_view::npos) {
      return {};
    }
    out.literal.push_back(pattern.front());
    pattern.remove_prefix(1);
  }
  out.shape = from_start ? (to_end ? Shape::exact : Shape::prefix) : (to_end ? Shape::suffix : Shape::contains);
  return out;
}

bool find_plain(Shape shape, std::string_view literal, std::string_view subject, std::size_t& at) noexcept {
  at = 0;
  switch (shape) {
    case Shape::exact: return subject == literal;
    case Shape::prefix: return subject.starts_with(literal);
    case Shape::suffix:
      if (!subject.ends_with(literal)) return false;
      at = subject.size() - literal.size();
      return true;
    case Shape::contains: at = subject.find(literal); return at != std::string_view::npos;
    case Shape::expression: break;
  }
  return false;
}

}  // namespace tocsin::regex
