// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>

#include "src/json/writer.hpp"
#include "src/normalise/run.hpp"

namespace tocsin::normalise {

using FieldSet = std::bitset<kFieldNames.size()>;

/// Writes the members of one event into an object that is open: all fields but tags and dedupe_keys. `seen` gets
/// those that hold something. False: stop; an event without a name is one reason.
[[nodiscard]] bool write_fields(Run& run, const Config& config, std::string_view config_place, const json::Value& event,
                                const Options& options, json::Writer& writer, const std::string& out, FieldSet& seen);

/// Writes an event that is a standard event already, into an object that is open. False: stop.
[[nodiscard]] bool write_as_it_is(Run& run, const json::Value& event, const Options& options, json::Writer& writer,
                                  FieldSet& seen);

/// What `strict` demands. False: stop.
[[nodiscard]] bool check_required(Run& run, const FieldSet& seen);

}  // namespace tocsin::normalise
