// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/normalise.hpp"

#include "src/json/writer.hpp"
#include "src/normalise/fields.hpp"
#include "src/normalise/http_parts.hpp"
#include "src/normalise/run.hpp"
#include "src/normalise/tags.hpp"

namespace tocsin::normalise {
namespace {

using json::Value;

/// The events of the document, a view of one or many. False: stop.
bool find_events(Run& run, const Compiled& compiled, const Source& source, Value& found,
                 std::span<const Value>& events) {
  found = source.document;
  const bool has_path = compiled.events_path().has_value();
  const std::string subject = has_path ? "events_path" : "body";
  if (has_path) {
    switch (run.search_document(*compiled.events_path(), source.document, found)) {
      case Run::Found::stop: return false;
      case Run::Found::nothing:
        return run.refuse(Refusal::What::content, "events_path", "events_path: " + std::string{run.reason()}, false);
      case Run::Found::value: break;
    }
  }
  events = compiled.multiple_events() ? found.elements() : std::span<const Value>{&found, 1};
  if (compiled.multiple_events() && !found.is_array()) {
    return run.refuse(Refusal::What::content, "events_type",
                      subject + ": expected a list of objects, got " + json::to_text(found.kind()), false);
  }
  if (events.size() > run.limits().events_max) {
    return run.refuse(Refusal::What::too_large, "events_too_many",
                      subject + ": more than " + std::to_string(run.limits().events_max) + " events", false);
  }
  for (const Value& event : events) {
    if (event.is_object()) continue;
    return run.refuse(Refusal::What::content, "events_type",
                      subject + ": expected " + (compiled.multiple_events() ? "objects only" : "an object") + ", got " +
                          json::to_text(event.kind()),
                      false);
  }
  return true;
}

/// The configuration for an event, and its place in the profile: empty for the default. False: stop.
bool choose_config(Run& run, const Compiled& compiled, const Value& event, const Config*& out, std::string& place) {
  for (std::size_t i = 0; i < compiled.clean_configs().size(); ++i) {
    const Config& config = compiled.clean_configs()[i];
    if (run.explains()) place = "clean_configs[" + std::to_string(i) + "]";
    bool holds = false;
    if (!rules_hold(run, config.rules, event, place, holds)) return false;
    if (!holds) continue;
    out = &config;
    return true;
  }
  place.clear();
  out = &compiled.otherwise();
  return true;
}

/// Writes one event. False: stop.
bool write_event(Run& run, const Compiled& compiled, const Value& event, const Options& options, json::Writer& writer,
                 const std::string& out) {
  FieldSet seen;
  writer.object();
  if (compiled.has_configs()) {
    const Config* config = nullptr;
    std::string place;
    if (!choose_config(run, compiled, event, config, place)) return false;
    run.tell({.what = Explain::What::config, .place = place.empty() ? "normalization_config" : place});
    if (!write_fields(run, *config, place, event, options, writer, out, seen)) return false;
    if (run.fits(out) && !write_tags(run, *config, event, writer, out)) return false;
  } else if (!write_as_it_is(run, event, options, writer, seen)) {
    return false;
  }
  writer.end_object();
  if (!run.fits(out)) {
    return run.refuse(
        Refusal::What::too_large, "normalisation_output",
        "events: longer than " + std::to_string(run.limits().output_bytes_max) + " bytes as standard events");
  }
  return !options.strict || check_required(run, seen);
}

}  // namespace

tl::expected<std::uint32_t, Refusal> normalise(const Compiled& compiled, const Source& source, const Options& options,
                                               const Means& means, std::string& out) {
  const std::size_t from = out.size();
  Run run{means, from};
  const auto stopped = [&] {
    out.resize(from);
    return tl::unexpected(std::move(*run.refusal()));
  };
  Value found;
  std::span<const Value> events;
  if (!find_events(run, compiled, source, found, events)) return stopped();
  run.tell({.what = Explain::What::events, .value = std::to_string(events.size())});
  json::Writer writer{out};
  writer.array();
  std::uint32_t count = 0;
  for (const Value& event : events) {
    run.begin_event(count++);
    const Value whole = compiled.has_configs() ? with_http_parts(event, source.http_headers, source.http_query_params,
                                                                 source.fields, run.arena())
                                               : with_http_parts(event, {}, {}, source.fields, run.arena());
    if (!write_event(run, compiled, whole, options, writer, out)) return stopped();
  }
  writer.end_array();
  out.reserve(out.size() + json::kPaddingBytes);
  return count;
}

}  // namespace tocsin::normalise
