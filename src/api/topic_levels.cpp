// SPDX-License-Identifier: Apache-2.0
#include "src/api/topic_levels.hpp"

#include "src/base/utf8.hpp"

namespace tocsin::api {
namespace {

/// Takes the first level off.
std::string_view next_level(std::string_view& rest, bool& is_last) {
  const std::size_t slash = rest.find('/');
  is_last = slash == std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(is_last ? rest.size() : slash + 1);
  return level;
}

bool match(std::string_view filter, std::string_view topic, std::vector<normalise::HttpPart>& fields) {
  for (;;) {
    bool is_last_of_filter = false;
    const std::string_view wanted = next_level(filter, is_last_of_filter);
    if (wanted == "#") return true;
    bool is_last_of_topic = false;
    const std::string_view level = next_level(topic, is_last_of_topic);
    if (wanted.starts_with('{')) {
      if (utf8_valid_bytes(level) == level.size()) fields.push_back({wanted.substr(1, wanted.size() - 2), level});
    } else if (wanted != "+" && wanted != level) {
      return false;
    }
    if (is_last_of_topic) return is_last_of_filter || filter == "#";
    if (is_last_of_filter) return false;
  }
}

}  // namespace

std::vector<normalise::HttpPart> TopicLevels::fields(std::string_view topic) const {
  std::vector<normalise::HttpPart> out;
  for (const std::string& filter : filters_) {
    out.clear();
    if (match(filter, topic, out)) return out;
  }
  out.clear();
  return out;
}

}  // namespace tocsin::api
