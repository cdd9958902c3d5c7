// SPDX-License-Identifier: Apache-2.0
#include "src/model/tables.hpp"

namespace tocsin::model {

const char* to_text(Lane lane) noexcept {
  switch (lane) {
    case Lane::alert: return "alert";
    case Lane::critical: return "critical";
    case Lane::normal: return "normal";
  }
  return "unknown";
}

bool is_key(Bytes key) noexcept {
  if (key.empty()) return false;
  const std::size_t rest = key.size() - 1;
  switch (static_cast<Table>(key[0])) {
    case Table::format: return rest == 0 || (rest == 1 && key[1] == std::byte{1});
    case Table::alert:
    case Table::audit_block:
    case Table::audit_row: return rest == sizeof(std::uint64_t);
    case Table::cursor:
    case Table::user: return rest > 0 && rest <= Key::kRestBytesMax;
    case Table::open_alert: return rest == sizeof(Id128);
    case Table::source_position: return rest == sizeof(Id128) + sizeof(std::uint32_t);
    case Table::boot:
    case Table::profile:
    case Table::instance: return rest == sizeof(std::uint32_t);
    case Table::reject: return rest >= sizeof(std::uint32_t) && rest <= sizeof(std::uint32_t) + kRejectCodeBytesMax;
    case Table::lane: return rest == 1 + sizeof(std::uint64_t) && static_cast<std::size_t>(key[1]) < kLanes;
    case Table::data_ids:
    case Table::state: return rest == 0;
    case Table::api_token: return rest == 32;
  }
  return false;
}

}  // namespace tocsin::model
