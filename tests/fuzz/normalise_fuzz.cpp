// SPDX-License-Identifier: Apache-2.0
// Input: a profile (one line, an object of its parts), a newline, a body. Whatever both say, normalisation ends within
// its limits, twice with the same answer; what it makes is a list of events that the reader of standard events reads,
// and what it refuses has a code and words and leaves nothing.
#include <memory_resource>
#include <string>

#include "platform/gnutls/crypto.hpp"
#include "src/base/budget.hpp"
#include "src/ingest/standard.hpp"
#include "src/jmespath/search.hpp"
#include "src/normalise/gse.hpp"
#include "src/normalise/http_parts.hpp"
#include "src/normalise/normalise.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin {
namespace {

using fuzz::require;

constexpr normalise::Limits kLimits{.steps_max = 200'000, .expression_steps_max = 4'000, .output_bytes_max = 64 * KiB};
/// A field is seen to be too long once it is written.
constexpr std::size_t kOutputMost = kLimits.output_bytes_max + kLimits.expression_steps_max * jmespath::kBytesPerStep;

std::optional<model::Profile> profile_of(std::string_view line, json::Parser& parser) {
  const json::Padded source{line};
  const auto checked = parser.check(source.text());
  if (!checked) return std::nullopt;
  std::pmr::monotonic_buffer_resource kept;
  const auto root = json::build(checked->text, kept);
  model::Profile out;
  for (std::size_t i = 0; i < model::kProfileParts.size(); ++i) {
    const json::Value* const part = root->find(model::kProfileParts[i]);
    if (part != nullptr) part->append_json(out.parts[i]);
  }
  return out;
}

/// The events, or the words of the refusal.
std::string answer_of(const normalise::Compiled& compiled, const normalise::Source& source,
                      const normalise::Options& options, json::Parser& parser, regex::Library& library) {
  Budget budget{"fuzz", 4 * MiB};
  std::string out = "before";
  const auto count = normalise::normalise(compiled, source, options, {budget, parser, library, kLimits}, out);
  require(budget.used_bytes() == 0, "what it takes is given back");
  if (!count) {
    require(!count.error().code.is_none() && !count.error().message.empty(), "a refusal has a code and words");
    require(out == "before", "a refusal leaves the output as it was");
    return count.error().message;
  }
  require(out.starts_with("before["), "a list behind what was there");
  require(out.size() <= kOutputMost, "the output has its bound");
  out.erase(0, 6);
  const json::Padded made{out};
  const auto list = parser.check(made.text());
  require(list.has_value() && list->kind == json::Kind::array && list->elements == *count, "a list of so many");
  require(*count <= kLimits.events_max, "at most so many events");
  if (*count == 0) return out;
  gnutls::Crypto crypto;
  ingest::StandardReader reader{parser, crypto, {}};
  const auto envelope = reader.read_envelope(made.bytes());
  require(envelope.has_value(), "the reader of standard events takes the list");
  model::EventBatch batch{std::pmr::get_default_resource()};
  model::Instance instance;
  instance.type = model::InstanceType::alert_source;
  const auto taken = reader.read_items(instance, Now{{1}, {1'700'000'000'000, true}}, Id128{}, batch);
  require(!compiled.has_configs() || taken.has_value() || taken.error().http_status == 413 ||
              taken.error().http_status == 400,
          "an item is taken or refused in words");
  return out;
}

/// The events of a record of GSE; nothing when it is refused.
std::optional<json::Value> events_of_record(const json::Value& record, std::pmr::memory_resource& arena) {
  gnutls::Crypto crypto;
  const auto events = normalise::gse_events(record, {crypto, arena, arena});
  if (!events) {
    require(!events.error().code.is_none() && !events.error().message.empty(), "a refusal has a code and words");
    return std::nullopt;
  }
  require(events->is_array() && events->elements().size() <= normalise::kGseEventsMax, "a list with its bound");
  for (const json::Value& event : events->elements()) {
    const json::Value* const id = event.find("event_id");
    require(id != nullptr && !id->text().empty(), "every event has an id");
  }
  return *events;
}

void run(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  json::Parser parser;
  const auto profile = profile_of(input.substr(0, end), parser);
  if (!profile) return;
  regex::Library library({.compiled_max = 4, .bytes_max = 128 * KiB});
  Budget budget{"profile", 1 * MiB};
  const auto compiled = normalise::Compiled::compile(*profile, parser, library, budget);
  if (!compiled) {
    require(!compiled.error().message.empty(), "a profile that cannot be used is told why");
    return;
  }
  const bool is_gse = profile->part(model::ProfilePart::ingest_config).find("\"gse\"") != std::string::npos;
  const std::string_view record = input.substr(std::min(end + 1, input.size()));
  if (record.size() > 16 * MiB) return;  // libFuzzer makes none so large; the compiler fears for the sum
  const json::Padded body{record};
  const auto checked = parser.check(is_gse ? normalise::without_gse_end(body.text()) : body.text());
  if (!checked) return;
  std::pmr::monotonic_buffer_resource kept;
  const auto document = json::build(checked->text, kept);
  require(document.ok(), "what is accepted makes a tree");
  const auto events = is_gse ? events_of_record(*document, kept) : std::optional{*document};
  if (!events) return;
  const normalise::HttpPart header{"X-Site", "north"};
  const normalise::Source source{*events, normalise::header_object({&header, 1}, kept), {}};
  const normalise::Options options{.strict = input.size() % 2 == 0, .own_cloud_id = 3};
  require(answer_of(**compiled, source, options, parser, library) ==
              answer_of(**compiled, source, options, parser, library),
          "one answer");
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run(tocsin::fuzz::text_of(data, size));
  return 0;
}
