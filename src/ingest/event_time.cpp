// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/event_time.hpp"

#include <algorithm>

namespace tocsin::ingest {
namespace {

constexpr std::int64_t kLastMs = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

/// Takes `count` digits from the front of `text`; -1 when they are not there.
int take(std::string_view& text, std::size_t count) noexcept {
  if (text.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_letter(std::string_view& text, char letter) noexcept {
  if (text.empty() || text.front() != letter) return false;
  text.remove_prefix(1);
  return true;
}

bool is_leap(int year) noexcept { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in(int year, int month) noexcept {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

std::int64_t days_since_epoch(int year, int month, int day) noexcept {
  const std::int64_t before = year - 1;
  std::int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719'162;
  for (int m = 1; m < month; ++m) days += days_in(year, m);
  return days + day - 1;
}

/// Offset in minutes from "Z" or "+hh:mm" or "+hhmm"; takes all of `text`. `fallback` when `text` is empty.
std::optional<int> take_zone(std::string_view text, int fallback) noexcept {
  if (text.empty()) return fallback;
  if (text == "Z" || text == "z") return 0;
  const int sign = text.front() == '-' ? -1 : 1;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const int hours = take(text, 2);
  static_cast<void>(take_letter(text, ':'));
  const int minutes = take(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::optional<std::int64_t> parse_time_text(std::string_view text, int offset_minutes) noexcept {
  const int year = take(text, 4);
  if (!take_letter(text, '-')) return std::nullopt;
  const int month = take(text, 2);
  if (!take_letter(text, '-')) return std::nullopt;
  const int day = take(text, 2);
  if (!take_letter(text, 'T') && !take_letter(text, 't') && !take_letter(text, ' ')) return std::nullopt;
  const int hour = take(text, 2);
  if (!take_letter(text, ':')) return std::nullopt;
  const int minute = take(text, 2);
  if (!take_letter(text, ':')) return std::nullopt;
  const int second = take(text, 2);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  int ms = 0;
  if (take_letter(text, '.')) {
    int scale = 100;
    int digit = take(text, 1);
    if (digit < 0) return std::nullopt;
    for (; digit >= 0; digit = take(text, 1), scale /= 10) ms += digit * scale;
  }
  const auto zone = take_zone(text, offset_minutes);
  if (!zone) return std::nullopt;
  const std::int64_t minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute - *zone;
  const std::int64_t out = (minutes * 60 + std::min(second, 59)) * 1000 + ms;
  if (out < 0 || out > kLastMs) return std::nullopt;
  return out;
}

std::optional<std::int64_t> time_of_number(double value) noexcept {
  constexpr double kFirstMilliseconds = 100'000'000'000.0;
  if (value < 0) return std::nullopt;
  const double ms = value >= kFirstMilliseconds ? value : value * 1000.0;
  if (ms > static_cast<double>(kLastMs)) return std::nullopt;
  return static_cast<std::int64_t>(ms);
}

}  // namespace tocsin::ingest
