// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/lexer.hpp"

#include <algorithm>
#include <limits>

namespace tocsin::jmespath {
namespace {

using Type = Token::Type;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool starts_name(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

struct Sign {
  char first;
  char second;  ///< 0: a sign of one character
  Type type;
};
/// Of two signs that begin alike the longer stands first.
constexpr Sign kSigns[] = {
    {'.', 0, Type::dot},
    {'*', 0, Type::star},
    {',', 0, Type::comma},
    {':', 0, Type::colon},
    {'@', 0, Type::current},
    {'(', 0, Type::open_round},
    {')', 0, Type::close_round},
    {'{', 0, Type::open_brace},
    {'}', 0, Type::close_brace},
    {'[', ']', Type::flatten},
    {'[', '?', Type::filter},
    {'[', 0, Type::open_square},
    {']', 0, Type::close_square},
    {'|', '|', Type::any},
    {'|', 0, Type::pipe},
    {'&', '&', Type::all},
    {'&', 0, Type::reference},
    {'!', '=', Type::differ},
    {'!', 0, Type::negate},
    {'=', '=', Type::equal},
    {'<', '=', Type::less_or_equal},
    {'<', 0, Type::less},
    {'>', '=', Type::greater_or_equal},
    {'>', 0, Type::greater},
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  [[nodiscard]] bool next(Token& token) {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    token = Token{};
    token.offset = static_cast<std::uint16_t>(at_);
    if (at_ == text_.size()) return true;
    const char c = text_[at_];
    if (starts_name(c)) return name(token);
    if (is_digit(c) || c == '-') return number(token);
    if (c == '"') return delimited(token, Type::quoted_name, "a quoted name is not closed");
    if (c == '\'') return delimited(token, Type::raw_string, "a raw string is not closed");
    if (c == '`') return delimited(token, Type::literal, "a literal is not closed");
    return sign(token);
  }

  [[nodiscard]] const CompileError& failure() const noexcept { return failure_; }

 private:
  static bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  bool fail(const char* reason) noexcept {
    failure_ = {CompileError::What::syntax, reason, at_};
    return false;
  }

  bool name(Token& token) noexcept {
    const std::size_t from = at_;
    while (at_ < text_.size() && (starts_name(text_[at_]) || is_digit(text_[at_]))) ++at_;
    token.type = Type::name;
    token.text = text_.substr(from, at_ - from);
    return true;
  }

  bool number(Token& token) noexcept {
    const bool below_zero = text_[at_] == '-';
    if (below_zero && (at_ + 1 == text_.size() || !is_digit(text_[at_ + 1]))) return fail("'-' without a digit");
    if (below_zero) ++at_;
    std::int64_t value = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      value = std::min<std::int64_t>(value * 10 + (text_[at_] - '0'), std::numeric_limits<std::int32_t>::max());
    }
    token.type = Type::number;
    token.number = static_cast<std::int32_t>(below_zero ? -value : value);
    return true;
  }

  /// Up to the delimiter that stands at `at_` now; a backslash takes the next character with it.
  bool delimited(Token& token, Type type, const char* not_closed) noexcept {
    const char delimiter = text_[at_];
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != delimiter) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return fail(not_closed);
    token.type = type;
    token.text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }

  bool sign(Token& token) noexcept {
    const char second = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    for (const Sign& sign : kSigns) {
      if (sign.first != text_[at_] || (sign.second != 0 && sign.second != second)) continue;
      token.type = sign.type;
      at_ += sign.second != 0 ? 2 : 1;
      return true;
    }
    return fail(text_[at_] == '=' ? "'=' alone compares nothing: write '=='" : "a character that means nothing here");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  CompileError failure_;
};

}  // namespace

tl::expected<std::vector<Token>, CompileError> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  Lexer lexer{text};
  do {
    tokens.emplace_back();
    if (!lexer.next(tokens.back())) return tl::unexpected(lexer.failure());
  } while (tokens.back().type != Type::end);
  return tokens;
}

}  // namespace tocsin::jmespath
