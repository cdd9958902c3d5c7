// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "src/base/bytes.hpp"

namespace tocsin {

using Id128 = std::array<std::byte, 16>;  ///< appliance id, store id, request id, dedupe md5

/// Lower-case hex, two characters a byte.
[[nodiscard]] std::string to_hex(Bytes bytes);
/// False when `text` is not exactly 2 * out.size() hex digits; `out` is then unspecified.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::byte> out) noexcept;
/// 8-4-4-4-12 with dashes, 36 characters.
[[nodiscard]] std::string to_uuid_text(const Id128& id);

}  // namespace tocsin
