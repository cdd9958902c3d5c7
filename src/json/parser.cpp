// SPDX-License-Identifier: Apache-2.0
#include "src/json/parser.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <new>

#include "src/json/text.hpp"

namespace tocsin::json {
namespace {

namespace od = simdjson::ondemand;
static_assert(simdjson::SIMDJSON_PADDING <= kPaddingBytes);

constexpr std::size_t kSmallBytesMax = 64 * KiB;

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

const char* reason_of(simdjson::error_code code) noexcept {
  switch (code) {
    case simdjson::UTF8_ERROR: return "not UTF-8";
    case simdjson::UNCLOSED_STRING: return "a string is not closed";
    case simdjson::UNESCAPED_CHARS: return "a control character inside a string";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT: return "an array or object is not closed, or something follows it";
    default: return "misplaced or missing bracket, comma, colon or value";
  }
}

/// Walks one document and remembers the first failure. On-Demand's own checks see the structure; strings, numbers
/// and literals are checked here on the text of each token.
class Visit {
 public:
  Visit(std::string_view text, std::span<Pick> picks) : text_(text), picks_(picks) {}

  bool root(od::document& document) {
    const std::string_view body = trimmed(text_);
    checked_.text = body;
    checked_.kind = kind_of(body);
    checked_.values = 1;
    if (body.front() == '[') {
      od::array array;
      if (!ok(document.get_array().get(array))) return false;
      if (!elements(array, 1, checked_.elements)) return false;
    } else if (body.front() == '{') {
      od::object object;
      if (!ok(document.get_object().get(object))) return false;
      if (!members(object, 1)) return false;
    } else {
      // A string here is not cut from what follows it by the index.
      if (body.front() == '"' && behind_string(body.data() + 1) != body.data() + body.size()) {
        return fail("something follows the value");
      }
      return scalar(body);
    }
    const char* where = nullptr;
    if (document.current_location().get(where) == simdjson::OUT_OF_BOUNDS) return true;
    if (where != nullptr) place(where);
    return fail("something follows the value");
  }

  [[nodiscard]] const Checked& checked() const noexcept { return checked_; }
  [[nodiscard]] const ParseError& failure() const noexcept { return failure_; }

 private:
  bool value(od::value& item, std::uint32_t depth, std::uint32_t& children) {
    ++checked_.values;
    const std::string_view token = item.raw_json_token();
    if (!place(token.data())) return false;
    if (token.front() == '[') {
      od::array array;
      return deep_enough(depth) && ok(item.get_array().get(array)) && elements(array, depth + 1, children);
    }
    if (token.front() == '{') {
      od::object object;
      return deep_enough(depth) && ok(item.get_object().get(object)) && members(object, depth + 1);
    }
    return scalar(trimmed(token));
  }

  bool elements(od::array& array, std::uint32_t depth, std::uint32_t& count) {
    for (auto element : array) {
      od::value item;
      std::uint32_t children = 0;
      if (!ok(std::move(element).get(item)) || !value(item, depth, children)) return false;
      ++count;
    }
    return true;
  }

  bool members(od::object& object, std::uint32_t depth) {
    for (auto member : object) {
      od::field field;
      if (!ok(std::move(member).get(field))) return false;
      const char* const name = field.key().raw();
      if (!place(name)) return false;
      const std::string_view inside{name, static_cast<std::size_t>(behind_string(name) - 1 - name)};
      if (!string(inside)) return false;
      std::uint32_t children = 0;
      od::value item = field.value();
      const char* const start = item.raw_json_token().data();
      if (!value(item, depth, children)) return false;
      if (depth == 1 && !picks_.empty() && !pick(inside, item, start, children)) return false;
    }
    return true;
  }

  bool pick(std::string_view name, od::value& item, const char* start, std::uint32_t children) {
    const auto wanted =
        std::find_if(picks_.begin(), picks_.end(), [name](const Pick& one) { return stands_for(name, one.name); });
    if (wanted == picks_.end()) return true;
    place(start);
    if (!wanted->text.empty()) return fail("a member of the request appears twice");
    // A scalar is one token; an array or object ends before the token that On-Demand stands at now.
    const char* end = text_end();
    if (*start != '[' && *start != '{') {
      const std::string_view token = item.raw_json_token();
      end = token.data() + token.size();
    } else if (item.current_location().get(end) != simdjson::SUCCESS) {
      end = text_end();
    }
    wanted->text = trimmed({start, static_cast<std::size_t>(std::min(end, text_end()) - start)});
    wanted->elements = children;
    return true;
  }

  bool scalar(std::string_view token) {
    if (token.empty()) return fail("a value is missing");
    switch (token.front()) {
      case '"': {
        if (token.size() < 2 || token.back() != '"') return fail("a string is not closed");
        return string(token.substr(1, token.size() - 2));
      }
      case 't': return token == "true" || fail("unknown word");
      case 'f': return token == "false" || fail("unknown word");
      case 'n': return token == "null" || fail("unknown word");
      default: break;
    }
    if (token.front() != '-' && (token.front() < '0' || token.front() > '9')) return fail("a value is expected here");
    if (!is_number(token)) return fail("not a number");
    return is_finite_number(token) || fail("a number is too large");
  }

  /// Control characters and UTF-8 were checked when the index was made.
  bool string(std::string_view inside) {
    if (!has_escapes(inside)) return true;
    std::size_t at = 0;
    const char* const reason = check_escapes(inside, at);
    if (reason == nullptr) return true;
    place(inside.data() + at);
    return fail(reason);
  }

  bool deep_enough(std::uint32_t depth) { return depth < kDepthMax || fail("nested deeper than 32 levels"); }

  /// Notes where the walk is. False when On-Demand stands behind the end of the text.
  bool place(const char* where) {
    failure_.offset = static_cast<std::size_t>(std::clamp(where, text_.data(), text_end()) - text_.data());
    return where < text_end() || fail("an array or object is not closed");
  }
  bool ok(simdjson::error_code code) {
    if (code == simdjson::MEMALLOC) throw std::bad_alloc{};
    return code == simdjson::SUCCESS || fail(reason_of(code));
  }
  bool fail(const char* reason) {
    failure_.reason = reason;
    return false;
  }
  /// Behind the closing quote of the string whose inside begins at `p`.
  [[nodiscard]] const char* behind_string(const char* p) const noexcept {
    p = find_quote_or_backslash(p, text_end());
    while (p < text_end() && *p == '\\') {
      p = text_end() - p > 2 ? find_quote_or_backslash(p + 2, text_end()) : text_end();
    }
    return p < text_end() ? p + 1 : p;
  }
  [[nodiscard]] const char* text_end() const noexcept { return text_.data() + text_.size(); }

  std::string_view text_;
  std::span<Pick> picks_;
  Checked checked_;
  ParseError failure_;
};

/// What begins or continues an element outside of strings.
enum class Letter : std::uint8_t { scalar, space, op, quote };

constexpr std::array<Letter, 256> letters() {
  std::array<Letter, 256> table{};
  for (const char c : {' ', '\n', '\r', '\t'}) table[static_cast<unsigned char>(c)] = Letter::space;
  for (const char c : {'[', ']', '{', '}', ',', ':'}) table[static_cast<unsigned char>(c)] = Letter::op;
  table['"'] = Letter::quote;
  return table;
}
constexpr auto kLetters = letters();

tl::unexpected<ParseError> refuse(ParseError::What what, const char* reason, std::size_t offset) {
  return tl::unexpected(ParseError{what, reason, offset});
}

}  // namespace

const char* to_text(Kind kind) noexcept {
  constexpr std::array kTexts{"null", "boolean", "number", "string", "array", "object"};
  return kTexts[static_cast<std::size_t>(kind)];
}

Kind kind_of(std::string_view text) noexcept {
  switch (text.empty() ? 'n' : text.front()) {
    case '"': return Kind::string;
    case '[': return Kind::array;
    case '{': return Kind::object;
    case 't':
    case 'f': return Kind::boolean;
    case 'n': return Kind::null;
    default: return Kind::number;
  }
}

std::size_t count_elements(std::string_view text, std::size_t stop_above) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  std::size_t count = 0;
  bool in_scalar = false;
  while (p < end && count <= stop_above) {
    const Letter letter = kLetters[static_cast<unsigned char>(*p++)];
    if (letter == Letter::quote) {
      p = find_quote_or_backslash(p, end);
      while (p < end && *p == '\\') p = end - p > 2 ? find_quote_or_backslash(p + 2, end) : end;
      if (p < end) ++p;
      ++count;
      in_scalar = false;
    } else {
      count += letter == Letter::op || (letter == Letter::scalar && !in_scalar) ? 1U : 0U;
      in_scalar = letter == Letter::scalar;
    }
  }
  return count;
}

struct Parser::Engine {
  explicit Engine(std::size_t bytes) {
    if (parser.allocate(bytes) != simdjson::SUCCESS) throw std::bad_alloc{};
  }
  od::parser parser;
};

Parser::Parser(ParserLimits limits)
    : limits_(limits), small_(std::make_unique<Engine>(std::min(kSmallBytesMax, limits.bytes_max))) {}
Parser::~Parser() = default;

tl::expected<Checked, ParseError> Parser::check(std::string_view text, std::span<Pick> picks) {
  using What = ParseError::What;
  if (trimmed(text).empty()) return refuse(What::empty, "no JSON value", 0);
  if (text.size() > limits_.bytes_max) return refuse(What::too_long, "longer than the limit", limits_.bytes_max);
  if (text.starts_with("\xEF\xBB\xBF")) return refuse(What::malformed, "starts with a byte order mark", 0);
  std::unique_ptr<Engine> big;
  if (text.size() > kSmallBytesMax) {
    if (count_elements(text, limits_.elements_max) > limits_.elements_max) {
      return refuse(What::too_many, "too many values, names, commas and brackets", 0);
    }
    big = std::make_unique<Engine>(text.size());
  } else if (limits_.elements_max < text.size() && count_elements(text, limits_.elements_max) > limits_.elements_max) {
    return refuse(What::too_many, "too many values, names, commas and brackets", 0);
  }
  for (Pick& one : picks) one = Pick{one.name};
  od::document document;
  const auto failure =
      (big ? *big : *small_).parser.iterate(text.data(), text.size(), text.size() + kPaddingBytes).get(document);
  if (failure == simdjson::MEMALLOC) throw std::bad_alloc{};
  if (failure != simdjson::SUCCESS) return refuse(What::malformed, reason_of(failure), 0);
  Visit visit{text, picks};
  if (!visit.root(document)) return tl::unexpected(visit.failure());
  return visit.checked();
}

}  // namespace tocsin::json
