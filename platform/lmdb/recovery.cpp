// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/recovery.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "platform/lmdb/checker.hpp"
#include "platform/lmdb/env.hpp"
#include "platform/lmdb/salvage.hpp"

namespace tocsin::lmdb {
namespace {

// data.mdb          the store
// data.mdb.create   a store being created; worth nothing until it is renamed
// data.mdb.new      a salvaged store; complete when data.mdb is missing, because that one is renamed away after it
// data.mdb.damaged-0, -1    the damaged files of the last two salvages
// salvaged          what the last salvage did; there until a transaction has been committed
constexpr const char* kData = "data.mdb";
constexpr const char* kCreate = "data.mdb.create";
constexpr const char* kNew = "data.mdb.new";
constexpr const char* kMarker = "salvaged";
constexpr const char* kMarkerFormat = "kept %llu lost %llu pages %llu older %u file %u fault %79[^\n]\n";

Status create(const Fd& dir, const std::string& dir_path, std::uint64_t map_bytes) {
  {
    auto env = Env::open(dir_path + "/" + kCreate, {map_bytes, MDB_NOSUBDIR | MDB_NOLOCK, 1});
    if (!env.ok()) return env.error().in("creating the store");
  }
  const auto fd = open_in(dir, kCreate, O_RDWR);
  if (!fd.ok()) return fd.error();
  if (auto done = sync(*fd); !done.ok()) return done;
  if (auto done = rename_in(dir, kCreate, kData); !done.ok()) return done;
  return sync(dir);
}

std::string damaged_name(unsigned slot) { return std::string{kData} + ".damaged-" + std::to_string(slot); }

/// The two names are used in turn; the one that is about to be used is free afterwards.
Result<unsigned> free_damaged_slot(const Fd& dir) {
  const bool first = exists_in(dir, damaged_name(0));
  const bool second = exists_in(dir, damaged_name(1));
  if (!first) return 0U;
  if (!second) return 1U;
  if (auto done = remove_in(dir, damaged_name(0)); !done.ok()) return done.error();
  if (auto done = rename_in(dir, damaged_name(1), damaged_name(0)); !done.ok()) return done.error();
  return 1U;
}

Status write_marker(const Fd& dir, const SalvageReport& report, unsigned slot, const char* fault) {
  std::array<char, 256> line{};
  const int length = std::snprintf(
      line.data(), line.size(), "kept %llu lost %llu pages %llu older %u file %u fault %.79s\n",
      static_cast<unsigned long long>(report.entries_kept), static_cast<unsigned long long>(report.entries_lost),
      static_cast<unsigned long long>(report.subtrees_lost), report.rolled_back ? 1U : 0U, slot, fault);
  const auto fd = open_in(dir, kMarker, O_RDWR | O_CREAT | O_TRUNC);
  if (!fd.ok()) return fd.error();
  if (auto done = write_at(fd->get(), as_bytes({line.data(), static_cast<std::size_t>(length)}), 0); !done.ok()) {
    return done;
  }
  if (auto done = sync(*fd); !done.ok()) return done;
  return sync(dir);
}

/// A marker that cannot be read still says that there was a salvage.
Status read_marker(const Fd& dir, const std::string& dir_path, OpenReport& report) {
  const auto fd = open_in(dir, kMarker, O_RDONLY);
  if (!fd.ok()) return fd.error().code == Errc::not_found ? Status{} : Status{fd.error()};
  report.salvaged = true;
  std::array<char, 256> line{};
  const auto got = read_at(fd->get(), std::as_writable_bytes(std::span{line}.first(line.size() - 1)), 0);
  if (!got.ok()) return got.error();
  unsigned long long kept = 0;
  unsigned long long lost = 0;
  unsigned long long pages = 0;
  unsigned slot = 0;
  unsigned older = 0;
  std::array<char, 80> fault{};
  if (std::sscanf(line.data(), kMarkerFormat, &kept, &lost, &pages, &older, &slot, fault.data()) != 6) return {};
  report.entries_kept = kept;
  report.entries_lost = lost;
  report.subtrees_lost = pages;
  report.rolled_back = older != 0;
  report.damaged_path = dir_path + "/" + damaged_name(slot & 1);
  report.fault = fault.data();
  return {};
}

Status salvage_store(const Fd& dir, const std::string& dir_path, const Fd& data, std::uint64_t map_bytes,
                     const char* fault) {
  const std::string new_path = dir_path + "/" + kNew;
  auto done = salvage(data.get(), new_path, map_bytes);
  if (!done.ok() && done.error().code == Errc::storage_full) {  // what was kept aside is worth less than the store
    for (unsigned slot = 0; slot < 2; ++slot) {
      if (auto removed = remove_in(dir, damaged_name(slot)); !removed.ok()) return removed;
    }
    done = salvage(data.get(), new_path, map_bytes);
  }
  if (!done.ok()) return done.error().in("salvaging the store");
  const auto fresh = open_in(dir, kNew, O_RDWR);
  if (!fresh.ok()) return fresh.error();
  if (auto synced = sync(*fresh); !synced.ok()) return synced;
  const auto slot = free_damaged_slot(dir);
  if (!slot.ok()) return slot.error();
  if (auto marked = write_marker(dir, *done, *slot, fault); !marked.ok()) return marked;
  if (auto moved = rename_in(dir, kData, damaged_name(*slot)); !moved.ok()) return moved;
  if (auto moved = rename_in(dir, kNew, kData); !moved.ok()) return moved;
  return sync(dir);
}

/// After a cut, finishes the last step or throws away what was never finished.
Status tidy(const Fd& dir) {
  if (auto done = remove_in(dir, kCreate); !done.ok()) return done;
  if (exists_in(dir, kNew)) {
    if (exists_in(dir, kData)) return remove_in(dir, kNew);
    if (auto done = rename_in(dir, kNew, kData); !done.ok()) return done;
    return sync(dir);
  }
  return {};
}

}  // namespace

Status forget_salvage(const Fd& dir) { return remove_in(dir, kMarker); }

Result<OpenReport> recover(const Fd& dir, const std::string& dir_path, std::uint64_t map_bytes, KeyRule is_key) {
  OpenReport report;
  if (auto done = tidy(dir); !done.ok()) return done.error();
  if (!exists_in(dir, kData)) {
    if (auto done = create(dir, dir_path, map_bytes); !done.ok()) return done.error();
    report.created = true;
    return report;
  }
  const auto data = open_in(dir, kData, O_RDONLY);
  if (!data.ok()) return data.error();
  const auto check = check_file(data->get(), is_key);
  if (!check.ok()) return check.error();
  if (check->verdict == Verdict::foreign) {
    return error(Errc::unsupported, "the store was made by a machine of another word size or by another LMDB format");
  }
  if (check->verdict == Verdict::damaged) {
    if (auto done = salvage_store(dir, dir_path, *data, map_bytes, check->fault); !done.ok()) return done.error();
  }
  report.leaked_pages = check->leaked_pages;
  if (auto done = read_marker(dir, dir_path, report); !done.ok()) return done.error();
  return report;
}

}  // namespace tocsin::lmdb
