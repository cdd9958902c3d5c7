// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "src/base/bytes.hpp"

namespace tocsin {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), continuing from `seed` (0 for a fresh sum).
/// crc32c(b, crc32c(a)) == crc32c(a followed by b).
[[nodiscard]] std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0) noexcept;

}  // namespace tocsin
