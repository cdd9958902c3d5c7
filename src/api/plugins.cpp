// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "src/api/plugin_body.hpp"
#include "src/api/resources.hpp"
#include "src/json/writer.hpp"
#include "src/registry/instance_json.hpp"

namespace tocsin::api {
namespace {

using core::ChangeInstance;
using core::InstanceChange;
using model::Instance;

constexpr std::int64_t kTokenOverlapSDefault = 24 * 3600;

}  // namespace

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

namespace {

/// One instance with its profile, which lies in the store.
class InstanceJob final : public core::Job {
 public:
  InstanceJob(const Services& services, const Call& call, Instance instance)
      : services_(services), call_(call), instance_(std::move(instance)) {}

  Result<bool> step(port::ReadTxn& txn) override {
    return registry::read_profile_into(profile_, txn, instance_.data_id);
  }
  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      std::string data;
      json::Writer w(data);
      registry::write_instance(w, instance_, &profile_, call_.who.role >= model::Role::admin,
                               services_.rejects.rejects_of(instance_.data_id));
      return data;
    });
  }

 private:
  const Services& services_;
  Call call_;
  Instance instance_;
  model::Profile profile_;
};

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
    registry::write_instance(w, instance, nullptr, false, services.rejects.rejects_of(instance.data_id));
  w.end_array().end_object();
  return call.succeed(data);
}

Reply get_plugin(const Services& services, Call& call) {
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  return post_job(services, call, std::make_unique<InstanceJob>(services, call, *found));
}

Reply post_plugins(const Services& services, Call& call) {
  Body body = body_of_new(services, call.body);
  ChangeInstance change;
  read_new(services, body, call.body, change);
  if (!body.ok()) return call.fail(400, body.problem());
  const auto& registry = *services.parts.daemon.view().registry;
  if (change.instance.data_id != 0 && registry.instance(change.instance.data_id) != nullptr) {
    return call.fail(409, "data_id: another instance has this data id");
  }
  if (registry.instances().size() >= model::kInstancesMax)
    return call.fail(409, "there is no room for another instance");
  change.actor = call.who.actor;
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

Reply post_plugin(const Services& services, Call& call) {
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  Body body = body_of_update(services, call.body);
  ChangeInstance change;
  change.instance = *found;
  read_update(services, body, call.body, change);
  if (!body.ok()) return call.fail(400, body.problem());
  change.actor = call.who.actor;
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
