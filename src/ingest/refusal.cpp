// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/refusal.hpp"

namespace tocsin::ingest {

tl::unexpected<Refusal> refuse(const json::ParseError& error) {
  using What = json::ParseError::What;
  switch (error.what) {
    case What::empty: return refuse("body_empty", "empty request body not allowed");
    case What::too_long: return refuse("body_too_long", "request body too long", 413);
    case What::too_many: return refuse("body_too_many_elements", std::string{"request body has "} + error.reason, 413);
    case What::malformed: break;
  }
  const std::string place = error.has_place ? " at byte " + std::to_string(error.offset) : std::string{};
  return refuse("json_invalid", "invalid JSON" + place + ": " + error.reason);
}

}  // namespace tocsin::ingest
