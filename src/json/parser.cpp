// SPDX-License-Identifier: Apache-2.0
#include "src/json/parser.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <new>

#include "src/json/text.hpp"
#include "src/json/tree.hpp"

namespace tocsin::json {
namespace {

static_assert(simdjson::SIMDJSON_PADDING <= kPaddingBytes);

constexpr std::size_t kSmallBytesMax = 64 * KiB;

constexpr const char* kMisplaced = "misplaced or missing bracket, comma, colon or value";

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
    default: return kMisplaced;
  }
}

/// Walks the index that simdjson made of a text: an entry for each bracket, brace, comma and colon, and for the first
/// byte of each string, number and word. Nothing but white space lies between the end of one and the next entry.
/// UTF-8, control characters in strings and closed strings were checked when the index was made; all else is here.
/// Listener: NoTree or TreeMaker, which hears what was checked.
template <class Listener>
class Walk {
 public:
  /// `index` has one entry more than there are tokens: the size of the text.
  Walk(std::string_view text, std::span<const std::uint32_t> index, std::span<Pick> picks, Listener& listener)
      : text_(text),
        at_(index.data()),
        end_(at_ + index.size() - 1),
        picks_(picks),
        listener_(listener),
        escapes_(has_escapes(text)) {}

  bool root() {
    checked_.text = trimmed(text_);
    checked_.kind = kind_of(checked_.text);
    const char first = checked_.text.front();
    if ((first == '[' || first == '{') && text_[end_[-1]] != closing(first)) {
      return fail("an array or object is not closed, or something follows it");
    }
    if (!value()) return false;
    while (depth_ > 0) {
      if (depth_ == 1 && wanted_ != nullptr) finish_pick();
      if (!behind_value()) return false;
    }
    if (at_ != end_) return fail_here("something follows the value");
    checked_.elements = checked_.kind == Kind::array ? levels_[0].elements : 0;
    return true;
  }

  [[nodiscard]] const Checked& checked() const noexcept { return checked_; }
  [[nodiscard]] const ParseError& failure() const noexcept { return failure_; }

 private:
  struct Level {
    char close = 0;
    std::uint32_t elements = 0;
  };

  static char closing(char open) noexcept { return open == '[' ? ']' : '}'; }
  /// Of the token that comes next; behind the last one a letter that is nothing.
  [[nodiscard]] char letter() const noexcept { return at_ < end_ ? text_[*at_] : '\0'; }
  /// The token that comes next up to the one behind it. Precondition: there is one.
  [[nodiscard]] std::string_view token() const noexcept {
    std::string_view out{text_.data() + at_[0], at_[1] - at_[0]};
    while (is_space(out.back())) out.remove_suffix(1);
    return out;
  }

  /// Reads a scalar or an empty array or object, or goes into one as far as the first scalar or empty one in it.
  bool value() {
    for (;;) {
      ++checked_.values;
      const char first = letter();
      if (first == '"') {
        if (!string()) return false;
        listener_.string(inside_, inside_has_escapes_);
        return next();
      }
      if (first != '[' && first != '{') return scalar() && next();
      if (depth_ == kDepthMax) return fail_here("nested deeper than 32 levels");
      Level& level = levels_[depth_];
      level = {closing(first), 0};
      listener_.begin();
      next();
      if (letter() == level.close) {
        listener_.end(level.close);
        return next();
      }
      ++depth_;
      level.elements = 1;
      if (first == '{' && !name()) return false;
    }
  }

  /// Behind a value in an array or object: its end, or a comma and what follows as far as the next value's end.
  bool behind_value() {
    Level& level = levels_[depth_ - 1];
    const char found = letter();
    if (found == level.close) {
      --depth_;
      listener_.end(found);
      return next();
    }
    if (found != ',') return fail_here(kMisplaced);
    next();
    ++level.elements;
    return (level.close == ']' || name()) && value();
  }

  bool name() {
    if (letter() != '"') return fail_here(kMisplaced);
    if (!string()) return false;
    listener_.name(inside_, inside_has_escapes_);
    next();
    if (letter() != ':') return fail_here(kMisplaced);
    next();
    return depth_ != 1 || picks_.empty() || begin_pick(inside_);
  }

  bool begin_pick(std::string_view name) {
    const auto found =
        std::find_if(picks_.begin(), picks_.end(), [name](const Pick& one) { return stands_for(name, one.name); });
    if (found == picks_.end()) return true;
    if (!found->text.empty()) return fail_here("a member of the request appears twice");
    wanted_ = &*found;
    wanted_from_ = *at_;
    return true;
  }

  /// Behind the value of the wanted member. If that is an array its level was the second one.
  void finish_pick() {
    wanted_->text = trimmed(text_.substr(wanted_from_, *at_ - wanted_from_));
    wanted_->elements = wanted_->text.front() == '[' ? levels_[1].elements : 0;
    wanted_ = nullptr;
  }

  bool scalar() {
    if (at_ == end_) return fail_here("a value is missing");
    const std::string_view word = token();
    switch (word.front()) {
      case 't': return is_word(word, "true");
      case 'f': return is_word(word, "false");
      case 'n': return is_word(word, "null");
      default: break;
    }
    if (!is_plain_integer(word)) {
      if (word.front() != '-' && (word.front() < '0' || word.front() > '9'))
        return fail_here("a value is expected here");
      if (!is_number(word)) return fail_here("not a number");
      if (!is_finite_number(word)) return fail_here("a number is too large");
    }
    listener_.number(word);
    return true;
  }
  bool is_word(std::string_view word, std::string_view wanted) {
    if (word != wanted) return fail_here("unknown word");
    listener_.word(word.front());
    return true;
  }

  /// Most numbers: digits alone, too few to be anything but finite.
  static bool is_plain_integer(std::string_view word) noexcept {
    if (word.size() > 18 || (word.front() == '0' && word.size() > 1)) return false;
    return std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  /// Notes what is between the quotes.
  bool string() {
    const std::string_view quoted = token();
    if (quoted.size() < 2 || quoted.back() != '"') return fail_here("a string is not closed");
    inside_ = quoted.substr(1, quoted.size() - 2);
    inside_has_escapes_ = escapes_ && has_escapes(inside_);
    if (!inside_has_escapes_) return true;
    std::size_t at = 0;
    const char* const reason = check_escapes(inside_, at);
    if (reason == nullptr) return true;
    failure_.offset = *at_ + 1 + at;
    failure_.has_place = true;
    return fail(reason);
  }

  bool next() noexcept {
    ++at_;
    return true;
  }
  bool fail_here(const char* reason) noexcept {
    failure_.offset = std::min<std::size_t>(*std::min(at_, end_), text_.size());
    failure_.has_place = true;
    return fail(reason);
  }
  bool fail(const char* reason) noexcept {
    failure_.reason = reason;
    return false;
  }

  std::string_view text_;
  const std::uint32_t* at_;
  const std::uint32_t* end_;
  std::span<Pick> picks_;
  Listener& listener_;
  bool escapes_;  ///< somewhere in the text
  bool inside_has_escapes_ = false;
  std::string_view inside_;  ///< of the last string
  std::uint32_t depth_ = 0;
  std::array<Level, kDepthMax> levels_{};
  Pick* wanted_ = nullptr;
  std::size_t wanted_from_ = 0;
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
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(bytes, kDepthMax, index) !=
        simdjson::SUCCESS) {
      throw std::bad_alloc{};
    }
  }
  std::unique_ptr<simdjson::internal::dom_parser_implementation> index;
};

Parser::Parser(ParserLimits limits)
    : limits_(limits), small_(std::make_unique<Engine>(std::min(kSmallBytesMax, limits.bytes_max))) {}
Parser::~Parser() = default;

template <class Listener>
tl::expected<Checked, ParseError> Parser::walk(std::string_view text, std::span<Pick> picks, Listener& listener) {
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
  auto& index = *(big ? *big : *small_).index;
  const auto failure =
      index.stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), simdjson::stage1_mode::regular);
  if (failure == simdjson::MEMALLOC) throw std::bad_alloc{};
  if (failure != simdjson::SUCCESS) return refuse(What::malformed, reason_of(failure), 0);
  const std::size_t tokens = index.n_structural_indexes;
  index.structural_indexes[tokens] = static_cast<std::uint32_t>(text.size());  // there is room for it
  Walk<Listener> walk{text, {index.structural_indexes.get(), tokens + 1}, picks, listener};
  if (!walk.root()) return tl::unexpected(walk.failure());
  return walk.checked();
}

tl::expected<Checked, ParseError> Parser::check(std::string_view text, std::span<Pick> picks) {
  NoTree nobody;
  return walk(text, picks, nobody);
}

tl::expected<Value, ParseError> Parser::read(std::string_view text, std::pmr::memory_resource& arena,
                                             std::pmr::memory_resource& scratch) {
  TreeMaker tree{arena, scratch};
  if (auto checked = walk(text, {}, tree); !checked) return tl::unexpected(checked.error());
  return tree.root();
}

}  // namespace tocsin::json
