// SPDX-License-Identifier: Apache-2.0
#include "src/base/result.hpp"

namespace tocsin {

const char* to_text(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return "not_found";
    case Errc::invalid_input: return "invalid_input";
    case Errc::out_of_budget: return "out_of_budget";
    case Errc::storage_full: return "storage_full";
    case Errc::storage_corrupt: return "storage_corrupt";
    case Errc::io_failed: return "io_failed";
    case Errc::timed_out: return "timed_out";
    case Errc::unavailable: return "unavailable";
    case Errc::conflict: return "conflict";
    case Errc::unsupported: return "unsupported";
  }
  return "unknown";
}

}  // namespace tocsin
