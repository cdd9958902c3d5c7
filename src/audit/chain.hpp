// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/time.hpp"
#include "src/model/audit.hpp"
#include "src/port/crypto.hpp"

/// The audit log: rows chained by their hashes, sealed in blocks that are chained too. Pure; the caller stores what
/// comes out (tables audit_row and audit_block) in the transaction of the change that the row tells of.
namespace tocsin::audit {

inline constexpr std::int64_t kBlockAgeMaxMs = 24 * 3'600'000LL;

/// When something happened, and in which boot.
struct Moment {
  Now now;
  std::uint32_t boot = 0;
};

/// Where the chain ends. Trivially copyable: a turn works on a copy and keeps it once the commit succeeded.
struct Head {
  std::uint64_t next_row = 1;
  port::Digest256 last_hash{};  ///< of row next_row - 1; the origin of its epoch when the epoch has no row yet
  std::uint64_t next_block = 1;
  port::Digest256 last_block_hash{};  ///< zeros when the epoch has no block yet
  std::uint32_t epoch = 1;
  std::uint32_t open_rows = 0;       ///< rows that no block covers yet; fewer than kAuditRowsPerBlock
  std::uint64_t first_open_row = 0;  ///< the first of them; behind a break next_row does not tell
  Moment opened;                     ///< of the first of them
};

/// What the first row of an epoch is chained to: the epoch's number and nothing else.
[[nodiscard]] port::Digest256 epoch_origin(std::uint32_t epoch) noexcept;
/// The head of an empty log.
[[nodiscard]] Head begin() noexcept;

/// SHA-256 of the previous hash and the encoded row without its own.
[[nodiscard]] port::Digest256 hash_of(const model::AuditRow& row, const port::Digest256& previous,
                                      const port::Crypto& crypto);
/// SHA-256 of the encoded block without its own hash.
[[nodiscard]] port::Digest256 hash_of(const model::AuditBlock& block, const port::Crypto& crypto);

/// One thing to be recorded. Texts are cleaned by append().
struct Entry {
  model::AuditAction action{};
  std::string_view actor;
  std::string_view object;
  std::string_view detail;
};

/// The row to store, and the block that became due with it (before it by age, or full with it), to store too.
struct Appended {
  model::AuditRow row;
  std::optional<model::AuditBlock> sealed;
};
[[nodiscard]] Appended append(Head& head, const Entry& entry, const Moment& moment, const port::Crypto& crypto);

/// The block over the open rows when they are as many as a block takes or the first is a day old. Age: by the wall
/// clock when it was trusted then and is now, else by the monotonic clock of the same boot; a first row of another
/// boot without trusted time counts as old. Cheap; for a timer, so that an idle log is sealed too.
[[nodiscard]] std::optional<model::AuditBlock> seal_if_due(Head& head, const Moment& moment,
                                                           const port::Crypto& crypto);

/// Ends the epoch, for a salvaged store: seals what is open and begins the chain anew. The next row must be
/// store_salvaged; rows and blocks go on counting. Seal it at once: a start finds its way from the newest block.
[[nodiscard]] std::optional<model::AuditBlock> begin_epoch(Head& head, const Moment& moment,
                                                           const port::Crypto& crypto);

/// Seals the open rows now. Precondition: there are some.
[[nodiscard]] model::AuditBlock seal_open(Head& head, const Moment& moment, const port::Crypto& crypto);

/// At start: the head after the newest stored block, to which resume() then adds the rows behind it in order.
[[nodiscard]] Head head_after(const model::AuditBlock& block) noexcept;
/// storage_corrupt: not the next row, or its hash is not right; the head is unchanged. A store_salvaged row at the
/// origin of the next epoch is taken as its beginning.
[[nodiscard]] Status resume(Head& head, const model::AuditRow& row, const port::Crypto& crypto);

/// Valid UTF-8 of at most `bytes_max` bytes without control characters, line separators and marks that turn the
/// direction of writing, so that a row stays one honest line; what is no UTF-8 becomes '?'.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t bytes_max = model::kAuditTextBytesMax);

}  // namespace tocsin::audit
