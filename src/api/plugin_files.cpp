// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "src/api/plugin_body.hpp"
#include "src/api/resources.hpp"
#include "src/core/input.hpp"
#include "src/json/cursor.hpp"
#include "src/json/writer.hpp"
#include "src/registry/instance_json.hpp"

/// Instances as a file: many at once, all of them or none.
namespace tocsin::api {
namespace {

using core::ChangeInstance;
using core::InstanceChange;
using model::Instance;

/// What a list of instances means for the box as it is.
struct Import {
  std::vector<ChangeInstance> changes;
  std::string problem;
};

/// An instance that is there keeps what its entry does not mention. Its plugin and its type are what it is.
void read_existing(Body& body, std::string_view text, const Services& services, const Instance& old,
                   ChangeInstance& out) {
  out.instance = old;
  if (const auto id = body.text("plugin_id", 0, model::kPluginIdBytesMax); id && *id != old.plugin_id)
    body.reject("plugin_id", "data_id " + std::to_string(old.data_id) + " is of plugin " + old.plugin_id);
  if (const auto type = body.text("type", 0, model::kPluginIdBytesMax); type && *type != model::to_text(old.type))
    body.reject("type", "data_id " + std::to_string(old.data_id) + " is of type " + model::to_text(old.type));
  read_update(services, body, text, out);
  if (!body.has("token")) return;
  set_token(services, read_token(body, services.parts.random), out);
  out.sets_token = !port::equal_constant_time(out.instance.token_hash, old.token_hash);
  if (!out.sets_token) out.shown_token.clear();
}

void read_entry(const Services& services, const Call& call, std::string_view text, ChangeInstance& out,
                std::string& problem) {
  Body body = body_of_new(services, text);
  const auto& registry = *services.parts.daemon.view().registry;
  const auto data_id = body.integer("data_id", 1, model::kDataIdMax);
  const Instance* old = data_id ? registry.instance(static_cast<std::int32_t>(*data_id)) : nullptr;
  if (old != nullptr) {
    read_existing(body, text, services, *old, out);
  } else {
    read_new(services, body, text, out);
  }
  out.actor = call.who.actor;
  problem = body.problem();
}

Import read_list(const Services& services, const Call& call, std::string_view list) {
  Import out;
  std::vector<std::int32_t> given;
  json::Cursor cursor(list);
  cursor.enter('[');
  while (cursor.next_element() && out.problem.empty()) {
    const std::string at = "instances[" + std::to_string(out.changes.size()) + "]: ";
    if (out.changes.size() >= core::kImportInstancesMax) {
      out.problem = "instances: at most " + std::to_string(core::kImportInstancesMax) + " at a time";
      break;
    }
    ChangeInstance& change = out.changes.emplace_back();
    std::string problem;
    read_entry(services, call, cursor.skip(), change, problem);
    const std::int32_t data_id = change.instance.data_id;
    if (problem.empty() && data_id != 0 && std::ranges::find(given, data_id) != given.end())
      problem = "data_id: stands twice in this list";
    if (data_id != 0) given.push_back(data_id);
    if (!problem.empty()) out.problem = at + problem;
  }
  if (out.problem.empty() && out.changes.empty()) out.problem = "instances: must be a list of at least one";
  return out;
}

/// Says what an import would do: compares with what is there, the profiles in the store included.
class DryRunJob final : public core::Job {
 public:
  DryRunJob(const Services& services, const Call& call, std::vector<ChangeInstance> changes)
      : services_(services),
        call_(call),
        changes_(std::move(changes)),
        registry_(services.parts.daemon.view().registry) {
    writer_.object().name("items").array();
  }

  Result<bool> step(port::ReadTxn& txn) override {
    if (next_ >= changes_.size()) return true;
    const ChangeInstance& change = changes_[next_++];
    const Instance* old = change.instance.data_id != 0 ? registry_->instance(change.instance.data_id) : nullptr;
    writer_.object().member("plugin_id", change.instance.plugin_id).name("data_id");
    if (change.instance.data_id != 0) {
      writer_.number(change.instance.data_id);
    } else {
      writer_.null();
    }
    if (old == nullptr) {
      writer_.member("action", "create").name("changes").array().end_array().end_object();
      return next_ >= changes_.size();
    }
    auto stored = registry::read_profile(txn, old->data_id);
    if (!stored.ok()) return stored.error();
    Instance after = change.instance;
    after.enabled = change.enabled.value_or(old->enabled) && !is_pull(after.plugin_type);
    const auto from = registry::settings_of(*old, *stored);
    if (change.profile != nullptr) change.profile->apply_to(*stored);
    const auto changed = registry::differences(from, registry::settings_of(after, *stored));
    writer_.member("action", changed.empty() && !change.sets_token ? "none" : "update").name("changes").array();
    for (const std::string& one : changed) writer_.text(one);
    if (change.sets_token) writer_.text("token");
    writer_.end_array().end_object();
    return next_ >= changes_.size();
  }
  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      writer_.end_array().end_object();
      return std::move(data_);
    });
  }

 private:
  const Services& services_;
  Call call_;
  std::vector<ChangeInstance> changes_;
  registry::Registry::Pointer registry_;
  std::size_t next_ = 0;
  std::string data_;
  json::Writer writer_{data_};
};

/// A page of instances as an import takes them, in the order of their data ids.
class ExportJob final : public core::Job {
 public:
  ExportJob(const Services& services, const Call& call, std::int32_t after, std::uint64_t limit)
      : services_(services),
        call_(call),
        after_(after),
        limit_(limit),
        registry_(services.parts.daemon.view().registry) {
    writer_.object().name("items").array();
  }

  Result<bool> step(port::ReadTxn& txn) override {
    const auto& all = registry_->instances();
    const auto at = std::ranges::upper_bound(all, after_, {}, &Instance::data_id);
    is_end_ = at == all.end();
    if (is_end_ || count_ >= limit_ || data_.size() >= kPageBytesMax) return true;
    auto profile = registry::read_profile(txn, at->data_id);
    if (!profile.ok()) return profile.error().in("the profile of an instance cannot be read");
    writer_.object();
    for (const auto& setting : registry::settings_of(*at, *profile)) writer_.name(setting.name).raw(setting.json);
    writer_.end_object();
    after_ = at->data_id;
    ++count_;
    return false;
  }
  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      writer_.end_array().name("cursor");
      if (is_end_) {
        writer_.null();
      } else {
        writer_.text(std::to_string(after_));
      }
      writer_.end_object();
      return std::move(data_);
    });
  }

 private:
  const Services& services_;
  Call call_;
  std::int32_t after_;
  std::uint64_t limit_;
  std::uint64_t count_ = 0;
  bool is_end_ = false;
  registry::Registry::Pointer registry_;
  std::string data_;
  json::Writer writer_{data_};
};

/// {"instances": […], "dry_run": bool}
struct ImportBody {
  std::string_view instances;
  bool is_dry_run = false;
  std::string problem;
};

ImportBody read_import(const Services& services, std::string& text) {
  ImportBody out;
  const std::size_t size = text.size();
  text.resize(size + json::kPaddingBytes);
  const auto checked = services.parser.check(std::string_view(text).substr(0, size));
  if (!checked) {
    out.problem = not_json(checked.error());
    return out;
  }
  if (checked->kind != json::Kind::object) {
    out.problem = "the body must be a JSON object";
    return out;
  }
  json::Cursor cursor(checked->text);
  cursor.enter('{');
  for (std::string_view name; cursor.next_member(name);) {
    const std::string_view value = cursor.skip();
    if (name == "instances" && out.instances.empty() && json::kind_of(value) == json::Kind::array) {
      out.instances = value;
    } else if (name == "dry_run" && json::kind_of(value) == json::Kind::boolean) {
      out.is_dry_run = value == "true";
    } else {
      out.problem = std::string(name.substr(0, 64)) + ": the members are instances, a list, and dry_run, true or false";
      return out;
    }
  }
  if (out.instances.empty()) out.problem = "instances: missing";
  return out;
}

}  // namespace

Reply post_plugin_import(const Services& services, Call& call) {
  std::string text = std::move(call.body);
  call.body.clear();
  const ImportBody body = read_import(services, text);
  if (!body.problem.empty()) return call.fail(400, body.problem);
  Import import = read_list(services, call, body.instances);
  if (!import.problem.empty()) return call.fail(400, import.problem);
  if (body.is_dry_run)
    return post_job(services, call, std::make_unique<DryRunJob>(services, call, std::move(import.changes)));
  return post_input(services, call, {call.reply_to(), core::ImportInstances{std::move(import.changes)}});
}

Reply get_plugin_export(const Services& services, Call& call) {
  const auto limit = query_number(call, "limit", kPageEntriesDefault, 1, kPageEntriesMax);
  if (!limit) return call.fail(400, "limit: must be a whole number from 1 to 500");
  const auto cursor = query_number(call, "cursor", 0, 0, static_cast<std::uint64_t>(model::kDataIdMax));
  if (!cursor) return call.fail(400, "cursor: must be one that an earlier answer gave");
  return post_job(services, call,
                  std::make_unique<ExportJob>(services, call, static_cast<std::int32_t>(*cursor), *limit));
}

}  // namespace tocsin::api
