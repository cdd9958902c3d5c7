// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "src/formats/formats.hpp"
#include "src/json/parser.hpp"

namespace tocsin::formats {

struct Row {
  const char* body;
  const char* json;  ///< or the refusal, as shown() writes it
};

inline std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

/// "line:column reason" of a refusal, or the JSON, which the JSON parser must then take.
inline std::string shown(const Outcome& outcome, const std::pmr::string& json) {
  if (!outcome) {
    EXPECT_TRUE(json.empty());
    return std::to_string(outcome.error().line) + ":" + std::to_string(outcome.error().column) + " " +
           outcome.error().reason;
  }
  EXPECT_GE(json.capacity(), json.size() + Limits{}.spare_bytes);
  json::Parser parser{{.bytes_max = 2'000'000, .elements_max = 2'000'000}};
  const auto checked = parser.check(json);
  EXPECT_TRUE(checked.has_value()) << json << ": " << (checked ? "" : checked.error().reason);
  return std::string{json};
}

inline std::string yaml(std::string_view body, const Limits& limits = {}) {
  std::pmr::string json = "left over";
  return shown(yaml_to_json(body, *std::pmr::new_delete_resource(), json, limits), json);
}

inline std::string xml(std::string_view body, XmlStyle style = XmlStyle::xmltodict, const Limits& limits = {}) {
  std::pmr::string json = "left over";
  return shown(xml_to_json(body, style, *std::pmr::new_delete_resource(), json, limits), json);
}

inline std::string text(std::string_view body, const Limits& limits = {}) {
  std::pmr::string json = "left over";
  return shown(text_to_json(body, json, limits), json);
}

}  // namespace tocsin::formats
