// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/time_form.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "src/json/text.hpp"

namespace tocsin::normalise {
namespace {

constexpr double kLastSecond = 253'402'300'799.0;  // 9999-12-31T23:59:59Z
constexpr int kZoneMinutesMax = 14 * 60;
constexpr std::size_t kTimeTextBytesMax = 64;

constexpr std::array<std::pair<std::string_view, TimeForm>, 18> kTimeForms{{
    {"default", TimeForm::automatic},
    {"timestamp", TimeForm::automatic},
    {"epoch_minute", TimeForm::epoch_minute},
    {"epoch_second", TimeForm::epoch_second},
    {"epoch_millis", TimeForm::epoch_millis},
    {"epoch_millisecond", TimeForm::epoch_millis},
    {"epoch_micros", TimeForm::epoch_micros},
    {"epoch_microsecond", TimeForm::epoch_micros},
    {"epoch_nanos", TimeForm::epoch_nanos},
    {"epoch_nanosecond", TimeForm::epoch_nanos},
    {"rfc822", TimeForm::rfc822},
    {"rfc1123", TimeForm::rfc822},
    {"rfc2822", TimeForm::rfc822},
    {"rfc3339", TimeForm::calendar},
    {"rfc3339_nano", TimeForm::calendar},
    {"iso8601", TimeForm::calendar},
    {"date", TimeForm::calendar},
    {"datetime", TimeForm::calendar},
}};

std::string_view without_space(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Takes digits from the front, at least `least` and at most `most`; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t least, std::size_t most) noexcept {
  int value = 0;
  std::size_t count = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count++] - '0');
  }
  if (count < least) return -1;
  text.remove_prefix(count);
  return value;
}

bool take_one(std::string_view& text, std::string_view of) noexcept {
  if (text.empty() || of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes all of `text`: nothing, a name of UTC, or an offset such as +08:00, +0800, +8.
std::optional<int> zone_text(std::string_view text, int fallback) noexcept {
  text = without_space(text);
  if (text.empty()) return fallback;
  if (text == "Z" || text == "z" || text == "UTC" || text == "GMT" || text == "UT") return 0;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!take_one(text, "+-")) return std::nullopt;
  const int hours = take_digits(text, 1, 2);
  (void)take_one(text, ":");
  const int minutes = text.empty() ? 0 : take_digits(text, 2, 2);
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

struct Clock {
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// "hh:mm[:ss[.fraction]]" from the front.
bool take_clock(std::string_view& text, Clock& out) noexcept {
  out.hour = take_digits(text, 1, 2);
  if (out.hour < 0 || out.hour > 23 || !take_one(text, ":")) return false;
  out.minute = take_digits(text, 2, 2);
  if (out.minute < 0 || out.minute > 59) return false;
  if (!take_one(text, ":")) return true;
  out.second = take_digits(text, 2, 2);
  if (out.second < 0 || out.second > 60) return false;
  if (!take_one(text, ".,")) return true;
  if (take_digits(text, 1, 9) < 0) return false;
  while (take_digits(text, 1, 9) >= 0) continue;
  return true;
}

std::optional<std::int64_t> seconds_at(int year, int month, int day, const Clock& clock, int offset_minutes) noexcept {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (year < 1970 || year > 9999 || month < 1 || day < 1 || !date.ok()) return std::nullopt;
  const std::int64_t days = sys_days{date}.time_since_epoch().count();
  const int second = clock.second == 60 ? 59 : clock.second;
  const std::int64_t out =
      days * 86'400 + clock.hour * 3'600 + clock.minute * 60 + second - std::int64_t{offset_minutes} * 60;
  return out > 0 && out <= static_cast<std::int64_t>(kLastSecond) ? std::optional{out} : std::nullopt;
}

std::optional<std::int64_t> calendar_text(std::string_view text, int offset_minutes) noexcept {
  const int year = take_digits(text, 4, 4);
  const std::string_view rest = text;
  if (year < 0 || !take_one(text, "-./")) return std::nullopt;
  const std::string_view separator = rest.substr(0, 1);
  const int month = take_digits(text, 1, 2);
  if (!take_one(text, separator)) return std::nullopt;
  const int day = take_digits(text, 1, 2);
  Clock clock;
  if (!text.empty()) {
    if (!take_one(text, "Tt ") || !take_clock(text, clock)) return std::nullopt;
  }
  const auto zone = zone_text(text, offset_minutes);
  if (!zone || month < 0 || day < 0) return std::nullopt;
  return seconds_at(year, month, day, clock, *zone);
}

int take_month(std::string_view& text) noexcept {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (!text.starts_with(kMonths[i])) continue;
    text.remove_prefix(3);
    return static_cast<int>(i) + 1;
  }
  return -1;
}

std::optional<std::int64_t> mail_text(std::string_view text, int offset_minutes) noexcept {
  if (const auto comma = text.find(','); comma != std::string_view::npos) {
    text = without_space(text.substr(comma + 1));  // the weekday says nothing
  }
  const int day = take_digits(text, 1, 2);
  if (day < 0 || !take_one(text, " -")) return std::nullopt;
  const int month = take_month(text);
  if (month < 0 || !take_one(text, " -")) return std::nullopt;
  const std::size_t before = text.size();
  int year = take_digits(text, 2, 4);
  if (year < 0 || before - text.size() == 3) return std::nullopt;
  if (before - text.size() == 2) year += year < 69 ? 2000 : 1900;
  Clock clock;
  if (!take_one(text, " ") || !take_clock(text, clock)) return std::nullopt;
  const auto zone = zone_text(text, offset_minutes);
  return zone ? seconds_at(year, month, day, clock, *zone) : std::nullopt;
}

std::optional<std::int64_t> seconds_of_number(double value, TimeForm form) noexcept {
  double seconds = value;
  switch (form) {
    case TimeForm::epoch_minute: seconds = value * 60.0; break;
    case TimeForm::epoch_second: break;
    case TimeForm::epoch_millis: seconds = value / 1e3; break;
    case TimeForm::epoch_micros: seconds = value / 1e6; break;
    case TimeForm::epoch_nanos: seconds = value / 1e9; break;
    case TimeForm::automatic:
    case TimeForm::rfc822:
    case TimeForm::calendar:
      seconds = value < 1e11 ? value : value < 1e14 ? value / 1e3 : value < 1e17 ? value / 1e6 : value / 1e9;
      break;
  }
  if (!(seconds >= 1.0 && seconds < kLastSecond + 1.0)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

}  // namespace

std::optional<TimeForm> time_form_of(std::string_view name) noexcept {
  for (const auto& [known, form] : kTimeForms) {
    if (known == name) return form;
  }
  return std::nullopt;
}

std::optional<int> time_zone_of(const json::Value& zone) noexcept {
  const std::string_view text = zone.text();
  if (zone.is_text() && !json::is_number(text)) return zone_text(text.empty() ? "?" : text, 0);
  if (!zone.is_text() && !zone.is_number()) return std::nullopt;
  if (zone.is_text() && !json::is_finite_number(text)) return std::nullopt;
  const double minutes = (zone.is_text() ? json::to_double(text) : zone.number()) * 60.0;
  if (!(std::abs(minutes) <= kZoneMinutesMax) || std::fmod(minutes, 15.0) != 0.0) return std::nullopt;
  return static_cast<int>(minutes);
}

std::optional<std::int64_t> epoch_seconds(const json::Value& value, TimeOption option) noexcept {
  if (value.is_number()) return seconds_of_number(value.number(), option.form);
  if (!value.is_text() || value.text().size() > kTimeTextBytesMax) return std::nullopt;
  const std::string_view text = without_space(value.text());
  if (json::is_number(text)) {
    return json::is_finite_number(text) ? seconds_of_number(json::to_double(text), option.form) : std::nullopt;
  }
  if (option.form == TimeForm::rfc822) return mail_text(text, option.offset_minutes);
  const auto seconds = calendar_text(text, option.offset_minutes);
  if (seconds || option.form != TimeForm::automatic) return seconds;
  return mail_text(text, option.offset_minutes);
}

}  // namespace tocsin::normalise
