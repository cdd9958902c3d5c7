// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "platform/lmdb/env.hpp"
#include "platform/lmdb/files.hpp"
#include "platform/lmdb/note_file.hpp"
#include "platform/lmdb/recovery.hpp"
#include "platform/lmdb/salvage.hpp"
#include "platform/lmdb/write_estimate.hpp"
#include "src/port/store.hpp"

namespace tocsin::lmdb {

struct Options {
  std::string dir;                  ///< made with mode 0700 when missing
  std::uint64_t quota_bytes = 0;    ///< what the table may grow to; rounded down to pages
  std::uint64_t map_bytes_max = 0;  ///< a 32-bit board: at most 256 MiB; the quota is cut to it
  KeyRule is_key = nullptr;         ///< a key that is none counts as damage; null: any key will do
};

/// Longer values are refused with invalid_input; a salvage would not copy them.
inline constexpr std::size_t kValueBytesMax = kSalvageValueBytesMax;

/// The store port over one LMDB environment with one unnamed table; every commit is two flushes.
/// Structure and the form of keys are checked at open, contents never: values need checksums of their own.
/// The value given to put() must not be a view that the same transaction returned; a key may be one.
/// One store at a time for a directory. Never use it in a child after fork.
class LmdbStore final : public port::Store {
 public:
  /// Checks the file, salvages it when damaged (report().salvaged), and takes the directory.
  /// Errors: conflict (the directory is in use), unsupported (made by another word size or format, or larger than
  /// map_bytes_max), invalid_input (no room for a store in the quota), storage_full, io_failed, out_of_budget.
  [[nodiscard]] static Result<std::unique_ptr<LmdbStore>> open(const Options& options);
  ~LmdbStore() override;

  [[nodiscard]] const OpenReport& report() const noexcept { return report_; }

  [[nodiscard]] Result<std::unique_ptr<port::WriteTxn>> begin_write() override;
  /// At most 8 at a time, then out_of_budget.
  [[nodiscard]] Result<std::unique_ptr<port::ReadTxn>> begin_read() override;
  /// Any thread. Free pages of the free list itself may be counted one commit late.
  [[nodiscard]] port::StoreUse use() const override;
  /// Never salvages: storage_corrupt leaves the store closed, and the next open (of a new process) salvages.
  [[nodiscard]] Status reopen() override;
  [[nodiscard]] Status put_note(Bytes note) override;
  [[nodiscard]] Result<std::size_t> get_note(std::span<std::byte, port::kNoteBytesMax> out) override;

 private:
  friend class ReadHandle;
  friend class WriteHandle;

  /// A read transaction that was reset: its reader slot and its cursor are kept for the next one.
  struct Parked {
    MDB_txn* txn = nullptr;
    MDB_cursor* cursor = nullptr;
  };
  static constexpr unsigned kReadersMax = 8;

  LmdbStore() = default;
  [[nodiscard]] Status take(const Options& options);
  [[nodiscard]] Status open_env();
  void close_env() noexcept;
  [[nodiscard]] Status count_pages();
  [[nodiscard]] Result<Parked> take_reader();
  void park_reader(Parked reader) noexcept;
  [[nodiscard]] bool meta_write_failed() noexcept;
  [[nodiscard]] bool medium_is_full() const noexcept;
  void note_commit(MDB_stat free_list) noexcept;
  void forget_salvage_once() noexcept;

  std::string path_;
  std::uint64_t quota_bytes_ = 0;
  std::uint64_t map_bytes_max_ = 0;
  KeyRule is_key_ = nullptr;
  Fd dir_;
  Fd lock_;
  std::optional<NoteFile> note_;
  OpenReport report_;

  std::shared_mutex in_use_;  ///< shared by each read transaction; taken whole by reopen
  Env env_;
  std::atomic<bool> usable_{false};
  std::atomic<bool> writing_{false};
  bool salvage_unsaid_ = false;  ///< the marker is still there

  std::mutex parked_mutex_;
  std::array<Parked, kReadersMax> parked_{};
  std::size_t parked_count_ = 0;

  std::uint32_t page_bytes_ = 0;
  std::atomic<std::uint64_t> used_bytes_{0};
  WriteEstimate written_;
};

}  // namespace tocsin::lmdb
