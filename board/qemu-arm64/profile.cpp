// SPDX-License-Identifier: Apache-2.0
// The 64-bit virtual board of qemu-system-aarch64 -M virt, standing for gateways with an eMMC and no battery clock.
#include "board/base/profile.hpp"

namespace tocsin::config {

constexpr BoardProfile kQemuArm64 = [] {
  BoardProfile board = kBaseProfile;
  board.name = "qemu-arm64";
  board.map_bytes_max = 4 * 1024 * std::int64_t{MiB};
  board.commit_delay_ms = 20;
  return board;
}();
static_assert(fits(kQemuArm64), "the lines of the ledger must be set and must not exceed memory_limit_bytes");

extern constexpr BoardProfile kBoard = kQemuArm64;

}  // namespace tocsin::config
