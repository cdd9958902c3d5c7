// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <new>

#include "platform/lmdb/checker.hpp"
#include "platform/lmdb/errors.hpp"
#include "platform/lmdb/txn.hpp"

namespace tocsin::lmdb {
namespace {

constexpr std::uint64_t kPagesMin = 32;
constexpr std::uint64_t kNearlyFullBytes = 1 * MiB;

Result<std::string> real_path(const std::string& path) {
  char* raw = ::realpath(path.c_str(), nullptr);
  if (raw == nullptr) return from_errno(errno, "resolving the store directory");
  std::string out{raw};
  std::free(raw);  // NOLINT: realpath allocates
  return out;
}

Result<Fd> lock_dir(const Fd& dir) {
  auto lock = open_in(dir, "lock", O_RDWR | O_CREAT);
  if (!lock.ok()) return lock;
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return error(Errc::conflict, "the store directory is in use by another process");
    return from_errno(errno, "locking the store directory");
  }
  return lock;
}

}  // namespace

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(const Options& options) {
  try {
    std::unique_ptr<LmdbStore> store{new LmdbStore};
    if (auto done = store->take(options); !done.ok()) return done.error().in("opening the store");
    return store;
  } catch (const std::bad_alloc&) {
    return error(Errc::out_of_budget, "opening the store");
  }
}

LmdbStore::~LmdbStore() { close_env(); }

Status LmdbStore::take(const Options& options) {
  const auto os_page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  map_bytes_max_ = options.map_bytes_max / os_page * os_page;
  quota_bytes_ = std::min(options.quota_bytes / os_page * os_page, map_bytes_max_);
  is_key_ = options.is_key;
  if (quota_bytes_ < kPagesMin * os_page) return error(Errc::invalid_input, "the quota is too small for a store");
  auto dir = open_dir(options.dir);
  if (!dir.ok()) return dir.error();
  dir_ = std::move(*dir);
  auto path = real_path(options.dir);
  if (!path.ok()) return path.error();
  path_ = std::move(*path);
  auto lock = lock_dir(dir_);
  if (!lock.ok()) return lock.error();
  lock_ = std::move(*lock);
  auto report = recover(dir_, path_, quota_bytes_, is_key_);
  if (!report.ok()) return report.error();
  report_ = std::move(*report);
  salvage_unsaid_ = report_.salvaged;
  if (auto done = open_env(); !done.ok()) return done;
  auto note = NoteFile::open(dir_);
  if (!note.ok()) return note.error();
  note_.emplace(std::move(*note));
  return {};
}

/// The reader table is made anew: we hold the directory, so whatever it says is left from another life.
Status LmdbStore::open_env() {
  if (auto done = remove_in(dir_, "lock.mdb"); !done.ok()) return done;
  const auto data = open_in(dir_, "data.mdb", O_RDONLY);
  if (!data.ok()) return data.error();
  const auto file_bytes = size_of(*data);
  if (!file_bytes.ok()) return file_bytes.error();
  if (*file_bytes > map_bytes_max_) return error(Errc::unsupported, "the store is larger than this board can map");
  const std::uint64_t map_bytes = std::max(quota_bytes_, *file_bytes);
  auto env = Env::open(path_, {map_bytes, MDB_NOTLS | MDB_NORDAHEAD, kReadersMax});
  if (!env.ok()) return env.error();
  env_ = std::move(*env);
  if (auto done = count_pages(); !done.ok()) return done;
  usable_.store(true);
  return {};
}

void LmdbStore::close_env() noexcept {
  usable_.store(false);
  for (std::size_t i = 0; i < parked_count_; ++i) {
    mdb_cursor_close(parked_[i].cursor);
    mdb_txn_abort(parked_[i].txn);
  }
  parked_count_ = 0;
  env_.close();
}

Status LmdbStore::count_pages() {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &txn); code != 0) {
    return from_lmdb(code, "counting pages");
  }
  MDB_stat free_list{};
  const int code = mdb_stat(txn, kFreeTable, &free_list);
  mdb_txn_abort(txn);
  if (code != 0) return from_lmdb(code, "counting pages");
  page_bytes_ = free_list.ms_psize;
  written_.begin();
  note_commit(free_list);
  return {};
}

/// `free_list` is from before the commit, because there is no cheap way to ask afterwards; the main table's is exact.
void LmdbStore::note_commit(MDB_stat free_list) noexcept {
  MDB_stat main{};
  if (mdb_env_stat(env_.get(), &main) != 0) return;
  const auto pages = [](const MDB_stat& stat) {
    return std::uint64_t{stat.ms_branch_pages} + stat.ms_leaf_pages + stat.ms_overflow_pages;
  };
  used_bytes_.store((2 + pages(main) + pages(free_list)) * page_bytes_, std::memory_order_relaxed);
  written_.committed(page_bytes_, main.ms_depth, free_list.ms_depth);
}

/// A marker that cannot be removed only has the salvage said once more.
void LmdbStore::forget_salvage_once() noexcept {
  if (salvage_unsaid_ && forget_salvage(dir_).ok()) salvage_unsaid_ = false;
}

Result<std::unique_ptr<port::WriteTxn>> LmdbStore::begin_write() {
  if (!usable_.load()) return error(Errc::unavailable, "the store is closed until it was reopened");
  if (writing_.exchange(true)) return error(Errc::conflict, "a write transaction is open already");
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_.get(), nullptr, 0, &txn); code != 0) {
    writing_.store(false);
    return from_lmdb(code, "beginning to write");
  }
  std::unique_ptr<port::WriteTxn> handle{new (std::nothrow) WriteHandle(*this, txn)};
  if (handle == nullptr) {
    mdb_txn_abort(txn);
    writing_.store(false);
    return error(Errc::out_of_budget, "beginning to write");
  }
  written_.begin();
  return handle;
}

Result<LmdbStore::Parked> LmdbStore::take_reader() {
  Parked reader;
  {
    const std::scoped_lock guard{parked_mutex_};
    if (parked_count_ > 0) reader = parked_[--parked_count_];
  }
  if (reader.txn != nullptr) {
    int code = mdb_txn_renew(reader.txn);
    if (code == 0) code = mdb_cursor_renew(reader.txn, reader.cursor);
    if (code == 0) return reader;
    park_reader(reader);
    return from_lmdb(code, "beginning to read");
  }
  if (const int code = mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &reader.txn); code != 0) {
    return from_lmdb(code, "beginning to read");
  }
  if (const int code = mdb_cursor_open(reader.txn, kMainTable, &reader.cursor); code != 0) {
    mdb_txn_abort(reader.txn);
    return from_lmdb(code, "beginning to read");
  }
  return reader;
}

/// There are as many places as readers.
void LmdbStore::park_reader(Parked reader) noexcept {
  mdb_txn_reset(reader.txn);
  const std::scoped_lock guard{parked_mutex_};
  parked_[parked_count_++] = reader;
}

Result<std::unique_ptr<port::ReadTxn>> LmdbStore::begin_read() {
  std::shared_lock in_use{in_use_, std::try_to_lock};
  if (!in_use.owns_lock() || !usable_.load()) {
    return error(Errc::unavailable, "the store is closed until it was reopened");
  }
  const auto reader = take_reader();
  if (!reader.ok()) return reader.error();
  std::unique_ptr<port::ReadTxn> handle{new (std::nothrow) ReadHandle(*this, std::move(in_use), *reader)};
  if (handle == nullptr) {
    park_reader(*reader);
    return error(Errc::out_of_budget, "beginning to read");
  }
  return handle;
}

port::StoreUse LmdbStore::use() const {
  return {used_bytes_.load(std::memory_order_relaxed), quota_bytes_, page_bytes_, written_.total()};
}

Status LmdbStore::reopen() {
  if (writing_.load()) return error(Errc::conflict, "a write transaction is open");
  usable_.store(false);
  const std::unique_lock all{in_use_};
  close_env();
  const auto data = open_in(dir_, "data.mdb", O_RDONLY);
  if (!data.ok()) return data.error().in("reopening the store");
  const auto check = check_file(data->get(), is_key_);
  if (!check.ok()) return check.error().in("reopening the store");
  if (check->verdict != Verdict::sound) return error(Errc::storage_corrupt, "the store is damaged; start again");
  if (auto done = open_env(); !done.ok()) return done.error().in("reopening the store");
  return {};
}

Status LmdbStore::put_note(Bytes note) {
  auto done = note_->put(note);
  if (done.ok()) written_.add(page_bytes_);
  return done;
}

Result<std::size_t> LmdbStore::get_note(std::span<std::byte, port::kNoteBytesMax> out) { return note_->get(out); }

bool LmdbStore::meta_write_failed() noexcept {
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &txn);
  if (code == 0) mdb_txn_abort(txn);
  return code == MDB_PANIC;
}

bool LmdbStore::medium_is_full() const noexcept {
  struct statvfs facts {};
  if (::fstatvfs(dir_.get(), &facts) == 0 && std::uint64_t{facts.f_bavail} * facts.f_frsize < kNearlyFullBytes) {
    return true;
  }
  int fd = -1;
  struct rlimit limit {};
  if (mdb_env_get_fd(env_.get(), &fd) != 0 || ::getrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
  const off_t end = ::lseek(fd, 0, SEEK_END);
  return end >= 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<std::uint64_t>(end) + page_bytes_ > static_cast<std::uint64_t>(limit.rlim_cur);
}

}  // namespace tocsin::lmdb
