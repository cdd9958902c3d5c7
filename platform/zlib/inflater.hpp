// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/port/inflate.hpp"

namespace tocsin::zlib {

/// The inflate port with zlib. Its state (7 KiB, and a window of 32 KiB while measuring) comes from the caller's
/// budget.
class Inflater final : public port::Inflater {
 public:
  [[nodiscard]] port::Inflated measure(port::Coding coding, Bytes in, std::size_t bytes_max,
                                       Budget& memory) noexcept override;
  [[nodiscard]] port::Inflated inflate(port::Coding coding, Bytes in, std::span<std::byte> out,
                                       Budget& memory) noexcept override;
};

}  // namespace tocsin::zlib
