// SPDX-License-Identifier: Apache-2.0
#include "src/core/turn.hpp"
#include "src/json/writer.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::AuditAction;
using model::Key;
using model::Table;

std::string object_of(const model::Instance& instance) { return "plugin:" + std::to_string(instance.data_id); }

}  // namespace

Status Core::Turn::apply_change(Input& input, ChangeInstance& change) {
  model::Instance& instance = change.instance;
  const model::Instance* old = instance.data_id != 0 ? registry_->instance(instance.data_id) : nullptr;
  if (change.change == InstanceChange::create && old != nullptr) {
    refuse(input, Errc::conflict, "data_id " + std::to_string(instance.data_id) + " is taken");
    return {};
  }
  if (change.change != InstanceChange::create && old == nullptr) {
    refuse(input, Errc::not_found, "no instance has that data_id");
    return {};
  }
  if (change.change == InstanceChange::create && registry_->instances().size() >= model::kInstancesMax) {
    refuse(input, Errc::out_of_budget, "the registry is full (" + std::to_string(model::kInstancesMax) + " instances)");
    return {};
  }
  // A recount reads the log with the instances of its time: what was counted with the old one is written first.
  if (auto done = flush_folds(); !done.ok()) return done;
  auto action = AuditAction::plugin_updated;
  Status done;
  if (change.change == InstanceChange::remove) {
    action = AuditAction::plugin_deleted;
    instance = *old;
    done = registry::erase_instance(*txn_, instance.data_id);
    if (done.ok()) registry_ = registry_->without_instance(instance.data_id);
  } else {
    if (change.change == InstanceChange::create) {
      action = AuditAction::plugin_created;
      if (instance.data_id == 0) instance.data_id = registry_->next_data_id();
      instance.created_ms = now_.wall.unix_ms;
    }
    instance.updated_ms = now_.wall.unix_ms;
    done = registry::put(*txn_, instance);
    if (done.ok()) registry_ = registry_->with(instance);
  }
  if (!done.ok()) return done.error().in("instance");
  if (done = audit(action, change.actor, object_of(instance), instance.plugin_id); !done.ok()) return done;
  std::string data;
  json::Writer w(data);
  w.object().member("plugin_id", instance.plugin_id).name("data_id").number(instance.data_id);
  if (!change.shown_token.empty()) w.member("token", change.shown_token);
  w.end_object();
  answer(input, std::move(data));
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
