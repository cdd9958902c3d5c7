// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

/// The letters of JSON: strings between quotes and numbers. No allocation of its own, no locale.
namespace tocsin::json {

/// `inside` is what lies between the quotes of a string that the parser accepted.
[[nodiscard]] inline bool has_escapes(std::string_view inside) noexcept {
  return !inside.empty() && std::memchr(inside.data(), '\\', inside.size()) != nullptr;
}

/// The first `"` or `\` at or after `from`, or `end`.
[[nodiscard]] const char* find_quote_or_backslash(const char* from, const char* end) noexcept;

/// The first byte at or after `from` that cannot stand between quotes as it is, or `end`.
[[nodiscard]] const char* find_escaped(const char* from, const char* end) noexcept;

/// Null when every escape of `inside` is one of RFC 8259, surrogates come in pairs and none is U+0000; else the
/// reason. `at` then is the offset of the escape.
[[nodiscard]] const char* check_escapes(std::string_view inside, std::size_t& at) noexcept;

/// True for the grammar of RFC 8259, section 6, and nothing else.
[[nodiscard]] bool is_number(std::string_view text) noexcept;
/// For text that is_number(): whether it has a finite double (too small becomes zero and is finite).
[[nodiscard]] bool is_finite_number(std::string_view text) noexcept;
/// For text that is_number(): its value when it is written as an integer (no fraction, no exponent) and fits.
[[nodiscard]] std::optional<std::int64_t> to_integer(std::string_view text) noexcept;
/// For text that is_number(): the nearest double. Precondition: is_finite_number().
[[nodiscard]] double to_double(std::string_view text) noexcept;

/// Appends the characters that `inside` stands for, at most `bytes_max` of them, cut at a character border.
/// Precondition: check_escapes() accepted it.
void append_unescaped(std::string_view inside, std::string& out, std::size_t bytes_max = SIZE_MAX);
/// Whether `inside` stands for exactly `plain`.
[[nodiscard]] bool stands_for(std::string_view inside, std::string_view plain) noexcept;

/// One character of a text: its bytes, and how many bytes of the source stand for it.
struct Character {
  char bytes[4] = {};
  std::size_t size = 0;
  std::size_t source = 0;
};
/// What the escape at the start of `rest` stands for. Memory safe on any text: an escape that is none yields its own
/// bytes. Precondition: `rest` begins with a backslash.
[[nodiscard]] Character escape_at(std::string_view rest) noexcept;

/// Characters (code points) that `inside` stands for.
[[nodiscard]] std::size_t count_characters(std::string_view inside) noexcept;

/// Appends `plain` as it stands between quotes: `"`, `\` and control characters escaped, all else verbatim.
/// `plain` is valid UTF-8. Out: anything with append(const char*, size_t).
template <class Out>
void append_escaped(std::string_view plain, Out& out) {
  constexpr char kHex[] = "0123456789abcdef";
  const char* from = plain.data();
  const char* const end = from + plain.size();
  for (;;) {
    const char* const at = find_escaped(from, end);
    out.append(from, static_cast<std::size_t>(at - from));
    if (at == end) return;
    const auto c = static_cast<unsigned char>(*at);
    from = at + 1;
    const char* const shorts = "btn\0fr";  // 0x08 … 0x0D; 0x0B has no short form
    const char shortform =
        c == '"' || c == '\\' ? static_cast<char>(c) : (c >= 0x08 && c <= 0x0D ? shorts[c - 8] : '\0');
    if (shortform != '\0') {
      const char pair[2] = {'\\', shortform};
      out.append(pair, 2);
    } else {
      const char unicode[6] = {'\\', 'u', '0', '0', kHex[c >> 4U], kHex[c & 15U]};
      out.append(unicode, 6);
    }
  }
}

/// Appends `text`, one JSON value that the parser accepted, without insignificant white space.
template <class Out>
void append_compact(std::string_view text, Out& out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* from = p;
  while (p < end) {
    if (*p == '"') {
      p = find_quote_or_backslash(p + 1, end);
      while (p < end && *p == '\\') p = end - p > 2 ? find_quote_or_backslash(p + 2, end) : end;
      if (p < end) ++p;
    } else if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
      out.append(from, static_cast<std::size_t>(p - from));
      from = ++p;
    } else {
      ++p;
    }
  }
  out.append(from, static_cast<std::size_t>(end - from));
}

}  // namespace tocsin::json
