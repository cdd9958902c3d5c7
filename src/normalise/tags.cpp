// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/tags.hpp"

#include <algorithm>

namespace tocsin::normalise {
namespace {

using json::Value;
using Tags = std::pmr::vector<json::Member>;

constexpr std::uint32_t kTagLevel = 3;  // the event, its tags, the tag

bool add_tag(Run& run, std::string_view key, const Value& value, std::size_t tags_max, const char* field, Tags& to) {
  if (key.empty()) return true;
  if (to.size() >= tags_max) {
    return run.refuse(Refusal::What::too_large, "normalisation_tags",
                      std::string{field} + ": more than " + std::to_string(tags_max));
  }
  to.push_back({key, value});
  return true;
}

bool is_key_before(const json::Member& a, const json::Member& b) { return a.name < b.name; }

/// False: stop. `reason`: why there are none.
bool evaluate(Run& run, const std::optional<FieldRule>& rule, const Value& event, Value& out, const char*& reason) {
  reason = "";
  if (!rule) return true;
  switch (run.search(rule->expression, event, out)) {
    case Run::Found::stop: return false;
    case Run::Found::nothing: reason = run.reason(); break;
    case Run::Found::value: break;
  }
  return true;
}

bool collect_dimensions(Run& run, const Value& value, Tags& to, const char*& reason) {
  if (!value.is_object() && *reason == '\0' && !value.is_null()) reason = "not an object";
  for (const json::Member& member : value.members()) {
    if (!add_tag(run, member.name, member.value, kDimensionsMax, "dimensions", to)) return false;
  }
  std::ranges::sort(to, is_key_before);
  return true;
}

/// Behind the dimensions, which are sorted.
bool collect_tags(Run& run, const Value& value, Tags& to, const char*& reason) {
  const std::size_t dimensions = to.size();
  const auto add = [&](std::string_view key, const Value& tag) {
    const auto end = to.begin() + static_cast<std::ptrdiff_t>(dimensions);
    if (std::binary_search(to.begin(), end, json::Member{key, {}}, is_key_before)) return true;
    return add_tag(run, key, tag, kTagsMax, "tags", to);
  };
  if (!value.is_object() && !value.is_array() && *reason == '\0' && !value.is_null()) {
    reason = "neither an object nor a list of {key, value}";
  }
  for (const json::Member& member : value.members()) {
    if (!add(member.name, member.value)) return false;
  }
  for (const Value& item : value.elements()) {
    const Value* const key = item.find("key");
    const Value* const tag = item.find("value");
    if (key != nullptr && !add(key->text(), tag != nullptr ? *tag : Value{})) return false;
  }
  std::ranges::stable_sort(to, is_key_before);
  return true;
}

}  // namespace

bool write_tags(Run& run, const Config& config, const Value& event, json::Writer& writer, const std::string& out) {
  if (!config.tags) return true;
  Value found;
  const char* reason = "";
  Tags tags{&run.arena()};
  if (!evaluate(run, config.dimensions, event, found, reason)) return false;
  if (!collect_dimensions(run, found, tags, reason)) return false;
  std::pmr::vector<std::string_view> dimensions{&run.arena()};
  for (const json::Member& tag : tags) dimensions.push_back(tag.name);
  const char* tags_reason = "";
  found = {};
  if (!evaluate(run, config.tags, event, found, tags_reason)) return false;
  if (!collect_tags(run, found, tags, tags_reason)) return false;

  writer.name("tags");
  std::size_t from = out.size();
  writer.array();
  for (const json::Member& tag : tags) {
    if (!run.is_shallow("tags", tag.value, kTagLevel)) return false;
    writer.object().member("key", tag.name).name("value").value(tag.value).end_object();
    if (!run.fits(out)) break;  // the caller refuses it
  }
  writer.end_array();
  const std::string_view written{out};
  run.tell({.what = Explain::What::field, .place = "tags", .value = written.substr(from), .reason = tags_reason});
  if (dimensions.empty()) {
    if (config.dimensions) run.tell({.what = Explain::What::field, .place = "dedupe_keys", .reason = reason});
    return true;
  }
  writer.name("dedupe_keys");
  from = out.size();
  writer.array();
  for (const std::string_view name : dimensions) writer.text(std::string{"tags."}.append(name));
  writer.end_array();
  run.tell({.what = Explain::What::field,
            .place = "dedupe_keys",
            .value = std::string_view{out}.substr(from),
            .reason = reason});
  return true;
}

}  // namespace tocsin::normalise
