// SPDX-License-Identifier: Apache-2.0
#include "src/json/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace tocsin::json {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kFirstMs = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
constexpr std::int64_t kLastMs = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

struct Date {
  std::int64_t year, month, day;
};

/// Days since 1970-01-01 to the proleptic Gregorian calendar, in eras of 400 years that begin on 1 March.
Date date_of(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

void append_digits(std::int64_t value, int width, char behind, std::string& out) {
  std::array<char, 4> digits{};
  for (int i = width; i-- > 0; value /= 10) digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<std::size_t>(width)).push_back(behind);
}

template <class T>
void append_number(T value, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_time(std::int64_t unix_ms, std::string& out) {
  unix_ms = std::clamp(unix_ms, kFirstMs, kLastMs);
  const std::int64_t days = (unix_ms >= 0 ? unix_ms : unix_ms - (kDayMs - 1)) / kDayMs;
  const std::int64_t ms = unix_ms - days * kDayMs;
  const Date date = date_of(days);
  append_digits(date.year, 4, '-', out);
  append_digits(date.month, 2, '-', out);
  append_digits(date.day, 2, 'T', out);
  append_digits(ms / 3'600'000, 2, ':', out);
  append_digits(ms / 60'000 % 60, 2, ':', out);
  append_digits(ms / 1'000 % 60, 2, '.', out);
  append_digits(ms % 1'000, 3, 'Z', out);
}

void append_quoted(std::string_view plain, std::string& out) {
  out.push_back('"');
  append_escaped(plain, out);
  out.push_back('"');
}

Writer& Writer::open(char bracket) {
  before_value();
  out_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

Writer& Writer::name(std::string_view plain) {
  before_value();
  append_quoted(plain, out_);
  out_.push_back(':');
  needs_comma_ = false;
  return *this;
}

Writer& Writer::text(std::string_view plain) {
  before_value();
  append_quoted(plain, out_);
  return *this;
}

Writer& Writer::number(std::int64_t value) {
  before_value();
  append_number(value, out_);
  return *this;
}

Writer& Writer::number(std::uint64_t value) {
  before_value();
  append_number(value, out_);
  return *this;
}

Writer& Writer::real(double value) {
  if (!std::isfinite(value)) return null();
  before_value();
  append_number(value, out_);
  return *this;
}

Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }
Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json) {
  before_value();
  out_.append(json);
  return *this;
}

Writer& Writer::time(std::int64_t unix_ms) {
  before_value();
  out_.push_back('"');
  append_time(unix_ms, out_);
  out_.push_back('"');
  return *this;
}

}  // namespace tocsin::json
