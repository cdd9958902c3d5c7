// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/port/inflate.hpp"

namespace tocsin::sim {

/// The inflate port without a library, for streams that hold their text uncompressed (blocks of type "stored"): a
/// stream with any other block is corrupt to it. Takes as much of the budget as it may while it works.
class StoredInflater final : public port::Inflater {
 public:
  [[nodiscard]] port::Inflated measure(port::Coding coding, Bytes in, std::size_t bytes_max,
                                       Budget& memory) noexcept override;
  [[nodiscard]] port::Inflated inflate(port::Coding coding, Bytes in, std::span<std::byte> out,
                                       Budget& memory) noexcept override;
};

/// `text` as such a stream: blocks of at most 65,535 bytes, at least one.
[[nodiscard]] std::string stored_stream(port::Coding coding, std::string_view text);

}  // namespace tocsin::sim
