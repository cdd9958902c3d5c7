// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "src/programs/tocsinctl_answer.hpp"
#include "src/programs/tocsinctl_batch.hpp"

namespace tocsin::ctl {

inline constexpr std::size_t kDocumentBytesMax = 16 * 1024 * 1024;

/// What the input is, and what its lines of text become.
struct InputOptions {
  std::string name;  ///< for people: the file's, or "standard input"
  EventTemplate common;
  bool is_document = false;  ///< all of it is one JSON document; else that is found out
  std::int64_t data_id = 0;  ///< an envelope for another one is refused
};

/// How far the input has been read, in bytes of lines or in items of a document (total known).
struct Place {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: unknown
};

/// Takes one item. False: no more, please.
using TakeItem = std::function<bool(std::string_view item, const Place& place)>;

/// Gives every item of the input to `take`, in order. nullopt: all of them, or `take` had enough; else what is wrong,
/// with the place; what stood before it was taken.
///
/// A line of JSON is an item, a list of items, or an envelope ({"data": [...]}) of some; another line is the content of
/// an event when `common` has a name and a target for it. When it has none, an input whose first line is the beginning
/// of JSON only is read as one document: at most kDocumentBytesMax.
[[nodiscard]] std::optional<std::string> read_items(json::Parser& parser, std::istream& in, const InputOptions& options,
                                                    const TakeItem& take);

}  // namespace tocsin::ctl
