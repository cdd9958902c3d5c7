// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::formats {

/// What a scalar of YAML is.
struct YamlScalar {
  enum class Kind : std::uint8_t {
    text,     ///< its own characters
    literal,  ///< `json`: null, true, false or a number
    merge,    ///< the name of a merge key
    wrong,    ///< `reason`
  };
  Kind kind = Kind::text;
  std::string json;
  const char* reason = "";
};

/// A plain scalar without a tag, by the rules of YAML 1.1's repository as PyYAML has them.
[[nodiscard]] YamlScalar resolve_plain(std::string_view value);
/// A scalar with a tag, "tag:yaml.org,2002:int" or another.
[[nodiscard]] YamlScalar resolve_tagged(std::string_view tag, std::string_view value);

}  // namespace tocsin::formats
