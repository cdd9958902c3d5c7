// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard_fields.hpp"

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {

std::optional<Field> field_of(std::string_view inside_name) {
  const bool is_plain = !json::has_escapes(inside_name);
  for (std::size_t i = 0; i < kFieldNames.size(); ++i) {
    const bool is_it = is_plain ? inside_name == kFieldNames[i] : json::stands_for(inside_name, kFieldNames[i]);
    if (is_it) return static_cast<Field>(i);
  }
  return std::nullopt;
}

std::optional<Field> StandardFields::split(std::string_view event) {
  values_ = {};
  std::array<bool, kFieldNames.size()> seen{};
  json::Cursor at{event};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    const auto field = field_of(name);
    if (!field) continue;
    const auto i = static_cast<std::size_t>(*field);
    if (seen[i]) return field;
    seen[i] = true;
    if (json::kind_of(value) != json::Kind::null) values_[i] = value;
  }
  return std::nullopt;
}

}  // namespace tocsin::ingest
