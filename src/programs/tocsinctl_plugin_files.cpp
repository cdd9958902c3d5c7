// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_plugin_files.hpp"

#include <memory_resource>
#include <ostream>

#include "src/formats/formats.hpp"
#include "src/programs/tocsinctl_pages.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::size_t kFileBytesMax = 1 * MiB;
constexpr std::int64_t kSecondsPerMinute = 60;
constexpr std::int64_t kRateMax = 2'147'483'647;

/// One instance as an import takes it, from what a receiver's own file says.
struct Receiver {
  Value data_id;
  Value token;
  Value type;  ///< "event" or "time_series", which are our words too
  Value biz;
  std::optional<std::int64_t> max_rate;  ///< a minute
};

std::string instance_of(const Receiver& from) {
  std::string out;
  json::Writer w(out);
  w.object().member("plugin_id", "report_" + from.data_id.shown()).name("data_id").raw(from.data_id.written());
  w.name("token").raw(from.token.written());
  if (from.type.exists()) w.name("type").raw(from.type.written());
  if (from.biz.exists()) w.name("bk_biz_id").raw(from.biz.written());
  if (from.max_rate) w.name("max_rate").number(*from.max_rate);
  w.end_object();
  return out;
}

}  // namespace

std::optional<std::int64_t> rate_of_qps(std::int64_t qps) noexcept {
  if (qps < 0) return -2;  // refuses all there too; -1 would be our default
  if (qps > kRateMax / kSecondsPerMinute) return std::nullopt;
  return qps * kSecondsPerMinute;
}

std::optional<std::vector<std::string>> instances_of_file(const Value& root, std::string& problem) {
  std::vector<std::string> out;
  const auto fail = [&](std::string why) {
    problem = std::move(why);
    return std::nullopt;
  };
  const auto kind = root.member("type").text().value_or("");
  if (kind == "report") {
    for (const Value& one : root.member("config_list").elements()) {
      if (one.member("version").exists() && one.member("version").text() != "v2")
        return fail("config_list: data id " + one.member("dataid").shown() + " is not of version v2");
      if (one.member("rate").exists() && !one.member("rate").integer())
        return fail("config_list: rate of data id " + one.member("dataid").shown() + " must be a whole number");
      if (!one.member("dataid").exists() || !one.member("accesstoken").exists())
        return fail("config_list: an entry lacks dataid or accesstoken");
      out.push_back(instance_of({one.member("dataid"), one.member("accesstoken"), one.member("datatype"), Value{},
                                 one.member("rate").integer()}));
    }
    if (out.empty()) return fail("config_list: has no entry");
    return out;
  }
  if (kind == "report_v2") {
    Receiver from;
    from.biz = root.member("bk_biz_id");
    for (const Value& part : root.member("default").member("processor").elements()) {
      const Value config = part.member("config").exists() ? part.member("config") : part;
      if (config.member("proxy_dataid").exists()) {
        from.data_id = config.member("proxy_dataid");
        from.token = config.member("proxy_token");
      }
      if (const Value qps = config.member("qps"); qps.exists()) {
        const auto number = qps.integer();
        from.max_rate = number ? rate_of_qps(*number) : std::nullopt;
        if (!from.max_rate)
          return fail("rate_limiter/token_bucket: qps must be a whole number that fits as a rate a minute");
      }
      const auto type = config.member("type").text();
      if (type == "event" || type == "time_series") from.type = config.member("type");
    }
    if (!from.data_id.exists() || !from.token.exists())
      return fail("token_checker/proxy: proxy_dataid or proxy_token is missing");
    out.push_back(instance_of(from));
    return out;
  }
  const bool is_list = root.kind() == json::Kind::array;
  for (const Value& one : is_list ? root.elements() : std::vector<Value>{root}) out.emplace_back(one.written());
  if (out.empty()) return fail("the list is empty");
  return out;
}

namespace {

/// The file as JSON text; empty: neither JSON nor YAML, and said so.
std::string as_json(Context& context, const std::string& path, std::string text) {
  Document probe;
  if (probe.parse(context.parser(), text)) return text;
  std::pmr::string json;
  const auto made =
      formats::yaml_to_json(text, *std::pmr::new_delete_resource(), json, {.body_bytes_max = kFileBytesMax});
  if (made) return std::string(json);
  context.fail(path + ":" + std::to_string(made.error().line) + ": neither JSON nor YAML: " + made.error().reason);
  return {};
}

int print_import(Context& context, const Args& args, const Value& data) {
  const bool is_dry_run = args.has("--dry-run");
  std::vector<Column> columns{{"PLUGIN", {"plugin_id"}}, {"DATA ID", {"data_id"}}};
  if (is_dry_run) {
    columns.push_back({"ACTION", {"action"}});
    columns.push_back({"CHANGES", {"changes"}});
  } else {
    columns.push_back({"TOKEN", {"token"}});
  }
  print_entries(context, args.format, entries_of(data), columns);
  return kDone;
}

}  // namespace

int import_plugins(Context& context, const Args& args) {
  const std::string& path = args.arguments[0];
  auto text = read_file(path, kFileBytesMax);
  if (!text) return context.fail("cannot read " + path);
  if (text->size() > kFileBytesMax) return context.fail(path + " is longer than 1 MiB");
  const std::string json = as_json(context, path, std::move(*text));
  Document document;
  if (json.empty() || !document.parse(context.parser(), json)) return kFailed;
  std::string problem;
  const auto instances = instances_of_file(document.root(), problem);
  if (!instances) return context.fail(path + ": " + problem);
  Body body;
  std::string list = "[";
  for (const std::string& one : *instances) list.append(list.size() > 1 ? "," : "").append(one);
  body.name("dry_run").boolean(args.has("--dry-run")).name("instances").raw(list + "]");
  const auto data = context.post("/api/v1/plugin_import", body.take());
  return data ? print_import(context, args, *data) : kFailed;
}

int export_plugins(Context& context, const Args& args) {
  Query query;
  std::string cursor;
  std::size_t limit = kLimitMax;
  if (!args.arguments.empty()) {
    const auto data_id = find_instance(context, args.arguments[0]);
    if (!data_id) return kFailed;
    cursor = std::to_string(to_integer(*data_id).value_or(1) - 1);
    limit = 1;
  }
  const auto pages = fetch_pages(context, "/api/v1/plugin_export", query, {.limit = limit}, cursor);
  if (!pages) return kFailed;
  const auto entries = pages->entries();
  const bool is_there = args.arguments.empty() || (!entries.empty() && entries[0].member("data_id").integer() ==
                                                                           to_integer(cursor).value_or(0) + 1);
  if (!is_there) return context.fail("no plugin instance has this data id");
  print_entries(context, Format::json, entries, {});
  return kDone;
}

}  // namespace tocsin::ctl
