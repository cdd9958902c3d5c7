// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/json/writer.hpp"
#include "src/normalise/run.hpp"

namespace tocsin::normalise {

/// Writes the members tags and dedupe_keys of an event, when the configuration has an expression for tags: tags are
/// an object or a list of {key, value}, dimensions an object; the tags are both, sorted by key, a dimension before a
/// tag of the same key; the dedupe keys are "tags." and the name of each dimension, sorted. Empty keys are dropped.
/// False: stop.
[[nodiscard]] bool write_tags(Run& run, const Config& config, const json::Value& event, json::Writer& writer,
                              const std::string& out);

}  // namespace tocsin::normalise
