// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdlib>

namespace tocsin::test {

/// Does this program run under qemu-user (`make cross`)? A test that the emulator cannot hold says why and skips or
/// shrinks.
inline bool is_emulated() { return std::getenv("TOCSIN_EMULATED") != nullptr; }

/// How often a loop over random input goes round: a quarter under the emulator, which is 20 times slower. What it is to
/// find there are differences of the architecture, and every other build goes all the way.
inline int rounds(int all) { return is_emulated() ? all / 4 : all; }

}  // namespace tocsin::test
