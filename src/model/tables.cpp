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

}  // namespace tocsin::model
