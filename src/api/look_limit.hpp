// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "src/api/ports.hpp"
#include "src/base/bytes.hpp"

namespace tocsin::api {

/// Alert transitions travel in a lane of their own and are seen with the alerts.
inline constexpr std::array<model::Lane, 2> kEventLanes{model::Lane::critical, model::Lane::normal};

/// How much of the log one answer may look at: by its bytes, and by the clock where bytes come slowly. Who reaches it
/// answers with what was found, and a cursor. The first slice is always done, so that a cursor never stands still.
class LookLimit {
 public:
  static constexpr std::uint64_t kSegmentBytes = 512;  ///< what it costs to find one and read its head
  static constexpr std::uint64_t kRecordBytes = 48;    ///< and to pass a record by
  static constexpr std::uint64_t kSliceBytes = 1 * MiB;
  static constexpr std::uint64_t kAnswerBytes = 64 * MiB;
  static constexpr std::int64_t kAnswerMs = 100;

  /// It counts from now on. `daemon` outlives it.
  explicit LookLimit(const Daemon& daemon) noexcept : daemon_(daemon), end_(daemon.now().mono.after_ms(kAnswerMs)) {}
  void begin_slice() noexcept { slice_ = 0; }
  void count(std::uint64_t bytes) noexcept {
    slice_ += bytes;
    bytes_ += bytes;
  }
  [[nodiscard]] bool is_slice_over() const noexcept { return slice_ >= kSliceBytes; }
  /// Asked after each slice.
  [[nodiscard]] bool is_over() const noexcept { return bytes_ >= kAnswerBytes || daemon_.now().mono >= end_; }

 private:
  const Daemon& daemon_;
  Monotonic end_;
  std::uint64_t slice_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace tocsin::api
