// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/normalise/http_parts.hpp"

namespace tocsin::api {

/// Topic filters with levels that have names, as the configuration has them (config::check_topic_filter()).
class TopicLevels {
 public:
  explicit TopicLevels(std::vector<std::string> filters) : filters_(std::move(filters)) {}

  /// What the first filter that matches calls the levels of `topic`: views of both. Levels that are not UTF-8 stay
  /// away. Throws std::bad_alloc.
  [[nodiscard]] std::vector<normalise::HttpPart> fields(std::string_view topic) const;

 private:
  std::vector<std::string> filters_;
};

}  // namespace tocsin::api
