// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "src/base/result.hpp"
#include "src/port/store.hpp"

namespace tocsin::core {

struct ScrubReport {
  std::uint64_t moved = 0;             ///< intact values that stood under a foreign key and are back under their own
  std::uint64_t removed = 0;           ///< entries that nothing can believe any more
  std::uint64_t segments_removed = 0;  ///< of them under keys of the log
  std::uint64_t reopened = 0;          ///< open alerts whose dedupe entry was lost
};

/// Puts a damaged table in order, so that no foreign key passes for the end of a table or hides what lies behind it:
///   * a value that is intact under the key it names itself goes back there, unless something intact is there;
///   * any other value that does not belong to its key is removed. Audit rows and blocks stay while they follow their
///     neighbour in number: `audit verify` has to show them;
///   * every open alert can be found by its dedupe identity again.
/// The identity, the counters and cursors are left alone: their readers know what to do about them.
/// Cost: reads every entry once, of segments only the head; commits every kScrubChangesPerCommit changes.
/// Errors: the store's. What was committed before stays done; scrubbing again is harmless.
[[nodiscard]] Result<ScrubReport> scrub(port::Store& store);

inline constexpr int kScrubChangesPerCommit = 64;

}  // namespace tocsin::core
