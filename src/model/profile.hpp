// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.hpp"
#include "src/model/tables.hpp"

namespace tocsin::model {

/// The members of an instance that are JSON, by their names in BlueKing.
enum class ProfilePart : std::uint8_t {
  config_params,
  ingest_config,
  normalization_config,
  clean_configs,
  alert_config,
};
inline constexpr std::array<std::string_view, 5> kProfileParts{"config_params", "ingest_config", "normalization_config",
                                                               "clean_configs", "alert_config"};
[[nodiscard]] constexpr std::string_view to_text(ProfilePart part) noexcept {
  return kProfileParts[static_cast<std::size_t>(part)];
}
/// What a part is when nothing was said: ingest_config is an object, the others are lists.
[[nodiscard]] constexpr std::string_view empty_of(ProfilePart part) noexcept {
  return part == ProfilePart::ingest_config ? "{}" : "[]";
}

inline constexpr std::size_t kVersionBytesMax = 64;
inline constexpr std::size_t kProfileBytesMax = 16 * 1024;  ///< of all parts together

/// How the events of an instance are to be read. Kept beside the instance under a key of its own and never in the
/// registry's snapshot: a thousand of them may be 16 MiB. Whoever needs one reads it and keeps what it makes of it for
/// as long as Instance::profile_revision stays the same.
struct Profile {
  std::string version;
  std::array<std::string, kProfileParts.size()> parts;  ///< compact JSON that was checked; empty: empty_of()

  [[nodiscard]] const std::string& part(ProfilePart which) const noexcept {
    return parts[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] std::size_t parts_bytes() const noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return version.empty() && parts_bytes() == 0; }
};

[[nodiscard]] inline Key profile_key(std::int32_t data_id) noexcept {
  return Key(Table::profile).u32(static_cast<std::uint32_t>(data_id));
}

/// FORMAT.md "profile". Unsealed payload.
void encode(const Profile& profile, std::string& out);
[[nodiscard]] Result<Profile> decode_profile(Bytes in);

}  // namespace tocsin::model
