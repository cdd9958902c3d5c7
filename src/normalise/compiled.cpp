// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/compiled.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::normalise {

using json::Node;
using model::ProfilePart;

/// Makes one profile ready. The first thing that is wrong stays, and what comes then is not looked at.
class ProfileCompiler {
 public:
  ProfileCompiler(Compiled& out, json::Parser& parser, regex::Library& library)
      : out_(out), parser_(parser), library_(library) {}

  std::optional<ProfileError> problem;

  void run(const model::Profile& profile) {
    if (profile.parts_bytes() > model::kProfileBytesMax) return reject("profile", "larger than 16 KiB");
    with_part(profile, ProfilePart::ingest_config, &ProfileCompiler::ingest_config);
    with_part(profile, ProfilePart::normalization_config, &ProfileCompiler::default_fields);
    with_part(profile, ProfilePart::alert_config, &ProfileCompiler::default_alerts);
    with_part(profile, ProfilePart::clean_configs, &ProfileCompiler::clean_configs);
  }

 private:
  using Path = const std::string&;
  using PartReader = void (ProfileCompiler::*)(Path path, Node value);

  void reject(Path path, std::string_view rule) {
    if (!problem) problem = ProfileError{path + ": " + std::string{rule}};
  }
  void with_part(const model::Profile& profile, ProfilePart which, PartReader read) {
    const std::string& text = profile.part(which);
    if (problem || text.empty()) return;
    const std::string path{to_text(which)};
    const auto document = json::Document::parse(parser_, text);
    if (!document) return reject(path, document.error().reason);
    (this->*read)(path, document->root());
  }
  template <class Each>
  void each(Path path, Node list, Each each_one) {
    std::size_t index = 0;
    for (Node at = list.first(); at.exists() && !problem; at = at.next()) {
      each_one(path + "[" + std::to_string(index++) + "]", at);
    }
  }
  static std::size_t count(Node list) {
    std::size_t out = 0;
    for (Node at = list.first(); at.exists(); at = at.next()) ++out;
    return out;
  }
  std::string_view keep(std::string_view text) { return json::copy_text(text, out_.arena_); }

  std::optional<jmespath::Expression> expression(Path path, Node value) {
    const std::string_view text = value.text().value_or("");
    auto compiled = jmespath::Expression::compile(text, parser_, out_.arena_);
    if (!compiled) {
      const auto& error = compiled.error();
      reject(path, std::string{error.reason} + " (byte " + std::to_string(error.offset) + ")");
      return std::nullopt;
    }
    const std::size_t nodes = compiled->program().nodes.size();
    if (nodes > nodes_left_) {
      reject(path, "the expressions of this profile have more than 4096 parts together");
      return std::nullopt;
    }
    nodes_left_ -= nodes;
    return *compiled;
  }

  void pattern(Path path, std::string_view text, Rule& rule) {
    if (patterns_left_ == 0) return reject(path, "more than 32 patterns in this profile");
    --patterns_left_;
    auto compiled = library_.compile(text);
    if (!compiled) {
      return reject(path, compiled.error().message + " (byte " + std::to_string(compiled.error().offset) + ")");
    }
    rule.patterns.push_back(std::move(*compiled));
  }

  void rules(Path path, Node list, Rules& out) {
    out.reserve(count(list));
    each(path, list, [&](Path at, Node value) {
      const auto key = expression(at + ".key", value.member("key"));
      if (!key) return;
      const std::string_view method = value.member("method").text().value_or("");
      Rule rule{*key,
                method == "reg"   ? Method::reg
                : method == "neq" ? Method::neq
                                  : Method::eq,
                value.member("condition").text().value_or("") == "or",
                {},
                {}};
      const Node values = value.member("value");
      rule.values.reserve(count(values));
      each(at + ".value", values, [&](Path value_path, Node text) {
        rule.values.push_back(keep(text.text().value_or("")));
        if (rule.method == Method::reg) pattern(value_path, rule.values.back(), rule);
      });
      out.push_back(std::move(rule));
    });
  }
  void alerts(Path path, Node list, Config& out) {
    out.alerts.reserve(count(list));
    each(path, list, [&](Path at, Node value) {
      AlertName& alert = out.alerts.emplace_back();
      alert.name = keep(value.member("name").text().value_or(""));
      rules(at + ".rules", value.member("rules"), alert.rules);
    });
  }

  TimeOption time_option(Path path, Node option) {
    TimeOption out;
    if (const Node form = option.member("time_format"); form.exists() && form.text() != "") {
      const auto known = form.text() ? time_form_of(*form.text()) : std::nullopt;
      if (!known) reject(path + ".time_format", "not known (epoch_second, epoch_millis, rfc3339, datetime, ...)");
      out.form = known.value_or(out.form);
    }
    if (const Node zone = option.member("time_zone"); zone.exists() && zone.text() != "") {
      json::Value value;
      if (zone.number()) value = json::Value::number(*zone.number());
      if (zone.text()) value = json::Value::text(*zone.text());
      const auto minutes = time_zone_of(value);
      if (!minutes) reject(path + ".time_zone", "must be hours ahead of UTC (8), or as \"+08:00\"");
      out.offset_minutes = minutes.value_or(0);
    }
    return out;
  }
  /// Of entries for the same field the last counts; names that no event has are passed over, as upstream does.
  void fields(Path path, Node list, Config& out) {
    each(path, list, [&](Path at, Node value) {
      const Node text = value.member("expr");
      if (text.text().value_or("").empty()) return;
      const auto compiled = expression(at + ".expr", text);
      if (!compiled) return;
      const std::string_view name = value.member("field").text().value_or("");
      FieldRule rule{*compiled, {}};
      if (name == "tags") out.tags.emplace(rule);
      if (name == "dimensions") out.dimensions.emplace(rule);
      const auto* const known = std::ranges::find(kFieldNames, name);
      if (known == kFieldNames.end()) return;
      const auto index = static_cast<std::size_t>(known - kFieldNames.begin());
      const auto field = static_cast<Field>(index);
      if (field == Field::time || field == Field::anomaly_time) {
        rule.time = time_option(at + ".option", value.member("option"));
      }
      out.fields[index].emplace(rule);
    });
  }

  void ingest_config(Path path, Node value) {
    // A record of GSE always becomes a list.
    out_.multiple_events_ =
        value.member("multiple_events").boolean().value_or(false) || value.member("source_format").text() == "gse";
    const Node events = value.member("events_path");
    if (events.text().value_or("").empty()) return;
    out_.events_path_ = expression(path + ".events_path", events);
  }
  void default_fields(Path path, Node list) {
    out_.has_configs_ = out_.has_configs_ || list.first().exists();
    fields(path, list, out_.otherwise_);
  }
  void default_alerts(Path path, Node list) { alerts(path, list, out_.otherwise_); }
  void clean_configs(Path path, Node list) {
    out_.has_configs_ = out_.has_configs_ || list.first().exists();
    const std::size_t configs = count(list);
    if (configs > kCleanConfigsMax) return reject(path, "more than 64 entries");
    out_.clean_configs_.reserve(configs);
    each(path, list, [&](Path at, Node value) {
      Config& config = out_.clean_configs_.emplace_back();
      rules(at + ".rules", value.member("rules"), config.rules);
      alerts(at + ".alert_config", value.member("alert_config"), config);
      fields(at + ".normalization_config", value.member("normalization_config"), config);
    });
  }

  static constexpr std::size_t kCleanConfigsMax = 64;  // each takes about 1 KiB for its fields

  Compiled& out_;
  json::Parser& parser_;
  regex::Library& library_;
  std::size_t nodes_left_ = kCompiledNodesMax;
  std::uint32_t patterns_left_ = kPatternsMax;
};

tl::expected<std::unique_ptr<const Compiled>, ProfileError> Compiled::compile(const model::Profile& profile,
                                                                              json::Parser& parser,
                                                                              regex::Library& library,
                                                                              std::pmr::memory_resource& memory) {
  std::unique_ptr<Compiled> out{new Compiled(memory)};
  ProfileCompiler compiler{*out, parser, library};
  compiler.run(profile);
  if (compiler.problem) return tl::unexpected(std::move(*compiler.problem));
  return std::unique_ptr<const Compiled>{std::move(out)};
}

}  // namespace tocsin::normalise
