// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.hpp"
#include "src/model/tables.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::model {

enum class InstanceType : std::uint8_t { event = 0, time_series = 1, alert_source = 2 };
[[nodiscard]] const char* to_text(InstanceType type) noexcept;

/// BlueKing's kinds of plugin. What is pulled is registered and kept, and not run on this box.
enum class PluginType : std::uint8_t { http_push = 0, http_pull = 1, email_pull = 2, kafka_push = 3, bk_collector = 4 };
inline constexpr std::array<std::string_view, 5> kPluginTypes{"http_push", "http_pull", "email_pull", "kafka_push",
                                                              "bk_collector"};
[[nodiscard]] constexpr std::string_view to_text(PluginType type) noexcept {
  return kPluginTypes[static_cast<std::size_t>(type)];
}
[[nodiscard]] constexpr bool is_pull(PluginType type) noexcept {
  return type == PluginType::http_pull || type == PluginType::email_pull;
}
inline constexpr std::string_view kNotRunHere = "not run on this box";

inline constexpr std::int32_t kMaxRateDefault = 1000;  ///< requests a minute when max_rate is -1
inline constexpr std::int32_t kDataIdAllocatedFirst = 10000001;
inline constexpr std::int32_t kDataIdMax = 0x7FFF'FFFF;  ///< given by operators only: nothing comes after it
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
  PluginType plugin_type = PluginType::http_push;  ///< a pull type is never enabled
  bool strict = false;                             ///< its events must have the fields that the documentation demands
  bool rewrite_cloud = false;                      ///< targets "0:ip" get the box's own cloud id
  /// Another one with each change of its profile, never the same again for this data id in one run of the daemon;
  /// 0: it never had a profile (profile.hpp).
  std::uint32_t profile_revision = 0;
  /// SHA-256 of the certificate (DER) that its senders must show over TLS beside the token; zeros: none.
  port::Digest256 client_cert{};

  [[nodiscard]] bool is_bound_to_certificate() const noexcept { return client_cert != port::Digest256{}; }
  /// Over HTTP. Null: the connection showed none.
  [[nodiscard]] bool takes_certificate(const port::Digest256* shown) const noexcept {
    return !is_bound_to_certificate() || (shown != nullptr && *shown == client_cert);
  }
};
/// As people read and write it; empty: none.
[[nodiscard]] std::string client_cert_text(const Instance& instance);

/// FORMAT.md "instance". Unsealed payload. Reads formats 1 to 3, writes 3.
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
