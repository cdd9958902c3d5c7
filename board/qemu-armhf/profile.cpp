// SPDX-License-Identifier: Apache-2.0
// The 32-bit virtual board: 3 GiB of address space, so a map of 256 MiB; an eMMC and no battery clock.
#include "src/config/profile.hpp"

namespace tocsin::config {

constexpr BoardProfile kQemuArmhf{
    .name = "qemu-armhf",
    .has_battery_clock = false,
    .memory_limit_bytes = 8 * std::int64_t{MiB},
    .ledger = {.library_base = 688 * std::int64_t{KiB},
               .push_connections = 256 * std::int64_t{8704},
               .admin_connections = 24 * std::int64_t{8704},
               .small_bodies = 192 * std::int64_t{KiB},
               .body_pool = 640 * std::int64_t{KiB},
               .intake = 1024 * std::int64_t{KiB},
               .parser = 768 * std::int64_t{KiB},
               .turn = 768 * std::int64_t{KiB},
               .id_window = 1024 * std::int64_t{KiB},
               .alert_cache = 320 * std::int64_t{KiB},
               .reader = 256 * std::int64_t{KiB},
               .channel = 128 * std::int64_t{KiB}},
    .push_connections_max = 256,
    .admin_connections_max = 24,
    .mqtt_bytes_max = 3 * std::int64_t{MiB},
    .kafka_bytes_max = 12 * std::int64_t{MiB},
    .courier_bytes_max = 4 * std::int64_t{MiB},
    .quota_bytes = 256 * std::int64_t{MiB},
    .map_bytes_max = 256 * std::int64_t{MiB},
    .commit_delay_ms = 20,
};
static_assert(fits(kQemuArmhf), "the lines of the ledger must be set and must not exceed memory_limit_bytes");

extern constexpr BoardProfile kBoard = kQemuArmhf;

}  // namespace tocsin::config
