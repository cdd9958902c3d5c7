// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <shared_mutex>

#include "platform/lmdb/store.hpp"

namespace tocsin::lmdb {

class ReadHandle final : public port::ReadTxn {
 public:
  ReadHandle(LmdbStore& store, std::shared_lock<std::shared_mutex> in_use, LmdbStore::Parked reader) noexcept
      : store_(store), in_use_(std::move(in_use)), reader_(reader) {}
  ~ReadHandle() override { store_.park_reader(reader_); }
  ReadHandle(const ReadHandle&) = delete;
  ReadHandle& operator=(const ReadHandle&) = delete;

  [[nodiscard]] Result<std::optional<Bytes>> get(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> at_or_after(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> before(Bytes key) override;

 private:
  LmdbStore& store_;
  std::shared_lock<std::shared_mutex> in_use_;
  LmdbStore::Parked reader_;
};

class WriteHandle final : public port::WriteTxn {
 public:
  WriteHandle(LmdbStore& store, MDB_txn* txn) noexcept : store_(store), txn_(txn) {}
  ~WriteHandle() override;
  WriteHandle(const WriteHandle&) = delete;
  WriteHandle& operator=(const WriteHandle&) = delete;

  [[nodiscard]] Result<std::optional<Bytes>> get(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> at_or_after(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> before(Bytes key) override;
  [[nodiscard]] Status put(Bytes key, Bytes value) override;
  [[nodiscard]] Result<std::span<std::byte>> reserve(Bytes key, std::size_t value_bytes) override;
  [[nodiscard]] Status erase(Bytes key) override;
  [[nodiscard]] Status commit() override;

 private:
  [[nodiscard]] Status ready();
  [[nodiscard]] Status open_cursor();
  [[nodiscard]] Error fail(int code, Where where) noexcept;
  void end() noexcept;

  LmdbStore& store_;
  MDB_txn* txn_;
  MDB_cursor* cursor_ = nullptr;  ///< opened when first needed; the library frees it with the transaction
  bool changed_ = false;
  std::optional<Error> failed_;  ///< every later call answers the same
};

}  // namespace tocsin::lmdb
