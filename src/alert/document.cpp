// SPDX-License-Identifier: Apache-2.0
#include "src/alert/document.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "src/json/writer.hpp"

namespace tocsin::alert {
namespace {

using json::Writer;
using model::Alert;

constexpr std::int64_t kDurationMinS = 60;

void write_time(Writer& w, const char* name, std::optional<std::int64_t> ms) {
  const std::string base(name);
  if (!ms) {
    w.name(base).null().name(base + "_ms").null().name(base + "_text").null();
    return;
  }
  w.name(base).number(*ms / 1000).name(base + "_ms").number(*ms).name(base + "_text").time(*ms);
}

void write_list_of_one(Writer& w, const char* name, std::string_view text) {
  w.name(name).array();
  if (!text.empty()) w.text(text);
  w.end_array();
}

/// Walks a JSON object of strings. Strings are handed out as they stand, quotes included.
class StringMembers {
 public:
  explicit StringMembers(std::string_view object) : rest_(object) { skip('{'); }
  /// False: no more members, or the text is not what it should be.
  bool next(std::string_view& key, std::string_view& value) {
    return quoted(key) && skip(':') && quoted(value) && (skip(',') || peek('}'));
  }

 private:
  void trim() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool peek(char c) {
    trim();
    return !rest_.empty() && rest_.front() == c;
  }
  bool skip(char c) {
    if (!peek(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool quoted(std::string_view& out) {
    if (!peek('"')) return false;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        out = rest_.substr(0, i + 1);
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }
  std::string_view rest_;
};

void write_dimensions(Writer& w, std::string_view object) {
  w.name("dimensions").array();
  StringMembers members(object);
  for (std::string_view key, value; members.next(key, value);) {
    w.object().name("key").raw(key).name("value").raw(value).end_object();
  }
  w.end_array();
}

void write_event(Writer& w, const Alert& a) {
  w.name("event").object();
  w.member("event_id", a.event_id).member("plugin_id", a.plugin_id).member("alert_name", a.alert_name);
  w.member("description", a.description).name("severity").number(std::int32_t{a.severity});
  w.member("target_type", a.target_type).member("target", a.target);
  write_list_of_one(w, "metric", a.metric);
  w.member("category", a.category);
  write_list_of_one(w, "assignee", a.assignee);
  w.name("bk_biz_id").number(a.bk_biz_id).name("time").number(a.latest_ms / 1000);
  w.end_object();
}

void write_times(Writer& w, const Alert& a) {
  write_time(w, "create_time", a.create_ms);
  w.name("create_time_trusted").boolean(a.create_time_trusted);
  write_time(w, "update_time", a.update_ms);
  write_time(w, "begin_time", a.begin_ms);
  write_time(w, "first_anomaly_time", a.first_anomaly_ms);
  write_time(w, "latest_time", a.latest_ms);
  write_time(w, "end_time", model::is_open(a.state) ? std::nullopt : std::optional(a.end_ms));
  w.name("duration").number(duration_s(a));
}

Alert redated(const Alert& alert, const Redate& dates) {
  Alert out = alert;
  out.create_time_trusted = alert.create_time_trusted || dates(alert.create_ms) != alert.create_ms;
  const auto move = [&dates](std::int64_t& ms) {
    if (ms != 0) ms = dates(ms);  // 0: never
  };
  for (std::int64_t* ms : {&out.create_ms, &out.update_ms, &out.ack_ms}) move(*ms);
  // These may be a device's own word. It lies outside of what our clock showed when that was wrong by more than it ran.
  if (std::abs(dates.shift_ms) < dates.end_ms - dates.from_ms) return out;
  for (std::int64_t* ms : {&out.begin_ms, &out.first_anomaly_ms, &out.latest_ms, &out.end_ms}) move(*ms);
  return out;
}

}  // namespace

const char* to_text(Transition transition) noexcept {
  switch (transition) {
    case Transition::none: return "";
    case Transition::opened: return "opened";
    case Transition::acked: return "acked";
    case Transition::recovered: return "recovered";
    case Transition::closed: return "closed";
  }
  return "";
}

std::int64_t duration_s(const Alert& alert) noexcept {
  return std::max(kDurationMinS, (alert.latest_ms - alert.first_anomaly_ms) / 1000);
}

void append_document(const Alert& alert, Transition transition, std::string& out, const Redate& dates) {
  const std::optional<Alert> moved = dates.end_ms > dates.from_ms ? std::optional(redated(alert, dates)) : std::nullopt;
  const Alert& a = moved ? *moved : alert;
  Writer w(out);
  w.object();
  if (transition != Transition::none) w.member("transition", to_text(transition));
  w.member("id", model::alert_id(alert)).name("seq_id").number(a.number).member("alert_name", a.alert_name);
  w.member("status", model::to_bk_status(a.state)).member("state", model::to_text(a.state));
  w.name("severity").number(std::int32_t{a.severity});
  w.name("bk_biz_id").number(a.bk_biz_id).name("bk_data_id").number(a.data_id).member("plugin_id", a.plugin_id);
  w.member("target_type", a.target_type).member("target", a.target).member("description", a.description);
  write_list_of_one(w, "metric", a.metric);
  w.member("category", a.category);
  write_list_of_one(w, "assignee", a.assignee);
  w.member("dedupe_md5", to_hex(a.dedupe));
  write_dimensions(w, a.dimensions_json);
  w.name("event_count").number(a.event_count);
  write_times(w, a);
  w.name("is_ack").boolean(a.ack_ms != 0).member("ack_operator", a.ack_operator).member("ack_message", a.ack_message);
  write_time(w, "ack_time", a.ack_ms != 0 ? std::optional(a.ack_ms) : std::nullopt);
  w.member("end_description", a.end_description);
  write_event(w, a);
  w.end_object();
}

}  // namespace tocsin::alert
