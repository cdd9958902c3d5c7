// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.hpp"
#include "src/port/broker.hpp"

namespace tocsin::deliver {

inline constexpr std::size_t kTopicBytesMax = 1024;

struct TopicFacts {
  std::string_view appliance = {};  ///< hex id
  std::string_view name = {};
  std::string_view plugin = {};
  std::int32_t data_id = 0;
  std::int64_t upstream_data_id = 0;  ///< 0: none, written "0"
};

/// ok: expand_topic() gives a topic that may be published to, whatever the facts are. invalid_input: empty, an unknown
/// name in braces, a wildcard, a control character, an empty level, or a first character of `$`.
[[nodiscard]] Status check_topic_template(std::string_view topic_template);

/// Precondition: check_topic_template() said ok. Values become part of one level each: what would make another level, a
/// wildcard or an invalid topic of it becomes `_`, an empty value too. Cut at kTopicBytesMax.
[[nodiscard]] std::string expand_topic(std::string_view topic_template, const TopicFacts& facts);

/// "mqtt://host[:port]" or "mqtts://…", IPv6 in brackets; ports default to 1883 and 8883. invalid_input: anything else.
[[nodiscard]] Result<port::BrokerServer> parse_server(std::string_view url);
/// For people: host:port, the host in brackets when it has colons.
[[nodiscard]] std::string to_text(const port::BrokerServer& server);

}  // namespace tocsin::deliver
