// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/core/turn.hpp"
#include "src/json/writer.hpp"
#include "src/model/seal.hpp"
#include "src/registry/instance_json.hpp"

namespace tocsin::core {
namespace {

using model::AuditAction;
using model::Key;
using model::Table;

std::string object_of(const model::Instance& instance) { return "plugin:" + std::to_string(instance.data_id); }

/// What the instance is after the change; `instance` holds what the caller wants changed.
void settle(const ChangeInstance& change, const model::Instance* old, Wall now, model::Instance& instance) {
  switch (change.change) {
    case InstanceChange::create: instance.created_ms = now.unix_ms; break;
    case InstanceChange::update:
      instance.enabled = change.enabled.value_or(old->enabled);
      instance.created_ms = old->created_ms;
      instance.profile_revision = old->profile_revision;
      if (!change.sets_token) instance.token_hash = old->token_hash;
      // A token that is set ends the one before the last rotation too.
      instance.old_token_hash = change.sets_token ? port::Digest256{} : old->old_token_hash;
      instance.old_token_until_ms = change.sets_token ? 0 : old->old_token_until_ms;
      break;
    case InstanceChange::enable:
    case InstanceChange::disable:
      instance = *old;
      instance.enabled = change.change == InstanceChange::enable;
      break;
    case InstanceChange::rotate: {
      const port::Digest256 token_hash = instance.token_hash;
      instance = *old;
      instance.token_hash = token_hash;
      instance.old_token_hash = change.overlap_ms > 0 ? old->token_hash : port::Digest256{};
      instance.old_token_until_ms =
          now.trusted && change.overlap_ms > 0 ? now.unix_ms + change.overlap_ms : -change.overlap_ms;
      break;
    }
    case InstanceChange::remove: instance = *old; return;
  }
  if (is_pull(instance.plugin_type)) instance.enabled = false;
  instance.updated_ms = now.unix_ms;
}

/// The ids that an import has allocated lie above this one, so that none of them meets a given one.
std::int32_t highest_with(const registry::Registry& registry, const ImportInstances& import) {
  std::int32_t highest = std::max(registry.highest_data_id(), model::kDataIdAllocatedFirst - 1);
  for (const ChangeInstance& change : import.changes) {
    if (change.instance.data_id < model::kDataIdMax) highest = std::max(highest, change.instance.data_id);
  }
  return highest;
}

/// What the caller hears of a change that was made.
void write_credentials(json::Writer& w, const ChangeInstance& change) {
  const model::Instance& instance = change.instance;
  w.object().member("plugin_id", instance.plugin_id).name("data_id").number(instance.data_id);
  if (!change.shown_token.empty()) w.member("token", change.shown_token);
  if (change.change == InstanceChange::rotate) registry::write_old_token(w, instance);
  w.end_object();
}

/// Also when it is to become one only with this change.
bool would_enable_a_pull_type(const ChangeInstance& change, const model::Instance* old) {
  if (change.change == InstanceChange::enable) return is_pull(old->plugin_type);
  return change.change == InstanceChange::update && change.enabled == true && is_pull(change.instance.plugin_type);
}

}  // namespace

Result<model::Profile> Core::Turn::merge_profile(const ChangeInstance& change, const model::Instance* old) {
  model::Profile out;
  if (auto done = need_txn(); !done.ok()) return done.error();
  if (old != nullptr) {
    auto stored = registry::read_profile(*txn_, old->data_id);
    if (!stored.ok() && stored.error().code != Errc::storage_corrupt) return stored.error();
    if (stored.ok()) {
      out = std::move(*stored);
    } else {
      ++damaged_;  // what cannot be read is replaced by what is said now
    }
  }
  change.profile->apply_to(out);
  return out;
}

Result<std::optional<Core::Turn::Refusal>> Core::Turn::refusal_of(const ChangeInstance& change,
                                                                  const model::Instance* old) {
  const std::int32_t data_id = change.instance.data_id;
  const bool is_new = change.change == InstanceChange::create;
  if (!is_new && old == nullptr) return Refusal{Errc::not_found, "no instance has that data_id"};
  if (is_new && old != nullptr) return Refusal{Errc::conflict, "data_id " + std::to_string(data_id) + " is taken"};
  if (is_new && registry_->instances().size() >= model::kInstancesMax) {
    return Refusal{Errc::out_of_budget,
                   "the registry is full (" + std::to_string(model::kInstancesMax) + " instances)"};
  }
  if (is_new && data_id == 0 && !registry_->next_data_id())
    return Refusal{Errc::conflict, "data_id: none is left to allocate; give one"};
  if (would_enable_a_pull_type(change, old)) {
    return Refusal{Errc::conflict, "enabled: a plugin of a pull type is " + std::string(model::kNotRunHere)};
  }
  if (change.profile == nullptr) return std::optional<Refusal>{};
  const auto merged = merge_profile(change, old);
  if (!merged.ok()) return merged.error();
  if (merged->parts_bytes() <= model::kProfileBytesMax) return std::optional<Refusal>{};
  return Refusal{Errc::invalid_input,
                 "config_params, ingest_config, normalization_config, clean_configs and "
                 "alert_config: together at most " +
                     std::to_string(model::kProfileBytesMax) + " bytes"};
}

Status Core::Turn::carry_out(ChangeInstance& change, const model::Instance* old) {
  model::Instance& instance = change.instance;
  settle(change, old, now_.wall, instance);
  if (change.profile != nullptr) {
    const auto merged = merge_profile(change, old);
    if (!merged.ok()) return merged.error();
    if (auto done = registry::put_profile(*txn_, instance.data_id, *merged); !done.ok()) return done;
    instance.profile_revision = static_cast<std::uint32_t>(registry_->generation() + 1);
  }
  if (auto done = audit_change(change, old); !done.ok()) return done;
  if (change.change == InstanceChange::remove) return registry::erase_instance(*txn_, instance.data_id);
  return registry::put(*txn_, instance);
}

Status Core::Turn::audit_change(const ChangeInstance& change, const model::Instance* old) {
  const model::Instance& instance = change.instance;
  const auto row = [&](AuditAction action, const std::string& detail) {
    return audit(action, change.actor, object_of(instance), detail);
  };
  switch (change.change) {
    case InstanceChange::create: return row(AuditAction::plugin_created, instance.plugin_id);
    case InstanceChange::remove: return row(AuditAction::plugin_deleted, instance.plugin_id);
    case InstanceChange::enable: return row(AuditAction::plugin_enabled, instance.plugin_id);
    case InstanceChange::disable: return row(AuditAction::plugin_disabled, instance.plugin_id);
    case InstanceChange::rotate:
      return row(AuditAction::plugin_token_rotated,
                 instance.plugin_id + ", the old token holds for " + std::to_string(change.overlap_ms / 1000) + " s");
    case InstanceChange::update: break;
  }
  if (auto done = row(AuditAction::plugin_updated, instance.plugin_id); !done.ok()) return done;
  if (change.sets_token) {
    auto done = row(AuditAction::plugin_token_rotated, instance.plugin_id + ", the old token holds for 0 s");
    if (!done.ok()) return done;
  }
  if (instance.enabled == old->enabled) return {};
  return row(instance.enabled ? AuditAction::plugin_enabled : AuditAction::plugin_disabled, instance.plugin_id);
}

Status Core::Turn::apply_change(Input& input, ChangeInstance& change) {
  const registry::Registry::Pointer before = registry_;  // `old` lives in it
  model::Instance& instance = change.instance;
  const model::Instance* old = instance.data_id != 0 ? before->instance(instance.data_id) : nullptr;
  auto refusal = refusal_of(change, old);
  if (!refusal.ok()) return refusal.error();
  if (*refusal) {
    refuse(input, (*refusal)->code, (*refusal)->why);
    return {};
  }
  // A recount reads the log with the instances of its time: what was counted with the old one is written first.
  if (auto done = flush_folds(); !done.ok()) return done;
  if (instance.data_id == 0) instance.data_id = *registry_->next_data_id();
  if (auto done = carry_out(change, old); !done.ok()) return done.error().in("instance");
  const bool is_removed = change.change == InstanceChange::remove;
  registry_ = is_removed ? registry_->without_instance(instance.data_id) : registry_->with(instance);
  if (auto done = record_highest_data_id(); !done.ok()) return done;
  std::string data;
  json::Writer w(data);
  write_credentials(w, change);
  answer(input, std::move(data));
  return {};
}

Status Core::Turn::record_highest_data_id() {
  const std::int32_t highest = registry_->highest_data_id();
  return highest != 0 ? registry::put_highest_data_id(*txn_, highest) : Status{};
}

Result<std::optional<Core::Turn::Refusal>> Core::Turn::refusal_of(const ImportInstances& import) {
  std::size_t created = 0;
  std::size_t allocated = 0;
  for (std::size_t i = 0; i < import.changes.size(); ++i) {
    const ChangeInstance& change = import.changes[i];
    const std::int32_t data_id = change.instance.data_id;
    auto refusal = refusal_of(change, data_id != 0 ? registry_->instance(data_id) : nullptr);
    if (!refusal.ok()) return refusal.error();
    if (*refusal) {
      (*refusal)->why = "instances[" + std::to_string(i) + "]: " + (*refusal)->why;
      return refusal;
    }
    if (change.change == InstanceChange::create) ++created;
    if (data_id == 0) ++allocated;
  }
  if (registry_->instances().size() + created > model::kInstancesMax) {
    return Refusal{Errc::conflict,
                   "instances: with them there would be more than " + std::to_string(model::kInstancesMax)};
  }
  if (allocated >= static_cast<std::size_t>(model::kDataIdMax - highest_with(*registry_, import)))
    return Refusal{Errc::conflict, "data_id: too few are left to allocate; give them"};
  return std::optional<Refusal>{};
}

Status Core::Turn::apply_change(Input& input, ImportInstances& import) {
  const registry::Registry::Pointer before = registry_;
  auto refusal = refusal_of(import);
  if (!refusal.ok()) return refusal.error();
  if (*refusal) {
    refuse(input, (*refusal)->code, (*refusal)->why);
    return {};
  }
  if (auto done = flush_folds(); !done.ok()) return done;
  std::int32_t highest = highest_with(*before, import);
  std::vector<model::Instance> instances;
  instances.reserve(import.changes.size());
  std::string data;
  json::Writer w(data);
  w.object().name("items").array();
  for (ChangeInstance& change : import.changes) {
    model::Instance& instance = change.instance;
    const model::Instance* old = instance.data_id != 0 ? before->instance(instance.data_id) : nullptr;
    if (instance.data_id == 0) instance.data_id = ++highest;
    if (auto done = carry_out(change, old); !done.ok()) return done.error().in("import");
    write_credentials(w, change);
    instances.push_back(instance);
  }
  w.end_array().end_object();
  registry_ = registry_->with(instances);
  if (auto done = record_highest_data_id(); !done.ok()) return done;
  answer(input, std::move(data));
  return {};
}

/// Old tokens whose time is over, and those whose time begins to count because the clock is known now.
Status Core::Turn::end_old_tokens() {
  const auto is_due = [&](std::int64_t ends_ms) { return ends_ms != 0 && ends_ms <= now_.wall.unix_ms; };
  if (!now_.wall.trusted || !is_due(registry_->old_token_ends_ms())) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  const registry::Registry::Pointer before = registry_;
  for (const model::Instance& one : before->instances()) {
    if (!is_due(one.old_token_until_ms)) continue;
    model::Instance changed = one;
    if (one.old_token_until_ms < 0) {
      changed.old_token_until_ms = now_.wall.unix_ms - one.old_token_until_ms;
    } else {
      changed.old_token_hash = {};
      changed.old_token_until_ms = 0;
      const auto action = AuditAction::plugin_token_ended;
      if (auto done = audit(action, "system", object_of(one), one.plugin_id); !done.ok()) return done;
    }
    if (auto done = registry::put(*txn_, changed); !done.ok()) return done.error().in("the end of an old token");
    registry_ = registry_->with(changed);
  }
  return {};
}

Status Core::Turn::apply_change(Input& input, ChangeUser& change) {
  const model::User* old = registry_->user(change.user.name);
  if (change.remove ? old == nullptr : (!change.must_be_new && old == nullptr)) {
    refuse(input, Errc::not_found, "no user has that name");
    return {};
  }
  if (!change.remove && change.must_be_new && old != nullptr) {
    refuse(input, Errc::conflict, "a user of that name exists");
    return {};
  }
  if (old == nullptr && registry_->users().size() >= registry::kUsersMax) {
    refuse(input, Errc::out_of_budget, "no more users fit (" + std::to_string(registry::kUsersMax) + ")");
    return {};
  }
  if (auto done = need_txn(); !done.ok()) return done;
  auto action = AuditAction::user_deleted;
  Status done;
  if (change.remove) {
    done = registry::erase_user(*txn_, change.user.name);
    if (done.ok()) registry_ = registry_->without_user(change.user.name);
  } else {
    action = old == nullptr ? AuditAction::user_created : AuditAction::password_changed;
    change.user.created_ms = old == nullptr ? now_.wall.unix_ms : old->created_ms;
    done = registry::put(*txn_, change.user);
    if (done.ok()) registry_ = registry_->with(change.user);
  }
  if (!done.ok()) return done.error().in("user");
  if (done = audit(action, change.actor, "user:" + change.user.name, model::to_text(change.user.role)); !done.ok())
    return done;
  std::string data;
  json::Writer w(data);
  w.object().member("user", change.user.name);
  if (!change.shown_password.empty()) w.member("password", change.shown_password);
  w.end_object();
  answer(input, std::move(data));
  return {};
}

Status Core::Turn::apply_change(Input& input, ChangeApiToken& change) {
  const model::ApiToken* old = nullptr;
  for (const auto& one : registry_->api_tokens()) {
    if (one.name == change.token.name) old = &one;
  }
  if (change.remove && old == nullptr) {
    refuse(input, Errc::not_found, "no token has that name");
    return {};
  }
  if (!change.remove && old != nullptr) {
    refuse(input, Errc::conflict, "a token of that name exists");
    return {};
  }
  if (!change.remove && registry_->api_tokens().size() >= registry::kApiTokensMax) {
    refuse(input, Errc::out_of_budget, "no more tokens fit (" + std::to_string(registry::kApiTokensMax) + ")");
    return {};
  }
  if (auto done = need_txn(); !done.ok()) return done;
  Status done;
  if (change.remove) {
    done = registry::erase_api_token(*txn_, old->hash);
    if (done.ok()) registry_ = registry_->without_api_token(change.token.name);
  } else {
    change.token.created_ms = now_.wall.unix_ms;
    done = registry::put(*txn_, change.token);
    if (done.ok()) registry_ = registry_->with(change.token);
  }
  if (!done.ok()) return done.error().in("token");
  const auto action = change.remove ? AuditAction::token_deleted : AuditAction::token_created;
  if (done = audit(action, change.actor, "token:" + change.token.name, ""); !done.ok()) return done;
  std::string data;
  json::Writer w(data);
  w.object().member("name", change.token.name);
  if (!change.shown_token.empty()) w.member("token", change.shown_token);
  w.end_object();
  answer(input, std::move(data));
  return {};
}

Status Core::Turn::apply_clock(Input& input, SetClock& set) {
  const std::int64_t unix_ms = set.unix_ms != 0 ? set.unix_ms : now_.wall.unix_ms;
  if (auto done = audit(AuditAction::clock_set, set.actor, "clock",
                        "from " + std::to_string(now_.wall.unix_ms) + " to " + std::to_string(unix_ms) + " ms");
      !done.ok()) {
    return done;
  }
  if (set.unix_ms != 0) set_clock_ms_ = unix_ms;
  trust_clock_ = true;
  std::string data;
  json::Writer w(data);
  w.object().name("unix_ms").number(unix_ms).name("time").time(unix_ms).name("trusted").boolean(true).end_object();
  answer(input, std::move(data));
  return {};
}

Status Core::Turn::put_identity(const model::Identity& identity) {
  if (auto done = need_txn(); !done.ok()) return done;
  for (const Key& key : {Key(Table::format), Key(Table::format).u8(1)}) {
    if (auto done = model::put_sealed(*txn_, key, identity); !done.ok()) return done.error().in("identity");
  }
  return {};
}

Status Core::Turn::begin_boot() {
  record_.boot = state_.boot;
  record_changed_ = true;
  return audit(AuditAction::daemon_started, "system", "boot:" + std::to_string(state_.boot), "");
}

}  // namespace tocsin::core
