// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/jmespath/expression.hpp"
#include "src/json/document.hpp"
#include "src/model/profile.hpp"
#include "src/normalise/time_form.hpp"
#include "src/regex/regex.hpp"

namespace tocsin::normalise {

/// The fields that an expression may fill, in the order in which an event has them. Tags and dimensions come beside
/// them; dedupe_keys are made of the dimensions.
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
  assignee,
  time,
  anomaly_time,
  status,
};
inline constexpr std::array<std::string_view, 13> kFieldNames{
    "alert_name", "event_id",  "description", "metric", "category",     "target_type", "target",
    "severity",   "bk_biz_id", "assignee",    "time",   "anomaly_time", "status"};
[[nodiscard]] constexpr std::string_view to_text(Field field) noexcept {
  return kFieldNames[static_cast<std::size_t>(field)];
}

inline constexpr std::uint32_t kCompiledNodesMax = 4'096;  ///< of all expressions of a profile
inline constexpr std::uint32_t kPatternsMax = 32;          ///< values of rules with the method reg
inline constexpr std::size_t kCompiledBytesMax = 512 * KiB;

enum class Method : std::uint8_t { eq, neq, reg };

struct Rule {
  jmespath::Expression key;
  Method method = Method::eq;
  bool is_or = false;
  std::vector<std::string_view> values;
  std::vector<regex::Pattern> patterns;  ///< of method reg: one for each value
};
using Rules = std::vector<Rule>;

struct AlertName {
  std::string_view name;
  Rules rules;
};

struct FieldRule {
  jmespath::Expression expression;
  TimeOption time;  ///< of time and anomaly_time
};

/// One way to read an event: an entry of clean_configs, or the default.
struct Config {
  Rules rules;
  std::vector<AlertName> alerts;
  std::array<std::optional<FieldRule>, kFieldNames.size()> fields;
  std::optional<FieldRule> tags;
  std::optional<FieldRule> dimensions;
};

/// What is wrong with a profile, in one sentence: "clean_configs[0].rules[1].key: unknown function (byte 4)".
struct ProfileError {
  std::string message;
};

/// A profile made ready for normalise(): every expression and pattern compiled, every option read.
///
/// Memory: 4 KiB for a dozen fields, at most kCompiledBytesMax (parts of the profile, nodes and patterns are limited),
///         the expressions from `memory`, the rest from the heap; and the patterns' machines in the library.
/// Threads: one owner thread, the library's. Library and `memory` outlive it.
class Compiled {
 public:
  /// The parts have passed registry::check_profile_part(), or are empty. What it does not see is refused here: an
  /// expression or a pattern that is none, an option of a time that is not known, more than the limits above.
  /// Throws what `memory` throws, and std::bad_alloc.
  [[nodiscard]] static tl::expected<std::unique_ptr<const Compiled>, ProfileError> compile(
      const model::Profile& profile, json::Parser& parser, regex::Library& library, std::pmr::memory_resource& memory);

  /// False: nothing says how to read an event; they are standard events as they come.
  [[nodiscard]] bool has_configs() const noexcept { return has_configs_; }
  [[nodiscard]] bool multiple_events() const noexcept { return multiple_events_; }
  [[nodiscard]] const std::optional<jmespath::Expression>& events_path() const noexcept { return events_path_; }
  [[nodiscard]] const std::vector<Config>& clean_configs() const noexcept { return clean_configs_; }
  /// For events that no rules of clean_configs hold for.
  [[nodiscard]] const Config& otherwise() const noexcept { return otherwise_; }

 private:
  friend class ProfileCompiler;
  explicit Compiled(std::pmr::memory_resource& memory) : arena_(1 * KiB, &memory) {}

  std::pmr::monotonic_buffer_resource arena_;  ///< expressions and texts
  bool has_configs_ = false;
  bool multiple_events_ = false;
  std::optional<jmespath::Expression> events_path_;
  std::vector<Config> clean_configs_;
  Config otherwise_;
};

}  // namespace tocsin::normalise
