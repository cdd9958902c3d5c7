// SPDX-License-Identifier: Apache-2.0
#include "src/formats/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace tocsin::formats {
namespace {

using Kind = YamlScalar::Kind;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsOrBar = "0123456789_";

YamlScalar literal(std::string json) { return {Kind::literal, std::move(json), ""}; }
YamlScalar wrong(const char* reason) { return {Kind::wrong, {}, reason}; }
YamlScalar text() { return {}; }

bool all_of(std::string_view text, std::string_view set) noexcept {
  return text.find_first_not_of(set) == std::string_view::npos;
}

/// Takes the characters of `set` from the front.
std::string_view take(std::string_view& text, std::string_view set) noexcept {
  const std::string_view front = text.substr(0, text.find_first_not_of(set));
  text.remove_prefix(front.size());
  return front;
}

bool take_sign(std::string_view& text) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

std::string without_bars(std::string_view text) {
  std::string out{text};
  out.erase(std::remove(out.begin(), out.end(), '_'), out.end());
  return out;
}

/// What a double is in JSON, as a number with a fraction or an exponent.
YamlScalar real(double value) {
  if (!std::isfinite(value)) return wrong("JSON has no such number");
  std::array<char, 32> out{};
  const char* const end = std::to_chars(out.data(), out.data() + out.size(), value).ptr;
  std::string json{out.data(), static_cast<std::size_t>(end - out.data())};
  if (json.find_first_of(".e") == std::string::npos) json += ".0";
  return literal(std::move(json));
}

YamlScalar whole(bool negative, std::uint64_t magnitude) {
  return literal((negative && magnitude != 0 ? "-" : "") + std::to_string(magnitude));
}

/// Digits of `base`, perhaps none. Beyond 64 bits: text.
YamlScalar whole_of(bool negative, const std::string& digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  if (digits.empty()) return whole(false, 0);
  const auto read = std::from_chars(digits.data(), end, value, base);
  return read.ec == std::errc{} && read.ptr == end ? whole(negative, value) : text();
}

/// ":" and up to two digits below 60, once or more, up to the end or `stop`.
bool is_sexagesimal(std::string_view text, char stop) noexcept {
  std::size_t groups = 0;
  while (text.starts_with(':')) {
    text.remove_prefix(1);
    const std::string_view digits = take(text, kDigits);
    if (digits.empty() || digits.size() > 2 || (digits.size() == 2 && digits[0] > '5')) return false;
    ++groups;
  }
  return groups > 0 && (text.empty() ? stop == '\0' : text.front() == stop);
}

YamlScalar sexagesimal(bool negative, std::string_view value) {
  std::uint64_t total = 0;
  while (!value.empty()) {
    const std::string part = without_bars(value.substr(0, value.find(':')));
    value.remove_prefix(
        std::min(value.size(), value.find(':') == std::string_view::npos ? value.size() : value.find(':') + 1));
    std::uint64_t digit = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), digit);
    if (read.ec != std::errc{} || total > (UINT64_MAX - digit) / 60) return text();
    total = total * 60 + digit;
  }
  return whole(negative, total);
}

YamlScalar sexagesimal_real(bool negative, std::string_view value) {
  // The order of Python's sum, so that the last digit is the same.
  double total = 0;
  double base = 1;
  while (!value.empty()) {
    const std::size_t colon = value.rfind(':');
    const std::string part = without_bars(colon == std::string_view::npos ? value : value.substr(colon + 1));
    total += std::strtod(part.c_str(), nullptr) * base;
    base *= 60;
    value = colon == std::string_view::npos ? std::string_view{} : value.substr(0, colon);
  }
  return real(negative ? -total : total);
}

YamlScalar decimal(bool negative, std::string_view value) {
  std::string digits = without_bars(value);
  if (!std::isfinite(std::strtod(digits.c_str(), nullptr))) return wrong("JSON has no such number");
  return literal(negative && digits != "0" ? '-' + digits : digits);
}

std::optional<YamlScalar> integer(std::string_view value) {
  const bool negative = take_sign(value);
  if (value.empty()) return std::nullopt;
  if (value == "0") return whole(false, 0);
  if (value.starts_with("0b") && value.size() > 2 && all_of(value.substr(2), "01_")) {
    const std::string digits = without_bars(value.substr(2));
    return digits.empty() ? text() : whole_of(negative, digits, 2);
  }
  if (value.starts_with("0x") && value.size() > 2 && all_of(value.substr(2), "0123456789abcdefABCDEF_")) {
    const std::string digits = without_bars(value.substr(2));
    return digits.empty() ? text() : whole_of(negative, digits, 16);
  }
  if (value.front() == '0' && all_of(value, "01234567_")) return whole_of(negative, without_bars(value.substr(1)), 8);
  if (value.front() < '1' || value.front() > '9') return std::nullopt;
  std::string_view rest = value;
  take(rest, kDigitsOrBar);
  if (rest.empty()) return decimal(negative, value);
  if (is_sexagesimal(rest, '\0')) return sexagesimal(negative, value);
  return std::nullopt;
}

bool is_exponent(std::string_view text) noexcept {
  return text.empty() || (text.size() > 2 && (text[0] == 'e' || text[0] == 'E') && (text[1] == '+' || text[1] == '-') &&
                          all_of(text.substr(2), kDigits));
}

YamlScalar real_of(bool negative, std::string_view value) {
  const double magnitude = std::strtod(without_bars(value).c_str(), nullptr);
  return real(negative ? -magnitude : magnitude);
}

std::optional<YamlScalar> floating(std::string_view value) {
  const bool sign = value.starts_with('-') || value.starts_with('+');
  const bool negative = take_sign(value);
  if (value == ".inf" || value == ".Inf" || value == ".INF") return wrong("JSON has no infinity");
  if (!sign && (value == ".nan" || value == ".NaN" || value == ".NAN")) return wrong("JSON has no such number as .nan");
  std::string_view rest = value;
  const std::string_view before = take(rest, kDigitsOrBar);
  if (before.empty()) {  // .5, never with a sign
    if (sign || rest.size() < 2 || rest[0] != '.' || kDigits.find(rest[1]) == std::string_view::npos)
      return std::nullopt;
    rest.remove_prefix(1);
    take(rest, kDigitsOrBar);
    if (!is_exponent(rest)) return std::nullopt;
    return real_of(false, value);
  }
  if (before.front() == '_') return std::nullopt;
  if (is_sexagesimal(rest, '.')) {
    const std::string_view fraction = rest.substr(rest.find('.') + 1);
    if (!all_of(fraction, kDigitsOrBar)) return std::nullopt;
    return sexagesimal_real(negative, value);
  }
  if (!rest.starts_with('.')) return std::nullopt;
  rest.remove_prefix(1);
  take(rest, kDigitsOrBar);
  if (!is_exponent(rest)) return std::nullopt;
  return real_of(negative, value);
}

/// "true", "false" or nothing.
const char* boolean(std::string_view value) noexcept {
  constexpr std::array<std::array<std::string_view, 3>, 3> kTrue{
      {{"yes", "Yes", "YES"}, {"true", "True", "TRUE"}, {"on", "On", "ON"}}};
  constexpr std::array<std::array<std::string_view, 3>, 3> kFalse{
      {{"no", "No", "NO"}, {"false", "False", "FALSE"}, {"off", "Off", "OFF"}}};
  for (std::size_t i = 0; i < 9; ++i) {
    if (value == kTrue[i / 3][i % 3]) return "true";
    if (value == kFalse[i / 3][i % 3]) return "false";
  }
  return nullptr;
}

YamlScalar tagged_real(std::string_view value) {
  if (auto known = floating(value)) return *std::move(known);
  std::string_view rest = value;
  const bool negative = take_sign(rest);
  std::string_view groups = rest;
  if (!take(groups, kDigits).empty() && is_sexagesimal(groups, '\0')) return sexagesimal_real(negative, rest);
  const std::string plain = without_bars(rest);
  char* end = nullptr;
  const double magnitude = std::strtod(plain.c_str(), &end);
  const bool number = !plain.empty() && all_of(plain, "0123456789.eE+-") && plain.find_first_of("+-") != 0;
  if (!number || end != plain.c_str() + plain.size()) return wrong("not a number, as its tag says");
  return real(negative ? -magnitude : magnitude);
}

}  // namespace

YamlScalar resolve_plain(std::string_view value) {
  if (value.empty() || value == "~" || value == "null" || value == "Null" || value == "NULL") return literal("null");
  if (value == "<<") return {Kind::merge, {}, ""};
  // Nothing else begins with another character: most texts end here.
  constexpr std::string_view kFirst = "+-.0123456789yYnNtTfFoO";
  if (kFirst.find(value.front()) == std::string_view::npos) return text();
  if (const char* word = boolean(value)) return literal(word);
  if (auto known = floating(value)) return *std::move(known);
  if (auto known = integer(value)) return *std::move(known);
  return text();
}

YamlScalar resolve_tagged(std::string_view tag, std::string_view value) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  if (!tag.starts_with(kCore)) return wrong("a tag that is not known");
  tag.remove_prefix(kCore.size());
  if (tag == "str" || tag == "timestamp") return text();
  if (tag == "null") return literal("null");
  if (tag == "bool") {
    std::string lower{value};
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const char* word = boolean(lower);
    return word != nullptr ? literal(word) : wrong("neither true nor false, as its tag says");
  }
  if (tag == "int") {
    auto known = integer(value);
    return known ? *std::move(known) : wrong("not an integer, as its tag says");
  }
  if (tag == "float") return tagged_real(value);
  if (tag == "seq" || tag == "map") return wrong("not a list or mapping, as its tag says");
  return wrong("a tag that JSON has no value for");
}

}  // namespace tocsin::formats
