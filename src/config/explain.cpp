// SPDX-License-Identifier: Apache-2.0
#include "src/config/explain.hpp"

#include <algorithm>

#include "src/base/refusal_code.hpp"
#include "src/config/keys.hpp"

namespace tocsin::config {
namespace {

bool is_asked_for(std::string_view name, std::string_view key) noexcept {
  if (key.empty() || name == key) return true;
  return name.starts_with(key) && name.substr(key.size()).starts_with('.');
}

template <class Owner>
void explain_keys(std::span<const Key<Owner>> keys, const Owner& owner, std::string_view prefix,
                  std::string_view wanted, const Loaded& loaded, std::vector<Explained>& out) {
  for (const Key<Owner>& key : keys) {
    Explained one{.key = std::string(prefix).append(key.name), .value = value_text(key, owner), .help = key.help};
    if (!is_asked_for(one.key, wanted)) continue;
    const auto origin = std::lower_bound(loaded.origins.begin(), loaded.origins.end(), one.key,
                                         [](const Origin& a, const std::string& b) { return a.key < b; });
    if (origin != loaded.origins.end() && origin->key == one.key) {
      one.layer = origin->line == 0 ? Layer::command_line : Layer::file;
      one.line = origin->line;
    } else if (key.board_default != nullptr) {
      one.layer = Layer::board;
    }
    out.push_back(std::move(one));
  }
}

template <class Owner>
std::string allowed_text(const Key<Owner>& key) {
  if (!key.words.empty()) {
    std::string out;
    for (const std::string_view word : key.words) out.append(out.empty() ? "`" : ", `").append(word).append("`");
    return out;
  }
  const std::string max = std::to_string(key.max);
  if (std::holds_alternative<std::int64_t Owner::*>(key.field)) {
    return std::to_string(key.min) + " to " + max + (key.board_max != nullptr ? ", within the board's limit" : "");
  }
  if (std::holds_alternative<std::string Owner::*>(key.field)) {
    return std::string(key.min > 0 ? "1 to " : "up to ") + max + " bytes";
  }
  return std::to_string(key.min) + " to " + max + " texts";
}

template <class Owner>
void add_rows(std::span<const Key<Owner>> keys, std::string_view section, std::string& out) {
  out += "| key | default | allowed | what it does |\n| --- | --- | --- | --- |\n";
  const Owner untouched{};
  for (const Key<Owner>& key : keys) {
    std::string_view last = key.name;
    if (!section.empty()) {
      const std::size_t dot = key.name.rfind('.');
      if (key.name.substr(0, dot) != section) continue;
      last = key.name.substr(dot + 1);
    }
    std::string preset = key.required ? "required" : "`" + value_text(key, untouched) + "`";
    if (key.board_default != nullptr) preset = "the board's";
    out.append("| `")
        .append(last)
        .append("` | ")
        .append(preset)
        .append(" | ")
        .append(allowed_text(key))
        .append(" | ")
        .append(key.help);
    out += " |\n";
  }
}

constexpr std::string_view kIntroduction =
    "<!-- Generated from src/config/keys.cpp and src/base/refusal_code.hpp by `tocsinctl config reference`; a test "
    "compares. "
    "Do not edit. -->\n"
    "# Configuration reference\n\n"
    "`tocsind --config FILE` reads one TOML file. `tocsinctl config check FILE` finds every mistake in it without a\n"
    "daemon, and `tocsinctl config explain [KEY]` prints each value with the layer that it came from: default, board,\n"
    "file, or command line (`tocsind --data-dir`). Keys that are not listed here are errors. Where the default is the\n"
    "board's, `board/README.md` says what it is.\n";

constexpr std::string_view kUpstreamIntroduction =
    "At most 8 sections. NAME begins with a-z and has at most 32 characters of a-z, 0-9, `_` and `-`. It is part of "
    "the\n"
    "stored position: a renamed upstream is a new one.\n\n";

constexpr std::string_view kSyslogIntroduction =
    "At most 4 sections, named as upstreams are. RFC 5424 and RFC 3164, and anything else as a notice: no message\n"
    "is refused. Severity 0-2 becomes 1, 3 and 4 become 2, the others 3. An instance of type event gets custom\n"
    "events (`event.content` is the text; dimensions `facility`, `level`, `severity`, `app`, `msgid`,\n"
    "`hostname`); one of type alert_source gets standard events, whose severity is the message's. Of a message 8\n"
    "KiB are kept, the rest is cut and the event says so. TCP takes lines and octet counting (RFC 6587) on at\n"
    "most 16 connections a section; when all are taken, one that sent nothing for 60 s gives way to a new one.\n"
    "The shipped systemd unit may not use ports below 1024: 5514 needs no right, and `sysctl\n"
    "net.ipv4.ip_unprivileged_port_start=514` gives 514 to everybody.\n\n"
    "Syslog has no token: whoever reaches the address may write. It has no acknowledgement: messages wait up to\n"
    "100 ms for company and are lost with a power cut or a kill before their commit. Each counts as one request\n"
    "of the instance's rate (`max_rate`) and of requests_per_second_max. What comes as a datagram when there is\n"
    "no room is dropped; a TCP sender is not read until there is. `tocsinctl status --all` and\n"
    "`tocsin_syslog_dropped_total` count what was dropped, and why.\n\n";

constexpr std::string_view kSourceIntroduction =
    "At most 4 sections, named as upstreams are. The name is part of the stored position and of the MQTT client id: a\n"
    "renamed source begins anew. Each message is read like a body at `/event/`, with the profile of the instance,\n"
    "also when its type is event; `max_rate` does not count. A message of more than 60,000 bytes, or one that cannot\n"
    "be read, goes to the reject box and holds nothing up. Kafka: what was read is kept in the transaction that has\n"
    "the events, so that each record is in the log exactly once, whatever dies in between. MQTT has no such place:\n"
    "a message is acknowledged once it is on flash and may come again; events with an event_id of their own are then\n"
    "known as repeats. Each section takes 128 KiB from the body pool: the host board has room for one beside its 256\n"
    "connections; for more, lower http.push.connections_max (15 fewer for each), as the check says.\n\n";

constexpr std::string_view kErrorsIntroduction =
    "Every refusal over HTTP bears one of these in the header `X-Tocsin-Error`. They stay the same from release to\n"
    "release; the words of `message`, which name the member and the rule, may change. `code` in the body is the HTTP\n"
    "status, as BlueKing's receivers have it. Nothing of a refused request becomes an event. 429 and 503 say in "
    "`Retry-After`\n"
    "when to come again; after any other 4xx the same request will be refused again. Only what is no HTTP at all, or\n"
    "has more headers than fit, is answered by the HTTP library with a line of HTML and no such header (400, 414, "
    "431,\n"
    "505).\n\n"
    "| code | status | when | what to do |\n| --- | --- | --- | --- |\n";

void add_errors(std::string& out) {
  out.append("\n## Error codes\n\n").append(kErrorsIntroduction);
  for (const RefusalRow& row : kRefusals) {
    out.append("| `").append(row.name).append("` | ").append(std::to_string(row.statuses[0]));
    if (row.statuses[1] != 0) out.append(", ").append(std::to_string(row.statuses[1]));
    out.append(" | ").append(row.when).append(" | ").append(row.remedy).append(" |\n");
  }
}

}  // namespace

const char* to_text(Layer layer) noexcept {
  switch (layer) {
    case Layer::built_in: return "default";
    case Layer::board: return "board";
    case Layer::file: return "file";
    case Layer::command_line: return "command line";
  }
  return "unknown";
}

std::vector<Explained> explain(const Loaded& loaded, std::string_view key) {
  std::vector<Explained> out;
  explain_keys(config_keys(), loaded.config, {}, key, loaded, out);
  for (const Upstream& upstream : loaded.config.upstreams) {
    explain_keys(upstream_keys(), upstream, "upstream." + upstream.name + ".", key, loaded, out);
  }
  for (const Syslog& syslog : loaded.config.syslogs) {
    explain_keys(syslog_keys(), syslog, "syslog." + syslog.name + ".", key, loaded, out);
  }
  for (const Source& source : loaded.config.sources) {
    explain_keys(source_keys(), source, "source." + source.name + ".", key, loaded, out);
  }
  return out;
}

std::string reference_page() {
  std::string out(kIntroduction);
  std::string_view section;
  for (const Key<Config>& key : config_keys()) {
    const std::string_view its = key.name.substr(0, key.name.rfind('.'));
    if (its == section) continue;
    section = its;
    out.append("\n## [").append(section).append("]\n\n");
    add_rows(config_keys(), section, out);
  }
  out.append("\n## [upstream.NAME]\n\n").append(kUpstreamIntroduction);
  add_rows(upstream_keys(), {}, out);
  out.append("\n## [syslog.NAME]\n\n").append(kSyslogIntroduction);
  add_rows(syslog_keys(), {}, out);
  out.append("\n## [source.NAME]\n\n").append(kSourceIntroduction);
  add_rows(source_keys(), {}, out);
  add_errors(out);
  return out;
}

}  // namespace tocsin::config
