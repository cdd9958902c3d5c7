// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <ostream>

#include "src/model/instance.hpp"
#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_plugin_files.hpp"
#include "src/programs/tocsinctl_plugin_hops.hpp"

namespace tocsin::ctl {
namespace {

using namespace std::string_view_literals;

constexpr std::array kTypes = {"event"sv, "time_series"sv, "alert_source"sv};
constexpr std::array kSeverities = {"off"sv, "1"sv, "2"sv, "3"sv};
constexpr std::array kLanes = {"normal"sv, "critical"sv};
constexpr std::array kSwitch = {"on"sv, "off"sv};

constexpr Option kBiz{"--biz", Takes::integer, "N", "BlueKing business (default: that of the appliance)"};
constexpr Option kName{"--name", Takes::text, "TEXT", "name shown to people"};
constexpr Option kAlert{"--alert", Takes::word, "", "severity of the alert that each custom event opens", kSeverities};
constexpr Option kLane{"--lane", Takes::word, "", "importance of its events when room runs out", kLanes};
constexpr Option kMaxRate{"--max-rate", Takes::integer, "N",
                          "requests a minute: -1 default (1000), 0 unlimited, less refuses all"};
constexpr Option kUpstreamDataId{"--upstream-data-id", Takes::integer, "N", "its data id at the centre; 0: none"};
constexpr Option kPluginType{"--plugin-type", Takes::word, "", "BlueKing's kind; what is pulled is kept, not run",
                             model::kPluginTypes};
constexpr Option kStrict{"--strict", Takes::word, "", "refuse events that lack a documented field", kSwitch};
constexpr Option kClientCert{"--client-cert", Takes::text, "HEX",
                             "SHA-256 of the certificate that senders must show over TLS beside the token; or none"};
constexpr Option kRewriteCloud{"--rewrite-cloud", Takes::word, "", "targets 0:ip get the box's own cloud id", kSwitch};

constexpr std::array kCreateOptions = {
    kBiz,
    kName,
    Option{"--type", Takes::word, "", "what it sends (default: event)", kTypes},
    Option{"--data-id", Takes::integer, "N", "its data id (default: the next free one)"},
    Option{"--token", Takes::text, "TEXT", "its token (default: a random one)"},
    kAlert,
    kLane,
    kMaxRate,
    kUpstreamDataId,
    kPluginType,
    kStrict,
    kRewriteCloud,
    kClientCert,
};
constexpr std::array kUpdateOptions = {kBiz,        kName,   kAlert,        kLane,      kMaxRate, kUpstreamDataId,
                                       kPluginType, kStrict, kRewriteCloud, kClientCert};
constexpr std::array kRotateOptions = {
    Option{"--token", Takes::text, "TEXT", "the new token (default: a random one)"},
    Option{"--overlap", Takes::text, "TIME",
           "how long the old token still holds, as 90s, 30m, 24h or 7d (default: 24h); 0 ends it at once"},
};

constexpr std::array kCheckOptions = {
    kName, kBiz, Option{"--except", Takes::integer, "DATA_ID", "the source that is to be renamed may have it"}};

constexpr std::array kImportOptions = {
    Option{"--dry-run", Takes::nothing, "", "say what would change, change nothing"}};

void add_settings(const Args& args, Body& body) {
  if (args.has("--biz")) body.name("bk_biz_id").number(args.integer("--biz", 0));
  if (args.has("--name")) body.name("name").text(to_utf8(args.get("--name")));
  if (args.has("--alert")) body.name("alert").number(args.integer("--alert", 0));
  if (args.has("--lane")) body.name("lane").text(args.get("--lane"));
  if (args.has("--max-rate")) body.name("max_rate").number(args.integer("--max-rate", 0));
  if (args.has("--upstream-data-id")) body.name("upstream_data_id").number(args.integer("--upstream-data-id", 0));
  if (args.has("--plugin-type")) body.name("plugin_type").text(args.get("--plugin-type"));
  if (args.has("--strict")) body.name("strict").boolean(args.get("--strict") == "on");
  if (args.has("--rewrite-cloud")) body.name("rewrite_cloud").boolean(args.get("--rewrite-cloud") == "on");
  if (args.has("--client-cert")) {
    const std::string_view text = args.get("--client-cert");
    body.name("client_cert").text(text == "none" ? std::string{} : to_utf8(text));
  }
}

/// {"plugin_id", "data_id", "token"} and nothing else; of a rotation also until when the old token holds.
void print_credentials(Context& context, const Args& args, const Value& data) {
  std::string text;
  json::Writer writer(text);
  writer.object();
  for (const char* name : {"plugin_id", "data_id", "token", "old_token_holds", "old_token_until"}) {
    if (const Value value = data.member(name); value.exists()) writer.name(name).raw(value.written());
  }
  writer.end_object();
  print_object(context, args.format, Value(text));
}

/// "0", "90s", "30m", "24h", "7d". nullopt: something else, or more than a century.
std::optional<std::int64_t> to_seconds(std::string_view text) {
  if (text == "0") return 0;
  constexpr std::array<std::pair<char, std::int64_t>, 4> kUnits{{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}}};
  constexpr std::int64_t kSecondsMax = 36'525LL * 86'400;
  const auto number = text.empty() ? std::nullopt : to_integer(text.substr(0, text.size() - 1));
  for (const auto& [letter, seconds] : kUnits) {
    if (number && text.back() == letter && *number >= 0 && *number <= kSecondsMax / seconds) return *number * seconds;
  }
  return std::nullopt;
}

int create(Context& context, const Args& args) {
  Body body;
  body.name("plugin_id").text(to_utf8(args.arguments[0]));
  if (args.has("--type")) body.name("type").text(args.get("--type"));
  if (args.has("--data-id")) body.name("data_id").number(args.integer("--data-id", 0));
  if (args.has("--token")) body.name("token").text(to_utf8(args.get("--token")));
  add_settings(args, body);
  const auto data = context.post("/api/v1/plugins", body.take());
  if (!data) return kFailed;
  print_credentials(context, args, *data);
  return kDone;
}

int check(Context& context, const Args& args) {
  Query query;
  if (!args.arguments.empty()) query.add("plugin_id", to_utf8(args.arguments[0]));
  if (args.has("--name")) query.add("name", to_utf8(args.get("--name")));
  if (query.text().empty()) {
    context.fail("plugin check needs PLUGIN_ID or --name");
    return kWrongUsage;
  }
  if (args.has("--biz")) query.add("bk_biz_id", args.get("--biz"));
  if (args.has("--except")) query.add("bk_event_group_id", args.get("--except"));
  if (!context.get("/api/v1/plugin_check" + query.text())) return kFailed;
  context.out << (args.format == Format::json ? "{\"free\":true}\n" : "free\n");
  return kDone;
}

std::string duration_text(std::int64_t seconds) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 3> kUnits{{{86'400, " d"}, {3'600, " h"}, {60, " min"}}};
  for (const auto& [unit, name] : kUnits) {
    if (seconds >= 2 * unit) return std::to_string(seconds / unit) + name;
  }
  return std::to_string(seconds) + " s";
}

/// Whether data comes, at a glance.
std::string last_seen(const Value& instance) {
  constexpr std::int64_t kNoDataS = 300;
  const std::string seen = instance.member("seen").text().value_or("");
  if (seen != "yes") return seen.empty() ? "-" : seen;
  const auto silent_s = instance.member("silent_s").integer();
  if (!silent_s) return instance.member("last_seen").shown() + ", by a clock that was not set";
  return *silent_s < kNoDataS ? duration_text(*silent_s) + " ago" : "no data for " + duration_text(*silent_s);
}

int list_plugins(Context& context, const Args& args) {
  const auto data = context.get("/api/v1/plugins");
  if (!data) return kFailed;
  print_entries(context, args.format, entries_of(*data),
                {{"DATA ID", {"data_id"}},
                 {"PLUGIN", {"plugin_id"}},
                 {"NAME", {"name"}},
                 {"BIZ", {"bk_biz_id"}},
                 {"TYPE", {"type"}},
                 {"ALERT", {"alert"}},
                 {"LANE", {"lane"}},
                 {"MAX RATE", {"max_rate"}},
                 {"ENABLED", {"enabled"}},
                 {"LAST SEEN", {}, last_seen},
                 {"EVENTS/MIN", {"events_per_minute"}},
                 {"REJECTS", {"rejects"}}});
  return kDone;
}

int show_plugin(Context& context, const Args& args) {
  const auto data_id = find_instance(context, args.arguments[0]);
  if (!data_id) return kFailed;
  const auto data = context.get("/api/v1/plugins/" + percent_encoded(*data_id));
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  if (args.format == Format::table) context.out << "heard: " << last_seen(*data) << "\n";
  return kDone;
}

int change(Context& context, const Args& args, std::string_view action, std::string body) {
  const auto data_id = find_instance(context, args.arguments[0]);
  if (!data_id) return kFailed;
  const auto data = context.post("/api/v1/plugins/" + percent_encoded(*data_id) + std::string(action), std::move(body));
  if (!data) return kFailed;
  print_credentials(context, args, *data);
  return kDone;
}

int update(Context& context, const Args& args) {
  if (args.options.empty()) {
    context.fail("plugin update needs something to change (tocsinctl plugin update --help)");
    return kWrongUsage;
  }
  Body body;
  add_settings(args, body);
  return change(context, args, "", body.take());
}

int disable(Context& context, const Args& args) { return change(context, args, "/disable", "{}"); }
int enable(Context& context, const Args& args) { return change(context, args, "/enable", "{}"); }
int remove(Context& context, const Args& args) { return change(context, args, "/delete", "{}"); }

int rotate(Context& context, const Args& args) {
  Body body;
  if (args.has("--overlap")) {
    const auto seconds = to_seconds(args.get("--overlap"));
    if (!seconds) {
      context.fail("--overlap: 0, or a whole number with its unit: 90s, 30m, 24h, 7d");
      return kWrongUsage;
    }
    body.name("overlap_s").number(*seconds);
  }
  if (args.has("--token")) body.name("token").text(to_utf8(args.get("--token")));
  return change(context, args, "/rotate", body.take());
}

constexpr std::array kPluginCommands = {
    Command{"plugin create", "PLUGIN_ID", 1, 1, "Register a source; prints its data id and token, once.",
            kCreateOptions, create},
    Command{"plugin check", "[PLUGIN_ID]", 0, 1, "Whether a plugin id, or a name with --name, is valid and free.",
            kCheckOptions, check},
    Command{"plugin list", "", 0, 0, "All sources.", {}, list_plugins},
    Command{"plugin show", "INSTANCE", 1, 1, "One source, by its data id or a unique plugin id.", {}, show_plugin},
    Command{"plugin update", "INSTANCE", 1, 1, "Change settings of a source.", kUpdateOptions, update},
    Command{"plugin disable", "INSTANCE", 1, 1, "Refuse what a source sends.", {}, disable},
    Command{"plugin enable", "INSTANCE", 1, 1, "Take what a source sends again.", {}, enable},
    Command{"plugin delete", "INSTANCE", 1, 1, "Forget a source; its events stay.", {}, remove},
    Command{"plugin rotate", "INSTANCE", 1, 1, "Give a source a new token; the old one holds for a day.",
            kRotateOptions, rotate},
    Command{"plugin test", "INSTANCE", 1, 1, "Send one marked event and follow it: taken, on flash, alert, upstream.",
            kPluginTestOptions, test_plugin},
    Command{"plugin import", "FILE", 1, 1, "Register or change all sources of a file, or none.", kImportOptions,
            import_plugins},
    Command{"plugin export", "[INSTANCE]", 0, 1, "All sources, or one, as an import takes them.", {}, export_plugins},
};

}  // namespace

std::span<const Command> plugin_commands() noexcept { return kPluginCommands; }

}  // namespace tocsin::ctl
