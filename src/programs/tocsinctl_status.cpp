// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_status.hpp"

#include <array>
#include <cstdio>
#include <string_view>

namespace tocsin::ctl {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const Value& value) { return value.exists() ? value.shown() : "-"; }

std::int64_t count_of(const Value& object, std::string_view name) { return object.member(name).integer().value_or(0); }

/// ", 3 evicted": the count with its word when there is something to tell.
void add_if_any(std::string& out, const Value& object, std::string_view name, std::string_view word) {
  const std::int64_t count = count_of(object, name);
  if (count != 0) out.append(", ").append(std::to_string(count)).append(" ").append(word);
}

std::string use_of(std::int64_t used, std::int64_t most) {
  std::string out = bytes_text(used) + " of " + bytes_text(most);
  if (most > 0)
    out += " (" +
           std::to_string(static_cast<std::int64_t>(100.0 * static_cast<double>(used) / static_cast<double>(most))) +
           " %)";
  return out;
}

std::string state_line(const Value& status) {
  std::string out = status.member("ready").is_true() ? "ready" : "NOT READY: " + text_of(status.member("why"));
  if (status.member("writer_stalled").is_true()) out += ", a commit is taking long";
  return out;
}

std::string clock_line(const Value& clock) {
  const std::string now = text_of(clock.member("wall"));
  if (clock.member("trusted").is_true()) return now + ", trusted";
  return now + ", NOT TRUSTED (tocsinctl clock set says that it is right, or what is)";
}

std::string events_line(const Value& events) {
  std::string out = std::to_string(count_of(events, "accepted")) + " taken since the start";
  add_if_any(out, events, "repeated", "known already");
  add_if_any(out, events, "evicted", "EVICTED for want of room (gap records tell which)");
  return out;
}

std::string store_line(const Value& store) {
  std::string out = use_of(count_of(store, "used_bytes"), count_of(store, "quota_bytes"));
  if (!store.member("ok").is_true()) out += ", NOT USABLE";
  add_if_any(out, store, "damaged_records", "DAMAGED records");
  add_if_any(out, store, "turns_failed", "failed turns");
  return out;
}

std::string requests_line(const Value& http) {
  std::string out =
      std::to_string(count_of(http, "requests")) + ", " + std::to_string(count_of(http, "refused")) + " refused";
  add_if_any(out, http, "rate_limited", "over their rate (plugin update --max-rate)");
  add_if_any(out, http, "refused_credentials", "with wrong credentials");
  add_if_any(out, http, "out_of_memory", "for want of memory");
  return out + ", " + std::to_string(count_of(http, "connections")) + " connections now";
}

void add_upstream(Lines& lines, const Value& upstream) {
  std::string about = text_of(upstream.member("state"));
  const std::string detail = upstream.member("detail").text().value_or("");
  if (!detail.empty()) about += ": " + detail;
  const std::string name = "upstream " + text_of(upstream.member("name"));
  lines.emplace_back(name, about + ", since " + text_of(upstream.member("since")));
  const std::int64_t backlog = count_of(upstream, "backlog_at_most");
  std::string waiting = backlog == 0 ? "nothing waits" : "at most " + std::to_string(backlog) + " wait";
  waiting += ", " + std::to_string(count_of(upstream, "confirmed_events")) + " confirmed since the start";
  add_if_any(waiting, upstream, "restarts", "restarts of the worker");
  lines.emplace_back("", std::move(waiting));
}

void add_syslog(Lines& lines, const Value& syslog) {
  std::string about =
      std::to_string(count_of(syslog, "messages")) + " messages for " + text_of(syslog.member("plugin"));
  add_if_any(about, syslog, "dropped_no_instance", "DROPPED (no instance takes them)");
  add_if_any(about, syslog, "dropped_rate", "DROPPED over its rate (plugin update --max-rate)");
  add_if_any(about, syslog, "dropped_no_room", "DROPPED for want of room");
  add_if_any(about, syslog, "dropped_by_kernel", "DROPPED by the system");
  add_if_any(about, syslog, "lost", "LOST");
  add_if_any(about, syslog, "connections_refused", "connections refused");
  lines.emplace_back("syslog " + text_of(syslog.member("name")), std::move(about));
}

void add_source(Lines& lines, const Value& source) {
  std::string about = text_of(source.member("state"));
  const std::string detail = source.member("detail").text().value_or("");
  if (!detail.empty()) about += ": " + detail;
  lines.emplace_back("source " + text_of(source.member("name")), about + ", since " + text_of(source.member("since")));
  std::string read = std::to_string(count_of(source, "settled")) + " of " +
                     std::to_string(count_of(source, "records")) + " messages taken for " +
                     text_of(source.member("plugin"));
  add_if_any(read, source, "refused", "in the reject box");
  add_if_any(read, source, "restarts", "restarts of the worker");
  lines.emplace_back("", std::move(read));
  const std::string obstacle = source.member("obstacle").text().value_or("");
  if (!obstacle.empty()) lines.emplace_back("", "WAITS: " + obstacle);
}

}  // namespace

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  std::array<char, 48> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits[unit]));
  return text.data();
}

std::string duration_text(std::int64_t ms) {
  const std::int64_t seconds = ms / 1000;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  if (minutes == 0) return std::to_string(seconds) + " s";
  if (hours == 0) return std::to_string(minutes) + " min";
  if (hours < 48) return std::to_string(hours) + " h " + std::to_string(minutes % 60) + " min";
  return std::to_string(hours / 24) + " d " + std::to_string(hours % 24) + " h";
}

Lines status_lines(const Value& status) {
  Lines lines;
  lines.emplace_back("appliance", text_of(status.member("name")) + " (" + text_of(status.member("appliance")) + ")");
  lines.emplace_back("version", text_of(status.member("version")));
  lines.emplace_back("state", state_line(status));
  lines.emplace_back("up", duration_text(count_of(status, "uptime_ms")) + ", boot " + text_of(status.member("boot")));
  lines.emplace_back("clock", clock_line(status.member("clock")));
  const Value alerts = status.member("alerts");
  lines.emplace_back("alerts", std::to_string(count_of(alerts, "open")) + " open, " +
                                   std::to_string(count_of(alerts, "opened")) + " opened since the start");
  lines.emplace_back("events", events_line(status.member("events")));
  lines.emplace_back("store", store_line(status.member("store")));
  const Value memory = status.member("memory");
  lines.emplace_back("memory", use_of(count_of(memory, "rss_anon_bytes"), count_of(memory, "budget_bytes")) +
                                   ", peak " + bytes_text(count_of(memory, "rss_anon_peak_bytes")));
  lines.emplace_back("requests", requests_line(status.member("http")));
  const auto upstreams = status.member("upstreams").elements();
  if (upstreams.empty()) lines.emplace_back("upstreams", "none");
  for (const Value& upstream : upstreams) add_upstream(lines, upstream);
  for (const Value& syslog : status.member("syslog").elements()) add_syslog(lines, syslog);
  for (const Value& source : status.member("sources").elements()) add_source(lines, source);
  lines.emplace_back("more", "tocsinctl status --all");
  return lines;
}

}  // namespace tocsin::ctl
