// SPDX-License-Identifier: Apache-2.0
// A Debian machine: the workstation of a developer, a server, a virtual machine.
#include "board/base/profile.hpp"

namespace tocsin::config {

constexpr BoardProfile kHost = [] {
  BoardProfile board = kBaseProfile;
  board.name = "host";
  board.has_battery_clock = true;
  board.map_bytes_max = 64 * 1024 * std::int64_t{MiB};
  return board;
}();
static_assert(fits(kHost), "the lines of the ledger must be set and must not exceed memory_limit_bytes");

extern constexpr BoardProfile kBoard = kHost;

}  // namespace tocsin::config
