// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/result.hpp"

namespace tocsin::config {

struct EmptySection {};
/// A value of a kind that no key has; `what` names it for people.
struct ForeignValue {
  std::string_view what;
};

/// One assignment of a TOML text. `path` is dotted; a part that is no bare key stands in quotes, so it cannot be
/// taken for two.
struct Assignment {
  std::string path;
  std::uint32_t line = 0;          ///< from 1
  std::uint32_t section_line = 0;  ///< where the table that it stands in is first named; 0: in none
  std::variant<std::int64_t, std::string, std::vector<std::string>, EmptySection, ForeignValue> value;
};

struct SyntaxError {
  std::string message;
  std::uint32_t line = 0;
};

/// The assignments of a text in the order of their paths. Precondition: at most kTextBytesMax bytes.
/// Only the first syntax error can be told: what follows it has no certain meaning.
[[nodiscard]] tl::expected<std::vector<Assignment>, SyntaxError> read_toml(std::string_view text);

}  // namespace tocsin::config
