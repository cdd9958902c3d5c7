// SPDX-License-Identifier: Apache-2.0
#include "src/registry/instance_json.hpp"

#include <algorithm>

#include "src/model/facts.hpp"

namespace tocsin::registry {

namespace {

void write_profile(json::Writer& w, const model::Profile& profile, bool shows_params, bool shows_ingest) {
  w.member("version", profile.version);
  for (std::size_t p = 0; p < model::kProfileParts.size(); ++p) {
    const auto part = static_cast<model::ProfilePart>(p);
    const std::string& text = profile.part(part);
    w.name(to_text(part));
    if ((part == model::ProfilePart::config_params && !shows_params) ||
        (part == model::ProfilePart::ingest_config && !shows_ingest)) {
      w.null();
    } else {
      w.raw(text.empty() ? empty_of(part) : text);
    }
  }
}

void write_lately(json::Writer& w, const Lately& lately) {
  w.name("rejects").number(lately.rejects);
  const bool is_seen = lately.seen == Lately::Seen::yes;
  w.member("seen", is_seen ? "yes" : lately.seen == Lately::Seen::never ? "never" : "unknown");
  w.name("last_seen");
  is_seen ? w.time(lately.last_seen_ms) : w.null();
  w.name("last_seen_ms");
  is_seen ? w.number(lately.last_seen_ms) : w.null();
  w.name("silent_s");
  lately.silent_s ? w.number(*lately.silent_s) : w.null();
  w.name("events_per_minute").real(lately.events_per_minute);
  w.name("requests_per_minute").real(lately.requests_per_minute);
  w.name("rejects_per_minute").real(lately.rejects_per_minute);
}

}  // namespace

void write_instance(json::Writer& w, const model::Instance& i, const model::Profile* profile, bool shows_secrets,
                    const Lately* lately) {
  w.object().name("data_id").number(i.data_id).member("plugin_id", i.plugin_id).member("name", i.name);
  w.name("bk_biz_id").number(i.bk_biz_id).member("type", model::to_text(i.type));
  w.name("alert").number(std::int32_t{i.alert}).member("lane", model::to_text(i.lane));
  w.name("max_rate").number(i.max_rate).name("enabled").boolean(i.enabled);
  w.name("upstream_data_id");
  if (i.upstream_data_id == 0) {
    w.null();
  } else {
    w.number(i.upstream_data_id);
  }
  w.member("plugin_type", to_text(i.plugin_type)).member("note", is_pull(i.plugin_type) ? model::kNotRunHere : "");
  w.name("strict").boolean(i.strict).name("rewrite_cloud").boolean(i.rewrite_cloud);
  w.member("client_cert", client_cert_text(i));
  if (profile != nullptr) write_profile(w, *profile, shows_secrets, shows_secrets || !is_pull(i.plugin_type));
  write_old_token(w, i);
  if (lately != nullptr) write_lately(w, *lately);
  w.name("created").time(i.created_ms).name("created_ms").number(i.created_ms);
  w.name("updated").time(i.updated_ms).name("updated_ms").number(i.updated_ms).end_object();
}

std::vector<Setting> settings_of(const model::Instance& i, const model::Profile& profile) {
  std::vector<Setting> out;
  const auto text = [&](std::string_view name, std::string_view value) {
    json::append_quoted(value, out.emplace_back(Setting{name, {}}).json);
  };
  const auto number = [&](std::string_view name, std::int64_t value) { out.push_back({name, std::to_string(value)}); };
  const auto flag = [&](std::string_view name, bool value) { out.push_back({name, value ? "true" : "false"}); };
  text("plugin_id", i.plugin_id);
  number("data_id", i.data_id);
  text("name", i.name);
  number("bk_biz_id", i.bk_biz_id);
  text("type", model::to_text(i.type));
  number("alert", i.alert);
  text("lane", model::to_text(i.lane));
  number("max_rate", i.max_rate);
  flag("enabled", i.enabled);
  number("upstream_data_id", i.upstream_data_id);
  text("plugin_type", to_text(i.plugin_type));
  flag("strict", i.strict);
  flag("rewrite_cloud", i.rewrite_cloud);
  text("client_cert", client_cert_text(i));
  if (!profile.version.empty()) text("version", profile.version);
  for (std::size_t p = 0; p < model::kProfileParts.size(); ++p) {
    if (!profile.parts[p].empty()) out.push_back({model::kProfileParts[p], profile.parts[p]});
  }
  return out;
}

std::vector<std::string> differences(const std::vector<Setting>& from, const std::vector<Setting>& to) {
  constexpr std::size_t kShownMax = 60;
  const auto value_in = [](const std::vector<Setting>& all, std::string_view name) -> std::string_view {
    const auto at = std::ranges::find(all, name, &Setting::name);
    return at != all.end() ? std::string_view(at->json) : "nothing";
  };
  std::vector<std::string> out;
  const auto add = [&](std::string_view name) {
    const auto was = value_in(from, name);
    const auto is = value_in(to, name);
    if (was == is) return;
    out.push_back(std::string(name).append(": ").append(model::cut_utf8(was, kShownMax)));
    out.back().append(" -> ").append(model::cut_utf8(is, kShownMax));
  };
  for (const Setting& one : to) add(one.name);
  for (const Setting& one : from) {
    if (std::ranges::find(to, one.name, &Setting::name) == to.end()) add(one.name);
  }
  return out;
}

void write_old_token(json::Writer& w, const model::Instance& i) {
  w.name("old_token_holds").boolean(i.old_token_until_ms != 0).name("old_token_until");
  if (i.old_token_until_ms > 0) {
    w.time(i.old_token_until_ms);
  } else {
    w.null();
  }
}

}  // namespace tocsin::registry
