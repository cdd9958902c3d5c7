// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/standard_fields.hpp"

#include "src/json/text.hpp"

namespace tocsin::ingest {

std::optional<Field> field_of(std::string_view inside_name, Field likely) {
  const bool is_plain = !json::has_escapes(inside_name);
  auto i = static_cast<std::size_t>(likely);
  for (std::size_t looked_at = 0; looked_at < kFieldNames.size(); ++looked_at) {
    const bool is_it = is_plain ? inside_name == kFieldNames[i] : json::stands_for(inside_name, kFieldNames[i]);
    if (is_it) return static_cast<Field>(i);
    i = i + 1 < kFieldNames.size() ? i + 1 : 0;
  }
  return std::nullopt;
}

std::optional<Field> StandardFields::split(std::string_view event) {
  json::Cursor at{event};
  return split(at);
}

std::optional<Field> StandardFields::split(json::Cursor& at) {
  values_ = {};
  has_others_ = false;
  std::array<bool, kFieldNames.size()> seen{};
  Field likely = Field::alert_name;
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    const auto field = field_of(name, likely);
    if (!field) {
      has_others_ = true;
      continue;
    }
    likely = *field;
    const auto i = static_cast<std::size_t>(*field);
    if (seen[i]) return field;
    seen[i] = true;
    if (json::kind_of(value) != json::Kind::null) values_[i] = value;
  }
  return std::nullopt;
}

}  // namespace tocsin::ingest
