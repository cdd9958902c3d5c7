// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdlib>

namespace tocsin::test {

/// Does this program run under qemu-user (`make cross`)? A test that the emulator cannot hold says why and skips or
/// shrinks.
inline bool is_emulated() { return std::getenv("TOCSIN_EMULATED") != nullptr; }

}  // namespace tocsin::test
