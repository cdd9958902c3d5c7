// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/lmdb/checker.hpp"
#include "platform/lmdb/files.hpp"

namespace tocsin::lmdb {

/// What open() found and did.
struct OpenReport {
  bool created = false;
  /// The file was damaged and what could be read of it was copied into a new one. Said again at every open until a
  /// transaction has been committed, so that the first commit can give the store a new identity.
  bool salvaged = false;
  std::uint64_t entries_kept = 0;
  std::uint64_t entries_lost = 0;   ///< single entries on pages that could be read; what stood on lost pages is unknown
  std::uint64_t subtrees_lost = 0;  ///< damaged pages, each with all that hung below it
  bool rolled_back = false;         ///< may be the state before the last commit: the newest one could not be entered
  std::uint64_t leaked_pages = 0;   ///< pages that nothing refers to: lost room, no danger
  std::string damaged_path;         ///< the damaged file, kept aside
  std::string fault;                ///< what was wrong with it
};

/// Brings the directory to a state in which data.mdb is a sound file of a closed environment: finishes a salvage that
/// was cut, creates the file, or salvages it. `dir_path` is the path of `dir`. Each step leaves a state that the next
/// call understands. `is_key` as check_file() takes it. Precondition: nobody else uses the directory.
/// Errors: unsupported (another word size or format), storage_full, io_failed, out_of_budget.
[[nodiscard]] Result<OpenReport> recover(const Fd& dir, const std::string& dir_path, std::uint64_t map_bytes,
                                         KeyRule is_key);

/// Ends the repetition of OpenReport::salvaged.
[[nodiscard]] Status forget_salvage(const Fd& dir);

}  // namespace tocsin::lmdb
