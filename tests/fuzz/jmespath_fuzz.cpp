// SPDX-License-Identifier: Apache-2.0
// Input: an expression, a newline, a document. Whatever both say, evaluation ends within its steps and memory, twice
// with the same answer, and a result is JSON that the parser takes.
#include <memory_resource>
#include <string>

#include "src/base/budget.hpp"
#include "src/jmespath/search.hpp"
#include "src/json/value.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin {
namespace {

using fuzz::require;

constexpr std::uint32_t kStepsMax = 20'000;

std::string answer_of(const jmespath::Expression& expression, const json::Value& document, json::Parser& parser) {
  Budget budget{"fuzz", 1 * MiB};
  std::pmr::monotonic_buffer_resource arena{1 * KiB, &budget};
  const auto result = search(expression, document, {.arena = arena, .parser = parser, .steps_max = kStepsMax});
  if (!result) {
    require(*result.error().reason != '\0', "an error says why");
    require(result.error().offset <= expression.text().size(), "an error says where");
    return result.error().reason;
  }
  std::string out;
  result->append_json(out);
  require(out.size() <= kStepsMax * jmespath::kBytesPerStep, "a result is as short as its steps allow");
  const json::Padded padded{out};
  require(parser.check(padded.text()).has_value(), "a result is JSON");
  return out;
}

void run(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, end);
  const json::Padded source{input.substr(std::min(end + 1, input.size()))};
  json::Parser parser;
  std::pmr::monotonic_buffer_resource kept;
  const auto expression = jmespath::Expression::compile(text, parser, kept);
  if (!expression) {
    require(*expression.error().reason != '\0', "a refusal says why");
    require(expression.error().offset <= text.size(), "a refusal says where");
    return;
  }
  require(expression->text() == text, "an expression keeps its text");
  json::Value document;
  if (const auto checked = parser.check(source.text())) {
    const auto built = json::build(checked->text, kept);
    require(built.ok(), "what is accepted makes a tree");
    document = *built;
  }
  require(answer_of(*expression, document, parser) == answer_of(*expression, document, parser), "one answer");
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run(tocsin::fuzz::text_of(data, size));
  return 0;
}
