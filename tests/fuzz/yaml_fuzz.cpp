// SPDX-License-Identifier: Apache-2.0
// A YAML body of an alert source. What is accepted is JSON that the strict parser takes, within the limits, and says
// the same when it is read as YAML (JSON's texts are YAML, but for numbers with an exponent and for the three
// characters that only YAML takes for line breaks). What is refused has a place.
#include <algorithm>
#include <array>
#include <string_view>

#include "src/base/budget.hpp"
#include "src/formats/formats.hpp"
#include "src/json/parser.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace tocsin {
namespace {

using fuzz::require;

void check(std::string_view body, const formats::Limits& limits) {
  Budget memory{"fuzz", 16 * MiB};
  std::pmr::string json;
  const formats::Outcome outcome = formats::yaml_to_json(body, memory, json, limits);
  require(memory.used_bytes() == 0, "everything is given back");
  if (!outcome) {
    require(json.empty(), "a refusal leaves no JSON");
    require(*outcome.error().reason != '\0', "a refusal has a reason");
    require(outcome.error().line >= 1 && outcome.error().column >= 1, "a refusal has a place");
    return;
  }
  require(json.size() <= std::max<std::size_t>(limits.json_bytes_max, 4), "JSON stays within its limit");
  require(json.capacity() >= json.size() + json::kPaddingBytes, "the parser may read ahead");
  json::Parser parser{{.bytes_max = 4 * MiB, .elements_max = 4 * MiB}};
  const auto checked = parser.check(json);
  require(checked.has_value(), "what comes out is JSON");
  require(checked->values <= limits.values_max, "values stay within their limit");

  constexpr std::array<std::string_view, 5> kOnlyInJson{"e+", "e-", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
  const bool is_yaml = std::none_of(kOnlyInJson.begin(), kOnlyInJson.end(),
                                    [&](std::string_view part) { return json.find(part) != std::string::npos; });
  std::pmr::string again;
  if (!is_yaml || !formats::yaml_to_json(json, memory, again)) return;  // a name of over 1,024 characters, and the like
  require(json == again, "JSON read as YAML is the same");
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = tocsin::fuzz::text_of(data, size);
  tocsin::check(body, {});
  tocsin::check(body, {.depth_max = 3, .values_max = 8, .json_bytes_max = 64});
  return 0;
}
