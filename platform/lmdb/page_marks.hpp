// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace tocsin::lmdb {

/// One bit a page.
class PageMarks {
 public:
  explicit PageMarks(std::uint64_t pages) : pages_(pages), bits_(static_cast<std::size_t>(pages / 64 + 1), 0) {}

  /// False when any of the run is out of range or marked already; then nothing is promised about the run's marks.
  [[nodiscard]] bool mark(std::uint64_t first, std::uint64_t count) noexcept {
    if (first >= pages_ || count > pages_ - first) return false;
    for (std::uint64_t page = first; page < first + count; ++page) {
      std::uint64_t& word = bits_[static_cast<std::size_t>(page / 64)];
      const std::uint64_t bit = std::uint64_t{1} << (page % 64);
      if ((word & bit) != 0) return false;
      word |= bit;
    }
    marked_ += count;
    return true;
  }
  [[nodiscard]] bool marked(std::uint64_t page) const noexcept {
    return (bits_[static_cast<std::size_t>(page / 64)] >> (page % 64) & 1) != 0;
  }
  [[nodiscard]] std::uint64_t marked_count() const noexcept { return marked_; }
  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_; }

 private:
  std::uint64_t pages_;
  std::uint64_t marked_ = 0;
  std::vector<std::uint64_t> bits_;
};

}  // namespace tocsin::lmdb
