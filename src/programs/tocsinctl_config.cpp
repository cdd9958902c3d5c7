// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <ostream>

#include "src/config/explain.hpp"
#include "src/programs/named_files.hpp"
#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr const char* kInstalledFile = "/etc/tocsin/tocsin.toml";
constexpr std::array kExplainOptions = {
    Option{"--config", Takes::text, "FILE", "explain this file instead of what the daemon runs with"}};
std::vector<Column> explain_columns() { return {{"KEY", {"key"}}, {"VALUE", {"value"}}, {"FROM", {"from", "layer"}}}; }

/// nullopt: it has problems, each of which is on err as file:line.
std::optional<config::Loaded> load(Context& context, const std::string& path) {
  const auto text = read_file(path, config::kTextBytesMax);
  if (!text) {
    context.fail("cannot read " + path);
    return std::nullopt;
  }
  auto loaded = config::load(*text, path, config::kBoard);
  if (loaded) return std::move(*loaded);
  for (const config::Problem& problem : loaded.error()) context.err << plain_line(config::to_text(problem)) << "\n";
  return std::nullopt;
}

int check(Context& context, const Args& args) {
  const auto loaded = load(context, args.arguments[0]);
  if (!loaded) return kFailed;
  const auto warnings = programs::file_warnings(*loaded);
  for (const config::Problem& warning : warnings) context.err << plain_line(config::to_text(warning)) << "\n";
  if (args.format == Format::json) {
    context.out << "{\"ok\":true,\"warnings\":" << warnings.size() << "}\n";
  } else {
    context.out << args.arguments[0] << (warnings.empty() ? ": good\n" : ": good, with warnings\n");
  }
  return kDone;
}

std::string to_json(const std::vector<config::Explained>& all, const std::string& file) {
  std::string text;
  json::Writer writer(text);
  writer.array();
  for (const config::Explained& one : all) {
    writer.object().member("key", one.key).name("value").raw(one.value).member("layer", config::to_text(one.layer));
    if (one.line != 0) {
      writer.name("line").number(one.line);
      writer.member("from", to_utf8(file) + ":" + std::to_string(one.line));
    }
    writer.end_object();
  }
  writer.end_array();
  return text;
}

int explain_file(Context& context, const Args& args, const config::Loaded& loaded) {
  const std::string key = args.arguments.empty() ? "" : args.arguments[0];
  const auto all = config::explain(loaded, key);
  if (all.empty()) return context.fail("no key " + key);
  const std::string text = to_json(all, loaded.file);
  print_entries(context, args.format, Value(text).elements(), explain_columns());
  return kDone;
}

bool is_asked_for(const Value& entry, const std::string& key) {
  const std::string name = entry.member("key").text().value_or("");
  return key.empty() || name == key || name.starts_with(key + ".");
}

int explain_daemon(Context& context, const Args& args) {
  const auto data = context.get("/api/v1/config");
  if (!data) return kFailed;
  const std::string key = args.arguments.empty() ? "" : args.arguments[0];
  std::vector<Value> wanted;
  for (const Value& entry : entries_of(*data)) {
    if (is_asked_for(entry, key)) wanted.push_back(entry);
  }
  if (wanted.empty()) return context.fail("no key " + key);
  print_entries(context, args.format, wanted, explain_columns());
  return kDone;
}

int explain(Context& context, const Args& args) {
  if (args.has("--config")) {
    const auto loaded = load(context, std::string(args.get("--config")));
    return loaded ? explain_file(context, args, *loaded) : kFailed;
  }
  if (context.daemon_is_there()) return explain_daemon(context, args);
  if (read_file(kInstalledFile, config::kTextBytesMax)) {
    context.err << "tocsinctl: no daemon answers on " << context.socket() << "; this is what " << kInstalledFile
                << " says\n";
    const auto loaded = load(context, kInstalledFile);
    return loaded ? explain_file(context, args, *loaded) : kFailed;
  }
  context.err << "tocsinctl: no daemon answers on " << context.socket() << " and there is no " << kInstalledFile
              << "; these are the defaults\n";
  return explain_file(context, args, config::load("", "", config::kBoard).value());
}

int reference(Context& context, const Args&) {
  context.out << config::reference_page();
  return kDone;
}

constexpr std::array kConfigCommands = {
    Command{"config check", "FILE", 1, 1, "Find every mistake in a configuration; needs no daemon.", {}, check},
    Command{"config explain", "[KEY]", 0, 1, "Each value and the layer that it came from.", kExplainOptions, explain},
    Command{"config reference", "", 0, 0, "The reference page of all keys, in Markdown.", {}, reference},
    Command{"config export", "", 0, 0, ""},
};

}  // namespace

std::span<const Command> config_commands() noexcept { return kConfigCommands; }

}  // namespace tocsin::ctl
