// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP/1.1 as RFC 9112 writes it: what a server takes beyond this another one may read in another way. Tolerated is
/// what nobody can read on as more of the same request: before a request, empty lines; at the end of the head, a line
/// feed or a nameless colon in the place of CR, or a line feed and a nameless colon in the place of the first CR LF
/// (the library cuts all of these into the same four NULs); between chunks, lines that end in a line feed alone, behind
/// which this reader takes nothing more.
namespace tocsin::fuzz {

struct StrictRequest {
  std::string_view method;
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string body;

  [[nodiscard]] std::string_view path() const { return target.substr(0, target.find('?')); }
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// The first of that name, without the white space around it; empty: absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// The first member of that name, decoded; nullopt: absent.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
};

inline bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

inline std::size_t StrictRequest::count(std::string_view name) const {
  std::size_t out = 0;
  for (const auto& header : headers) out += same_letters(header.first, name) ? 1U : 0U;
  return out;
}

inline std::string_view StrictRequest::header(std::string_view name) const {
  for (const auto& header : headers)
    if (same_letters(header.first, name)) return header.second;
  return {};
}

inline std::optional<std::string> StrictRequest::query(std::string_view name) const {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view member = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), member.size() + 1));
    const std::size_t equals = member.find('=');
    if (member.substr(0, equals) != name) continue;
    const std::string_view raw = equals == std::string_view::npos ? std::string_view{} : member.substr(equals + 1);
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const bool is_escape =
          raw[i] == '%' && i + 2 < raw.size() && hex_digit(raw[i + 1]) >= 0 && hex_digit(raw[i + 2]) >= 0;
      out += is_escape ? static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2])) : raw[i];
      if (is_escape) i += 2;
    }
    return out;
  }
  return std::nullopt;
}

/// Takes requests off the front of what one connection sent.
class StrictReader {
 public:
  explicit StrictReader(std::string_view stream) : rest_(stream) {}

  /// nullopt: no whole request that may be taken; nothing behind it may be taken either.
  std::optional<StrictRequest> next() {
    while (rest_.starts_with("\r\n") || rest_.starts_with('\n')) rest_.remove_prefix(rest_.find('\n') + 1);
    StrictRequest out;
    if (!head(out)) return std::nullopt;
    const std::size_t lengths = out.count("content-length");
    const std::size_t codings = out.count("transfer-encoding");
    if (out.count("host") != 1 || lengths + codings > 1) return std::nullopt;
    if (codings != 0) {
      if (!is_11_ || !same_letters(out.header("transfer-encoding"), "chunked")) return std::nullopt;
      is_loose_ = true;
      const bool is_whole = chunks(out);
      rest_ = {};
      if (!is_whole) return std::nullopt;
    } else if (lengths != 0) {
      const auto length = number(out.header("content-length"), 10);
      if (!length || *length > rest_.size()) return std::nullopt;
      out.body = rest_.substr(0, static_cast<std::size_t>(*length));
      rest_.remove_prefix(static_cast<std::size_t>(*length));
    }
    return out;
  }

 private:
  /// Up to CR LF; neither may stand alone.
  std::optional<std::string_view> line() {
    if (is_loose_) return loose_line();
    const bool is_empty = rest_.starts_with(":\n") || rest_.starts_with("\n\n");
    const std::size_t end = is_empty ? 0 : rest_.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view out = rest_.substr(0, end);
    if (out.ends_with("\n:"))  // the empty line is next
      out.remove_suffix(2);
    rest_.remove_prefix(out.size() + 2);
    if (out.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
    return out;
  }
  std::optional<std::string_view> loose_line() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (out.ends_with('\r')) out.remove_suffix(1);
    return out;
  }
  static std::optional<std::uint64_t> number(std::string_view text, unsigned base) {
    if (text.empty() || text.size() > 15) return std::nullopt;
    std::uint64_t out = 0;
    for (const char c : text) {
      const int digit = hex_digit(c);
      if (digit < 0 || static_cast<unsigned>(digit) >= base) return std::nullopt;
      out = out * base + static_cast<unsigned>(digit);
    }
    return out;
  }
  static bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
  }
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  }
  bool head(StrictRequest& out) {
    const auto first = line();
    if (!first) return false;
    const std::size_t one = first->find(' ');
    const std::size_t two = first->rfind(' ');
    if (one == std::string_view::npos || one == two) return false;
    out.method = first->substr(0, one);
    out.target = first->substr(one + 1, two - one - 1);
    const std::string_view version = first->substr(two + 1);
    is_11_ = version != "HTTP/1.0";
    if (version.size() != 8 || !version.starts_with("HTTP/1.") || version[7] < '0' || version[7] > '9') return false;
    if (!is_token(out.method) || out.target.find(' ') != std::string_view::npos) return false;
    return fields(&out);
  }
  bool fields(StrictRequest* out) {
    for (;;) {
      const auto field = line();
      if (!field) return false;
      if (field->empty() || (is_loose_ && field->front() == ':')) return true;
      if (is_loose_) continue;  // trailers say nothing here
      const std::size_t colon = field->find(':');
      if (colon == std::string_view::npos || !is_token(field->substr(0, colon))) return false;
      if (out != nullptr) out->headers.emplace_back(field->substr(0, colon), trimmed(field->substr(colon + 1)));
    }
  }
  bool chunks(StrictRequest& out) {
    for (;;) {
      const auto head = line();
      if (!head) return false;
      const auto size = number(head->substr(0, head->find(';')), 16);
      if (!size) return false;
      if (*size == 0) return fields(nullptr);
      if (*size > rest_.size()) return false;
      out.body += rest_.substr(0, static_cast<std::size_t>(*size));
      rest_.remove_prefix(static_cast<std::size_t>(*size));
      if (!line().value_or("?").empty()) return false;
    }
  }

  std::string_view rest_;
  bool is_11_ = true;
  bool is_loose_ = false;
};

}  // namespace tocsin::fuzz
