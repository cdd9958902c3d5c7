// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "platform/lmdb/layout.hpp"
#include "platform/lmdb/page_marks.hpp"
#include "src/base/result.hpp"

namespace tocsin::lmdb {

enum class Verdict : std::uint8_t {
  sound,
  damaged,
  foreign,  ///< made by a machine of another word size, or by a library with another format
};

/// The structure does not see a damaged key that keeps the order; whoever wrote the keys may.
using KeyRule = bool (*)(Bytes) noexcept;

struct CheckReport {
  Verdict verdict = Verdict::damaged;
  const char* fault = nullptr;  ///< words of an operator; null when sound
  std::uint64_t page = 0;       ///< where the fault is
  std::uint32_t page_bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t pages = 0;         ///< last page + 1
  std::uint64_t free_pages = 0;    ///< in the free list
  std::uint64_t leaked_pages = 0;  ///< neither reachable nor free: lost room, but no danger
};

/// Reads a data file with pread alone and trusts no byte of it. Verifies all that the library relies on: both meta
/// pages, every branch and leaf page of the newest snapshot, the first page of every overflow run, the free list, the
/// counts, and that no page is used twice. What is inside values is not looked at.
/// Cost: all branch and leaf pages and one short read a big value. Memory: a bit a page, and a page a level.
/// Errors: io_failed, out_of_budget; a damaged file is a report, not an error.
/// `is_key`: the form that keys of the main table have; null: any.
[[nodiscard]] Result<CheckReport> check_file(int fd, KeyRule is_key = nullptr);

/// The two meta pages as they are, for salvage.
struct Metas {
  std::uint32_t page_bytes = 0;  ///< 0: none found
  bool usable[2] = {false, false};
  layout::Meta meta[2];
};
[[nodiscard]] Result<Metas> find_metas(int fd);

/// The pages that hold or are named in the free list of this snapshot, if that list is sound: none of them can be part
/// of the main tree. May throw std::bad_alloc.
[[nodiscard]] std::optional<PageMarks> sound_free_list(int fd, const layout::Meta& meta, std::uint32_t page_bytes,
                                                       std::uint64_t file_pages);

}  // namespace tocsin::lmdb
