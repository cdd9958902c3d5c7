// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/core/effects.hpp"

namespace tocsin::core {

/// One upstream as people see it. io thread.
struct UpstreamStatus {
  std::string name;
  std::string kind;
  std::string state;   ///< "starting", "connecting", "connected", "disconnected", "refused", "restarting", "paused"
  std::string detail;  ///< broker address or the reason, for people
  std::int64_t since_ms = 0;    ///< wall time of the last change of state
  std::uint32_t restarts = 0;   ///< of the worker process
  std::int64_t worker_pid = 0;  ///< 0: not running
  struct LaneStatus {
    std::uint64_t last_seq = 0;  ///< end of the log
    std::uint64_t confirmed_seq = 0;
    std::uint64_t durable_seq = 0;  ///< confirmed and on flash
    std::uint64_t offered_seq = 0;
  };
  std::array<LaneStatus, model::kLanes> lanes{};
  std::uint64_t confirmed_events = 0;  ///< since start
};

/// One syslog listener as people see it. Counts are since start. io thread.
struct SyslogStatus {
  std::string name;
  std::string plugin;                     ///< as configured
  std::uint64_t messages = 0;             ///< became events (some of them may be lost yet)
  std::uint64_t cut = 0;                  ///< of them: were longer than is kept
  std::uint64_t dropped_no_instance = 0;  ///< no enabled instance of that name takes events
  std::uint64_t dropped_rate = 0;         ///< datagrams over the rate
  std::uint64_t dropped_no_room = 0;      ///< datagrams that found the intake full
  std::uint64_t dropped_by_kernel = 0;    ///< datagrams that found the socket's buffer full
  std::uint64_t lost = 0;                 ///< taken, and refused by the writer
  std::uint64_t connections = 0;          ///< now
  std::uint64_t connections_refused = 0;  ///< no place was free
};

/// Since start.
struct SourceCounts {
  std::uint64_t records = 0;  ///< came from the broker; some may have come again
  std::uint64_t settled = 0;  ///< became durable, or went to the reject box
  std::uint64_t refused = 0;  ///< of them: went to the reject box
};

/// One source as people see it. io thread.
struct SourceStatus {
  std::string name;
  std::string kind;      ///< "mqtt", "kafka"
  std::string plugin;    ///< as configured
  std::string state;     ///< as an upstream's
  std::string detail;    ///< broker address or the reason, for people
  std::string obstacle;  ///< why nothing is taken now; empty: it is
  std::int64_t since_ms = 0;
  std::uint32_t restarts = 0;
  std::int64_t worker_pid = 0;
  SourceCounts counts;
};

/// One line of the memory ledger against what is used now.
struct LedgerLine {
  const char* name = "";
  std::size_t limit_bytes = 0;
  std::size_t used_bytes = 0;  ///< 0 with is_measured false: the line is a cap nobody counts at run time
  std::size_t peak_bytes = 0;
  bool is_measured = false;
};

/// Everything the status page, `tocsinctl status` and /metrics show beside the gauges.
struct ProcessStatus {
  std::string version;
  std::string name;                   ///< appliance.name
  const char* clock_source = "none";  ///< "synchronised", "operator", "battery" or "none"
  std::int64_t started_wall_ms = 0;
  std::int64_t uptime_ms = 0;
  std::size_t rss_anon_bytes = 0;
  std::size_t rss_anon_peak_bytes = 0;
  std::size_t budget_bytes = 0;
  std::vector<LedgerLine> ledger;
  std::uint32_t http_connections = 0;
  std::uint64_t http_requests = 0;
  std::uint64_t http_refused = 0;
  bool local_flow_ok = true;    ///< accepted -> writer -> reader answered lately
  bool writer_stalled = false;  ///< a commit is taking longer than 1 s
  std::vector<UpstreamStatus> upstreams;
  std::vector<SyslogStatus> syslog;
  std::vector<SourceStatus> sources;
};

}  // namespace tocsin::core
