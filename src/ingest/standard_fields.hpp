// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/json/cursor.hpp"

namespace tocsin::ingest {

/// The members of a standard event, in the order in which a stored one has them.
enum class Field : std::uint8_t {
  alert_name,
  event_id,
  description,
  metric,
  category,
  target_type,
  target,
  severity,
  bk_biz_id,
  tags,
  dedupe_keys,
  assignee,
  time,
  anomaly_time,
  status,
};
inline constexpr std::array<std::string_view, 15> kFieldNames{
    "alert_name", "event_id", "description", "metric",   "category", "target_type",  "target", "severity",
    "bk_biz_id",  "tags",     "dedupe_keys", "assignee", "time",     "anomaly_time", "status"};

/// `likely`: looked at first, then those behind it, then the rest.
[[nodiscard]] std::optional<Field> field_of(std::string_view inside_name, Field likely = Field::alert_name);
[[nodiscard]] inline std::string_view to_text(Field field) noexcept {
  return kFieldNames[static_cast<std::size_t>(field)];
}

/// The values of one event by field, as written; empty: absent or null.
class StandardFields {
 public:
  /// Takes an event apart. `event`: an object that the parser accepted. The name that came twice, if one did.
  std::optional<Field> split(std::string_view event);
  /// The same of the object that comes next; the cursor is then behind it, unless a name came twice.
  std::optional<Field> split(json::Cursor& at);
  [[nodiscard]] std::string_view operator[](Field field) const noexcept {
    return values_[static_cast<std::size_t>(field)];
  }
  void set(Field field, std::string_view value) noexcept { values_[static_cast<std::size_t>(field)] = value; }
  /// Whether the event has members that are no fields.
  [[nodiscard]] bool has_others() const noexcept { return has_others_; }

 private:
  std::array<std::string_view, kFieldNames.size()> values_{};
  bool has_others_ = false;
};

}  // namespace tocsin::ingest
