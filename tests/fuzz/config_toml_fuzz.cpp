// SPDX-License-Identifier: Apache-2.0
// A configuration file: every fault is told with its line, and what is accepted says the same when it is written down
// from the program's own explanation of it.
#include <algorithm>
#include <string>

#include "src/config/config.hpp"
#include "src/config/explain.hpp"
#include "src/config/load.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace tocsin {
namespace {

using fuzz::require;

void check_problems(std::string_view text, const std::vector<config::Problem>& problems) {
  require(!problems.empty() && problems.size() <= config::kProblemsMax + 1, "problems are told, within bounds");
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const config::Problem& problem : problems) {
    require(problem.line <= lines, "a problem stands on a line of the file");
    require(!problem.message.empty() && !config::to_text(problem).empty(), "a problem has words");
  }
}

std::string written_down(const config::Loaded& loaded) {
  std::string out;
  for (const config::Explained& one : config::explain(loaded)) {
    if (one.layer == config::Layer::file) out.append(one.key).append(" = ").append(one.value).append("\n");
  }
  return out;
}

void run(std::string_view text) {
  const auto loaded = config::load(text, "fuzz.toml", config::kBoard);
  if (!loaded) return check_problems(text, loaded.error());
  const auto ledger = config::ledger_for(config::kBoard, loaded->config);
  for (const config::LedgerLine& line : config::lines(ledger)) require(line.bytes >= 0, "no line is below zero");
  require(config::sum_bytes(ledger) <= loaded->config.memory_budget_bytes, "the ledger keeps the budget");
  const std::string written = written_down(*loaded);
  const auto again = config::load(written, "again.toml", config::kBoard);
  require(again.has_value(), "what was explained can be loaded");
  require(written_down(*again) == written, "what was explained means the same");
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run(tocsin::fuzz::text_of(data, size));
  return 0;
}
