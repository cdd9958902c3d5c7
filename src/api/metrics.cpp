// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "src/api/resources.hpp"

namespace tocsin::api {
namespace {

/// Prometheus text format 0.0.4.
class Exposition {
 public:
  explicit Exposition(std::string& out) : out_(out) {}
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "counter", help);
    sample(name, {}, value);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "gauge", help);
    sample(name, {}, value);
  }
  void family(std::string_view name, std::string_view type, std::string_view help) {
    out_.append("# HELP ")
        .append(name)
        .append(" ")
        .append(help)
        .append("\n# TYPE ")
        .append(name)
        .append(" ")
        .append(type);
    out_.push_back('\n');
  }
  /// `labels` without braces.
  void sample(std::string_view name, std::string_view labels, std::uint64_t value) {
    out_.append(name);
    if (!labels.empty()) out_.append("{").append(labels).append("}");
    out_.append(" ").append(std::to_string(value)).push_back('\n');
  }

 private:
  std::string& out_;
};

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out.append("=\"");
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

void expose_core(Exposition& out, const core::Gauges& g) {
  out.counter("tocsin_events_accepted_total", "Events stored since start", g.events_accepted);
  out.counter("tocsin_events_repeated_total", "Events not stored again because their id was known", g.events_repeated);
  out.counter("tocsin_events_evicted_total", "Undelivered events removed for room since the store was made",
              g.events_evicted);
  out.gauge("tocsin_next_sequence", "Sequence that the next event gets", g.next_seq);
  out.gauge("tocsin_alerts_open", "Alerts that are not recovered or closed", g.alerts_open);
  out.counter("tocsin_alerts_opened_total", "Alerts opened since start", g.alerts_opened);
  out.counter("tocsin_turns_total", "Turns of the writer", g.turns);
  out.counter("tocsin_turns_failed_total", "Turns whose commit failed", g.turns_failed);
  out.counter("tocsin_reloads_total", "Times the state was read again from the store", g.reloads);
  out.gauge("tocsin_commit_nanoseconds", "Duration of the last commit", g.commit_ns_last);
  out.gauge("tocsin_commit_nanoseconds_max", "Longest commit since start", g.commit_ns_max);
  out.gauge("tocsin_store_used_bytes", "Pages of the store that hold data", g.store_used_bytes);
  out.gauge("tocsin_store_quota_bytes", "Size the store may grow to", g.store_quota_bytes);
  out.counter("tocsin_store_written_bytes_total", "Bytes handed to the system for the store since start",
              g.store_written_bytes);
  out.gauge("tocsin_store_ok", "1 while the store serves", g.store_ok ? 1 : 0);
  out.gauge("tocsin_audit_rows", "Rows of the audit log", g.audit_rows);
  out.counter("tocsin_damaged_records_total", "Records found damaged on read since start", g.damaged_records);
  out.gauge("tocsin_boot", "Starts of the daemon on this store", g.boot);
  out.gauge("tocsin_ids_ready", "1 when repeats of events with an id can be told", g.ids_ready ? 1 : 0);
}

void expose_process(Exposition& out, const core::ProcessStatus& p) {
  out.gauge("tocsin_uptime_milliseconds", "Time since start", static_cast<std::uint64_t>(p.uptime_ms));
  out.gauge("tocsin_memory_rss_anon_bytes", "Private memory", p.rss_anon_bytes);
  out.gauge("tocsin_memory_rss_anon_bytes_max", "Largest private memory since start", p.rss_anon_peak_bytes);
  out.gauge("tocsin_memory_budget_bytes", "Private memory it may have", p.budget_bytes);
  out.gauge("tocsin_http_connections", "Open HTTP connections", p.http_connections);
  out.counter("tocsin_http_requests_total", "HTTP requests", p.http_requests);
  out.counter("tocsin_http_refused_total", "HTTP requests refused before a handler saw them", p.http_refused);
  out.gauge("tocsin_local_flow_ok", "1 while accepted events reach the reader", p.local_flow_ok ? 1 : 0);
  out.gauge("tocsin_writer_stalled", "1 while a commit takes longer than a second", p.writer_stalled ? 1 : 0);
  out.family("tocsin_ledger_limit_bytes", "gauge", "Memory set aside for a purpose");
  for (const auto& line : p.ledger) out.sample("tocsin_ledger_limit_bytes", label("name", line.name), line.limit_bytes);
  out.family("tocsin_ledger_used_bytes", "gauge", "Memory in use for a purpose, where it is counted");
  for (const auto& line : p.ledger) {
    if (line.is_measured) out.sample("tocsin_ledger_used_bytes", label("name", line.name), line.used_bytes);
  }
}

void expose_upstreams(Exposition& out, const std::vector<core::UpstreamStatus>& upstreams) {
  out.family("tocsin_upstream_connected", "gauge", "1 while the worker is connected to its broker");
  for (const auto& up : upstreams) {
    out.sample("tocsin_upstream_connected", label("upstream", up.name), up.state == "connected" ? 1 : 0);
  }
  out.family("tocsin_upstream_restarts_total", "counter", "Restarts of the worker process");
  for (const auto& up : upstreams)
    out.sample("tocsin_upstream_restarts_total", label("upstream", up.name), up.restarts);
  out.family("tocsin_upstream_confirmed_events_total", "counter", "Events the broker has confirmed since start");
  for (const auto& up : upstreams) {
    out.sample("tocsin_upstream_confirmed_events_total", label("upstream", up.name), up.confirmed_events);
  }
  const auto lanes = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, "gauge", help);
    for (const auto& up : upstreams) {
      for (std::size_t i = 0; i < up.lanes.size(); ++i) {
        const auto lane = label("lane", model::to_text(static_cast<model::Lane>(i)));
        out.sample(name, label("upstream", up.name) + "," + lane, value(up.lanes[i]));
      }
    }
  };
  lanes("tocsin_upstream_last_sequence", "End of the log", [](const auto& lane) { return lane.last_seq; });
  lanes("tocsin_upstream_confirmed_sequence", "Confirmed by the broker",
        [](const auto& lane) { return lane.confirmed_seq; });
  lanes("tocsin_upstream_durable_sequence", "Confirmed and on flash",
        [](const auto& lane) { return lane.durable_seq; });
}

void expose_syslog(Exposition& out, const std::vector<core::SyslogStatus>& listeners) {
  if (listeners.empty()) return;
  out.family("tocsin_syslog_messages_total", "counter", "Syslog messages that became events");
  for (const auto& one : listeners) out.sample("tocsin_syslog_messages_total", label("syslog", one.name), one.messages);
  out.family("tocsin_syslog_dropped_total", "counter", "Syslog messages that did not become events");
  for (const auto& one : listeners) {
    const auto dropped = [&](std::string_view why, std::uint64_t count) {
      out.sample("tocsin_syslog_dropped_total", label("syslog", one.name) + "," + label("why", why), count);
    };
    dropped("no_instance", one.dropped_no_instance);
    dropped("rate", one.dropped_rate);
    dropped("no_room", one.dropped_no_room);
    dropped("kernel", one.dropped_by_kernel);
    dropped("lost", one.lost);
  }
  out.family("tocsin_syslog_connections", "gauge", "Open syslog connections");
  for (const auto& one : listeners) out.sample("tocsin_syslog_connections", label("syslog", one.name), one.connections);
  out.family("tocsin_syslog_connections_refused_total", "counter", "Syslog connections closed for want of a place");
  for (const auto& one : listeners)
    out.sample("tocsin_syslog_connections_refused_total", label("syslog", one.name), one.connections_refused);
}

void expose_sources(Exposition& out, const std::vector<core::SourceStatus>& sources) {
  if (sources.empty()) return;
  out.family("tocsin_source_up", "gauge", "1 while connected to the broker");
  for (const auto& one : sources)
    out.sample("tocsin_source_up", label("source", one.name), std::uint64_t{one.state == "connected" ? 1U : 0U});
  out.family("tocsin_source_records_total", "counter", "Records that came from the broker");
  for (const auto& one : sources)
    out.sample("tocsin_source_records_total", label("source", one.name), one.counts.records);
  out.family("tocsin_source_settled_total", "counter", "Records that are on flash or in the reject box");
  for (const auto& one : sources)
    out.sample("tocsin_source_settled_total", label("source", one.name), one.counts.settled);
  out.family("tocsin_source_refused_total", "counter", "Records that went to the reject box");
  for (const auto& one : sources)
    out.sample("tocsin_source_refused_total", label("source", one.name), one.counts.refused);
}

void expose_api(Exposition& out, const Counters& c) {
  out.counter("tocsin_api_internal_errors_total", "Requests that met a bug", c.internal_errors);
  out.counter("tocsin_api_out_of_memory_total", "Requests refused because a memory limit was reached", c.out_of_memory);
  out.counter("tocsin_api_rate_limited_total", "Requests refused by a rate limit, of their instance or of all",
              c.rate_limited);
  out.counter("tocsin_api_refused_credentials_total", "Requests refused for their credentials", c.refused_credentials);
}

/// A series for each instance that was refused something; most have none.
void expose_rejects(Exposition& out, const RejectBox& rejects, const Activity& activity) {
  out.counter("tocsin_rejects_total", "Requests of known senders that were refused, since start", rejects.total());
  out.counter("tocsin_rejects_not_kept_total", "Refusals that found no room on their way to the reject box",
              rejects.left_out());
  out.family("tocsin_instance_rejects_total", "counter", "The same of one instance");
  for (const Activity::Slot& slot : activity.slots()) {
    if (slot.total_rejects != 0)
      out.sample("tocsin_instance_rejects_total", label("data_id", std::to_string(slot.data_id)), slot.total_rejects);
  }
}

}  // namespace

Reply get_metrics(const Services& services, Call& /*call*/) {
  port::HttpResponse response;
  response.type = port::ContentType::prometheus;
  response.body.reserve(8 * KiB);
  Exposition out(response.body);
  const Daemon& daemon = services.parts.daemon;
  const core::ProcessStatus process = daemon.process_status();
  out.family("tocsin_build_info", "gauge", "Version of the program");
  out.sample("tocsin_build_info", label("version", process.version), 1);
  out.gauge("tocsin_clock_trusted", "1 while the wall clock is trusted", daemon.now().wall.trusted ? 1 : 0);
  const char* why = "";
  out.gauge("tocsin_ready", "1 while the daemon takes and keeps events", daemon.is_ready(why) ? 1 : 0);
  expose_core(out, daemon.gauges());
  expose_process(out, process);
  expose_upstreams(out, process.upstreams);
  expose_syslog(out, process.syslog);
  expose_sources(out, process.sources);
  expose_api(out, services.counters);
  expose_rejects(out, services.rejects, services.activity);
  return response;
}

}  // namespace tocsin::api
