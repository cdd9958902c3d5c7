// SPDX-License-Identifier: Apache-2.0
#include "src/registry/instance_json.hpp"

namespace tocsin::registry {

void write_instance(json::Writer& w, const model::Instance& i) {
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
