// SPDX-License-Identifier: Apache-2.0
#include "src/json/text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace tocsin::json {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighs = 0x8080808080808080ULL;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The four hex digits at `p`, or -1.
int hex4(const char* p) noexcept {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    int digit = -1;
    if (is_digit(c)) digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high_surrogate(int unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

void put_utf8(std::uint32_t code, Character& out) noexcept {
  const auto byte = [](std::uint32_t v) { return static_cast<char>(v); };
  if (code < 0x80) {
    out.bytes[out.size++] = byte(code);
  } else if (code < 0x800) {
    out.bytes[out.size++] = byte(0xC0U | (code >> 6U));
    out.bytes[out.size++] = byte(0x80U | (code & 63U));
  } else if (code < 0x10000) {
    out.bytes[out.size++] = byte(0xE0U | (code >> 12U));
    out.bytes[out.size++] = byte(0x80U | ((code >> 6U) & 63U));
    out.bytes[out.size++] = byte(0x80U | (code & 63U));
  } else {
    out.bytes[out.size++] = byte(0xF0U | (code >> 18U));
    out.bytes[out.size++] = byte(0x80U | ((code >> 12U) & 63U));
    out.bytes[out.size++] = byte(0x80U | ((code >> 6U) & 63U));
    out.bytes[out.size++] = byte(0x80U | (code & 63U));
  }
}

/// Bytes of `plain` (no escapes) that fit into `room` without cutting a character.
std::size_t fitting(std::string_view plain, std::size_t room) noexcept {
  if (plain.size() <= room) return plain.size();
  while (room > 0 && (static_cast<unsigned char>(plain[room]) & 0xC0U) == 0x80U) --room;
  return room;
}

const char* skip_digits(const char* p, const char* end) noexcept {
  while (p < end && is_digit(*p)) ++p;
  return p;
}

}  // namespace

Character escape_at(std::string_view rest) noexcept {
  Character out;
  if (rest.size() >= 6 && rest[1] == 'u') {
    const int unit = hex4(rest.data() + 2);
    if (is_high_surrogate(unit) && rest.size() >= 12 && rest[6] == '\\' && rest[7] == 'u') {
      const int low = hex4(rest.data() + 8);
      out.source = 12;
      put_utf8(static_cast<std::uint32_t>(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), out);
    } else {
      out.source = 6;
      put_utf8(static_cast<std::uint32_t>(std::max(unit, 0)), out);
    }
    return out;
  }
  out.source = std::min<std::size_t>(2, rest.size());
  out.size = 1;
  out.bytes[0] = rest[out.source - 1];
  constexpr std::string_view kNames = "bfnrt";
  constexpr std::string_view kMeanings = "\b\f\n\r\t";
  if (const std::size_t i = kNames.find(out.bytes[0]); i != std::string_view::npos) out.bytes[0] = kMeanings[i];
  return out;
}

const char* find_quote_or_backslash(const char* from, const char* end) noexcept {
  while (end - from >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, 8);
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t slash = word ^ (kOnes * '\\');
    const std::uint64_t hit = (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash)) & kHighs;
    if (hit != 0) return from + std::countr_zero(hit) / 8;
    from += 8;
  }
  while (from < end && *from != '"' && *from != '\\') ++from;
  return from;
}

const char* find_escaped(const char* from, const char* end) noexcept {
  constexpr std::uint64_t kFirstPlain = kOnes * 0x20;
  while (end - from >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, 8);
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t slash = word ^ (kOnes * '\\');
    const std::uint64_t hit =
        (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) | ((word - kFirstPlain) & ~word)) & kHighs;
    if (hit != 0) return from + std::countr_zero(hit) / 8;
    from += 8;
  }
  while (from < end && static_cast<unsigned char>(*from) >= 0x20 && *from != '"' && *from != '\\') ++from;
  return from;
}

const char* check_escapes(std::string_view inside, std::size_t& at) noexcept {
  for (std::size_t i = inside.find('\\'); i != std::string_view::npos; i = inside.find('\\', i)) {
    at = i;
    if (i + 1 >= inside.size()) return "a string ends inside an escape";
    if (inside[i + 1] != 'u') {
      if (std::string_view{"\"\\/bfnrt"}.find(inside[i + 1]) == std::string_view::npos) return "unknown escape";
      i += 2;
      continue;
    }
    const int unit = i + 6 <= inside.size() ? hex4(inside.data() + i + 2) : -1;
    if (unit < 0) return "a \\u escape needs four hex digits";
    if (unit == 0) return "\\u0000 is not accepted in strings";
    if (is_low_surrogate(unit)) return "a low surrogate without its high one";
    i += 6;
    if (!is_high_surrogate(unit)) continue;
    const bool pair = i + 6 <= inside.size() && inside[i] == '\\' && inside[i + 1] == 'u';
    if (!pair || !is_low_surrogate(hex4(inside.data() + i + 2))) return "a high surrogate without its low one";
    i += 6;
  }
  return nullptr;
}

bool is_number(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p < end && *p == '-') ++p;
  const char* const whole = p;
  p = skip_digits(p, end);
  if (p == whole || (*whole == '0' && p - whole > 1)) return false;
  if (p < end && *p == '.') {
    const char* const fraction = ++p;
    p = skip_digits(p, end);
    if (p == fraction) return false;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    if (++p < end && (*p == '+' || *p == '-')) ++p;
    const char* const exponent = p;
    p = skip_digits(p, end);
    if (p == exponent) return false;
  }
  return p == end;
}

bool is_finite_number(std::string_view text) noexcept {
  const std::size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos && text.size() < 300) return true;
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc::result_out_of_range) return true;
  // Out of range either way: the number of digits before the point, moved by the exponent, says which.
  std::size_t sign = text.front() == '-' ? 1 : 0;
  const std::size_t whole_end = std::min(text.find_first_not_of("0123456789", sign), text.size());
  auto magnitude = static_cast<std::int64_t>(whole_end - sign);
  if (text[sign] == '0') {
    const std::size_t digit = text.find_first_of("123456789", sign);
    magnitude = digit == std::string_view::npos
                    ? 0
                    : static_cast<std::int64_t>(whole_end) - static_cast<std::int64_t>(digit) + 1;
  }
  if (e == std::string_view::npos) return magnitude <= 0;
  const bool shrinks = text[e + 1] == '-';
  const std::string_view digits = text.substr(e + (shrinks || text[e + 1] == '+' ? 2 : 1));
  std::int64_t exponent = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc{}) return shrinks;
  exponent = std::min<std::int64_t>(exponent, 1'000'000'000);
  return magnitude + (shrinks ? -exponent : exponent) <= 0;
}

std::optional<std::int64_t> to_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double to_double(std::string_view text) noexcept {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void append_unescaped(std::string_view inside, std::string& out, std::size_t bytes_max) {
  std::size_t room = bytes_max;
  while (!inside.empty() && room > 0) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    const std::size_t take = fitting(inside.substr(0, plain), room);
    out.append(inside.substr(0, take));
    if (take < plain) return;
    room -= take;
    inside.remove_prefix(plain);
    if (inside.empty()) return;
    const Character next = escape_at(inside);
    if (next.size > room) return;
    out.append(next.bytes, next.size);
    room -= next.size;
    inside.remove_prefix(next.source);
  }
}

bool stands_for(std::string_view inside, std::string_view plain) noexcept {
  if (inside.size() < plain.size()) return false;  // every escape is longer than what it stands for
  for (;;) {
    const std::size_t run = std::min(inside.find('\\'), inside.size());
    if (run > plain.size() || inside.substr(0, run) != plain.substr(0, run)) return false;
    inside.remove_prefix(run);
    plain.remove_prefix(run);
    if (inside.empty()) return plain.empty();
    const Character next = escape_at(inside);
    if (!plain.starts_with(std::string_view{next.bytes, next.size})) return false;
    inside.remove_prefix(next.source);
    plain.remove_prefix(next.size);
  }
}

std::size_t count_characters(std::string_view inside) noexcept {
  std::size_t count = 0;
  while (!inside.empty()) {
    if (inside[0] == '\\') {
      inside.remove_prefix(escape_at(inside).source);
    } else {
      std::size_t next = 1;
      while (next < inside.size() && (static_cast<unsigned char>(inside[next]) & 0xC0U) == 0x80U) ++next;
      inside.remove_prefix(next);
    }
    ++count;
  }
  return count;
}

}  // namespace tocsin::json
