// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/base/budget.hpp"
#include "src/jmespath/search.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::jmespath {

/// Compiles and evaluates; answers with JSON, or with the error as "!reason" ("?reason" when it does not compile).
class Bench {
 public:
  std::string run(std::string_view text, std::string_view document = "null") {
    std::pmr::monotonic_buffer_resource kept;
    const json::Padded source{document};
    const auto checked = parser.check(source.text());
    if (!checked) return std::string{"document: "} + checked.error().reason;
    const auto root = json::build(checked->text, kept);
    const auto expression = Expression::compile(text, parser, kept);
    if (!expression) return std::string{"?"} + expression.error().reason;
    Budget budget{"test", bytes_max};
    std::pmr::monotonic_buffer_resource arena{256, &budget};
    const Means means{
        .arena = arena, .parser = parser, .regexes = regexes, .steps_max = steps_max, .steps_used = &steps_used};
    const auto result = search(*expression, *root, means);
    if (!result) {
      failure = result.error();
      return std::string{"!"} + result.error().reason;
    }
    std::string out;
    result->append_json(out);
    return out;
  }

  json::Parser parser{};
  Regexes* regexes = nullptr;
  std::uint32_t steps_max = kStepsMaxDefault;
  std::uint32_t steps_used = 0;  ///< by all so far
  std::size_t bytes_max = 4 * MiB;
  SearchError failure;  ///< the latest
};

inline std::string run(std::string_view text, std::string_view document = "null") {
  Bench bench;
  return bench.run(text, document);
}

}  // namespace tocsin::jmespath
