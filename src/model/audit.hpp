// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.hpp"
#include "src/base/time.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::model {

/// What happened. Numbers and names are stored and shown: append only, never reuse. names in audit.cpp.
enum class AuditAction : std::uint16_t {
  store_created = 1,
  store_salvaged = 2,
  daemon_started = 3,
  daemon_stopped = 4,
  block_sealed = 5,
  alert_opened = 10,
  alert_acked = 11,
  alert_recovered = 12,
  alert_closed = 13,
  alert_ack_refused = 14,
  plugin_created = 20,
  plugin_updated = 21,
  plugin_deleted = 22,
  plugin_disabled = 23,
  plugin_enabled = 24,
  plugin_token_rotated = 25,
  plugin_token_ended = 26,
  user_created = 30,
  user_deleted = 31,
  password_changed = 32,
  token_created = 33,
  token_deleted = 34,
  login_refused = 35,
  access_refused = 36,
  clock_set = 40,
  clock_trusted = 41,
  events_evicted = 50,
  upstream_rollback = 51,
  upstream_configured = 52,
  upstream_removed = 53,
  reject_replayed = 60,
};
[[nodiscard]] const char* to_text(AuditAction action) noexcept;

inline constexpr std::size_t kAuditTextBytesMax = 512;
inline constexpr std::uint32_t kAuditRowsPerBlock = 256;

/// One row. `index` has no holes; `hash` = SHA-256(previous hash, encoded row without hash): the chain.
struct AuditRow {
  std::uint64_t index = 0;
  AuditAction action{};
  std::uint32_t boot = 0;
  std::int64_t wall_ms = 0;  ///< as believed at the time
  std::int64_t mono_ms = 0;
  bool wall_trusted = false;
  std::string actor;   ///< "user:alice", "token:ci", "uid:0", "system", "peer:10.0.0.7"
  std::string object;  ///< "alert:1700000000123", "plugin:10000001" …
  std::string detail;  ///< short text for people; never a secret
  port::Digest256 hash{};
};

/// The seal of a block of rows (at most 256 rows or one day).
struct AuditBlock {
  std::uint64_t index = 0;  ///< from 1, no holes
  std::uint32_t epoch = 1;  ///< rises when a chain is begun anew (salvage)
  std::uint64_t first_row = 0;
  std::uint32_t rows = 0;
  std::int64_t sealed_ms = 0;
  port::Digest256 rows_head{};  ///< hash of its last row
  port::Digest256 previous{};   ///< hash of the block before; zeros for the first
  port::Digest256 hash{};       ///< SHA-256 of the encoded fields above
};

/// Encoded forms: FORMAT.md. `encode_hashed` leaves the hash out: it is what is hashed.
void encode(const AuditRow& row, std::string& out);
void encode_hashed(const AuditRow& row, std::string& out);
[[nodiscard]] Result<AuditRow> decode_audit_row(Bytes in);
void encode(const AuditBlock& block, std::string& out);
void encode_hashed(const AuditBlock& block, std::string& out);
[[nodiscard]] Result<AuditBlock> decode_audit_block(Bytes in);

}  // namespace tocsin::model
