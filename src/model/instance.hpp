// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.hpp"
#include "src/model/tables.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::model {

enum class InstanceType : std::uint8_t { event = 0, time_series = 1, alert_source = 2 };
[[nodiscard]] const char* to_text(InstanceType type) noexcept;

inline constexpr std::int32_t kMaxRateDefault = 1000;  ///< requests a minute when max_rate is -1
inline constexpr std::int32_t kDataIdAllocatedFirst = 10000001;
inline constexpr std::size_t kPluginIdBytesMax = 64;
inline constexpr std::size_t kTokenBytesMax = 512;
inline constexpr std::int64_t kTokenOverlapMsMax = 30LL * 24 * 3'600'000;  ///< of a rotation
inline constexpr std::size_t kAccountNameBytesMax = 64;  ///< users and API tokens; as many as a key takes
inline constexpr std::size_t kInstancesMax = 1024;

/// One registered source. The token itself is shown once and never stored.
struct Instance {
  std::int32_t data_id = 0;
  std::string plugin_id;
  std::string name;
  std::int32_t bk_biz_id = 0;
  InstanceType type = InstanceType::event;
  std::uint8_t alert = 0;      ///< 0 off, else the severity of the alerts its custom events open
  Lane lane = Lane::normal;    ///< of its custom events
  std::int32_t max_rate = -1;  ///< requests a minute: -1 default, 0 unlimited, less than -1 refuses all
  bool enabled = true;
  std::int64_t upstream_data_id = 0;  ///< 0: unset
  port::Digest256 token_hash{};       ///< HMAC-SHA256 of the token under the store's secret
  /// The token before the last rotation, which holds while `old_token_until_ms` is not 0.
  port::Digest256 old_token_hash{};
  /// 0: no old token. Above: it ends at that Unix time. Below: minus the ms that it still holds, counted from the
  /// moment at which the wall clock can be believed.
  std::int64_t old_token_until_ms = 0;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
};

/// FORMAT.md "instance". Unsealed payload. Reads formats 1 and 2, writes 2.
void encode(const Instance& instance, std::string& out);
[[nodiscard]] Result<Instance> decode_instance(Bytes in);

enum class Role : std::uint8_t { anyone = 0, viewer = 1, operator_ = 2, admin = 3 };
[[nodiscard]] const char* to_text(Role role) noexcept;

/// A person. The password is stretched; `iterations` travel with the hash.
struct User {
  std::string name;
  Role role = Role::viewer;
  std::array<std::byte, 16> salt{};
  std::uint32_t iterations = 0;
  port::Digest256 password_hash{};
  std::int64_t created_ms = 0;
};
void encode(const User& user, std::string& out);
[[nodiscard]] Result<User> decode_user(Bytes in);

/// A program that calls the operator API. The key of the table is the token's hash.
struct ApiToken {
  std::string name;
  Role role = Role::viewer;
  std::int64_t created_ms = 0;
  std::int64_t expires_ms = 0;  ///< 0: never
  port::Digest256 hash{};
};
void encode(const ApiToken& token, std::string& out);
[[nodiscard]] Result<ApiToken> decode_api_token(Bytes in);

}  // namespace tocsin::model
