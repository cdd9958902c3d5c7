// SPDX-License-Identifier: Apache-2.0
// The 32-bit virtual board: 3 GiB of address space, so a map of 256 MiB; an eMMC and no battery clock.
#include "board/base/profile.hpp"

namespace tocsin::config {

constexpr BoardProfile kQemuArmhf = [] {
  BoardProfile board = kBaseProfile;
  board.name = "qemu-armhf";
  board.map_bytes_max = 256 * std::int64_t{MiB};
  board.commit_delay_ms = 20;
  return board;
}();
static_assert(fits(kQemuArmhf), "the lines of the ledger must be set and must not exceed memory_limit_bytes");

extern constexpr BoardProfile kBoard = kQemuArmhf;

}  // namespace tocsin::config
