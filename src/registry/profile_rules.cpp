// SPDX-License-Identifier: Apache-2.0
#include "src/registry/profile_rules.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace tocsin::registry {
namespace {

using json::Kind;
using json::Node;
using model::ProfilePart;
using Words = std::span<const std::string_view>;

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kTextMax = 1024;
constexpr std::size_t kProblemPathMax = 200;

constexpr std::array<std::string_view, 3> kMethods{"eq", "neq", "reg"};
constexpr std::array<std::string_view, 3> kConditions{"and", "or", ""};
constexpr std::array<std::string_view, 5> kSourceFormats{"json", "yaml", "xml", "text", "gse"};
constexpr std::array<std::string_view, 3> kCollectTypes{"bk-ingestor", "bk_ingestor", "bk_collector"};
constexpr std::array<std::string_view, 3> kHttpMethods{"GET", "POST", "PUT"};

constexpr std::array<std::string_view, 4> kRuleMembers{"key", "value", "method", "condition"};
constexpr std::array<std::string_view, 2> kAlertMembers{"name", "rules"};
constexpr std::array<std::string_view, 3> kNormalizationMembers{"field", "expr", "option"};
constexpr std::array<std::string_view, 3> kCleanMembers{"rules", "alert_config", "normalization_config"};
constexpr std::array<std::string_view, 8> kParamMembers{"field",         "name",        "desc",      "value",
                                                        "default_value", "is_required", "is_hidden", "is_sensitive"};
constexpr std::array<std::string_view, 2> kAlertSourceMembers{"name", "code"};
constexpr std::array<std::string_view, 6> kPushMembers{"source_format", "multiple_events", "events_path",
                                                       "collect_type",  "is_external",     "alert_sources"};
constexpr std::array<std::string_view, 21> kPullMembers{"source_format",
                                                        "multiple_events",
                                                        "events_path",
                                                        "collect_type",
                                                        "is_external",
                                                        "alert_sources",
                                                        "url",
                                                        "method",
                                                        "headers",
                                                        "query_params",
                                                        "body",
                                                        "authorize",
                                                        "failed_retry",
                                                        "interval",
                                                        "overlap",
                                                        "timeout",
                                                        "time_format",
                                                        "pagination",
                                                        "need_poll",
                                                        "notify_interval",
                                                        "interval_notify_mode"};

/// Walks one part. The first thing that is wrong stays.
class Checker {
 public:
  std::optional<std::string> problem;

  void part(ProfilePart which, Node value, bool is_pull) {
    const std::string path(to_text(which));
    switch (which) {
      case ProfilePart::config_params: return list(path, value, &Checker::config_param);
      case ProfilePart::ingest_config: return ingest_config(path, value, is_pull);
      case ProfilePart::normalization_config: return list(path, value, &Checker::normalization);
      case ProfilePart::clean_configs: return list(path, value, &Checker::clean_config);
      case ProfilePart::alert_config: return list(path, value, &Checker::alert_config);
    }
  }

 private:
  using Each = void (Checker::*)(const std::string& path, Node value);

  void reject(const std::string& path, std::string_view rule) {
    if (!problem) problem = path.substr(0, kProblemPathMax) + ": " + std::string(rule);
  }
  void list(const std::string& path, Node value, Each each) {
    if (!value.is_array()) return reject(path, "must be a list");
    std::size_t index = 0;
    for (Node at = value.first(); at.exists() && !problem; at = at.next()) {
      if (index >= kProfileListMax) return reject(path, "more than " + std::to_string(kProfileListMax) + " entries");
      (this->*each)(path + "[" + std::to_string(index++) + "]", at);
    }
  }
  /// False: it is no object, or has a member that is not known.
  bool object(const std::string& path, Node value, Words known) {
    if (!value.is_object()) {
      reject(path, "must be an object");
      return false;
    }
    const auto unknown = value.unknown_member(known);
    if (!unknown) return true;
    std::string rule = "not known here; the members are";
    for (const std::string_view name : known) rule.append(name == known.front() ? " " : ", ").append(name);
    reject(path + "." + std::string(*unknown), rule);
    return false;
  }
  void text(const std::string& path, Node value, std::size_t bytes_min, std::size_t bytes_max) {
    const auto plain = value.text();
    if (plain && plain->size() >= bytes_min && plain->size() <= bytes_max) return;
    reject(path, "must be a string of " + std::to_string(bytes_min) + " to " + std::to_string(bytes_max) + " bytes");
  }
  void word(const std::string& path, Node value, Words words) {
    const auto plain = value.text();
    if (plain && std::ranges::find(words, *plain) != words.end()) return;
    std::string rule = "must be one of";
    for (const std::string_view one : words) rule.append(" \"").append(one).append("\"");
    reject(path, rule);
  }
  void kind(const std::string& path, Node value, Kind expected) {
    if (value.kind() == expected) return;
    reject(path, expected == Kind::boolean  ? "must be true or false"
                 : expected == Kind::object ? "must be an object"
                                            : "must be a list");
  }
  /// A member that may be absent.
  template <class Check>
  void optional(const std::string& path, Node value, std::string_view name, Check check) {
    if (const Node found = value.member(name); found.exists() && !problem) check(path + "." + std::string(name), found);
  }
  template <class Check>
  void required(const std::string& path, Node value, std::string_view name, Check check) {
    if (!problem && !value.member(name).exists()) return reject(path + "." + std::string(name), "missing");
    optional(path, value, name, check);
  }
  auto as_text(std::size_t bytes_min, std::size_t bytes_max) {
    return [this, bytes_min, bytes_max](const std::string& path, Node v) { text(path, v, bytes_min, bytes_max); };
  }
  auto as_word(Words words) {
    return [this, words](const std::string& path, Node v) { word(path, v, words); };
  }
  auto as_kind(Kind expected) {
    return [this, expected](const std::string& path, Node v) { kind(path, v, expected); };
  }
  auto as_list(Each each) {
    return [this, each](const std::string& path, Node v) { list(path, v, each); };
  }

  void rule_value(const std::string& path, Node value) { text(path, value, 0, kExpressionBytesMax); }
  void rule(const std::string& path, Node value) {
    if (!object(path, value, kRuleMembers)) return;
    required(path, value, "key", as_text(1, kExpressionBytesMax));
    required(path, value, "value", as_list(&Checker::rule_value));
    required(path, value, "method", as_word(kMethods));
    optional(path, value, "condition", as_word(kConditions));
  }
  void alert_config(const std::string& path, Node value) {
    if (!object(path, value, kAlertMembers)) return;
    required(path, value, "name", as_text(1, kNameMax));
    optional(path, value, "rules", as_list(&Checker::rule));
  }
  void normalization(const std::string& path, Node value) {
    if (!object(path, value, kNormalizationMembers)) return;
    required(path, value, "field", as_text(1, kNameMax));
    required(path, value, "expr", as_text(0, kExpressionBytesMax));
    optional(path, value, "option", as_kind(Kind::object));
  }
  void clean_config(const std::string& path, Node value) {
    if (!object(path, value, kCleanMembers)) return;
    optional(path, value, "rules", as_list(&Checker::rule));
    optional(path, value, "alert_config", as_list(&Checker::alert_config));
    required(path, value, "normalization_config", as_list(&Checker::normalization));
  }
  void config_param(const std::string& path, Node value) {
    if (!object(path, value, kParamMembers)) return;
    required(path, value, "field", as_text(1, kNameMax));
    optional(path, value, "name", as_text(0, kNameMax));
    optional(path, value, "desc", as_text(0, kTextMax));
    for (const std::string_view flag : {"is_required", "is_hidden", "is_sensitive"})
      optional(path, value, flag, as_kind(Kind::boolean));
  }
  void alert_source(const std::string& path, Node value) {
    if (!object(path, value, kAlertSourceMembers)) return;
    required(path, value, "name", as_text(0, kNameMax));
    required(path, value, "code", as_text(1, kNameMax));
  }
  void ingest_config(const std::string& path, Node value, bool is_pull) {
    if (!object(path, value, is_pull ? Words(kPullMembers) : Words(kPushMembers))) return;
    optional(path, value, "source_format", as_word(kSourceFormats));
    optional(path, value, "multiple_events", as_kind(Kind::boolean));
    optional(path, value, "events_path", as_text(0, kExpressionBytesMax));
    optional(path, value, "collect_type", as_word(kCollectTypes));
    optional(path, value, "is_external", as_kind(Kind::boolean));
    optional(path, value, "alert_sources", as_list(&Checker::alert_source));
    if (!is_pull) return;
    optional(path, value, "url", as_text(0, kTextMax));
    optional(path, value, "method", as_word(kHttpMethods));
    for (const std::string_view name : {"headers", "query_params"}) optional(path, value, name, as_kind(Kind::array));
    for (const std::string_view name : {"body", "authorize", "failed_retry", "pagination"})
      optional(path, value, name, as_kind(Kind::object));
    optional(path, value, "need_poll", as_kind(Kind::boolean));
  }
};

}  // namespace

std::optional<std::string> check_profile_part(ProfilePart part, Node value, model::PluginType plugin_type) {
  Checker checker;
  checker.part(part, value, model::is_pull(plugin_type));
  return std::move(checker.problem);
}

}  // namespace tocsin::registry
