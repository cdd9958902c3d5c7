// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/refusal_code.hpp"
#include "src/base/result.hpp"
#include "src/json/parser.hpp"

namespace tocsin::ingest {

/// Why a request is not taken, in the words of the answer. Nothing of a refused request is kept.
struct Refusal {
  std::uint16_t http_status = 400;
  std::string message;
  RefusalCode code;
};

template <class T>
using Checked = tl::expected<T, Refusal>;

[[nodiscard]] inline tl::unexpected<Refusal> refuse(RefusalCode code, std::string message, std::uint16_t status = 400) {
  return tl::unexpected(Refusal{status, std::move(message), code});
}

/// The refusal for a body that is no JSON text, or too large a one.
[[nodiscard]] tl::unexpected<Refusal> refuse(const json::ParseError& error);

}  // namespace tocsin::ingest
