// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/ingest/standard_tags.hpp"

namespace tocsin::ingest {

/// Makes the bounded texts of facts. Each is a view into the stored item or, when it had escapes, into a scratch
/// whose room is taken once, so that earlier views stay good.
class FactsText {
 public:
  explicit FactsText(std::string& scratch);

  /// The characters of a string, cut to `bytes_max`. `inside`: between its quotes.
  [[nodiscard]] std::string_view of_string(std::string_view inside, std::size_t bytes_max);
  /// As of_string for a string; any other value as compact JSON, cut the same way.
  [[nodiscard]] std::string_view of_value(std::string_view json, std::size_t bytes_max);
  /// A string or a list of values, as one text with commas.
  [[nodiscard]] std::string_view of_list(std::string_view json, std::size_t bytes_max);
  /// Stored tags as a JSON object of strings; "{}" when that is longer than `bytes_max`.
  [[nodiscard]] std::string_view of_tags(std::span<const Tag> tags, std::size_t bytes_max);

 private:
  std::string& scratch_;
};

}  // namespace tocsin::ingest
