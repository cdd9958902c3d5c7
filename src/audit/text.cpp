// SPDX-License-Identifier: Apache-2.0
#include "src/audit/text.hpp"

#include "src/base/hex.hpp"
#include "src/json/writer.hpp"

namespace tocsin::audit {

void append_json(const model::AuditRow& row, std::string& out) {
  json::Writer w(out);
  w.object().name("index").number(row.index).member("action", model::to_text(row.action));
  w.member("actor", row.actor).member("object", row.object).member("detail", row.detail);
  w.name("time_ms").number(row.wall_ms).name("time_text").time(row.wall_ms);
  w.name("time_trusted").boolean(row.wall_trusted);
  w.name("boot").number(row.boot).name("mono_ms").number(row.mono_ms);
  w.member("hash", to_hex(row.hash)).end_object();
}

std::string to_line(const model::AuditRow& row) {
  std::string out;
  json::append_time(row.wall_ms, out);
  if (!row.wall_trusted) out += '?';
  out.append("  ").append(std::to_string(row.index)).append("  ").append(model::to_text(row.action));
  for (const std::string* text : {&row.actor, &row.object, &row.detail}) {
    out.append("  ").append(text->empty() ? "-" : *text);
  }
  return out;
}

}  // namespace tocsin::audit
