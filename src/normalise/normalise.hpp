// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>

#include "src/base/refusal_code.hpp"
#include "src/json/value.hpp"
#include "src/normalise/compiled.hpp"
#include "src/normalise/explain.hpp"
#include "src/regex/regex.hpp"

/// Events of other systems, read as BlueKing's pipeline reads them, by the profile of an instance; pure computation.
/// src/decisions/0014-normalisation.md has the choices made.
namespace tocsin::normalise {

/// One request: the body as a tree, and what came with it over HTTP (http_parts.hpp makes these; null: nothing).
/// Expressions see the latter in every event as __http_headers__ and __http_query_params__, whatever the event says.
/// `fields` are members of every event, with a profile and without, in the place of its own of that name.
struct Source {
  json::Value document;
  json::Value http_headers;
  json::Value http_query_params;
  std::span<const json::Member> fields{};
};

/// Of the instance.
struct Options {
  bool strict = false;                         ///< an event must have the fields that the documentation demands
  std::optional<std::int32_t> own_cloud_id{};  ///< given: targets in cloud 0 get this one (target.hpp)
};

/// Of one request, all its events together. A step is jmespath's (search.hpp): 7 to 25 ns on a desktop core.
struct Limits {
  std::uint32_t steps_max = 2'000'000;
  std::uint32_t expression_steps_max = 50'000;  ///< of one rule or field, and so 800,000 bytes of its result
  std::uint32_t events_max = 1'000;
  std::uint32_t regex_searches_max = 4'096;
  std::uint32_t regex_patterns_max = 16;  ///< different ones that regex_extract() asks for
  std::size_t output_bytes_max = 512'000;
};
inline constexpr std::size_t kTagsMax = 256;       ///< of one event, dimensions included
inline constexpr std::size_t kDimensionsMax = 32;  ///< of one event

/// What a normalisation may use.
struct Means {
  std::pmr::memory_resource& memory;  ///< takes and gives back: what one event needs, and the result of events_path
  json::Parser& parser;               ///< for to_json()
  regex::Library& library;            ///< the one of the profile
  Limits limits{};
  Explain* explain = nullptr;  ///< hears every step
};

/// Why a request has no events. Nothing of it is to be kept.
struct Refusal {
  enum class What : std::uint8_t {
    content,    ///< the document, or an event of it, is not what the profile reads
    too_large,  ///< one of the Limits
    no_room,    ///< memory; the same request may be taken later
  };
  What what = What::content;
  RefusalCode code{};
  std::string message;  ///< "alert_name: not mapped, and no alert_config matches (event 0)"
};

/// Appends a list of standard events as ingest::StandardReader takes them (their number may be 0), with
/// json::kPaddingBytes of capacity behind it, and answers how many they are. No parser would refuse it for its form. On
/// refusal `out` is as it was.
///
/// Of each event: the first of clean_configs whose rules hold, else the default, says how to read it. Each field gets
/// what its expression gives, as the type of the field; where that gives nothing usable the field stays away, and the
/// reader of standard events fills it: severity 3, status ABNORMAL, time now, the id of the request, and so on.
/// A profile without configurations: events are copied as they are; only strict and own_cloud_id count.
///
/// Throws std::bad_alloc (then `out` is unspecified). Time: Limits::steps_max, and linear in the output.
[[nodiscard]] tl::expected<std::uint32_t, Refusal> normalise(const Compiled& compiled, const Source& source,
                                                             const Options& options, const Means& means,
                                                             std::string& out);

}  // namespace tocsin::normalise
