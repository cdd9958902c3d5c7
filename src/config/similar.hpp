// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tocsin::config {

/// The entry of `known` that `text` was probably meant to be: the same with a unit ("_bytes"), few typing errors away,
/// or the same last part in another section. Empty: none is near. Cost: the product of the lengths for each entry;
/// texts over 96 bytes are not compared.
[[nodiscard]] std::string_view most_similar(std::string_view text, std::span<const std::string> known);

}  // namespace tocsin::config
