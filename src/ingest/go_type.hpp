// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "src/json/parser.hpp"

namespace tocsin::ingest {

/// The name that BlueKing's receiver gives to the type of a JSON value in its messages. `json` empty: absent.
[[nodiscard]] inline const char* go_type(std::string_view json) noexcept {
  if (json.empty()) return "<nil>";
  switch (json::kind_of(json)) {
    case json::Kind::null: return "<nil>";
    case json::Kind::boolean: return "bool";
    case json::Kind::number: return "float64";
    case json::Kind::string: return "string";
    case json::Kind::array: return "[]interface {}";
    case json::Kind::object: return "map[string]interface {}";
  }
  return "<nil>";
}

[[nodiscard]] inline bool is(std::string_view json, json::Kind kind) noexcept {
  return !json.empty() && json::kind_of(json) == kind;
}

}  // namespace tocsin::ingest
