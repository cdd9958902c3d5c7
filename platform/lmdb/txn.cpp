// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/txn.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/lmdb/errors.hpp"
#include "platform/lmdb/layout.hpp"

namespace tocsin::lmdb {
namespace {

using MaybeEntry = Result<std::optional<port::Entry>>;

bool is_key(Bytes key) { return !key.empty() && key.size() <= port::kKeyBytesMax; }

struct Sought {
  int code = 0;
  port::Entry entry;
};

Sought seek(MDB_cursor* cursor, Bytes key, MDB_cursor_op op) {
  MDB_val name = val_of(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor, &name, &value, op);
  if (code != 0) return {code, {}};
  return {0, {bytes_of(name), bytes_of(value)}};
}

Sought seek_at_or_after(MDB_cursor* cursor, Bytes key) {
  return seek(cursor, key, key.empty() ? MDB_FIRST : MDB_SET_RANGE);
}

Sought seek_before(MDB_cursor* cursor, Bytes key) {
  if (key.empty()) return {MDB_NOTFOUND, {}};
  const auto next = seek(cursor, key, MDB_SET_RANGE);
  if (next.code == MDB_NOTFOUND) return seek(cursor, {}, MDB_LAST);
  if (next.code != 0) return next;
  return seek(cursor, {}, MDB_PREV);
}

}  // namespace

Result<std::optional<Bytes>> ReadHandle::get(Bytes key) {
  if (!is_key(key)) return error(Errc::invalid_input, "a key has 1 to 511 bytes");
  MDB_val name = val_of(key);
  MDB_val value{};
  const int code = mdb_get(reader_.txn, kMainTable, &name, &value);
  if (code == MDB_NOTFOUND) return std::optional<Bytes>{};
  if (code != 0) return from_lmdb(code, "reading an entry");
  return std::optional{bytes_of(value)};
}

MaybeEntry ReadHandle::at_or_after(Bytes key) {
  if (key.size() > port::kKeyBytesMax) return error(Errc::invalid_input, "a key has at most 511 bytes");
  const auto sought = seek_at_or_after(reader_.cursor, key);
  if (sought.code == MDB_NOTFOUND) return std::optional<port::Entry>{};
  if (sought.code != 0) return from_lmdb(sought.code, "seeking an entry");
  return std::optional{sought.entry};
}

MaybeEntry ReadHandle::before(Bytes key) {
  if (key.size() > port::kKeyBytesMax) return error(Errc::invalid_input, "a key has at most 511 bytes");
  const auto sought = seek_before(reader_.cursor, key);
  if (sought.code == MDB_NOTFOUND) return std::optional<port::Entry>{};
  if (sought.code != 0) return from_lmdb(sought.code, "seeking an entry");
  return std::optional{sought.entry};
}

WriteHandle::~WriteHandle() {
  if (txn_ != nullptr) {
    mdb_txn_abort(txn_);
    end();
  }
}

void WriteHandle::end() noexcept {
  txn_ = nullptr;
  cursor_ = nullptr;
  store_.writing_.store(false, std::memory_order_release);
}

Status WriteHandle::ready() {
  if (failed_) return *failed_;
  if (txn_ == nullptr) return error(Errc::unavailable, "the transaction has ended");
  return {};
}

/// The library may have left the transaction half changed, so it can only be dropped. A short write is EIO to the
/// library; on a full medium that is what it was.
Error WriteHandle::fail(int code, Where where) noexcept {
  Error failure = from_lmdb(code, where);
  if (failure.os_errno == EIO && store_.medium_is_full()) failure.code = Errc::storage_full;
  failed_ = failure;
  return failure;
}

Status WriteHandle::open_cursor() {
  if (cursor_ != nullptr) return {};
  if (const int code = mdb_cursor_open(txn_, kMainTable, &cursor_); code != 0) return fail(code, "opening a cursor");
  return {};
}

Result<std::optional<Bytes>> WriteHandle::get(Bytes key) {
  if (!is_key(key)) return error(Errc::invalid_input, "a key has 1 to 511 bytes");
  if (auto can = ready(); !can.ok()) return can.error();
  MDB_val name = val_of(key);
  MDB_val value{};
  const int code = mdb_get(txn_, kMainTable, &name, &value);
  if (code == MDB_NOTFOUND) return std::optional<Bytes>{};
  if (code != 0) return fail(code, "reading an entry");
  return std::optional{bytes_of(value)};
}

MaybeEntry WriteHandle::at_or_after(Bytes key) {
  if (key.size() > port::kKeyBytesMax) return error(Errc::invalid_input, "a key has at most 511 bytes");
  if (auto can = ready(); !can.ok()) return can.error();
  if (auto can = open_cursor(); !can.ok()) return can.error();
  const auto sought = seek_at_or_after(cursor_, key);
  if (sought.code == MDB_NOTFOUND) return std::optional<port::Entry>{};
  if (sought.code != 0) return fail(sought.code, "seeking an entry");
  return std::optional{sought.entry};
}

MaybeEntry WriteHandle::before(Bytes key) {
  if (key.size() > port::kKeyBytesMax) return error(Errc::invalid_input, "a key has at most 511 bytes");
  if (auto can = ready(); !can.ok()) return can.error();
  if (auto can = open_cursor(); !can.ok()) return can.error();
  const auto sought = seek_before(cursor_, key);
  if (sought.code == MDB_NOTFOUND) return std::optional<port::Entry>{};
  if (sought.code != 0) return fail(sought.code, "seeking an entry");
  return std::optional{sought.entry};
}

Result<std::span<std::byte>> WriteHandle::reserve(Bytes key, std::size_t value_bytes) {
  if (!is_key(key)) return error(Errc::invalid_input, "a key has 1 to 511 bytes");
  if (value_bytes > kValueBytesMax) return error(Errc::invalid_input, "a value is too long");
  if (auto can = ready(); !can.ok()) return can.error();
  std::array<std::byte, port::kKeyBytesMax> own;  // the caller's key may lie on a page that is about to change
  std::memcpy(own.data(), key.data(), key.size());
  key = Bytes{own}.first(key.size());
  MDB_val name = val_of(key);
  MDB_val room{value_bytes, nullptr};
  if (const int code = mdb_put(txn_, kMainTable, &name, &room, MDB_RESERVE); code != 0) {
    return fail(code, "writing an entry");
  }
  changed_ = true;
  const std::size_t in_leaf = layout::kNodeBytes + key.size() + value_bytes;
  const bool own_run = in_leaf > (store_.page_bytes_ - layout::kHeaderBytes) / 2 - 2;
  store_.written_.put(
      key, own_run ? layout::kNodeBytes + key.size() : in_leaf,
      own_run ? layout::overflow_pages_for(static_cast<std::uint32_t>(value_bytes), store_.page_bytes_) : 0);
  return std::span{static_cast<std::byte*>(room.mv_data), value_bytes};
}

Status WriteHandle::put(Bytes key, Bytes value) {
  auto room = reserve(key, value.size());
  if (!room.ok()) return room.error();
  if (!value.empty()) std::memcpy(room->data(), value.data(), value.size());
  return {};
}

Status WriteHandle::erase(Bytes key) {
  if (!is_key(key)) return error(Errc::invalid_input, "a key has 1 to 511 bytes");
  if (auto can = ready(); !can.ok()) return can.error();
  MDB_val name = val_of(key);
  const int code = mdb_del(txn_, kMainTable, &name, nullptr);
  if (code == MDB_NOTFOUND) return error(Errc::not_found, "erasing an entry");
  if (code != 0) return fail(code, "erasing an entry");
  changed_ = true;
  store_.written_.erase(key);
  return {};
}

Status WriteHandle::commit() {
  if (auto can = ready(); !can.ok()) {
    if (txn_ != nullptr) {
      mdb_txn_abort(txn_);
      end();
    }
    return can;
  }
  MDB_stat free_list{};
  const int counted = mdb_stat(txn_, kFreeTable, &free_list);
  const int code = mdb_txn_commit(txn_);  // frees the transaction whatever the outcome
  end();
  if (code == 0) {
    if (counted == 0) store_.note_commit(free_list);
    if (changed_) store_.forget_salvage_once();
    return {};
  }
  Error failure = fail(code, "committing");
  // Only the last step of a commit, the write of the meta page, can leave the outcome open; the library then refuses
  // every later transaction. Trouble before it that is about room left everything as it was.
  if (failure.code == Errc::storage_full && store_.meta_write_failed()) failure.code = Errc::io_failed;
  if (failure.code != Errc::storage_full) store_.usable_.store(false);
  failed_ = failure;
  return failure;
}

}  // namespace tocsin::lmdb
