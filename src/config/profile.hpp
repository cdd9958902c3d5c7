// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/bytes.hpp"

namespace tocsin::config {

/// One line of the memory ledger as people see it.
struct LedgerLine {
  std::string_view name;
  std::int64_t bytes = 0;
  std::string_view what;
};

/// Who may use how much of tocsind's private memory (RssAnon). Every owner is built with its line as a hard limit;
/// where the owner is a library without a limit of its own, the line is the measured worst case.
struct Ledger {
  std::int64_t library_base = 0;
  std::int64_t push_connections = 0;
  std::int64_t admin_connections = 0;
  std::int64_t small_bodies = 0;
  std::int64_t body_pool = 0;
  std::int64_t intake = 0;
  std::int64_t rejects = 0;
  std::int64_t parser = 0;
  std::int64_t profiles = 0;
  std::int64_t turn = 0;
  std::int64_t id_window = 0;
  std::int64_t alert_cache = 0;
  std::int64_t reader = 0;
  std::int64_t channel = 0;
};

inline constexpr std::size_t kLedgerLines = 14;

/// The ledger as a list, in the order of the struct. The names are those of status, metrics and the page.
[[nodiscard]] constexpr std::array<LedgerLine, kLedgerLines> lines(const Ledger& ledger) noexcept {
  return {{
      {"library_base", ledger.library_base, "C++ runtime, libraries, stacks, configuration, before any work"},
      {"push_connections", ledger.push_connections, "pool and bookkeeping of each connection to the push listener"},
      {"admin_connections", ledger.admin_connections, "the same for the admin listener and the control socket"},
      {"small_bodies", ledger.small_bodies, "request bodies that never wait"},
      {"body_pool", ledger.body_pool, "request bodies that reserve their length before they are read"},
      {"intake", ledger.intake, "checked requests that wait for a turn"},
      {"rejects", ledger.rejects, "refusals on their way to the reject box, and what each instance did lately"},
      {"parser", ledger.parser, "the JSON parser and its output for one largest body"},
      {"profiles", ledger.profiles, "compiled profiles of alert sources, and their regular expressions"},
      {"turn", ledger.turn, "dirty pages and scratch of the one write transaction"},
      {"id_window", ledger.id_window, "hashes of recent event ids"},
      {"alert_cache", ledger.alert_cache, "open alerts kept in memory"},
      {"reader", ledger.reader, "slices of queries and of batches on their way to a worker"},
      {"channel", ledger.channel, "frames between tocsind and its workers"},
  }};
}

[[nodiscard]] constexpr std::int64_t sum_bytes(const Ledger& ledger) noexcept {
  std::int64_t sum = 0;
  for (const LedgerLine& line : lines(ledger)) sum += line.bytes;
  return sum;
}

/// What one kind of hardware has and allows. A board is a value: code asks for a property, never for a name.
struct BoardProfile {
  std::string_view name;
  std::string_view data_dir = "/var/lib/tocsin";
  std::string_view watchdog_device = {};  ///< empty: none
  bool has_battery_clock = false;         ///< wall time after a power cut can be believed

  std::int64_t memory_limit_bytes = 0;  ///< RssAnon of tocsind under any load
  Ledger ledger = {};
  std::int64_t connection_bytes = 8704;  ///< one connection of the HTTP library: 8 KiB pool, 512 bytes of its own
  std::int64_t push_connections_max = 0;
  std::int64_t admin_connections_max = 0;
  std::int64_t tls_connection_cost = 5;        ///< as many plain ones take what one with TLS takes at worst
  std::int64_t tls_base_cost = 16;             ///< the same for TLS itself, once something listens with it
  std::int64_t push_tls_connections_max = 24;  ///< default of http.push.tls_connections_max
  std::int64_t admin_tls_connections_max = 8;
  std::int64_t body_bytes_max = 512'000;  ///< largest push body that body_pool and parser are made for

  std::int64_t mqtt_bytes_max = 0;  ///< RssAnon of each worker
  std::int64_t kafka_bytes_max = 0;
  std::int64_t courier_bytes_max = 0;
  std::int64_t thread_stack_bytes = 256 * 1024;

  std::int64_t quota_bytes = 0;      ///< default of store.quota_bytes
  std::int64_t map_bytes_max = 0;    ///< its upper limit: address space, or the partition
  std::int64_t commit_delay_ms = 0;  ///< default of store.commit_delay_ms: 0 where a flush is cheap
};

inline constexpr std::int64_t kPlainConnectionsMin = 4;

/// The ledger is complete, within the limit, its connection lines are the connection counts times their price, and TLS
/// finds room in that of push.
[[nodiscard]] constexpr bool fits(const BoardProfile& board) noexcept {
  for (const LedgerLine& line : lines(board.ledger)) {
    if (line.bytes <= 0) return false;
  }
  return sum_bytes(board.ledger) <= board.memory_limit_bytes &&
         board.ledger.push_connections == board.push_connections_max * board.connection_bytes &&
         board.ledger.admin_connections == board.admin_connections_max * board.connection_bytes &&
         board.push_connections_max >=
             kPlainConnectionsMin + board.tls_base_cost +
                 board.tls_connection_cost * (board.push_tls_connections_max + board.admin_tls_connections_max) &&
         board.ledger.body_pool >= board.body_bytes_max && board.mqtt_bytes_max > 0 && board.kafka_bytes_max > 0 &&
         board.courier_bytes_max > 0 && board.quota_bytes > 0 && board.quota_bytes <= board.map_bytes_max;
}

/// The board of this build, defined by board/<name>/profile.cpp (layer `board`). Only programs and tests name it;
/// everything else is handed what it needs.
extern const BoardProfile kBoard;

}  // namespace tocsin::config
