// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <limits>

#include "src/api/body.hpp"
#include "src/api/resources.hpp"
#include "src/json/writer.hpp"
#include "src/model/facts.hpp"
#include "src/registry/instance_json.hpp"

namespace tocsin::api {
namespace {

using core::ChangeInstance;
using core::InstanceChange;
using model::Instance;

constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kTokenOverlapSDefault = 24 * 3600;

/// The instance that the path means: a data id, or a plugin id that is unique. Null: `refusal` says why.
const Instance* find_instance(const Services& services, const Call& call, Reply& refusal) {
  const auto& registry = *services.parts.daemon.view().registry;
  const std::string& text = call.parameter;
  std::int32_t data_id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), data_id);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) {
    if (const auto* found = registry.instance(data_id); found != nullptr) return found;
    refusal = call.fail(404, "no plugin instance has this data id");
    return nullptr;
  }
  const Instance* found = nullptr;
  std::string candidates;
  for (const Instance& instance : registry.instances()) {
    if (instance.plugin_id != text) continue;
    found = &instance;
    candidates.append(candidates.empty() ? "" : ", ").append(std::to_string(instance.data_id));
  }
  if (found == nullptr) refusal = call.fail(404, "no plugin instance has this id");
  if (candidates.find(',') != std::string::npos) {
    refusal = call.fail(409, "several instances have this plugin id; name one by its data id: " + candidates);
    found = nullptr;
  }
  return found;
}

/// The members that both create and update take.
void read_settings(Body& body, Instance& out) {
  if (auto name = body.text("name", 0, model::kNameBytesMax)) out.name = std::move(*name);
  if (const auto biz = body.integer("bk_biz_id", kInt32Min, kInt32Max)) out.bk_biz_id = static_cast<std::int32_t>(*biz);
  if (const auto alert = body.integer("alert", 0, 3)) out.alert = static_cast<std::uint8_t>(*alert);
  if (const auto lane = body.word("lane", {"normal", "critical"})) {
    out.lane = *lane == 0 ? model::Lane::normal : model::Lane::critical;
  }
  if (const auto rate = body.integer("max_rate", kInt32Min, kInt32Max)) out.max_rate = static_cast<std::int32_t>(*rate);
  if (const auto id = body.integer("upstream_data_id", 0, (1LL << 53) - 1)) out.upstream_data_id = *id;
  if (out.alert != 0 && out.type != model::InstanceType::event) {
    body.reject("alert", "only instances of type event raise alerts from their custom events");
  }
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

/// What asks for nothing but the change itself: an empty body.
Reply change_only(const Services& services, Call& call, InstanceChange what) {
  const Body body(services, call.body, {});
  if (!body.ok()) return call.fail(400, body.problem());
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  ChangeInstance change;
  change.change = what;
  change.instance.data_id = found->data_id;
  change.actor = call.who.actor;
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

}  // namespace

Reply get_plugins(const Services& services, Call& call) {
  std::string data;
  json::Writer w(data);
  w.object().name("items").array();
  for (const Instance& instance : services.parts.daemon.view().registry->instances())
    registry::write_instance(w, instance);
  w.end_array().end_object();
  return call.succeed(data);
}

Reply get_plugin(const Services& services, Call& call) {
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  std::string data;
  json::Writer w(data);
  registry::write_instance(w, *found);
  return call.succeed(data);
}

Reply post_plugins(const Services& services, Call& call) {
  Body body(
      services, call.body,
      {"plugin_id", "name", "bk_biz_id", "type", "data_id", "token", "alert", "lane", "max_rate", "upstream_data_id"});
  ChangeInstance change;
  Instance& instance = change.instance;
  instance.bk_biz_id = services.parts.bk_biz_id;
  body.require("plugin_id");
  if (auto id = body.text("plugin_id", 1, model::kPluginIdBytesMax)) {
    if (!is_plugin_id(*id)) body.reject("plugin_id", "must match ^[a-zA-Z][a-zA-Z0-9_]*$");
    instance.plugin_id = std::move(*id);
  }
  if (const auto type = body.word("type", {"event", "time_series", "alert_source"})) {
    instance.type = static_cast<model::InstanceType>(*type);
  }
  if (const auto data_id = body.integer("data_id", 1, kInt32Max)) {
    instance.data_id = static_cast<std::int32_t>(*data_id);
    instance.upstream_data_id = *data_id;
  }
  read_settings(body, instance);
  std::string token = read_token(body, services.parts.random);
  if (!body.ok()) return call.fail(400, body.problem());
  const auto& registry = *services.parts.daemon.view().registry;
  if (instance.data_id != 0 && registry.instance(instance.data_id) != nullptr) {
    return call.fail(409, "data_id: another instance has this data id");
  }
  if (registry.instances().size() >= model::kInstancesMax)
    return call.fail(409, "there is no room for another instance");
  if (instance.name.empty()) instance.name = instance.plugin_id;
  instance.created_ms = call.now.wall.unix_ms;
  instance.updated_ms = instance.created_ms;
  change.actor = call.who.actor;
  set_token(services, std::move(token), change);
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

Reply post_plugin(const Services& services, Call& call) {
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  Body body(services, call.body, {"name", "bk_biz_id", "alert", "lane", "max_rate", "upstream_data_id", "enabled"});
  ChangeInstance change;
  change.change = InstanceChange::update;
  change.instance = *found;
  change.actor = call.who.actor;
  read_settings(body, change.instance);
  change.enabled = body.boolean("enabled");
  if (!body.ok()) return call.fail(400, body.problem());
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

Reply post_plugin_disable(const Services& services, Call& call) {
  return change_only(services, call, InstanceChange::disable);
}
Reply post_plugin_enable(const Services& services, Call& call) {
  return change_only(services, call, InstanceChange::enable);
}
Reply post_plugin_delete(const Services& services, Call& call) {
  return change_only(services, call, InstanceChange::remove);
}

Reply post_plugin_rotate(const Services& services, Call& call) {
  Body body(services, call.body, {"token", "overlap_s"});
  std::string token = read_token(body, services.parts.random);
  const auto overlap_s = body.integer("overlap_s", 0, model::kTokenOverlapMsMax / 1000);
  if (!body.ok()) return call.fail(400, body.problem());
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  ChangeInstance change;
  change.change = InstanceChange::rotate;
  change.instance.data_id = found->data_id;
  change.overlap_ms = overlap_s.value_or(kTokenOverlapSDefault) * 1000;
  change.actor = call.who.actor;
  set_token(services, std::move(token), change);
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

}  // namespace tocsin::api
