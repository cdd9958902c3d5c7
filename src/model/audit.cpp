// SPDX-License-Identifier: Apache-2.0
#include "src/model/audit.hpp"

#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

template <class Op, class Row>
void hashed_fields(Op& op, Row& row) {
  op.number(row.index);
  // A number this release does not know is kept as it is: a later release may have written the row, and the chain
  // must still be checkable.
  op.wide_choice(row.action);
  op.number(row.boot);
  op.number(row.wall_ms);
  op.number(row.mono_ms);
  op.flag(row.wall_trusted);
  op.text(row.actor, kAuditTextBytesMax);
  op.text(row.object, kAuditTextBytesMax);
  op.text(row.detail, kAuditTextBytesMax);
}

template <class Op, class Block>
void hashed_block_fields(Op& op, Block& block) {
  op.number(block.index);
  op.number(block.epoch);
  op.number(block.first_row);
  op.number(block.rows);
  op.number(block.sealed_ms);
  op.array(block.rows_head);
  op.array(block.previous);
}

}  // namespace

const char* to_text(AuditAction action) noexcept {
  switch (action) {
    case AuditAction::store_created: return "store_created";
    case AuditAction::store_salvaged: return "store_salvaged";
    case AuditAction::daemon_started: return "daemon_started";
    case AuditAction::daemon_stopped: return "daemon_stopped";
    case AuditAction::block_sealed: return "block_sealed";
    case AuditAction::alert_opened: return "alert_opened";
    case AuditAction::alert_acked: return "alert_acked";
    case AuditAction::alert_recovered: return "alert_recovered";
    case AuditAction::alert_closed: return "alert_closed";
    case AuditAction::alert_ack_refused: return "alert_ack_refused";
    case AuditAction::plugin_created: return "plugin_created";
    case AuditAction::plugin_updated: return "plugin_updated";
    case AuditAction::plugin_deleted: return "plugin_deleted";
    case AuditAction::plugin_disabled: return "plugin_disabled";
    case AuditAction::plugin_enabled: return "plugin_enabled";
    case AuditAction::plugin_token_rotated: return "plugin_token_rotated";
    case AuditAction::plugin_token_ended: return "plugin_token_ended";
    case AuditAction::user_created: return "user_created";
    case AuditAction::user_deleted: return "user_deleted";
    case AuditAction::password_changed: return "password_changed";
    case AuditAction::token_created: return "token_created";
    case AuditAction::token_deleted: return "token_deleted";
    case AuditAction::login_refused: return "login_refused";
    case AuditAction::access_refused: return "access_refused";
    case AuditAction::clock_set: return "clock_set";
    case AuditAction::clock_trusted: return "clock_trusted";
    case AuditAction::events_evicted: return "events_evicted";
    case AuditAction::upstream_rollback: return "upstream_rollback";
    case AuditAction::upstream_configured: return "upstream_configured";
    case AuditAction::upstream_removed: return "upstream_removed";
    case AuditAction::reject_replayed: return "reject_replayed";
  }
  return "unknown";
}

void encode_hashed(const AuditRow& row, std::string& out) {
  FieldWriter writer(out);
  hashed_fields(writer, row);
}

void encode(const AuditRow& row, std::string& out) {
  encode_hashed(row, out);
  Encoder(out).raw(row.hash);
}

Result<AuditRow> decode_audit_row(Bytes in) {
  return read_record<AuditRow>(in, "audit row", [](FieldReader& op, AuditRow& row) {
    hashed_fields(op, row);
    op.array(row.hash);
  });
}

void encode_hashed(const AuditBlock& block, std::string& out) {
  FieldWriter writer(out);
  hashed_block_fields(writer, block);
}

void encode(const AuditBlock& block, std::string& out) {
  encode_hashed(block, out);
  Encoder(out).raw(block.hash);
}

Result<AuditBlock> decode_audit_block(Bytes in) {
  return read_record<AuditBlock>(in, "audit block", [](FieldReader& op, AuditBlock& block) {
    hashed_block_fields(op, block);
    op.array(block.hash);
  });
}

}  // namespace tocsin::model
