// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/budget.hpp"
#include "src/normalise/http_parts.hpp"
#include "src/normalise/normalise.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::normalise {

/// Keeps what it hears, a line each.
class Told final : public Explain {
 public:
  void step(const Step& step) override {
    std::string line = std::string{to_text(step.what)} + " " + std::to_string(step.event);
    if (!step.place.empty()) line.append(" ").append(step.place);
    if (!step.value.empty()) line.append(" = ").append(step.value);
    if (step.what == What::rule) line.append(step.matched ? " yes" : " no");
    if (*step.reason != '\0') line.append(" (").append(step.reason).append(")");
    lines.push_back(std::move(line));
  }
  std::vector<std::string> lines;
};

/// Compiles a profile and runs documents through it.
class Bench {
 public:
  /// `profile`: an object whose members are the parts. Empty: it compiled; else what is wrong.
  std::string use(std::string_view profile_json) {
    const auto document = json::Document::parse(parser, profile_json);
    if (!document) return std::string{"profile: "} + document.error().reason;
    const json::Padded source{profile_json};
    std::pmr::monotonic_buffer_resource kept;
    if (!parser.check(source.text())) return "profile";
    const auto root = json::build(source.text(), kept);
    model::Profile profile;
    for (std::size_t i = 0; i < model::kProfileParts.size(); ++i) {
      const json::Value* const part = root->find(model::kProfileParts[i]);
      if (part != nullptr) part->append_json(profile.parts[i]);
    }
    return use(profile);
  }
  std::string use(const model::Profile& profile) {
    auto made = Compiled::compile(profile, parser, library, memory);
    if (!made) return made.error().message;
    compiled = std::move(*made);
    return {};
  }

  /// The events as JSON, or "!code message".
  std::string run(std::string_view document) {
    const json::Padded source{document};
    std::pmr::monotonic_buffer_resource kept;
    const auto checked = parser.check(source.text());
    if (!checked) return std::string{"document: "} + checked.error().reason;
    Source from;
    from.document = *json::build(checked->text, kept);
    if (!headers.empty()) from.http_headers = header_object(headers, kept);
    if (!parameters.empty()) from.http_query_params = query_object(parameters, kept);
    Budget budget{"test", bytes_max};
    const Means means{budget, parser, library, limits, explain};
    std::string out;
    const auto count = normalise(*compiled, from, options, means, out);
    if (!count)
      return out.empty() ? std::string{"!"} + count.error().code.text() + " " + count.error().message : "not undone";
    events = *count;
    return out;
  }

  json::Parser parser{};
  regex::Library library;
  Budget memory{"profile", 16 * MiB};
  std::unique_ptr<const Compiled> compiled;
  Options options;
  Limits limits;
  Explain* explain = nullptr;
  std::vector<HttpPart> headers;
  std::vector<HttpPart> parameters;
  std::size_t bytes_max = 4 * MiB;
  std::uint32_t events = 0;
};

inline std::string run(std::string_view profile, std::string_view document) {
  Bench bench;
  const std::string wrong = bench.use(profile);
  return wrong.empty() ? bench.run(document) : "?" + wrong;
}

}  // namespace tocsin::normalise
