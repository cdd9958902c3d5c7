// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/base/result.hpp"
#include "src/port/store.hpp"

namespace tocsin::core {

/// Work for the reader thread, in slices. Made on io, stepped on the reader, finished on io.
/// Between slices the read transaction ends, so a job keeps keys, never views.
class Job {
 public:
  virtual ~Job() = default;
  /// Worker feeding runs before everything else.
  [[nodiscard]] virtual bool is_urgent() const noexcept { return false; }
  /// One slice: about 5 ms of work at most, on the reader thread. True: done. An error ends the job.
  /// May throw bad_alloc: the job then ends with out_of_budget.
  [[nodiscard]] virtual Result<bool> step(port::ReadTxn& txn) = 0;
  /// On the io thread, once. `outcome` is the error that ended it, if one did.
  virtual void finish(const Status& outcome) noexcept = 0;
};

}  // namespace tocsin::core
