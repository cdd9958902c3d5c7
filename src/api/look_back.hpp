// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "src/api/activity.hpp"
#include "src/api/look_limit.hpp"
#include "src/base/time.hpp"
#include "src/port/store.hpp"

namespace tocsin::api {

/// Part of a job: finds in the log when instances were heard last, newest first, so much at a time as one answer may
/// look at. Where several turns stored at once it may be off by one of them.
/// Memory: 8 bytes for each instance that is wanted, 32 for each that is found.
class LookBack {
 public:
  struct Found {
    std::int32_t data_id = 0;
    Wall received;
  };
  /// On io. `wanted`: data ids, sorted. `clocks` may be null. Throws std::bad_alloc.
  LookBack(const Daemon& daemon, const LookedBack& from, std::vector<std::int32_t> wanted,
           std::shared_ptr<const core::BootClocks> clocks);
  /// On the reader: one slice. True: all are found, or the log ends, or this was enough for one answer.
  [[nodiscard]] Result<bool> step(port::ReadTxn& txn);

  /// On io, when the job is over.
  [[nodiscard]] const LookedBack& place() const noexcept { return place_; }
  [[nodiscard]] const std::vector<Found>& found() const noexcept { return found_; }

 private:
  /// The segment that begins at place_.next or before it. nullopt: none.
  [[nodiscard]] Result<std::optional<port::Entry>> before(port::ReadTxn& txn, std::size_t lane);
  [[nodiscard]] Status find_next(port::ReadTxn& txn, std::size_t lane);
  [[nodiscard]] Status read_segment(port::ReadTxn& txn, std::size_t lane);
  void collect(model::SegmentReader& segment);

  LookedBack place_;
  std::array<bool, kEventLanes.size()> is_found_{};  ///< place_.next is in the newest segment that is left
  std::vector<std::int32_t> wanted_;
  std::uint64_t wanted_mask_ = 0;  ///< as SegmentHeader::plugin_mask
  std::shared_ptr<const core::BootClocks> clocks_;
  std::vector<Found> found_;
  LookLimit limit_;
};

}  // namespace tocsin::api
