// SPDX-License-Identifier: Apache-2.0
#include "src/registry/instance_json.hpp"

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

}  // namespace

void write_instance(json::Writer& w, const model::Instance& i, const model::Profile* profile, bool shows_secrets) {
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
  if (profile != nullptr) write_profile(w, *profile, shows_secrets, shows_secrets || !is_pull(i.plugin_type));
  write_old_token(w, i);
  w.name("created").time(i.created_ms).name("created_ms").number(i.created_ms);
  w.name("updated").time(i.updated_ms).name("updated_ms").number(i.updated_ms).end_object();
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
