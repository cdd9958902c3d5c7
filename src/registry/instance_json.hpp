// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/json/writer.hpp"
#include "src/model/instance.hpp"
#include "src/model/profile.hpp"

/// Instances as the operator API shows them.
namespace tocsin::registry {

/// What it did lately.
struct Lately {
  enum class Seen : std::uint8_t { yes, never, unknown };
  std::uint64_t rejects = 0;  ///< requests of it refused since start
  Seen seen = Seen::unknown;  ///< unknown: the log was not looked through to its begin yet
  std::int64_t last_seen_ms = 0;
  std::optional<std::int64_t> silent_s;  ///< nullopt: no clock says how long that is ago
  double events_per_minute = 0;          ///< stored
  double requests_per_minute = 0;
  double rejects_per_minute = 0;
};

/// Everything that the snapshot knows of one, never a token or its hash; with `profile` also that. What may hold
/// secrets of others (parameters, and how a source is polled) is null unless `shows_secrets`.
void write_instance(json::Writer& w, const model::Instance& instance, const model::Profile* profile = nullptr,
                    bool shows_secrets = false, const Lately* lately = nullptr);

/// What of an instance an import takes again: each member with its JSON, what the profile does not say left out.
struct Setting {
  std::string_view name;
  std::string json;
};
[[nodiscard]] std::vector<Setting> settings_of(const model::Instance& instance, const model::Profile& profile);
/// The members that differ, as `max_rate: 60 -> 1000`; long values are cut. For people.
[[nodiscard]] std::vector<std::string> differences(const std::vector<Setting>& from, const std::vector<Setting>& to);

/// The members "old_token_holds" and "old_token_until". The time is null while none holds, and while the wall clock
/// cannot be believed: until then it is not known.
void write_old_token(json::Writer& w, const model::Instance& instance);

}  // namespace tocsin::registry
