// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/syslog.hpp"

#include <algorithm>
#include <array>

#include "src/ingest/event_time.hpp"

namespace tocsin::ingest {
namespace {

using namespace std::string_view_literals;

constexpr std::array kFacilities = {"kern"sv,   "user"sv,   "mail"sv,   "daemon"sv, "auth"sv,     "syslog"sv,
                                    "lpr"sv,    "news"sv,   "uucp"sv,   "cron"sv,   "authpriv"sv, "ftp"sv,
                                    "ntp"sv,    "audit"sv,  "alert"sv,  "clock"sv,  "local0"sv,   "local1"sv,
                                    "local2"sv, "local3"sv, "local4"sv, "local5"sv, "local6"sv,   "local7"sv};
constexpr std::array kLevels = {"emerg"sv, "alert"sv, "crit"sv, "err"sv, "warning"sv, "notice"sv, "info"sv, "debug"sv};
constexpr std::array kMonths = {"Jan"sv, "Feb"sv, "Mar"sv, "Apr"sv, "May"sv, "Jun"sv,
                                "Jul"sv, "Aug"sv, "Sep"sv, "Oct"sv, "Nov"sv, "Dec"sv};

constexpr std::size_t kOldTimeBytes = 15;
constexpr std::size_t kSdNameBytesMax = 32;

constexpr bool is_digit_of_syslog(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_printable(char c) noexcept { return c > ' ' && c < 0x7f; }

/// Takes what is before the next blank, and that blank. False: there is none, or it is not printable ASCII.
bool take_word(std::string_view& rest, std::string_view& word) noexcept {
  const std::size_t size = std::min(rest.find(' '), rest.size());
  word = rest.substr(0, size);
  if (word.empty() || !std::all_of(word.begin(), word.end(), is_printable)) return false;
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return true;
}

std::string_view absent_if_nil(std::string_view field, std::size_t bytes_max) noexcept {
  return field == "-" ? std::string_view{} : field.substr(0, bytes_max);
}

/// Nothing when it is no RFC 3339 time, or one without zone.
std::optional<std::int64_t> time_with_zone(std::string_view word) noexcept {
  constexpr std::size_t kTimeBytes = 19;  // "2003-10-11T22:14:15"
  if (word.size() <= kTimeBytes || word.substr(kTimeBytes).find_first_of("Z+-") == std::string_view::npos)
    return std::nullopt;
  return parse_time_text(word, 0);
}

/// "<34>" in front of everything; without one the text stays whole.
void take_priority(std::string_view& rest, SyslogMessage& out) noexcept {
  const std::size_t close = rest.substr(0, 5).find('>');
  if (!rest.starts_with('<') || close == std::string_view::npos || close < 2) return;
  const std::string_view digits = rest.substr(1, close - 1);
  if (!std::all_of(digits.begin(), digits.end(), is_digit_of_syslog) || (digits.size() > 1 && digits[0] == '0')) return;
  unsigned priority = 0;
  for (const char c : digits) priority = priority * 10 + static_cast<unsigned>(c - '0');
  if (priority > 191) return;
  out.facility = static_cast<std::uint8_t>(priority / 8);
  out.severity = static_cast<std::uint8_t>(priority % 8);
  rest.remove_prefix(close + 1);
}

/// The size of one element or parameter name: printable ASCII but =, blank, ] and ".
std::size_t sd_name_size(std::string_view text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && is_printable(text[size]) && text[size] != '=' && text[size] != ']' && text[size] != '"')
    ++size;
  return size;
}

/// Where the quote that ends a value stands; `text` is what follows the opening one.
std::size_t sd_value_size(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return std::string_view::npos;
}

/// The size of one "[id name="value" …]", or 0.
std::size_t sd_element_size(std::string_view text) noexcept {
  std::size_t at = 1;
  const std::size_t id = sd_name_size(text.substr(at));
  if (id == 0 || id > kSdNameBytesMax * 2) return 0;  // an enterprise number makes some longer than the RFC allows
  at += id;
  while (at < text.size() && text[at] == ' ') {
    ++at;
    const std::size_t name = sd_name_size(text.substr(at));
    if (name == 0 || name > kSdNameBytesMax * 2 || text.substr(at + name, 2) != "=\"") return 0;
    at += name + 2;
    const std::size_t value = sd_value_size(text.substr(at));
    if (value == std::string_view::npos) return 0;
    at += value + 1;
  }
  return at < text.size() && text[at] == ']' ? at + 1 : 0;
}

/// Takes "-" or well formed elements. False: neither.
bool take_structured_data(std::string_view& rest, std::string_view& out) noexcept {
  std::size_t size = 0;
  if (rest.starts_with('-')) {
    size = 1;
  } else {
    while (rest.substr(size).starts_with('[')) {
      const std::size_t element = sd_element_size(rest.substr(size));
      if (element == 0) return false;
      size += element;
    }
  }
  if (size == 0 || (size < rest.size() && rest[size] != ' ')) return false;
  out = absent_if_nil(rest.substr(0, size), size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return true;
}

/// What follows "<PRI>1 ". False: that is no such header; `out` is then as before.
bool take_new_header(std::string_view rest, SyslogMessage& out) noexcept {
  std::string_view time, host, app, proc, msgid;
  if (!take_word(rest, time) || !take_word(rest, host) || !take_word(rest, app) || !take_word(rest, proc) ||
      !take_word(rest, msgid)) {
    return false;
  }
  std::optional<std::int64_t> time_ms;
  if (time != "-") {
    time_ms = time_with_zone(time);
    if (!time_ms) return false;
  }
  // Broken structured data is the sender's text: showing it is better than losing what the rest of the header says.
  static_cast<void>(take_structured_data(rest, out.structured_data));
  out.time_ms = time_ms;
  out.hostname = absent_if_nil(host, kSyslogHostBytesMax);
  out.app = absent_if_nil(app, kSyslogAppBytesMax);
  out.procid = absent_if_nil(proc, kSyslogProcBytesMax);
  out.msgid = absent_if_nil(msgid, kSyslogMsgIdBytesMax);
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  out.text = rest;
  return true;
}

/// The day has a blank or a zero in front.
bool is_old_time(std::string_view text) noexcept {
  constexpr auto kForm = "Mmm d0 00:00:00"sv;
  if (text.size() < kForm.size() || std::find(kMonths.begin(), kMonths.end(), text.substr(0, 3)) == kMonths.end())
    return false;
  for (std::size_t i = 3; i < kForm.size(); ++i) {
    const bool is_digit = is_digit_of_syslog(text[i]);
    if (kForm[i] == 'd' ? !is_digit && text[i] != ' ' : kForm[i] == '0' ? !is_digit : text[i] != kForm[i]) return false;
  }
  return true;
}

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

/// "app:" or "app[123]:", what RFC 3164 calls a TAG, with the blank behind it. False: the text begins otherwise.
bool take_tag(std::string_view& rest, SyslogMessage& out) noexcept {
  std::size_t size = 0;
  while (size < rest.size() && is_printable(rest[size]) && rest[size] != ':' && rest[size] != '[') ++size;
  if (size == 0 || size > kSyslogAppBytesMax || size == rest.size()) return false;
  // Some devices count their messages there: a number names no program, and would make each one another alert.
  if (std::none_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size), is_letter)) return false;
  std::size_t end = size;
  std::string_view proc;
  if (rest[end] == '[') {
    const std::size_t close = rest.find(']', end);
    if (close == std::string_view::npos || close - end - 1 > kSyslogProcBytesMax) return false;
    proc = rest.substr(end + 1, close - end - 1);
    if (!std::all_of(proc.begin(), proc.end(), is_printable)) return false;
    end = close + 1;
  }
  if (end >= rest.size() || rest[end] != ':' || (end + 1 < rest.size() && rest[end + 1] != ' ')) return false;
  out.app = rest.substr(0, size);
  out.procid = proc;
  rest.remove_prefix(std::min(end + 2, rest.size()));
  return true;
}

/// Takes the time, if one is there.
bool take_old_time(std::string_view& rest, SyslogMessage& out) noexcept {
  if (is_old_time(rest) && (rest.size() == kOldTimeBytes || rest[kOldTimeBytes] == ' ')) {
    rest.remove_prefix(std::min(kOldTimeBytes + 1, rest.size()));
    return true;
  }
  std::string_view after = rest;
  std::string_view word;
  if (!take_word(after, word)) return false;
  const auto time_ms = time_with_zone(word);
  if (!time_ms) return false;
  out.time_ms = time_ms;
  rest = after;
  return true;
}

void take_old_header(std::string_view rest, SyslogMessage& out) noexcept {
  // Local programs write no HOSTNAME: a TAG stands where it would be.
  if (take_old_time(rest, out) && !take_tag(rest, out)) {
    std::string_view host;
    std::string_view after = rest;
    if (take_word(after, host)) {
      out.hostname = absent_if_nil(host, kSyslogHostBytesMax);
      rest = after;
    }
  }
  if (out.app.empty()) static_cast<void>(take_tag(rest, out));
  out.text = rest;
}

}  // namespace

SyslogMessage parse_syslog(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '\0')) text.remove_suffix(1);
  SyslogMessage out;
  std::string_view rest = text;
  take_priority(rest, out);
  const bool has_priority = rest.size() != text.size();
  if (!has_priority) {
    out.text = text;
  } else if (!rest.starts_with("1 ") || !take_new_header(rest.substr(2), out)) {
    take_old_header(rest, out);
  }
  return out;
}

std::optional<SyslogParams::Param> SyslogParams::next() noexcept {
  while (!rest_.empty()) {
    if (rest_[0] == '[') {
      id_ = rest_.substr(1, sd_name_size(rest_.substr(1)));
      rest_.remove_prefix(1 + id_.size());
    } else if (rest_[0] == ' ') {
      Param out{.id = id_, .name = rest_.substr(1, sd_name_size(rest_.substr(1))), .value = {}};
      rest_.remove_prefix(std::min(1 + out.name.size() + 2, rest_.size()));
      const std::size_t size = std::min(sd_value_size(rest_), rest_.size());
      out.value = rest_.substr(0, size);
      rest_.remove_prefix(std::min(size + 1, rest_.size()));
      return out;
    } else {
      rest_.remove_prefix(1);
    }
  }
  return std::nullopt;
}

void SyslogParams::append_plain(std::string_view value, std::string& out) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool is_escape = value[i] == '\\' && i + 1 < value.size() &&
                           (value[i + 1] == '"' || value[i + 1] == '\\' || value[i + 1] == ']');
    if (is_escape) ++i;
    out.push_back(value[i]);
  }
}

std::string_view syslog_facility(std::uint8_t facility) noexcept {
  return kFacilities[std::min<std::size_t>(facility, kFacilities.size() - 1)];
}

std::string_view syslog_level(std::uint8_t severity) noexcept {
  return kLevels[std::min<std::size_t>(severity, kLevels.size() - 1)];
}

SyslogFrames::Step SyslogFrames::line(std::string_view waiting, bool is_end) const noexcept {
  Step out;
  const std::size_t size = waiting.substr(0, kSyslogBytesMax + 1).find('\n');
  if (size != std::string_view::npos) {
    out.bytes = size + 1;
    out.message = waiting.substr(0, size);
  } else if (waiting.size() > kSyslogBytesMax) {
    out.bytes = kSyslogBytesMax;
    out.message = waiting.substr(0, kSyslogBytesMax);
    out.is_cut = out.line_goes_on = true;
  } else if (is_end) {
    out.bytes = waiting.size();
    out.message = waiting;
  }
  return out;
}

SyslogFrames::Step SyslogFrames::next(std::string_view waiting, bool is_end) const noexcept {
  Step out;
  if (waiting.empty()) return out;
  if (octets_left_ > 0) {
    out.bytes = static_cast<std::size_t>(std::min<std::uint64_t>(octets_left_, waiting.size()));
    out.octets_left = octets_left_ - out.bytes;
    return out;
  }
  if (line_goes_on_) {
    const std::size_t size = waiting.find('\n');
    out.line_goes_on = size == std::string_view::npos;
    out.bytes = out.line_goes_on ? waiting.size() : size + 1;
    return out;
  }
  std::size_t digits = 0;
  std::size_t length = 0;
  while (digits < waiting.size() && digits <= kLengthDigitsMax && is_digit_of_syslog(waiting[digits])) {
    length = length * 10 + static_cast<std::size_t>(waiting[digits++] - '0');
  }
  if (digits == 0 || digits > kLengthDigitsMax || waiting[0] == '0') return line(waiting, is_end);
  const std::string_view behind = waiting.substr(digits);
  if (behind.size() < 2 && !is_end && std::string_view{" "}.starts_with(behind)) return out;  // not known yet
  if (!behind.starts_with(" <")) return line(waiting, is_end);
  const std::size_t size = std::min(length, kSyslogBytesMax);
  const bool is_short = behind.size() - 1 < size;
  if (is_short && !is_end) return out;
  out.message = behind.substr(1, size);
  out.bytes = digits + 1 + out.message.size();
  out.is_cut = length > out.message.size();
  out.octets_left = is_short ? 0 : length - size;
  return out;
}

}  // namespace tocsin::ingest
