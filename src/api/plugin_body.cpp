// SPDX-License-Identifier: Apache-2.0
#include "src/api/plugin_body.hpp"

#include <algorithm>
#include <limits>

#include "src/base/hex.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"
#include "src/model/facts.hpp"
#include "src/registry/profile_rules.hpp"

namespace tocsin::api {
namespace {

using core::ChangeInstance;
using model::Instance;
using model::ProfilePart;

constexpr std::int64_t kIdMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kIdMin = std::numeric_limits<std::int32_t>::min();

/// As `openssl x509 -fingerprint -sha256` prints it, or without colons; empty: none.
void read_client_cert(Body& body, Instance& out) {
  constexpr std::size_t kTextBytesMax = 32 * 3;
  auto text = body.text("client_cert", 0, kTextBytesMax);
  if (!text) return;
  out.client_cert = {};
  std::erase(*text, ':');
  if (text->empty() || (from_hex(*text, out.client_cert) && out.is_bound_to_certificate())) return;
  body.reject("client_cert", "must be the SHA-256 fingerprint of a certificate, 64 hex digits, or empty");
}

/// The members that both create and update take.
void read_settings(Body& body, Instance& out) {
  if (auto name = body.text("name", 0, model::kNameBytesMax)) out.name = std::move(*name);
  if (const auto biz = body.integer("bk_biz_id", kIdMin, kIdMax)) out.bk_biz_id = static_cast<std::int32_t>(*biz);
  if (const auto alert = body.integer("alert", 0, 3)) out.alert = static_cast<std::uint8_t>(*alert);
  if (const auto lane = body.word("lane", {"normal", "critical"})) {
    out.lane = *lane == 0 ? model::Lane::normal : model::Lane::critical;
  }
  if (const auto rate = body.integer("max_rate", kIdMin, kIdMax)) out.max_rate = static_cast<std::int32_t>(*rate);
  if (const auto id = body.integer("upstream_data_id", 0, (1LL << 53) - 1)) out.upstream_data_id = *id;
  if (const auto type =
          body.word("plugin_type", {"http_push", "http_pull", "email_pull", "kafka_push", "bk_collector"})) {
    out.plugin_type = static_cast<model::PluginType>(*type);
  }
  out.strict = body.boolean("strict").value_or(out.strict);
  out.rewrite_cloud = body.boolean("rewrite_cloud").value_or(out.rewrite_cloud);
  read_client_cert(body, out);
  if (out.alert != 0 && out.type != model::InstanceType::event) {
    body.reject("alert", "only instances of type event raise alerts from their custom events");
  }
}

void read_enabled(Body& body, ChangeInstance& out) {
  out.enabled = body.boolean("enabled");
  if (out.enabled == true && is_pull(out.instance.plugin_type))
    body.reject("enabled", "a plugin of a pull type is " + std::string(model::kNotRunHere));
}

/// The value of a member of the root object, as written.
std::string_view written(std::string_view text, std::string_view name) {
  json::Cursor cursor(text);
  cursor.enter('{');
  for (std::string_view inside; cursor.next_member(inside);) {
    const std::string_view value = cursor.skip();
    if (json::stands_for(inside, name)) return value;
  }
  return {};
}

/// What no request could use is refused here. Of an update, what is said now; with what is kept it may still be too
/// much together, which then every request is told.
std::string check_compiled(const Services& services, const core::ProfileChange& change) {
  model::Profile profile;
  change.apply_to(profile);
  return profile.parts_bytes() == 0 ? std::string{} : services.profiles.check(profile);
}

void read_profile(const Services& services, Body& body, std::string_view text, ChangeInstance& out) {
  core::ProfileChange change;
  change.version = body.text("version", 0, model::kVersionBytesMax);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < model::kProfileParts.size(); ++i) {
    const auto part = static_cast<ProfilePart>(i);
    const json::Node value = body.find(to_text(part));
    if (!value.exists()) continue;
    if (const auto problem = registry::check_profile_part(part, value, out.instance.plugin_type)) {
      return body.reject(*problem);
    }
    std::string& compact = change.parts[i].emplace();
    json::append_compact(written(text, to_text(part)), compact);
    if (compact == empty_of(part)) compact.clear();
    bytes += compact.size();
  }
  if (bytes > model::kProfileBytesMax) {
    return body.reject(
        "config_params, ingest_config, normalization_config, clean_configs and alert_config: together "
        "at most " +
        std::to_string(model::kProfileBytesMax) + " bytes");
  }
  if (auto problem = check_compiled(services, change); !problem.empty()) return body.reject(problem);
  if (change.says_something()) out.profile = std::make_shared<const core::ProfileChange>(std::move(change));
}

}  // namespace

// One list a row of members reads better than one member a line.
// clang-format off
Body body_of_new(const Services& services, std::string_view text) {
  return {services, text,
          {"plugin_id", "name", "bk_biz_id", "type", "data_id", "token", "alert", "lane", "max_rate", "upstream_data_id",
           "enabled", "plugin_type", "strict", "rewrite_cloud", "client_cert", "version", "config_params",
           "ingest_config", "normalization_config", "clean_configs", "alert_config"}};
}

Body body_of_update(const Services& services, std::string_view text) {
  return {services, text,
          {"name", "bk_biz_id", "alert", "lane", "max_rate", "upstream_data_id", "enabled", "plugin_type", "strict",
           "rewrite_cloud", "client_cert", "version", "config_params", "ingest_config", "normalization_config",
           "clean_configs", "alert_config"}};
}
// clang-format on

void read_new(const Services& services, Body& body, std::string_view text, ChangeInstance& out) {
  Instance& instance = out.instance;
  out.change = core::InstanceChange::create;
  instance.bk_biz_id = services.parts.bk_biz_id;
  body.require("plugin_id");
  if (auto id = body.text("plugin_id", 1, model::kPluginIdBytesMax)) {
    if (!is_plugin_id(*id)) body.reject("plugin_id", "must match ^[a-zA-Z][a-zA-Z0-9_]*$");
    instance.plugin_id = std::move(*id);
  }
  if (const auto type = body.word("type", {"event", "time_series", "alert_source"})) {
    instance.type = static_cast<model::InstanceType>(*type);
  }
  if (const auto data_id = body.integer("data_id", 1, kIdMax)) {
    instance.data_id = static_cast<std::int32_t>(*data_id);
    instance.upstream_data_id = *data_id;
  }
  read_settings(body, instance);
  read_enabled(body, out);
  instance.enabled = out.enabled.value_or(true);
  read_profile(services, body, text, out);
  if (instance.name.empty()) instance.name = instance.plugin_id;
  set_token(services, read_token(body, services.parts.random), out);
}

void read_update(const Services& services, Body& body, std::string_view text, ChangeInstance& out) {
  out.change = core::InstanceChange::update;
  read_settings(body, out.instance);
  read_enabled(body, out);
  read_profile(services, body, text, out);
}

std::string read_token(Body& body, port::Random& random) {
  const auto given = body.text("token", 1, model::kTokenBytesMax);
  if (!given) return generate_token(random);
  const auto is_printable = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (!std::ranges::all_of(*given, is_printable)) body.reject("token", "must be printable ASCII");
  return *given;
}

void set_token(const Services& services, std::string token, ChangeInstance& change) {
  change.instance.token_hash = registry::token_hash(token, services.parts.crypto, services.parts.secret);
  change.shown_token = std::move(token);
}

}  // namespace tocsin::api
