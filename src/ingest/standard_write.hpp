// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/ingest/item_sink.hpp"

namespace tocsin::ingest {

/// Each writes one value of a stored standard event from the value as sent, whose type was checked.

void write_lower(std::string_view text, ItemSink& sink);
void write_target_type(std::string_view text, ItemSink& sink);
/// A string stays; an integer becomes one.
void write_as_text(std::string_view value, ItemSink& sink);
/// A string becomes a list of it; an empty string an empty list.
void write_as_list(std::string_view value, ItemSink& sink);

/// ASCII capitals of a string's characters, escapes resolved.
[[nodiscard]] std::string upper_of(std::string_view text);

}  // namespace tocsin::ingest
