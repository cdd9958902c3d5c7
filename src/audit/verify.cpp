// SPDX-License-Identifier: Apache-2.0
#include "src/audit/verify.hpp"

#include "src/model/seal.hpp"
#include "src/model/tables.hpp"

namespace tocsin::audit {
namespace {

using model::AuditBlock;
using model::AuditRow;
using model::Key;
using model::Table;

bool is_key(Bytes key, Table table, std::uint64_t index) noexcept {
  return as_text(key) == as_text(Key(table).u64(index));
}

bool differs(const port::Digest256& expected, const port::Digest256& found) noexcept {
  return expected != port::Digest256{} && expected != found;
}

}  // namespace

const char* to_text(Fault fault) noexcept {
  switch (fault) {
    case Fault::none: return "none";
    case Fault::unreadable: return "an entry is damaged";
    case Fault::row_missing: return "a row is missing";
    case Fault::row_out_of_order: return "a row is out of order";
    case Fault::row_hash: return "a row does not fit the chain";
    case Fault::block_missing: return "a block is missing";
    case Fault::block_out_of_order: return "a block is out of order";
    case Fault::block_hash: return "a block does not have its own hash";
    case Fault::block_rows: return "a block does not fit its rows";
    case Fault::block_previous: return "a block does not follow the one before";
    case Fault::epoch: return "the chain was begun anew without a salvage";
    case Fault::head_differs: return "the chain does not pass through the expected head";
    case Fault::tail_missing: return "the chain ends before the expected head";
    case Fault::rows_beyond_head: return "there are rows after the expected head";
  }
  return "unknown";
}

Checkpoint checkpoint_of(const Head& head) noexcept {
  // An epoch that has no row yet ends in its origin, which is the hash of no row.
  const bool has_row = head.last_hash != epoch_origin(head.epoch);
  return {.row = head.next_row - 1,
          .hash = has_row ? head.last_hash : port::Digest256{},
          .block = head.next_block - 1,
          .block_hash = head.last_block_hash};
}

Verifier::Verifier(const port::Crypto& crypto, const Head& from, std::optional<Checkpoint> expected)
    : crypto_(crypto), head_(from), expected_(expected) {
  head_.open_rows = 0;
  report_.first_row = from.next_row;
  report_.has_checkpoint = expected.has_value();
}

void Verifier::fail(Fault fault, std::uint64_t row, std::uint64_t block) noexcept {
  if (is_broken()) return;
  report_.fault = fault;
  report_.fault_row = row;
  report_.fault_block = block;
}

void Verifier::block(Bytes key, Bytes value) {
  if (is_broken()) return;
  const auto payload = model::unseal(key, value);
  if (!payload.ok()) return fail(Fault::unreadable, head_.next_row, head_.next_block);
  const auto read = model::decode_audit_block(*payload);
  if (!read.ok() || !is_key(key, Table::audit_block, read->index)) {
    return fail(Fault::unreadable, head_.next_row, head_.next_block);
  }
  check(*read);
}

void Verifier::check(const AuditBlock& block) {
  const auto broken = [&](Fault fault) { fail(fault, head_.next_row, block.index); };
  if (in_block_) return fail(Fault::row_missing, head_.next_row, in_block_->index);
  if (block.index != head_.next_block) {
    const bool later = block.index > head_.next_block;
    return fail(later ? Fault::block_missing : Fault::block_out_of_order, head_.next_row, head_.next_block);
  }
  if (block.hash != hash_of(block, crypto_)) return broken(Fault::block_hash);
  const bool begins_epoch = block.epoch == head_.epoch + 1;
  if (!begins_epoch && block.epoch != head_.epoch) return broken(Fault::epoch);
  if (block.previous != (begins_epoch ? port::Digest256{} : head_.last_block_hash)) {
    return broken(Fault::block_previous);
  }
  const bool covers_next = block.first_row == head_.next_row && head_.open_rows == 0;
  if (!covers_next || block.rows == 0 || block.rows > model::kAuditRowsPerBlock) return broken(Fault::block_rows);
  in_block_ = block;
}

void Verifier::row(Bytes key, Bytes value) {
  if (is_broken()) return;
  const auto payload = model::unseal(key, value);
  if (!payload.ok()) return fail(Fault::unreadable, head_.next_row, 0);
  const auto read = model::decode_audit_row(*payload);
  if (!read.ok() || !is_key(key, Table::audit_row, read->index)) return fail(Fault::unreadable, head_.next_row, 0);
  check(*read);
}

bool Verifier::goes_on(const AuditRow& row) {
  const bool is_first = head_.open_rows == 0;
  const bool must_begin = is_first && in_block_ && in_block_->epoch == head_.epoch + 1;
  if (!must_begin && row.hash == hash_of(row, head_.last_hash, crypto_)) return true;
  const bool may_begin = is_first && (must_begin || !in_block_);
  const bool begins = may_begin && row.action == model::AuditAction::store_salvaged &&
                      row.hash == hash_of(row, epoch_origin(head_.epoch + 1), crypto_);
  if (!begins) {
    fail(must_begin ? Fault::epoch : Fault::row_hash, row.index, in_block_ ? in_block_->index : 0);
    return false;
  }
  ++head_.epoch;
  head_.last_block_hash = {};
  ++report_.epochs_begun;
  return true;
}

void Verifier::check(const AuditRow& row) {
  const std::uint64_t block = in_block_ ? in_block_->index : 0;
  if (row.index > head_.next_row) return fail(Fault::row_missing, head_.next_row, block);
  if (row.index < head_.next_row) return fail(Fault::row_out_of_order, row.index, block);
  if (!goes_on(row)) return;
  ++head_.next_row;
  ++head_.open_rows;
  head_.last_hash = row.hash;
  ++report_.rows;
  if (expected_ && expected_->row == row.index && differs(expected_->hash, row.hash)) {
    return fail(Fault::head_differs, row.index, block);
  }
  if (in_block_ && head_.open_rows == in_block_->rows) return end_block();
  // The block that a full run of rows gets is written with the last of them.
  if (!in_block_ && head_.open_rows >= model::kAuditRowsPerBlock) {
    fail(Fault::block_missing, head_.next_row - head_.open_rows, head_.next_block);
  }
}

void Verifier::end_block() {
  const AuditBlock& block = *in_block_;
  if (block.rows_head != head_.last_hash) return fail(Fault::block_rows, block.first_row, block.index);
  if (expected_ && expected_->block == block.index && differs(expected_->block_hash, block.hash)) {
    return fail(Fault::head_differs, block.first_row, block.index);
  }
  ++head_.next_block;
  head_.last_block_hash = block.hash;
  head_.open_rows = 0;
  ++report_.blocks;
  in_block_.reset();
}

Report Verifier::finish(Tail tail) {
  if (in_block_) fail(Fault::row_missing, head_.next_row, in_block_->index);
  if (expected_) {
    const bool rows_end_early = expected_->row >= head_.next_row;
    if (rows_end_early || expected_->block >= head_.next_block) {
      fail(Fault::tail_missing, head_.next_row, head_.next_block);
    }
    if (tail == Tail::is_exact && (head_.next_row - 1 > expected_->row || head_.next_block - 1 > expected_->block)) {
      fail(Fault::rows_beyond_head, expected_->row + 1, 0);
    }
  }
  report_.open_rows = head_.open_rows;
  report_.end = checkpoint_of(head_);
  return report_;
}

std::string to_text(const Report& report) {
  std::string out;
  const std::string last = std::to_string(report.end.row);
  if (report.ok() && report.rows == 0) {
    out = "intact: no rows\n";
  } else if (report.ok()) {
    out = "intact: rows " + std::to_string(report.first_row) + " to " + last + ", " + std::to_string(report.blocks) +
          " blocks, " + std::to_string(report.open_rows) + " rows not yet in a block\n";
  } else {
    out = "NOT intact: " + std::string(to_text(report.fault)) + ", row " + std::to_string(report.fault_row);
    if (report.fault_block != 0) out += ", block " + std::to_string(report.fault_block);
    out += "; rows before it are as they were written (" + std::to_string(report.rows) + " checked)\n";
  }
  out += "head: row " + last + " " + to_hex(report.end.hash) + "\n";
  if (report.epochs_begun != 0) {
    out += "the chain was begun anew " + std::to_string(report.epochs_begun) + " times, each with a salvage row\n";
  }
  if (report.first_row > 1) {
    out += "not proven: anything about rows before " + std::to_string(report.first_row) + ", which were pruned\n";
  }
  if (!report.has_checkpoint) {
    out +=
        "not proven: that no rows were cut off after row " + last +
        ", and that nobody who could write the store made the whole chain anew; compare with a head kept elsewhere\n";
  }
  return out;
}

Result<bool> verify_slice(Verifier& verifier, port::ReadTxn& view, std::uint32_t rows_max) {
  bool has_blocks = true;
  for (std::uint32_t rows = 0; rows < rows_max || !has_blocks; ++rows) {
    if (has_blocks && verifier.wants_block()) {
      auto found = view.at_or_after(Key(Table::audit_block).u64(verifier.next_block()));
      if (!found.ok()) return found.error().in("verifying audit blocks");
      has_blocks = found->has_value() && model::is_in((*found)->key, Table::audit_block);
      if (has_blocks) verifier.block((*found)->key, (*found)->value);
    }
    if (verifier.is_broken()) return true;
    auto found = view.at_or_after(Key(Table::audit_row).u64(verifier.next_row()));
    if (!found.ok()) return found.error().in("verifying audit rows");
    if (!found->has_value() || !model::is_in((*found)->key, Table::audit_row)) return true;
    verifier.row((*found)->key, (*found)->value);
    if (verifier.is_broken()) return true;
  }
  return false;
}

}  // namespace tocsin::audit
