// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::lmdb {

/// A longer value is taken for damage: it would have to fit in memory.
inline constexpr std::uint32_t kSalvageValueBytesMax = 4 * MiB;

struct SalvageReport {
  std::uint64_t entries_kept = 0;
  std::uint64_t entries_lost = 0;   ///< on pages that could be read, but the entry itself was damaged
  bool rolled_back = false;         ///< the newest snapshot could not be entered; this is the one before, whole
  std::uint64_t subtrees_lost = 0;  ///< pages that could not be read, with all below them
};

/// Makes a new store at `path` (removing what is there) with every entry of the damaged file that a walk from its
/// newest usable meta page can reach. Values are copied as they are. On a page with any fault only those entries
/// are taken whose key lies in order between its neighbours.
/// Memory: kSalvageValueBytesMax, a page a level and a bit a page. Durable on return.
/// Errors: storage_full, io_failed, out_of_budget. Reading errors of the damaged file count as lost.
[[nodiscard]] Result<SalvageReport> salvage(int damaged, const std::string& path, std::uint64_t map_bytes);

}  // namespace tocsin::lmdb
