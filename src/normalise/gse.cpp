// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/gse.hpp"

#include <algorithm>

#include "src/json/text.hpp"
#include "src/normalise/gse_event.hpp"

namespace tocsin::normalise {
namespace {

using json::Value;

constexpr GseType kText{100, "gse_custom_event", "bk_monitor.gse_custom_event", "os"};
constexpr GseType kProcess{101,
                           "gse_process_event",
                           "bk_monitor.gse_process_event",
                           "host_process",
                           {"tags.event_name", "tags.process_group_id", "tags.process_name"}};
constexpr std::int64_t kAgentLost = 2;
constexpr std::int64_t kDiskReadOnly = 3;
constexpr std::int64_t kDiskFull = 6;
constexpr std::int64_t kCorefile = 7;
constexpr std::int64_t kPing = 8;
constexpr std::int64_t kOutOfMemory = 9;
constexpr std::array kSystem{
    GseType{kAgentLost, "agent-gse", "bk_monitor.agent-gse", "os"},
    GseType{kDiskReadOnly,
            "disk-readonly-gse",
            "bk_monitor.disk-readonly-gse",
            "os",
            {"tags.position", "tags.type", "tags.fs"}},
    GseType{
        kDiskFull, "disk-full-gse", "bk_monitor.disk-full-gse", "os", {"tags.file_system", "tags.fstype", "tags.disk"}},
    GseType{kCorefile,
            "corefile-gse",
            "bk_monitor.corefile-gse",
            "os",
            {"tags.executable_path", "tags.executable", "tags.signal"}},
    GseType{kPing, "ping-gse", "bk_monitor.ping-gse", "os"},
    GseType{kOutOfMemory, "oom-gse", "bk_monitor.oom-gse", "os"},
};

/// Members of `extra` that say where, what and when, and so are no tags.
constexpr std::array<std::string_view, 6> kPlaceMembers{"type", "host", "bizid", "cloudid", "agent_id", "ip"};
constexpr std::array<std::string_view, 4> kProcessPlaceMembers{"bk_target_ip", "bk_target_cloud_id", "bk_agent_id",
                                                               "_bizid_"};
/// Upstream's defaults: what is on a medium, or in memory, is full and read-only by nature.
constexpr std::array<std::string_view, 3> kIgnoredTypes{"iso9660", "tmpfs", "udf"};

/// A value of the record, and how it is called.
struct Part {
  std::string place;
  Value value;

  [[nodiscard]] bool is_empty() const noexcept { return value.is_null() || (value.is_text() && value.text().empty()); }
  /// A text, or a number as written; empty for everything else.
  [[nodiscard]] std::string_view plain() const noexcept { return value.is_text() ? value.text() : value.number_text(); }
  [[nodiscard]] Part member(std::string_view name) const {
    const Value* const found = value.find(name);
    return {place.empty() ? std::string{name} : std::string{place}.append(".").append(name),
            found != nullptr ? *found : Value{}};
  }
  [[nodiscard]] std::string_view plain(std::string_view name) const { return member(name).plain(); }
  [[nodiscard]] Part element(std::size_t index) const {
    return {place + "[" + std::to_string(index) + "]", value.elements()[index]};
  }
};

bool is_ignored_device(std::string_view file_system) noexcept {
  const std::string_view name = file_system.starts_with('/') ? file_system.substr(1) : file_system;
  return name.starts_with("dev/loop") || name.starts_with("dev/sr") || name.ends_with(".iso");
}

bool is_ignored_type(std::string_view type) noexcept {
  const auto is_same = [type](std::string_view known) {
    return std::ranges::equal(type, known, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  };
  return std::ranges::any_of(kIgnoredTypes, is_same);
}

/// Walks one record. Whatever answers false has noted the refusal.
class GseRecord {
 public:
  GseRecord(const Value& record, const GseMeans& means) : record_{{}, record}, means_(means), events_(means) {}

  bool read() {
    if (!record_.value.is_object()) return refuse_kind({"body", record_.value}, "an object");
    if (record_.value.find("_value_") != nullptr) return each(record_.member("_value_"), &GseRecord::text_event);
    if (record_.value.find("data") != nullptr) return each(record_.member("data"), &GseRecord::process_event);
    if (record_.value.find("value") != nullptr) return each(record_.member("value"), &GseRecord::system_event);
    return refuse("body: none of value, _value_ and data is there, so it is no record of GSE");
  }
  [[nodiscard]] Value list() { return events_.list(); }
  [[nodiscard]] Refusal& refusal() noexcept { return refusal_; }

 private:
  using Each = bool (GseRecord::*)(const Part& item, std::size_t index);

  bool refuse(std::string message) {
    refusal_ = {Refusal::What::content, "body_format", std::move(message)};
    return false;
  }
  bool refuse_kind(const Part& part, const char* expected) {
    return refuse(part.place + ": expected " + expected + ", got " + json::to_text(part.value.kind()));
  }
  bool is_object(const Part& part) { return part.value.is_object() || refuse_kind(part, "an object"); }
  bool is_list(const Part& part) { return part.value.is_array() || refuse_kind(part, "a list"); }
  bool is_text(const Part& part) { return part.value.is_text() || refuse_kind(part, "a string"); }

  /// What is empty leaves `out` as it is.
  bool integer(const Part& part, std::int32_t& out) {
    if (part.is_empty()) return true;
    const auto number = part.value.is_text() ? json::to_integer(part.value.text()) : part.value.integer();
    if (!number || *number < INT32_MIN || *number > INT32_MAX) return refuse_kind(part, "an integer of 32 bits");
    out = static_cast<std::int32_t>(*number);
    return true;
  }
  bool text(const Part& part, std::string_view& out) {
    if (part.is_empty()) return true;
    out = part.value.text();
    return is_text(part);
  }
  bool time(const Part& part, int offset_minutes, GseEvent& event) {
    if (part.is_empty()) return true;
    event.time_s = epoch_seconds(part.value, {TimeForm::automatic, offset_minutes});
    return event.time_s || refuse(part.place + ": expected a time such as 2019-10-17 05:53:53");
  }
  bool add(const GseType& type, const GseEvent& event) {
    if (events_.add(type, event)) return true;
    refusal_ = {Refusal::What::too_large, "events_too_many",
                "body: more than " + std::to_string(kGseEventsMax) + " events in one record"};
    return false;
  }
  /// Answers true, for `return skip(...)`.
  bool skip(const Part& part, const char* reason) {
    if (means_.explain == nullptr) return true;
    std::string shown;
    part.value.append_json(shown);
    means_.explain->step({.what = Explain::What::skipped, .place = part.place, .value = shown, .reason = reason});
    return true;
  }

  bool each(const Part& list, Each one) {
    if (!is_list(list)) return false;
    const std::size_t count = list.value.elements().size();
    if (count == 0) return refuse(list.place + ": expected a list that is not empty");
    for (std::size_t i = 0; i < count; ++i) {
      if (!(this->*one)(list.element(i), i)) return false;
    }
    return true;
  }

  /// An agent is called by a number of its own, or, an old one, "cloud:ip".
  bool locate(const Part& ip, const Part& cloud, const Part& agent, GseEvent& event) {
    GseHost host;
    if (!text(ip, host.ip) || !integer(cloud, host.cloud_id) || !text(agent, host.agent_id)) return false;
    const std::size_t colon = host.agent_id.find(':');
    if (colon != std::string_view::npos) {
      const auto number = json::to_integer(host.agent_id.substr(0, colon));
      if (number && *number >= 0 && *number <= INT32_MAX) {
        host = {host.agent_id.substr(colon + 1), static_cast<std::int32_t>(*number), {}};
      }
    }
    if (host.ip.empty() && host.agent_id.empty()) {
      return refuse(ip.place + ": missing or empty" + (agent.place.empty() ? "" : ", and so is " + agent.place));
    }
    events_.locate(host, event);
    return true;
  }
  template <std::size_t N>
  void tags_of(const Part& object, const std::array<std::string_view, N>& but) {
    for (const json::Member& one : object.value.members()) {
      if (std::ranges::find(but, one.name) == but.end()) events_.tag(one.name, one.value);
    }
  }

  bool text_event(const Part& item, std::size_t index) {
    GseEvent event;
    if (!is_text(item) || !time(record_.member("_utctime_"), 0, event) ||
        !integer(record_.member("_bizid_"), event.bk_biz_id) ||
        !locate(record_.member("_server_"), record_.member("_cloudid_"), record_.member("_agent_id_"), event)) {
      return false;
    }
    event.description = item.value.text();
    event.place = index;
    return add(kText, event);
  }

  bool process_event(const Part& item, std::size_t /*index*/) {
    if (!is_object(item)) return false;
    const Part name = item.member("event_name");
    if (name.is_empty() || !name.value.is_text()) return refuse_kind(name, "a string that is not empty");
    const Part dimension = item.member("dimension");
    if (!dimension.value.is_null() && !is_object(dimension)) return false;
    GseEvent event;
    const Part when = item.member("timestamp");
    const bool is_zero = when.value.integer() == 0;
    if (!(is_zero || time(when, 0, event)) || !integer(dimension.member("_bizid_"), event.bk_biz_id)) return false;
    const Part ip = dimension.member("bk_target_ip");
    const Part agent = dimension.member("bk_agent_id");
    const Part target = item.member("target");
    if (ip.is_empty() && agent.is_empty() && !target.is_empty()) {
      if (!text(target, event.target)) return false;
    } else if (!locate(ip, dimension.member("bk_target_cloud_id"), agent, event)) {
      return false;
    }
    const std::string_view content = item.member("event").plain("content");
    event.description = content.empty() ? name.plain() : events_.text({name.plain(), ": ", content});
    if (name.plain() == "process_restart_success") event.severity = 3;
    events_.tag("event_name", name.value);
    tags_of(dimension, kProcessPlaceMembers);
    return add(kProcess, event);
  }

  bool system_event(const Part& item, std::size_t /*index*/) {
    if (!is_object(item)) return false;
    const Part extra = item.member("extra");
    if (!is_object(extra)) return false;
    const Part number = extra.member("type");
    std::int32_t type = 0;
    if (number.is_empty()) return refuse_kind(number, "an integer");
    if (!integer(number, type)) return false;
    const auto* const known = std::ranges::find(kSystem, type, &GseType::number);
    if (known == kSystem.end()) return skip(number, "events of this type are not taken");
    GseEvent event;
    if (!happened(item, event) || !integer(extra.member("bizid"), event.bk_biz_id)) return false;
    event.server = record_.plain("server");
    event.raw_id = item.member("event_raw_id").value;
    const std::string_view title = item.plain("event_title");
    event.description = title.empty() ? item.plain("event_desc") : title;
    switch (known->number) {
      case kAgentLost: return lost_agents(*known, extra.member("host"), event);
      case kDiskReadOnly: return read_only_disks(*known, extra, event);
      case kPing: return silent_hosts(*known, extra, event);
      default: return of_one_host(*known, extra, event);
    }
  }

  /// `utctime2`, else the event's own time in its zone. `time` and `utctime` of the record are local.
  bool happened(const Part& item, GseEvent& event) {
    const Part utc = record_.member("utctime2");
    if (!utc.is_empty()) return time(utc, 0, event);
    const Part zone = item.member("event_timezone");
    return time(item.member("event_time"),
                time_zone_of(zone.value.is_null() ? record_.member("timezone").value : zone.value).value_or(0), event);
  }

  bool lost_agents(const GseType& type, const Part& hosts, const GseEvent& common) {
    if (!is_list(hosts)) return false;
    for (std::size_t i = 0; i < hosts.value.elements().size(); ++i) {
      const Part host = hosts.element(i);
      GseEvent event = common;
      if (!is_object(host) || !integer(host.member("bizid"), event.bk_biz_id) ||
          !locate(host.member("ip"), host.member("cloudid"), host.member("agent_id"), event)) {
        return false;
      }
      if (event.description.empty()) event.description = "GSE has lost this agent";
      if (!add(type, event)) return false;
    }
    return true;
  }

  bool silent_hosts(const GseType& type, const Part& extra, const GseEvent& common) {
    const Part addresses = extra.member("iplist");
    const Part cloud = extra.member("cloudid");
    if (!is_list(addresses)) return false;
    for (std::size_t i = 0; i < addresses.value.elements().size(); ++i) {
      GseEvent event = common;
      if (!locate(addresses.element(i), cloud, {}, event)) return false;
      if (event.description.empty()) event.description = "no answer to ping";
      events_.tag("ping_server", extra.member("host").value);
      if (!add(type, event)) return false;
    }
    return true;
  }

  /// The host of `extra`, or of a record that its agent's own collector sent.
  bool locate_in(const Part& extra, GseEvent& event) {
    const bool is_collector = record_.member("agent").plain("type") == "bkmonitorbeat";
    const Part own = is_collector ? record_.member("ip") : Part{};
    return locate(own.is_empty() ? extra.member("host") : own, extra.member("cloudid"), {}, event);
  }

  bool read_only_disks(const GseType& type, const Part& extra, const GseEvent& common) {
    const Part disks = extra.member("ro");
    if (!is_list(disks)) return false;
    for (std::size_t i = 0; i < disks.value.elements().size(); ++i) {
      const Part disk = disks.element(i);
      if (!is_object(disk)) return false;
      const Part fs_type = disk.member("type");
      if (is_ignored_type(fs_type.plain())) {
        skip(fs_type, "file systems of this type are read-only by nature");
        continue;
      }
      GseEvent event = common;
      if (!locate_in(extra, event)) return false;
      const Part rightly = disk.member("position");
      const Part position = rightly.is_empty() ? disk.member("positoin") : rightly;  // as some collectors write it
      events_.tag("position", position.value);
      events_.tag("type", fs_type.value);
      events_.tag("fs", disk.member("fs").value);
      if (event.description.empty()) {
        event.description =
            events_.text({disk.plain("fs"), " (", fs_type.plain(), ") at ", position.plain(), " is read-only"});
      }
      if (!add(type, event)) return false;
    }
    return true;
  }

  bool of_one_host(const GseType& type, const Part& extra, GseEvent& event) {
    if (type.number == kDiskFull) {
      const Part fs_type = extra.member("fstype");
      const Part device = extra.member("file_system");
      if (is_ignored_type(fs_type.plain())) return skip(fs_type, "file systems of this type are full by nature");
      if (is_ignored_device(device.plain())) return skip(device, "such a device is full by nature");
    }
    if (!locate_in(extra, event)) return false;
    if (event.description.empty()) event.description = words_for(type, extra);
    tags_of(extra, kPlaceMembers);
    return add(type, event);
  }
  std::string_view words_for(const GseType& type, const Part& extra) {
    const std::string_view signal = extra.plain("signal");
    const std::string_view program = extra.plain("executable");
    switch (type.number) {
      case kCorefile:
        return events_.text({program.empty() ? "a process" : program, " left a core file", signal.empty() ? "" : " on ",
                             signal, ": ", extra.plain("corefile")});
      case kOutOfMemory:
        return events_.text({"out of memory: ", extra.plain("process"), ", ", extra.plain("total"), " times, ",
                             extra.plain("message")});
      default: return events_.text({"disk ", extra.plain("disk"), " has ", extra.plain("free"), "% left"});
    }
  }

  Part record_;
  const GseMeans& means_;
  GseEvents events_;
  Refusal refusal_;
};

}  // namespace

tl::expected<Value, Refusal> gse_events(const Value& record, const GseMeans& means) {
  GseRecord walk{record, means};
  if (!walk.read()) return tl::unexpected(std::move(walk.refusal()));
  return walk.list();
}

}  // namespace tocsin::normalise
