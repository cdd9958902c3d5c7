// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::regex {

/// What a pattern comes to: most are plain text, perhaps tied to an end, and need no machine.
enum class Shape : std::uint8_t { expression, contains, prefix, suffix, exact };

struct Plain {
  Shape shape = Shape::expression;
  std::string literal;  ///< empty for an expression
};

/// A pattern of ordinary characters and escaped punctuation, with `^` or `\A` before and `$` or `\z` behind it or not.
/// Everything else is an expression, right or wrong.
[[nodiscard]] Plain plain_of(std::string_view pattern);

/// Whether `subject` has `literal` where the shape wants it; `at` is then its place. Precondition: not an expression.
[[nodiscard]] bool find_plain(Shape shape, std::string_view literal, std::string_view subject,
                              std::size_t& at) noexcept;

}  // namespace tocsin::regex
