// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "src/channel/frames.hpp"

namespace tocsin::deliver {

/// The records of one session that the core has not settled: never more than kRecordWindowBytes of whole frames.
/// Memory: one entry a record; the smallest record frame bounds their number.
class RecordWindow {
 public:
  /// Whether a frame of that size may be sent now. Into an empty window any frame fits.
  [[nodiscard]] bool fits(std::size_t frame_bytes) const noexcept {
    return frame_bytes <= channel::kRecordWindowBytes - bytes_;
  }
  /// Precondition: fits(); `number` is higher than those before it.
  void add(std::uint64_t number, std::size_t frame_bytes) {
    entries_.push_back({number, frame_bytes});
    bytes_ += frame_bytes;
    last_ = number;
  }
  /// Everything up to `number` is settled. False: no record of that number was sent in this session.
  [[nodiscard]] bool settle(std::uint64_t number) noexcept {
    if (number == 0 || number > last_) return false;
    while (!entries_.empty() && entries_.front().number <= number) {
      bytes_ -= entries_.front().frame_bytes;
      entries_.pop_front();
    }
    return true;
  }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Another session: nothing was sent in it yet.
  void clear() noexcept {
    entries_.clear();
    bytes_ = 0;
    last_ = 0;
  }

 private:
  struct Entry {
    std::uint64_t number;
    std::size_t frame_bytes;
  };
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace tocsin::deliver
