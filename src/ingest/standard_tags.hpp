// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "src/ingest/item_sink.hpp"

namespace tocsin::ingest {

/// One tag of an event. Views; empty: absent.
struct Tag {
  std::string_view key;    ///< between its quotes
  std::string_view value;  ///< as written, and so are the others
  std::string_view display_key{};
  std::string_view display_value{};
};

/// Takes an object, or a list of {key, value}, apart. `value`: one that the parser accepted. The reason why it is
/// neither, or has more than kTagsMax, or null. `out` is cleared first.
[[nodiscard]] const char* read_tags(std::string_view value, std::vector<Tag>& out);

/// Writes a list of {"key", "value"[, "display_key"][, "display_value"]}, and leaves in `tags` keys and values as they
/// were written. Object values become JSON text, also inside list values. Tags without value are dropped.
void write_tags(std::vector<Tag>& tags, ItemSink& sink);

}  // namespace tocsin::ingest
