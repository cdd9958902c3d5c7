// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::port {

inline constexpr std::size_t kKeyBytesMax = 511;
inline constexpr std::size_t kNoteBytesMax = 480;

/// Views are valid until the next writing call on the same transaction, or its end.
struct Entry {
  Bytes key;
  Bytes value;
};

/// A consistent view of the ordered table. Ends at destruction. Use on the thread that began it, and shortly:
/// a view that stays open keeps every page freed since from being used again.
/// Errors of each call: storage_corrupt, io_failed, out_of_budget.
class ReadTxn {
 public:
  virtual ~ReadTxn() = default;
  [[nodiscard]] virtual Result<std::optional<Bytes>> get(Bytes key) = 0;          ///< nullopt: no such key
  [[nodiscard]] virtual Result<std::optional<Entry>> at_or_after(Bytes key) = 0;  ///< smallest key >= `key`
  [[nodiscard]] virtual Result<std::optional<Entry>> before(Bytes key) = 0;       ///< greatest key < `key`
};

/// The only write transaction. Sees its own writes. Destroyed without commit: nothing happened.
class WriteTxn : public ReadTxn {
 public:
  /// Replaces. storage_full: no room; the transaction can only be dropped.
  [[nodiscard]] virtual Status put(Bytes key, Bytes value) = 0;
  /// Room for a value that the caller fills before its next call on this transaction.
  [[nodiscard]] virtual Result<std::span<std::byte>> reserve(Bytes key, std::size_t value_bytes) = 0;
  /// not_found: no such key, nothing changed.
  [[nodiscard]] virtual Status erase(Bytes key) = 0;
  /// Ends the transaction either way. Success: everything is on flash. storage_full: nothing happened.
  /// Any other error: it is unknown whether the change is on flash; call Store::reopen before the next transaction.
  [[nodiscard]] virtual Status commit() = 0;
};

struct StoreUse {
  std::uint64_t used_bytes = 0;   ///< pages that hold data; freed pages do not count
  std::uint64_t quota_bytes = 0;  ///< what the store may grow to
  std::uint32_t page_bytes = 0;
  std::uint64_t written_bytes =
      0;  ///< handed to the system for writing since the process began; an estimate from pages
};

/// An ordered table of bytes on flash, and one small note beside it.
/// Threads: one thread writes; read transactions may begin on any other thread. reopen() waits for them to end.
class Store {
 public:
  virtual ~Store() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<WriteTxn>> begin_write() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<ReadTxn>> begin_read() = 0;
  /// Pages in use are counted incrementally; cheap.
  [[nodiscard]] virtual StoreUse use() const = 0;
  /// After a failed commit: closes, checks the structure, opens again. Until it succeeds begin_* answer unavailable.
  [[nodiscard]] virtual Status reopen() = 0;
  /// Replaces the note (at most kNoteBytesMax) for the price of one block; durable on return, old or new after a cut.
  [[nodiscard]] virtual Status put_note(Bytes note) = 0;
  /// Copies the note into `out`; returns its size, 0 when there is none or it is damaged.
  [[nodiscard]] virtual Result<std::size_t> get_note(std::span<std::byte, kNoteBytesMax> out) = 0;
};

}  // namespace tocsin::port
