// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/api/body.hpp"
#include "src/api/resources.hpp"
#include "src/json/writer.hpp"

namespace tocsin::api {
namespace {

using json::Writer;

void write_clock(Writer& w, const Services& services, const char* source) {
  const Now now = services.parts.daemon.now();
  w.object().name("wall").time(now.wall.unix_ms).name("unix_ms").number(now.wall.unix_ms);
  w.name("trusted").boolean(now.wall.trusted);
  w.member("source", source);
  w.name("monotonic_ms").number(now.mono.ms()).name("boot").number(services.parts.daemon.gauges().boot).end_object();
}

void write_memory(Writer& w, const core::ProcessStatus& process) {
  w.object().name("rss_anon_bytes").number(std::uint64_t{process.rss_anon_bytes});
  w.name("rss_anon_peak_bytes").number(std::uint64_t{process.rss_anon_peak_bytes});
  w.name("budget_bytes").number(std::uint64_t{process.budget_bytes}).name("ledger").array();
  for (const core::LedgerLine& line : process.ledger) {
    w.object().member("name", line.name).name("limit_bytes").number(std::uint64_t{line.limit_bytes});
    w.name("used_bytes");
    if (line.is_measured) {
      w.number(std::uint64_t{line.used_bytes}).name("peak_bytes").number(std::uint64_t{line.peak_bytes});
    } else {
      w.null().name("peak_bytes").null();
    }
    w.end_object();
  }
  w.end_array().end_object();
}

/// Sequences that are stored and not confirmed. All lanes share one counter, so this counts an event of another lane
/// in between too: it is a bound, exact while one lane is in use.
std::uint64_t backlog_of(const core::UpstreamStatus::LaneStatus& lane) noexcept {
  return lane.last_seq > lane.confirmed_seq ? lane.last_seq - lane.confirmed_seq : 0;
}

void write_upstream(Writer& w, const core::UpstreamStatus& upstream) {
  std::uint64_t backlog = 0;
  for (const auto& lane : upstream.lanes) backlog = std::max(backlog, backlog_of(lane));
  w.object().member("name", upstream.name).member("kind", upstream.kind).member("state", upstream.state);
  w.member("detail", upstream.detail).name("since").time(upstream.since_ms).name("since_ms").number(upstream.since_ms);
  w.name("restarts").number(upstream.restarts).name("worker_pid").number(upstream.worker_pid);
  w.name("confirmed_events")
      .number(upstream.confirmed_events)
      .name("backlog_at_most")
      .number(backlog)
      .name("lanes")
      .array();
  for (std::size_t i = 0; i < upstream.lanes.size(); ++i) {
    const auto& lane = upstream.lanes[i];
    w.object().member("lane", model::to_text(static_cast<model::Lane>(i))).name("last_seq").number(lane.last_seq);
    w.name("confirmed_seq").number(lane.confirmed_seq).name("durable_seq").number(lane.durable_seq);
    w.name("offered_seq").number(lane.offered_seq).name("backlog_at_most").number(backlog_of(lane)).end_object();
  }
  w.end_array().end_object();
}

void write_syslog(Writer& w, const core::SyslogStatus& one) {
  w.object().member("name", one.name).member("plugin", one.plugin).name("messages").number(one.messages);
  w.name("cut").number(one.cut).name("dropped_no_instance").number(one.dropped_no_instance);
  w.name("dropped_rate").number(one.dropped_rate).name("dropped_no_room").number(one.dropped_no_room);
  w.name("dropped_by_kernel").number(one.dropped_by_kernel).name("lost").number(one.lost);
  w.name("connections").number(one.connections).name("connections_refused").number(one.connections_refused);
  w.end_object();
}

void write_source(Writer& w, const core::SourceStatus& one) {
  w.object().member("name", one.name).member("kind", one.kind).member("plugin", one.plugin);
  w.member("state", one.state).member("detail", one.detail).member("obstacle", one.obstacle);
  w.name("since").time(one.since_ms).name("since_ms").number(one.since_ms);
  w.name("restarts").number(one.restarts).name("worker_pid").number(one.worker_pid);
  w.name("records").number(one.counts.records).name("settled").number(one.counts.settled);
  w.name("refused").number(one.counts.refused).end_object();
}

void write_store(Writer& w, const core::Gauges& gauges, const log::Ends& ends) {
  w.object().name("ok").boolean(gauges.store_ok).name("used_bytes").number(gauges.store_used_bytes);
  w.name("quota_bytes").number(gauges.store_quota_bytes).name("written_bytes").number(gauges.store_written_bytes);
  w.name("turns")
      .number(gauges.turns)
      .name("turns_failed")
      .number(gauges.turns_failed)
      .name("reloads")
      .number(gauges.reloads);
  w.name("commit_ns_last").number(gauges.commit_ns_last).name("commit_ns_max").number(gauges.commit_ns_max);
  w.name("damaged_records")
      .number(gauges.damaged_records)
      .name("audit_rows")
      .number(gauges.audit_rows)
      .name("lanes")
      .array();
  for (std::size_t i = 0; i < ends.size(); ++i) {
    w.object().member("lane", model::to_text(static_cast<model::Lane>(i)));
    w.name("first_seq").number(ends[i].first_seq).name("last_seq").number(ends[i].last_seq).end_object();
  }
  w.end_array().end_object();
}

void write_status(Writer& w, const Services& services) {
  const Daemon& daemon = services.parts.daemon;
  const core::ProcessStatus process = daemon.process_status();
  const core::Gauges gauges = daemon.gauges();
  const char* why = "";
  const bool is_ready = daemon.is_ready(why);
  w.object().member("name", process.name).member("version", process.version);
  w.member("appliance", to_hex(services.parts.appliance)).member("store_id", to_hex(services.parts.store));
  w.name("boot").number(gauges.boot).name("started").time(process.started_wall_ms);
  w.name("started_ms").number(process.started_wall_ms).name("uptime_ms").number(process.uptime_ms);
  w.name("ready").boolean(is_ready).member("why", is_ready ? "" : why);
  w.name("local_flow_ok").boolean(process.local_flow_ok).name("writer_stalled").boolean(process.writer_stalled);
  w.name("clock");
  write_clock(w, services, process.clock_source);
  w.name("events").object().name("next_seq").number(gauges.next_seq).name("accepted").number(gauges.events_accepted);
  w.name("repeated").number(gauges.events_repeated).name("evicted").number(gauges.events_evicted);
  w.name("ids_ready").boolean(gauges.ids_ready).end_object();
  w.name("alerts")
      .object()
      .name("open")
      .number(gauges.alerts_open)
      .name("opened")
      .number(gauges.alerts_opened)
      .end_object();
  w.name("store");
  write_store(w, gauges, daemon.view().ends);
  w.name("memory");
  write_memory(w, process);
  w.name("http")
      .object()
      .name("connections")
      .number(process.http_connections)
      .name("requests")
      .number(process.http_requests);
  w.name("refused").number(process.http_refused).name("rate_limited").number(services.counters.rate_limited);
  w.name("refused_credentials").number(services.counters.refused_credentials);
  w.name("out_of_memory").number(services.counters.out_of_memory).end_object().name("upstreams").array();
  for (const core::UpstreamStatus& upstream : process.upstreams) write_upstream(w, upstream);
  w.end_array().name("syslog").array();
  for (const core::SyslogStatus& one : process.syslog) write_syslog(w, one);
  w.end_array().name("sources").array();
  for (const core::SourceStatus& one : process.sources) write_source(w, one);
  w.end_array().end_object();
}

port::HttpResponse text_reply(std::uint16_t status, std::string_view line) {
  auto out = refuse(Shape::text, status, line, {}, "not_ready");
  if (status == 200) out.error = {};
  return out;
}

}  // namespace

Reply get_healthz(const Services& /*services*/, Call& /*call*/) { return text_reply(200, "ok"); }

Reply get_readyz(const Services& services, Call& /*call*/) {
  const char* why = "";
  if (services.parts.daemon.is_ready(why)) return text_reply(200, "ready");
  return text_reply(503, std::string("not ready: ") + why);
}

Reply get_status(const Services& services, Call& call) {
  std::string data;
  Writer w(data);
  write_status(w, services);
  return call.succeed(data);
}

Reply get_config(const Services& services, Call& call) { return call.succeed(services.parts.daemon.config_json()); }

Reply get_clock(const Services& services, Call& call) {
  std::string data;
  Writer w(data);
  write_clock(w, services, services.parts.daemon.process_status().clock_source);
  return call.succeed(data);
}

Reply post_clock(const Services& services, Call& call) {
  Body body(services, call.body, {"time", "unix_ms"});
  const auto time = body.time("time");
  const auto unix_ms = body.time("unix_ms");
  if (time && unix_ms) body.reject("unix_ms", "give either this or time");
  // Zero means "the present time is right", which an empty body says.
  if ((time && *time == 0) || (unix_ms && *unix_ms == 0)) body.reject(time ? "time" : "unix_ms", "must be after 1970");
  if (!body.ok()) return call.fail(400, body.problem());
  core::SetClock set{time ? *time : unix_ms.value_or(0), call.who.actor};
  return post_input(services, call, {call.reply_to(), std::move(set)});
}

}  // namespace tocsin::api
