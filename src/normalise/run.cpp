// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/run.hpp"

#include <algorithm>

namespace tocsin::normalise {

using What = jmespath::SearchError::What;

namespace {

constexpr const char* kAllSteps = "the normalisation of one request: takes more steps than it may";

}  // namespace

bool Run::refuse(Refusal::What what, RefusalCode code, std::string message, bool of_event) {
  if (of_event) message.append(" (event ").append(std::to_string(event_)).append(")");
  refusal_.emplace(Refusal{what, code, std::move(message)});
  return false;
}

bool Run::is_shallow(std::string_view name, const json::Value& value, std::uint32_t level) {
  return level + value.levels() <= json::kDepthMax ||
         refuse(Refusal::What::content, "json_invalid",
                std::string{name}.append(": nested deeper than ").append(std::to_string(json::kDepthMax)) + " levels");
}

Run::Found Run::search_in(const jmespath::Expression& expression, const json::Value& in,
                          std::pmr::memory_resource& arena, std::uint32_t steps_max, json::Value& out) {
  const std::uint32_t left = means_.limits.steps_max - steps_used_;
  const jmespath::Means means{.arena = arena,
                              .parser = means_.parser,
                              .regexes = this,
                              .steps_max = std::min(left, steps_max),
                              .steps_used = &steps_used_};
  const auto found = jmespath::search(expression, in, means);
  if (found) {
    out = *found;
    return Found::value;
  }
  return note(expression, found.error());
}

/// Of a failed evaluation: what is to be said of it. (In one function with the evaluation, clang 14 destroys strings
/// that were never made when it builds the fuzz target.)
Run::Found Run::note(const jmespath::Expression& expression, const jmespath::SearchError& error) {
  const bool is_wrong = error.what == What::wrong_type || error.what == What::wrong_value;
  if (is_wrong) {
    reason_ = error.reason;
    return Found::nothing;
  }
  std::string words = "expression ";
  words.append(expression.text()).append(": ");
  const bool is_regex = error.what == What::unavailable && regex_exhausted_;
  if (error.what == What::out_of_steps) {
    words = steps_used_ >= means_.limits.steps_max ? kAllSteps : words.append("takes more steps than it may");
    refuse(Refusal::What::too_large, "normalisation_steps", std::move(words));
  } else if (is_regex) {
    refuse(Refusal::What::too_large, "normalisation_regex", words.append("too many regular expressions"));
  } else {
    refuse(Refusal::What::no_room, "out_of_memory", words.append(error.reason));
  }
  return Found::stop;
}

Run::Found Run::search(const jmespath::Expression& expression, const json::Value& in, json::Value& out) {
  return search_in(expression, in, event_arena_, means_.limits.expression_steps_max, out);
}

Run::Found Run::search_document(const jmespath::Expression& expression, const json::Value& in, json::Value& out) {
  return search_in(expression, in, request_arena_, means_.limits.steps_max, out);
}

bool Run::take_search() noexcept {
  if (regex_searches_ >= means_.limits.regex_searches_max) {
    regex_exhausted_ = true;
    return false;
  }
  ++regex_searches_;
  return true;
}

bool Run::matches(const regex::Pattern& pattern, std::string_view subject, bool& out) {
  if (!take_search()) {
    return refuse(Refusal::What::too_large, "normalisation_regex", "rules: too many searches by regular expressions");
  }
  const std::size_t steps = 1 + 4 * (subject.size() / jmespath::kBytesPerStep);  // as regex_extract() counts
  if (steps > means_.limits.steps_max - steps_used_) {
    return refuse(Refusal::What::too_large, "normalisation_steps", kAllSteps);
  }
  steps_used_ += static_cast<std::uint32_t>(steps);
  out = pattern.search(subject);
  return true;
}

Result<bool> Run::find(std::string_view pattern, std::string_view subject, std::pmr::vector<std::string_view>& parts) {
  if (!take_search()) return error(Errc::out_of_budget, "regular expressions of a request");
  auto known = std::ranges::find(patterns_, pattern, &regex::Pattern::text);
  if (known == patterns_.end()) {
    if (patterns_.size() >= means_.limits.regex_patterns_max) {
      regex_exhausted_ = true;
      return error(Errc::out_of_budget, "regular expressions of a request");
    }
    auto compiled = means_.library.compile(pattern);
    if (!compiled) return error(Errc::invalid_input, "regular expression");
    patterns_.push_back(std::move(*compiled));
    known = patterns_.end() - 1;
  }
  regex::Match match;
  if (!known->search(subject, match)) return false;
  const auto all = match.all();
  parts.assign(all.begin(), all.end());
  return true;
}

std::string_view text_of(const json::Value& value, std::string& scratch) {
  switch (value.kind()) {
    case json::Kind::string: return value.text();
    case json::Kind::null: return "<nil>";
    case json::Kind::boolean: return value.is_true() ? "true" : "false";
    case json::Kind::number:
      if (!value.number_text().empty()) return value.number_text();
      break;
    case json::Kind::array:
    case json::Kind::object: break;
  }
  scratch.clear();
  value.append_json(scratch);
  return scratch;
}

namespace {

/// False: stop.
bool rule_holds(Run& run, const Rule& rule, const json::Value& event, std::string_view place, bool& out) {
  out = false;
  json::Value value;
  std::string scratch;
  const Run::Found found = run.search(rule.key, event, value);
  if (found == Run::Found::stop) return false;
  const bool has_value = found == Run::Found::value;
  const std::string_view text = has_value ? text_of(value, scratch) : std::string_view{};
  if (has_value && rule.method == Method::reg) {
    for (const regex::Pattern& pattern : rule.patterns) {
      if (!run.matches(pattern, text, out)) return false;
      if (out) break;
    }
  } else if (has_value) {
    const bool listed = std::ranges::find(rule.values, text) != rule.values.end();
    out = listed == (rule.method == Method::eq);
  }
  if (run.explains()) {
    run.tell({.what = Explain::What::rule,
              .place = place,
              .value = text,
              .matched = out,
              .reason = has_value ? "" : run.reason()});
  }
  return true;
}

}  // namespace

bool rules_hold(Run& run, const Rules& rules, const json::Value& event, std::string_view place, bool& out) {
  out = true;
  std::string own_place;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const bool is_or = rules[i].is_or && i > 0;
    if (i > 0 && out && is_or) return true;
    if (i > 0 && !out && !is_or) continue;
    if (run.explains()) {
      own_place.assign(place).append(".rules[").append(std::to_string(i)).append("]");
    }
    if (!rule_holds(run, rules[i], event, own_place, out)) return false;
  }
  return true;
}

}  // namespace tocsin::normalise
