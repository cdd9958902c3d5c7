// SPDX-License-Identifier: Apache-2.0
// An XML body of an alert source, in both styles. What is accepted is JSON that the strict parser takes, within the
// limits. What is refused has a place.
#include "src/base/budget.hpp"
#include "src/formats/formats.hpp"
#include "src/json/parser.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace tocsin {
namespace {

using formats::XmlStyle;
using fuzz::require;

void check(std::string_view body, XmlStyle style, const formats::Limits& limits) {
  Budget memory{"fuzz", 16 * MiB};
  std::pmr::string json;
  const formats::Outcome outcome = formats::xml_to_json(body, style, memory, json, limits);
  require(memory.used_bytes() == 0, "everything is given back");
  if (!outcome) {
    require(json.empty(), "a refusal leaves no JSON");
    require(*outcome.error().reason != '\0', "a refusal has a reason");
    require(outcome.error().line >= 1 && outcome.error().column >= 1, "a refusal has a place");
    return;
  }
  require(json.size() <= limits.json_bytes_max, "JSON stays within its limit");
  require(json.capacity() >= json.size() + json::kPaddingBytes, "the parser may read ahead");
  json::Parser parser{{.bytes_max = 4 * MiB, .elements_max = 4 * MiB}};
  const auto checked = parser.check(json);
  require(checked.has_value(), "what comes out is JSON");
  require(checked->kind == json::Kind::object, "XML is an object");
  require(checked->values <= limits.values_max, "values stay within their limit");
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::formats::XmlStyle;
  const std::string_view body = tocsin::fuzz::text_of(data, size);
  tocsin::check(body, XmlStyle::xmltodict, {});
  tocsin::check(body, XmlStyle::mxj, {});
  tocsin::check(body, XmlStyle::xmltodict, {.depth_max = 3, .values_max = 8, .json_bytes_max = 64});
  return 0;
}
