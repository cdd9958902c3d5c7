// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/config/profile.hpp"

namespace tocsin::config {

/// What the boards have in common: 8 MiB for tocsind, and how it divides them. A board takes this and sets what is its
/// own: `name`, `has_battery_clock`, `map_bytes_max` and whatever else differs. Not a board itself.
inline constexpr BoardProfile kBaseProfile{
    .name = "base",
    .memory_limit_bytes = 8 * std::int64_t{MiB},
    .ledger = {.library_base = 688 * std::int64_t{KiB},
               .push_connections = 256 * std::int64_t{8704},
               .admin_connections = 24 * std::int64_t{8704},
               .small_bodies = 160 * std::int64_t{KiB},
               .body_pool = 640 * std::int64_t{KiB},
               .intake = 964 * std::int64_t{KiB},
               .rejects = 60 * std::int64_t{KiB},
               .parser = 768 * std::int64_t{KiB},
               .profiles = 100 * std::int64_t{KiB},
               .turn = 768 * std::int64_t{KiB},
               .id_window = 1024 * std::int64_t{KiB},
               .alert_cache = 256 * std::int64_t{KiB},
               .reader = 256 * std::int64_t{KiB},
               .channel = 128 * std::int64_t{KiB}},
    .push_connections_max = 256,
    .admin_connections_max = 24,
    .mqtt_bytes_max = 3 * std::int64_t{MiB},
    .kafka_bytes_max = 12 * std::int64_t{MiB},
    .courier_bytes_max = 4 * std::int64_t{MiB},
    .quota_bytes = 256 * std::int64_t{MiB},
};

}  // namespace tocsin::config
