// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::json {

/// A text to look for in JSON as people read it: an escape counts as the character that it stands for, so that it does
/// not matter how the sender wrote it.
class Needle {
 public:
  static constexpr std::size_t kBytesMax = 1024;

  Needle() noexcept = default;
  /// Precondition: at most kBytesMax. Throws std::bad_alloc.
  explicit Needle(std::string plain);
  [[nodiscard]] bool empty() const noexcept { return plain_.empty(); }
  /// Whether `json`, which the parser accepted, has it somewhere; an empty one is everywhere. Names, quotes and
  /// brackets are text like any other. Memory safe on any text; allocates nothing; one pass.
  [[nodiscard]] bool is_in(std::string_view json) const noexcept;

 private:
  [[nodiscard]] bool is_in_plain(std::string_view text) const noexcept;
  [[nodiscard]] bool is_in_escaped(std::string_view json) const noexcept;

  std::string plain_;
  std::array<std::uint16_t, 256> skip_{};  ///< Horspool: how far a window may move by its last byte
  std::vector<std::uint16_t> border_;      ///< Knuth, Morris, Pratt: how much still holds after a mismatch
};

}  // namespace tocsin::json
