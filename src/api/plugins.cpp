// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>

#include "src/api/look_back.hpp"
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

double per_minute(std::uint64_t count, std::int64_t window_ms) noexcept {
  return std::round(static_cast<double>(count) * 600'000.0 / static_cast<double>(window_ms)) / 10.0;
}

registry::Lately lately_of(const Services& services, std::int32_t data_id) {
  constexpr std::int64_t kMinuteMs = 60'000;
  using Heard = Activity::Heard;
  using Seen = registry::Lately::Seen;
  const Now now = services.parts.daemon.now();
  const Activity::Slot* const slot = services.activity.find(data_id);
  registry::Lately out;
  if (slot == nullptr || slot->heard == Heard::never) {
    out.seen = services.activity.looked_back().is_done() ? Seen::never : Seen::unknown;
  } else {
    const bool is_of_this_start = slot->heard == Heard::this_start;
    const std::int64_t ago_ms = std::max<std::int64_t>(
        is_of_this_start ? now.mono.ms() - slot->last_ms() : now.wall.unix_ms - slot->last_ms(), 0);
    out.seen = Seen::yes;
    out.last_seen_ms = is_of_this_start ? now.wall.unix_ms - ago_ms : slot->last_ms();
    if (is_of_this_start || (slot->heard == Heard::before && now.wall.trusted)) out.silent_s = ago_ms / 1000;
  }
  if (slot == nullptr) return out;
  const std::int64_t window_ms = std::max(services.activity.window_ms(now.mono), kMinuteMs);
  out.rejects = slot->total_rejects;
  out.events_per_minute = per_minute(slot->events(), window_ms);
  out.requests_per_minute = per_minute(slot->requests(), window_ms);
  out.rejects_per_minute = per_minute(slot->rejects(), window_ms);
  return out;
}

/// Who was not heard in this start, and was not looked for in all of the log. nullopt: nobody.
std::optional<LookBack> look_back_for_all(const Services& services) {
  const LookedBack& so_far = services.activity.looked_back();
  if (so_far.is_done()) return std::nullopt;
  const core::View& view = services.parts.daemon.view();
  std::vector<std::int32_t> wanted;
  for (const Instance& instance : view.registry->instances()) {
    const Activity::Slot* const slot = services.activity.find(instance.data_id);
    if (slot == nullptr || slot->heard == Activity::Heard::never) wanted.push_back(instance.data_id);
  }
  if (wanted.empty()) return std::nullopt;
  std::ranges::sort(wanted);
  return LookBack(services.parts.daemon, so_far, std::move(wanted), view.clocks);
}

void keep_found(const Services& services, const LookBack& look_back) noexcept {
  const auto& registry = *services.parts.daemon.view().registry;
  for (const LookBack::Found& one : look_back.found()) {
    const Instance* const instance = registry.instance(one.data_id);
    const bool is_of_another = instance != nullptr && one.received.trusted &&
                               one.received.unix_ms < instance->created_ms;  // which had this data id before
    if (instance != nullptr && !is_of_another) services.activity.on_found(one.data_id, one.received);
  }
  services.activity.set_looked_back(look_back.place());
}

std::string list_json(const Services& services) {
  std::string data;
  json::Writer w(data);
  w.object().name("items").array();
  for (const Instance& instance : services.parts.daemon.view().registry->instances()) {
    const registry::Lately lately = lately_of(services, instance.data_id);
    registry::write_instance(w, instance, nullptr, false, &lately);
  }
  w.end_array().end_object();
  return data;
}

/// The list, once the log was looked through for those that were not heard yet.
class ListJob final : public core::Job {
 public:
  ListJob(const Services& services, const Call& call, LookBack look_back)
      : services_(services), call_(call), look_back_(std::move(look_back)) {}

  Result<bool> step(port::ReadTxn& txn) override { return look_back_.step(txn); }
  /// Whatever became of it: the list itself needs no store.
  void finish(const Status& /*outcome*/) noexcept override {
    keep_found(services_, look_back_);
    answer_guarded(services_, call_, {}, [&] { return list_json(services_); });
  }

 private:
  const Services& services_;
  Call call_;
  LookBack look_back_;
};

/// One instance with its profile, which lies in the store.
class InstanceJob final : public core::Job {
 public:
  InstanceJob(const Services& services, const Call& call, Instance instance, std::optional<LookBack> look_back)
      : services_(services), call_(call), instance_(std::move(instance)), look_back_(std::move(look_back)) {}

  Result<bool> step(port::ReadTxn& txn) override {
    if (!has_profile_) {
      const auto read = registry::read_profile_into(profile_, txn, instance_.data_id);
      has_profile_ = read.ok() && *read;
      if (!has_profile_ || !look_back_) return read;
    }
    return look_back_->step(txn);
  }
  void finish(const Status& outcome) noexcept override {
    if (look_back_) keep_found(services_, *look_back_);
    answer_guarded(services_, call_, outcome, [&] {
      const registry::Lately lately = lately_of(services_, instance_.data_id);
      std::string data;
      json::Writer w(data);
      registry::write_instance(w, instance_, &profile_, call_.who.role >= model::Role::admin, &lately);
      return data;
    });
  }

 private:
  const Services& services_;
  Call call_;
  Instance instance_;
  model::Profile profile_;
  bool has_profile_ = false;
  std::optional<LookBack> look_back_;
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
  auto look_back = look_back_for_all(services);
  if (look_back && services.parts.daemon.post(std::make_unique<ListJob>(services, call, *std::move(look_back))))
    return std::nullopt;
  return call.succeed(list_json(services));
}

Reply get_plugin(const Services& services, Call& call) {
  Reply refusal;
  const Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  return post_job(services, call, std::make_unique<InstanceJob>(services, call, *found, look_back_for_all(services)));
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
