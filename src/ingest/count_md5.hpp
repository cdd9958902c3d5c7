// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/hex.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::ingest {

/// The content hash of BlueKing's alert backend, which decides what belongs to one alert there and here.
///   text:   md5 of the text
///   list:   md5 of "['<hex>', '<hex>']", the digests of the elements in ascending order
///   object: a list of [name, digest of the value] lists
/// The order of a list therefore does not matter; that is upstream's choice and kept.
/// Numbers and words count as Python writes them: 1.0, 1e+16, True, None.
class CountMd5 {
 public:
  using Digest = std::array<char, 32>;  ///< lower-case hex

  /// Digests of short texts seen lately: the events of one request have names, targets and labels in common.
  class Known {
   public:
    [[nodiscard]] const Digest* find(std::string_view text) const noexcept;
    void note(std::string_view text, const Digest& digest) noexcept;

   private:
    static constexpr std::size_t kTextBytesMax = 31;
    struct Entry {
      std::uint8_t size = UINT8_MAX;
      std::array<char, kTextBytesMax> text{};
      Digest digest{};
    };
    static constexpr std::size_t kEntries = 64;  ///< 4 KiB
    [[nodiscard]] static std::size_t place_of(std::string_view text) noexcept;

    std::array<Entry, kEntries> entries_{};
  };

  explicit CountMd5(const port::Crypto& crypto, Known* known = nullptr) noexcept : crypto_(crypto), known_(known) {}

  [[nodiscard]] Digest of_text(std::string_view text) const noexcept;
  /// Sorts `digests`.
  [[nodiscard]] Digest of_list(std::vector<Digest>& digests) const;
  /// `json`: one value that the parser accepted. Recursion: the parser's depth.
  [[nodiscard]] Digest of_json(std::string_view json) const;

 private:
  const port::Crypto& crypto_;
  Known* known_;
};

/// Python's text of a JSON number: integers as written, others as the shortest text of the double.
[[nodiscard]] std::string python_number(std::string_view number);
[[nodiscard]] Id128 to_id(const CountMd5::Digest& digest) noexcept;

}  // namespace tocsin::ingest
