// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "src/json/parser.hpp"

namespace tocsin::json {

/// Reads forward over text that Parser::check() accepted, without an index and without memory.
/// On any other text it stays inside the text, stops somewhere and may set failed(); it then checks little.
/// The order of calls is the order of the text:
///   enter('['), then while (next_element()) read or skip one value;
///   enter('{'), then while (next_member(name)) read or skip one value.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : p_(text.data()), end_(p_ + text.size()) { space(); }

  /// Of the value that comes next.
  [[nodiscard]] Kind kind() const noexcept { return kind_of(rest()); }
  /// Moves behind the opening bracket of an array ('[') or object ('{').
  void enter(char open) noexcept;
  /// True: a value comes next. False: the array has ended and the cursor is behind it.
  [[nodiscard]] bool next_element() noexcept { return next(']'); }
  /// True: `name` is what lies between the quotes of the next name, escapes included, and its value comes next.
  [[nodiscard]] bool next_member(std::string_view& name) noexcept;
  /// Moves behind the value that comes next and returns it as written.
  std::string_view skip() noexcept;

  /// The text from the cursor on.
  [[nodiscard]] std::string_view rest() const noexcept { return {p_, static_cast<std::size_t>(end_ - p_)}; }
  /// Moves behind the value that comes next. Precondition: it is the first `size` bytes of rest().
  void pass(std::size_t size) noexcept {
    first_ = false;
    p_ += size;
    space();
  }

  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  [[nodiscard]] bool next(char close) noexcept;
  [[nodiscard]] const char* behind_string() const noexcept;  ///< p_ is at the opening quote
  void space() noexcept {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  void fail() noexcept {
    failed_ = true;
    p_ = end_;
  }

  const char* p_;
  const char* end_;
  bool first_ = false;  ///< directly behind an opening bracket
  bool failed_ = false;
};

/// What lies between the quotes of a string value; empty for any other kind.
[[nodiscard]] inline std::string_view inside_of(std::string_view string_value) noexcept {
  if (string_value.size() < 2 || string_value.front() != '"') return {};
  return string_value.substr(1, string_value.size() - 2);
}

}  // namespace tocsin::json
