// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// One input. Returns 0; a finding ends the process. The same bytes always do the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tocsin::fuzz {

/// A property of the target: what is false is a finding, as a crash is one.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken property: %s\n", what);
  std::abort();
}

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace tocsin::fuzz
