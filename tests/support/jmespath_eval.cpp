// SPDX-License-Identifier: Apache-2.0
// For tests/e2e/test_jmespath.py: a line of JSON [expression, document] on standard input becomes a line of JSON on
// standard output, {"result": value} or {"error": stage, "reason": text, "offset": number}.
#include <iostream>
#include <memory_resource>
#include <string>

#include "src/jmespath/search.hpp"
#include "src/json/writer.hpp"

namespace {

using namespace tocsin;

void write_error(const char* stage, const char* reason, std::size_t offset, std::string& out) {
  json::Writer{out}
      .object()
      .member("error", stage)
      .member("reason", reason)
      .name("offset")
      .number(static_cast<std::uint64_t>(offset))
      .end_object();
}

void answer(std::string line, json::Parser& parser, std::string& out) {
  const std::size_t size = line.size();
  line.append(json::kPaddingBytes, '\0');
  std::pmr::monotonic_buffer_resource arena;
  const auto checked = parser.check({line.data(), size});
  if (!checked) return write_error("input", checked.error().reason, checked.error().offset, out);
  const auto input = json::build(checked->text, arena);
  if (!input.ok() || input->elements().size() != 2) return write_error("input", "not a pair", 0, out);
  const auto expression = jmespath::Expression::compile(input->elements()[0].text(), parser, arena);
  if (!expression) return write_error("compile", expression.error().reason, expression.error().offset, out);
  const auto result = jmespath::search(*expression, input->elements()[1], {.arena = arena, .parser = parser});
  if (!result) return write_error("search", result.error().reason, result.error().offset, out);
  out += "{\"result\":";
  result->append_json(out);
  out += '}';
}

}  // namespace

int main() {
  json::Parser parser;
  std::string line;
  std::string out;
  while (std::getline(std::cin, line)) {
    out.clear();
    answer(line, parser, out);
    std::cout << out << '\n';
  }
  return 0;
}
