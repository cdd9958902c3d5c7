// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/stored_form.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "src/ingest/push.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::ptrdiff_t kTimestampDigitsMax = 15;  // below 2^53: also exact as the double of the long way

/// Reads forward as long as the text is the plain case; every function is false when it is not.
class Match {
 public:
  explicit Match(std::string_view text) noexcept : p_(text.data()), end_(p_ + text.size()) {}
  [[nodiscard]] const char* at() const noexcept { return p_; }

  template <std::size_t N>
  [[nodiscard]] bool literal(const char (&letters)[N]) noexcept {
    constexpr std::size_t kSize = N - 1;
    if (static_cast<std::size_t>(end_ - p_) < kSize || std::memcmp(p_, letters, kSize) != 0) return false;
    p_ += kSize;
    return true;
  }
  [[nodiscard]] bool letter(char wanted) noexcept {
    if (p_ == end_ || *p_ != wanted) return false;
    ++p_;
    return true;
  }
  /// What lies between quotes, without escapes.
  [[nodiscard]] bool string(std::string_view& inside) noexcept {
    if (!letter('"')) return false;
    const char* const from = p_;
    p_ = json::find_quote_or_backslash(from, end_);
    inside = {from, static_cast<std::size_t>(p_ - from)};
    return letter('"');
  }
  /// A string or what can only be a number or a word.
  [[nodiscard]] bool scalar() noexcept {
    std::string_view inside;
    if (p_ < end_ && *p_ == '"') return string(inside);
    const char* const from = p_;
    while (p_ < end_ && is_of_scalar(*p_)) ++p_;
    return p_ != from;
  }
  [[nodiscard]] bool timestamp(std::int64_t max) noexcept {
    const char* const from = p_;
    std::int64_t value = 0;
    for (; p_ < end_ && *p_ >= '0' && *p_ <= '9'; ++p_) {
      if (p_ - from == kTimestampDigitsMax) return false;
      value = value * 10 + (*p_ - '0');
    }
    return p_ != from && *from != '0' && value <= max;
  }

 private:
  static bool is_of_scalar(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
  }
  const char* p_;
  const char* end_;
};

/// Behind the opening brace. An object without "content" is refused in words elsewhere.
bool match_event(Match& at) noexcept {
  bool has_content = false;
  do {
    std::string_view name;
    if (!at.string(name) || !at.letter(':') || !at.scalar()) return false;
    has_content = has_content || name == "content";
  } while (at.letter(','));
  return has_content && at.letter('}');
}

/// Behind the opening brace. No name comes twice.
bool match_dimension(Match& at) noexcept {
  if (at.letter('}')) return true;
  std::array<std::string_view, kStoredFormDimensionsMax> names;
  std::size_t count = 0;
  do {
    std::string_view name;
    std::string_view value;
    if (count == names.size() || !at.string(name) || !at.letter(':') || !at.string(value)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (names[i] == name) return false;
    }
    names[count++] = name;
  } while (at.letter(','));
  return at.letter('}');
}

}  // namespace

std::size_t stored_form_size(std::string_view text, std::int64_t timestamp_max) noexcept {
  Match at{text};
  std::string_view name;
  std::string_view target;
  // That many bytes are never more characters.
  if (!at.literal("{\"event_name\":") || !at.string(name) || name.empty() || name.size() > kEventNameCharactersMax ||
      !at.literal(",\"target\":") || !at.string(target) || target.empty()) {
    return 0;
  }
  if (!at.literal(",\"event\":{") || !match_event(at) || !at.literal(",\"dimension\":{") || !match_dimension(at))
    return 0;
  if (!at.literal(",\"timestamp\":") || !at.timestamp(timestamp_max) || !at.letter('}')) return 0;
  return static_cast<std::size_t>(at.at() - text.data());
}

}  // namespace tocsin::ingest
