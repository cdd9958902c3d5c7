// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/config/config.hpp"

namespace tocsin::config {

/// Empty: the text is good; else what is wrong with it, in words.
using TextCheck = std::string (*)(std::string_view text);

/// One key of the file. Parser, bounds, `explain`, the reference page and the bounds test walk the lists below, so
/// a new key is one row here, one field in config.hpp, and the place that uses it.
template <class Owner>
struct Key {
  std::string_view name;  ///< of a Config: the full name; of the others: the last part
  std::variant<std::int64_t Owner::*, std::string Owner::*, std::vector<std::string> Owner::*, UpstreamKind Owner::*,
               PayloadFormat Owner::*, Forward Owner::*, MqttProtocol Owner::*, SyslogTarget Owner::*,
               SourceKind Owner::*, SourceFrom Owner::*, SaslMechanism Owner::*, ClientCertificate Owner::*>
      field;
  std::int64_t min = 0;  ///< of a number: its value; of a text: its bytes; of a list: how many
  std::int64_t max = 0;
  std::string_view help;
  TextCheck check = nullptr;                           ///< of a text, or of each text of a list
  std::span<const std::string_view> words = {};        ///< of an enum, in its order
  std::span<const std::string_view> later_words = {};  ///< known, refused as not in this release
  bool required = false;
  std::int64_t BoardProfile::*board_default = nullptr;
  std::int64_t BoardProfile::*board_max = nullptr;  ///< the board's limit, when it is below `max`
};

[[nodiscard]] std::span<const Key<Config>> config_keys() noexcept;
[[nodiscard]] std::span<const Key<Upstream>> upstream_keys() noexcept;
[[nodiscard]] std::span<const Key<Syslog>> syslog_keys() noexcept;
[[nodiscard]] std::span<const Key<Source>> source_keys() noexcept;

/// A key that belongs to a later release: refused by name instead of as unknown.
[[nodiscard]] bool is_later_upstream_key(std::string_view last_part) noexcept;

template <class Owner>
[[nodiscard]] std::int64_t max_of(const Key<Owner>& key, const BoardProfile& board) noexcept {
  if (key.board_max == nullptr) return key.max;
  return board.*key.board_max < key.max ? board.*key.board_max : key.max;
}

/// The value as it would stand in the file.
template <class Owner>
[[nodiscard]] std::string value_text(const Key<Owner>& key, const Owner& owner);

}  // namespace tocsin::config
