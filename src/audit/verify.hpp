// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/audit/chain.hpp"
#include "src/base/result.hpp"
#include "src/port/store.hpp"

namespace tocsin::audit {

enum class Fault : std::uint8_t {
  none,
  unreadable,  ///< checksum, encoding, or an index that is not the key's
  row_missing,
  row_out_of_order,  ///< an index that was seen already
  row_hash,
  block_missing,
  block_out_of_order,
  block_hash,
  block_rows,  ///< it does not cover the rows that are there, or ends in another hash
  block_previous,
  epoch,             ///< neither goes on nor begins the way a salvaged store does
  head_differs,      ///< the chain does not pass through the expected head
  tail_missing,      ///< it ends before the expected head
  rows_beyond_head,  ///< it goes on after an expected head that was said to be the end
};
[[nodiscard]] const char* to_text(Fault fault) noexcept;

/// A head known from elsewhere (an export, an upstream, the running daemon): the chain must pass through it.
/// A hash of zeros is not compared; the number is.
struct Checkpoint {
  std::uint64_t row = 0;
  port::Digest256 hash{};
  std::uint64_t block = 0;
  port::Digest256 block_hash{};
};
[[nodiscard]] Checkpoint checkpoint_of(const Head& head) noexcept;

/// Whether rows may follow the checkpoint: they may when it is older than the view that is verified.
enum class Tail : std::uint8_t { may_have_grown, is_exact };

struct Report {
  Fault fault = Fault::none;    ///< the first one; nothing after it was looked at
  std::uint64_t fault_row = 0;  ///< where: the row, or the first row of the block
  std::uint64_t fault_block = 0;
  std::uint64_t first_row = 1;  ///< where verification began
  std::uint64_t rows = 0;       ///< verified
  std::uint64_t blocks = 0;
  std::uint32_t open_rows = 0;     ///< verified rows that no block covers yet
  std::uint32_t epochs_begun = 0;  ///< times the chain was begun anew by a salvage on the way
  bool has_checkpoint = false;
  Checkpoint end;  ///< where the verified chain ends; worth keeping elsewhere
  [[nodiscard]] bool ok() const noexcept { return fault == Fault::none; }
};
/// What was found, and what an intact report does not prove. Plain lines for people.
[[nodiscard]] std::string to_text(const Report& report);

/// Checks a stored audit log that is fed to it in order: each block before its rows, the rows without a block last.
/// Bounded memory, no matter how long the log is. After the first fault everything more is ignored.
class Verifier {
 public:
  /// `from`: begin(), or the head at an anchor left behind by pruning (a block border).
  Verifier(const port::Crypto& crypto, const Head& from, std::optional<Checkpoint> expected);

  void block(Bytes key, Bytes value);
  void row(Bytes key, Bytes value);
  [[nodiscard]] std::uint64_t next_row() const noexcept { return head_.next_row; }
  [[nodiscard]] std::uint64_t next_block() const noexcept { return head_.next_block; }
  /// Between blocks: a block, if there is one more, comes before the next row.
  [[nodiscard]] bool wants_block() const noexcept { return !in_block_; }
  [[nodiscard]] bool is_broken() const noexcept { return report_.fault != Fault::none; }
  /// After the last entry.
  [[nodiscard]] Report finish(Tail tail);

 private:
  void fail(Fault fault, std::uint64_t row, std::uint64_t block) noexcept;
  void check(const model::AuditBlock& block);
  void check(const model::AuditRow& row);
  [[nodiscard]] bool goes_on(const model::AuditRow& row);
  void end_block();

  const port::Crypto& crypto_;
  Head head_;
  std::optional<Checkpoint> expected_;
  Report report_;
  std::optional<model::AuditBlock> in_block_;
};

/// Feeds at most about `rows_max` rows from the store's tables; call again with any later view until it says true:
/// the end was reached or a fault was found. Rows without a block (fewer than kAuditRowsPerBlock) are read in one call.
/// Errors: those of the view.
[[nodiscard]] Result<bool> verify_slice(Verifier& verifier, port::ReadTxn& view, std::uint32_t rows_max);

}  // namespace tocsin::audit
