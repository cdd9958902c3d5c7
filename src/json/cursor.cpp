// SPDX-License-Identifier: Apache-2.0
#include "src/json/cursor.hpp"

#include "src/json/text.hpp"

namespace tocsin::json {

void Cursor::enter(char open) noexcept {
  if (p_ == end_ || *p_ != open) return fail();
  ++p_;
  space();
  first_ = true;
}

bool Cursor::next(char close) noexcept {
  if (p_ == end_) {
    fail();
    return false;
  }
  const bool first = first_;
  first_ = false;
  if (*p_ == close) {
    ++p_;
    space();
    return false;
  }
  if (first) return true;
  if (*p_ != ',') {
    fail();
    return false;
  }
  ++p_;
  space();
  return p_ < end_;
}

bool Cursor::next_member(std::string_view& name) noexcept {
  if (!next('}')) return false;
  if (*p_ != '"') {
    fail();
    return false;
  }
  const char* const behind = behind_string();
  name = {p_ + 1, static_cast<std::size_t>(behind - p_) - (behind - p_ > 1 ? 2U : 1U)};
  p_ = behind;
  space();
  if (p_ == end_ || *p_ != ':') {
    fail();
    return false;
  }
  ++p_;
  space();
  return p_ < end_;
}

const char* Cursor::behind_string() const noexcept {
  const char* p = find_quote_or_backslash(p_ + 1, end_);
  while (p < end_ && *p == '\\') p = end_ - p > 2 ? find_quote_or_backslash(p + 2, end_) : end_;
  return p < end_ ? p + 1 : end_;
}

std::string_view Cursor::skip() noexcept {
  first_ = false;
  const char* const start = p_;
  const char* last = p_;
  std::size_t depth = 0;
  while (p_ < end_) {
    const char c = *p_;
    if (c == '"') {
      p_ = behind_string();
    } else if (c == '[' || c == '{') {
      ++depth;
      ++p_;
      continue;
    } else if (c == ']' || c == '}') {
      if (depth == 0) break;
      --depth;
      ++p_;
    } else if (c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      if (depth == 0) break;
      ++p_;
      continue;
    } else {
      while (p_ < end_ && *p_ != ',' && *p_ != ']' && *p_ != '}' && *p_ != ' ' && *p_ != '\n' && *p_ != '\r' &&
             *p_ != '\t') {
        ++p_;
      }
    }
    last = p_;
    if (depth == 0) break;
  }
  if (last == start || depth != 0) fail();
  space();
  return {start, static_cast<std::size_t>(last - start)};
}

}  // namespace tocsin::json
