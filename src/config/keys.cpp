// SPDX-License-Identifier: Apache-2.0
#include "src/config/keys.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "src/config/address.hpp"

namespace tocsin::config {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kPathBytesMax = 1024;
constexpr std::int64_t kSocketPathBytesMax = 107;  // sockaddr_un
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

constexpr std::array kKinds = {"mqtt"sv};
constexpr std::array kLaterKinds = {"kafka"sv, "bk_push"sv, "elasticsearch"sv, "bkdata"sv};
constexpr std::array kFormats = {"bk"sv};
constexpr std::array kLaterFormats = {"cloudevents"sv, "ndjson"sv};
constexpr std::array kForwards = {"both"sv, "events"sv, "alerts"sv};
constexpr std::array kProtocols = {"auto"sv, "5"sv, "3.1.1"sv};
constexpr std::array kTargets = {"address"sv, "hostname"sv};
constexpr std::array kSourceKinds = {"mqtt"sv, "kafka"sv};
constexpr std::array kFroms = {"start"sv, "end"sv};
constexpr std::array kSaslMechanisms = {"PLAIN"sv, "SCRAM-SHA-256"sv, "SCRAM-SHA-512"sv};
constexpr std::array kClientCertificates = {"off"sv, "optional"sv, "required"sv};
constexpr std::array kLaterUpstreamKeys = {"sasl_mechanism"sv, "bytes_per_day"sv};
constexpr std::array kPlaceholders = {"{appliance}"sv, "{name}"sv, "{data_id}"sv, "{plugin}"sv, "{upstream_data_id}"sv};

std::string check_line(std::string_view text) {
  const bool good =
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
  return good ? "" : "must not contain control characters";
}

std::string check_printable(std::string_view text) {
  const bool good = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  return good ? "" : "must be printable ASCII";
}

std::string check_listen(std::string_view text) {
  const auto address = parse_listen(text);
  return address.ok() ? "" : address.error().context[0];
}

std::string check_admin_listen(std::string_view text) {
  const auto address = parse_listen(text);
  if (!address.ok()) return address.error().context[0];
  if (address->is_loopback) return {};
  return "is not a loopback address; without TLS the admin listener is for 127.0.0.0/8 and [::1] only";
}

std::string check_message_listen(std::string_view text) {
  if (auto bad = check_line(text); !bad.empty()) return bad;
  const auto address = parse_message_listen(text);
  return address.ok() ? "" : address.error().context[0];
}

std::string check_server(std::string_view text) {
  const auto server = parse_server(text);
  return server.ok() ? "" : server.error().context[0];
}

/// Which of the two it must be depends on the kind: the loader looks.
std::string check_source_server(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return check_server(text);
  const auto server = parse_kafka_server(text);
  return server.ok() ? "" : server.error().context[0];
}

std::string check_source_topic(std::string_view text) {
  if (text.empty() || text.size() > 256) return "must have 1 to 256 bytes";
  return check_topic_filter(text);
}

std::string check_timezone(std::string_view text) {
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  });
  return good && text.front() != '/' ? "" : "must be a name of the time zone database, such as Asia/Shanghai or UTC";
}

std::string check_topic(std::string_view text) {
  if (auto bad = check_line(text); !bad.empty()) return bad;
  if (text.front() == '$') return "must not begin with $, which brokers keep for themselves";
  if (text.find_first_of("+#") != std::string_view::npos)
    return "must not contain + or #: one publishes to a topic, not to a filter";
  for (std::size_t at = text.find_first_of("{}"); at != std::string_view::npos; at = text.find_first_of("{}", at)) {
    const std::string_view rest = text.substr(at);
    const auto* known = std::find_if(kPlaceholders.begin(), kPlaceholders.end(),
                                     [&](std::string_view word) { return rest.starts_with(word); });
    if (known == kPlaceholders.end()) {
      return "knows {appliance}, {name}, {data_id}, {plugin} and {upstream_data_id}, and no other braces";
    }
    at += known->size();
  }
  return {};
}

// clang-format off: one key a block reads better than columns here would.
constexpr std::array kConfigKeys = {
    Key<Config>{.name = "appliance.name",
                .field = &Config::appliance_name,
                .max = 64,
                .help = "Name shown to people and usable in topics as {name}. Empty: the host's name.",
                .check = check_line},
    Key<Config>{.name = "appliance.data_dir",
                .field = &Config::data_dir,
                .min = 1,
                .max = kPathBytesMax,
                .help = "Folder of the store and of everything else that must survive a restart.",
                .check = check_line},
    Key<Config>{.name = "appliance.bk_biz_id",
                .field = &Config::bk_biz_id,
                .max = kInt32Max,
                .help = "BlueKing business of new instances that name none."},
    Key<Config>{.name = "appliance.bk_cloud_id",
                .field = &Config::bk_cloud_id,
                .max = kInt32Max,
                .help = "BlueKing cloud area that the addresses of this site belong to."},
    Key<Config>{.name = "appliance.timezone",
                .field = &Config::timezone,
                .min = 1,
                .max = 64,
                .help = "Zone in which times are shown to people. What is stored and sent is independent of it.",
                .check = check_timezone},

    Key<Config>{.name = "control.socket",
                .field = &Config::control_socket,
                .min = 1,
                .max = kSocketPathBytesMax,
                .help = "Unix socket of tocsinctl. Root, the owner and the group tocsin-admin are admins on it.",
                .check = check_line},

    Key<Config>{.name = "http.push.listen",
                .field = &Config::push_listen,
                .max = kListenMax,
                .help =
                    "Addresses that devices push to; each takes every path of them, so bk-collector's port 4318 and "
                    "9004 of BlueKing's ingester may be among them. Port 0: any free one. May be "
                    "empty beside tls_listen.",
                .check = check_listen},
    Key<Config>{.name = "http.push.tls_listen",
                .field = &Config::push_tls_listen,
                .max = kListenMax,
                .help = "The same with TLS (1.2 and 1.3).",
                .check = check_listen},
    Key<Config>{.name = "http.push.client_certificate",
                .field = &Config::push_client_certificate,
                .help = "Whether TLS senders are asked for a certificate of tls.client_ca_file. optional: only who is "
                        "bound to one (`tocsinctl plugin update --client-cert`) needs it. Without that file nobody is "
                        "asked.",
                .words = kClientCertificates},
    Key<Config>{.name = "http.push.body_bytes_max",
                .field = &Config::push_body_bytes_max,
                .min = 4096,
                .max = 512'000,
                .help = "Largest request body, as sent and as inflated; longer ones are refused with 413.",
                .board_default = &BoardProfile::body_bytes_max,
                .board_max = &BoardProfile::body_bytes_max},
    Key<Config>{.name = "http.push.connections_max",
                .field = &Config::push_connections_max,
                .min = 4,
                .max = 4096,
                .help = "Connections at a time. Above it the longest idle one is closed.",
                .board_default = &BoardProfile::push_connections_max,
                .board_max = &BoardProfile::push_connections_max},
    Key<Config>{.name = "http.push.tls_connections_max",
                .field = &Config::push_tls_connections_max,
                .min = 4,
                .max = 1024,
                .help = "TLS connections at a time, when tls_listen is set. Each takes as much of connections_max as "
                        "the board says (host: 5), and so do 8 of the admin listener's; plain ones have the rest.",
                .board_default = &BoardProfile::push_tls_connections_max},
    Key<Config>{.name = "http.push.requests_per_second_max",
                .field = &Config::push_requests_per_second_max,
                .max = 1'000'000,
                .help = "Requests a second of all instances together; more are refused with 429. 0: no limit."},

    Key<Config>{
        .name = "http.admin.listen",
        .field = &Config::admin_listen,
        .max = kListenMax,
        .help =
            "Addresses of the page and the operator API; loopback only. Empty: the control socket is the only way in.",
        .check = check_admin_listen},
    Key<Config>{.name = "http.admin.tls_listen",
                .field = &Config::admin_tls_listen,
                .max = kListenMax,
                .help = "The same with TLS (1.2 and 1.3), on any address.",
                .check = check_listen},

    Key<Config>{.name = "tls.cert_file",
                .field = &Config::tls_cert_file,
                .max = kPathBytesMax,
                .help = "Certificate chain of the TLS listeners, PEM, at most 16 KiB. When it and key_file are missing "
                        "at start, a self-signed one is made there. Empty: tls/cert.pem in the data folder.",
                .check = check_line},
    Key<Config>{.name = "tls.key_file",
                .field = &Config::tls_key_file,
                .max = kPathBytesMax,
                .help = "Its private key, PEM. Empty: tls/key.pem in the data folder.",
                .check = check_line},
    Key<Config>{.name = "tls.client_ca_file",
                .field = &Config::tls_client_ca_file,
                .max = kPathBytesMax,
                .help = "CAs that the certificates of senders must come from, PEM, at most 16 KiB; a sender's own "
                        "certificate will do. Empty: nobody is asked for one.",
                .check = check_line},

    Key<Config>{.name = "store.quota_bytes",
                .field = &Config::store_quota_bytes,
                .min = 16 * std::int64_t{MiB},
                .max = std::int64_t{1} << 40,
                .help = "Disk for everything: events, alerts, audit log, reserve.",
                .board_default = &BoardProfile::quota_bytes,
                .board_max = &BoardProfile::map_bytes_max},
    Key<Config>{.name = "store.retention_hours",
                .field = &Config::store_retention_hours,
                .min = 1,
                .max = 87'600,
                .help = "How long an event is kept after every upstream has it. Undelivered ones stay longer, as far "
                        "as the quota goes."},
    Key<Config>{
        .name = "store.commit_delay_ms",
        .field = &Config::store_commit_delay_ms,
        .max = 1000,
        .help = "Longest wait for company before a commit. Spares flash; nothing is answered before its commit.",
        .board_default = &BoardProfile::commit_delay_ms},

    Key<Config>{.name = "memory.budget_bytes",
                .field = &Config::memory_budget_bytes,
                .min = 4 * std::int64_t{MiB},
                .max = std::int64_t{1} << 30,
                .help = "Private memory of tocsind. Below the board's ledger fewer bodies are read at a time.",
                .board_default = &BoardProfile::memory_limit_bytes,
                .board_max = &BoardProfile::memory_limit_bytes},

    Key<Config>{.name = "audit.retention_days",
                .field = &Config::audit_retention_days,
                .min = 1,
                .max = 3650,
                .help = "Youngest age at which blocks of the audit log may be cut."},

    Key<Config>{.name = "rejects.alert_percent",
                .field = &Config::rejects_alert_percent,
                .max = 99,
                .help =
                    "An alert opens when more than this share of a source's requests is refused, over 5 minutes and "
                    "of 20 requests or more. 0: no alert."},
};

constexpr std::array kUpstreamKeys = {
    Key<Upstream>{.name = "kind",
                  .field = &Upstream::kind,
                  .help = "What the other side is.",
                  .words = kKinds,
                  .later_words = kLaterKinds,
                  .required = true},
    Key<Upstream>{.name = "servers",
                  .field = &Upstream::servers,
                  .min = 1,
                  .max = kServersMax,
                  .help = "Brokers, tried in order: mqtt://HOST[:PORT] or mqtts://HOST[:PORT].",
                  .check = check_server,
                  .required = true},
    Key<Upstream>{.name = "topic",
                  .field = &Upstream::topic,
                  .min = 1,
                  .max = 512,
                  .help = "Topic of events, from {appliance}, {name}, {data_id}, {plugin}, {upstream_data_id}. Alerts "
                          "go to tocsin/{appliance}/alerts.",
                  .check = check_topic},
    Key<Upstream>{.name = "format",
                  .field = &Upstream::format,
                  .help = "Shape of the payload.",
                  .words = kFormats,
                  .later_words = kLaterFormats},
    Key<Upstream>{.name = "protocol",
                  .field = &Upstream::protocol,
                  .help = "MQTT version. auto: 5, and 3.1.1 when the broker refuses it.",
                  .words = kProtocols},
    Key<Upstream>{.name = "username",
                  .field = &Upstream::username,
                  .max = 256,
                  .help = "Name told to the broker. Empty: none.",
                  .check = check_line},
    Key<Upstream>{.name = "password_file",
                  .field = &Upstream::password_file,
                  .max = kPathBytesMax,
                  .help = "File whose first line is the password.",
                  .check = check_line},
    Key<Upstream>{.name = "ca_file",
                  .field = &Upstream::ca_file,
                  .max = kPathBytesMax,
                  .help = "The CA that the broker's certificate must come from, PEM. Required with mqtts://: the "
                          "system's list is never used.",
                  .check = check_line},
    Key<Upstream>{.name = "cert_file",
                  .field = &Upstream::cert_file,
                  .max = kPathBytesMax,
                  .help = "Certificate to show to the broker, PEM.",
                  .check = check_line},
    Key<Upstream>{.name = "key_file",
                  .field = &Upstream::key_file,
                  .max = kPathBytesMax,
                  .help = "Its private key, PEM.",
                  .check = check_line},
    Key<Upstream>{.name = "forward", .field = &Upstream::forward, .help = "What goes there.", .words = kForwards},
    Key<Upstream>{.name = "bytes_per_second",
                  .field = &Upstream::bytes_per_second,
                  .max = 1'000'000'000,
                  .help = "Limit of what is offered to it. 0: none."},
};
constexpr std::array kSyslogKeys = {
    Key<Syslog>{.name = "listen",
                .field = &Syslog::listen,
                .min = 1,
                .max = kListenMax,
                .help = "Where messages arrive: udp://ADDRESS:PORT, tcp://ADDRESS:PORT, unix:///PATH (datagrams, as "
                        "`logger -u` sends) or unix-stream:///PATH. Port 0: any free one.",
                .check = check_message_listen,
                .required = true},
    Key<Syslog>{.name = "plugin",
                .field = &Syslog::plugin,
                .min = 1,
                .max = 64,
                .help = "The instance whose events they become: its data id, or its plugin id when no other instance "
                        "has that. Messages are dropped and counted while there is none.",
                .check = check_line,
                .required = true},
    Key<Syslog>{.name = "event_name",
                .field = &Syslog::event_name,
                .min = 1,
                .max = 128,
                .help = "Name of every event, and of the alerts it opens. Printable ASCII.",
                .check = check_printable},
    Key<Syslog>{.name = "target",
                .field = &Syslog::target,
                .help = "Target of the events: the address of whoever sent the message, or the HOSTNAME in it (the "
                        "address when there is none). Unix sockets: the HOSTNAME, else this box's name.",
                .words = kTargets},
};
constexpr std::array kSourceKeys = {
    Key<Source>{
        .name = "kind", .field = &Source::kind, .help = "What is read.", .words = kSourceKinds, .required = true},
    Key<Source>{.name = "servers",
                .field = &Source::servers,
                .min = 1,
                .max = kServersMax,
                .help = "mqtt: mqtt://HOST[:PORT] or mqtts://HOST[:PORT], tried in order. kafka: HOST[:PORT] of some "
                        "brokers of the cluster.",
                .check = check_source_server,
                .required = true},
    Key<Source>{.name = "topics",
                .field = &Source::topics,
                .min = 1,
                .max = kTopicsMax,
                .help = "What is read of it. mqtt: topic filters; a level {name} matches any and becomes the member "
                        "`name` of each event. kafka: topic names.",
                .check = check_source_topic,
                .required = true},
    Key<Source>{.name = "plugin",
                .field = &Source::plugin,
                .min = 1,
                .max = 64,
                .help = "The instance whose events they become: its data id, or its plugin id when no other instance "
                        "has that. Nothing is read while there is none.",
                .check = check_line,
                .required = true},
    Key<Source>{.name = "protocol",
                .field = &Source::protocol,
                .help = "mqtt: its version. auto: 5, and 3.1.1 when the broker refuses it.",
                .words = kProtocols},
    Key<Source>{
        .name = "from",
        .field = &Source::from,
        .help = "kafka: where a partition begins that was never read. One that appears later begins at its start.",
        .words = kFroms},
    Key<Source>{.name = "username",
                .field = &Source::username,
                .max = 256,
                .help = "Name told to the broker. Empty: none.",
                .check = check_line},
    Key<Source>{.name = "password_file",
                .field = &Source::password_file,
                .max = kPathBytesMax,
                .help = "File whose first line is the password.",
                .check = check_line},
    Key<Source>{.name = "sasl_mechanism",
                .field = &Source::sasl_mechanism,
                .help = "kafka: how name and password are shown.",
                .words = kSaslMechanisms},
    Key<Source>{.name = "ca_file",
                .field = &Source::ca_file,
                .max = kPathBytesMax,
                .help = "The CA that the broker's certificate must come from, PEM. Required with mqtts://; with kafka "
                        "it means TLS. The system's list is never used.",
                .check = check_line},
    Key<Source>{.name = "cert_file",
                .field = &Source::cert_file,
                .max = kPathBytesMax,
                .help = "Certificate to show to the broker, PEM.",
                .check = check_line},
    Key<Source>{.name = "key_file",
                .field = &Source::key_file,
                .max = kPathBytesMax,
                .help = "Its private key, PEM.",
                .check = check_line},
};
// clang-format on

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ", ";
    out += quoted(text);
  }
  return out += ']';
}

}  // namespace

std::span<const Key<Config>> config_keys() noexcept { return kConfigKeys; }
std::span<const Key<Upstream>> upstream_keys() noexcept { return kUpstreamKeys; }

std::span<const Key<Syslog>> syslog_keys() noexcept { return kSyslogKeys; }
std::span<const Key<Source>> source_keys() noexcept { return kSourceKeys; }

bool is_later_upstream_key(std::string_view last_part) noexcept {
  return std::find(kLaterUpstreamKeys.begin(), kLaterUpstreamKeys.end(), last_part) != kLaterUpstreamKeys.end();
}

template <class Owner>
std::string value_text(const Key<Owner>& key, const Owner& owner) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = owner.*member;
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::int64_t>) {
          return std::to_string(value);
        } else if constexpr (std::is_same_v<Value, std::string>) {
          return quoted(value);
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          return joined(value);
        } else {
          return quoted(key.words[static_cast<std::size_t>(value)]);
        }
      },
      key.field);
}
template std::string value_text(const Key<Config>& key, const Config& owner);
template std::string value_text(const Key<Upstream>& key, const Upstream& owner);
template std::string value_text(const Key<Syslog>& key, const Syslog& owner);
template std::string value_text(const Key<Source>& key, const Source& owner);

Config defaults(const BoardProfile& board) {
  Config out;
  out.data_dir = std::string(board.data_dir);
  for (const Key<Config>& key : kConfigKeys) {
    if (key.board_default == nullptr) continue;
    out.*std::get<std::int64_t Config::*>(key.field) = board.*key.board_default;
  }
  return out;
}

ConnectionShares connection_shares(const BoardProfile& board, const Config& config) noexcept {
  ConnectionShares out;
  if (!config.push_tls_listen.empty()) out.push_tls = config.push_tls_connections_max;
  if (!config.admin_tls_listen.empty()) out.admin_tls = board.admin_tls_connections_max;
  const std::int64_t tls = out.push_tls + out.admin_tls;
  out.push_plain = config.push_connections_max - tls * board.tls_connection_cost - (tls > 0 ? board.tls_base_cost : 0);
  return out;
}

Ledger ledger_for(const BoardProfile& board, const Config& config) noexcept {
  Ledger out = board.ledger;
  const ConnectionShares shares = connection_shares(board, config);
  const std::int64_t tls_bytes = board.tls_connection_cost * board.connection_bytes;
  out.push_connections = shares.push_plain * board.connection_bytes + shares.push_tls * tls_bytes;
  out.admin_connections += shares.admin_tls * tls_bytes;
  if (shares.push_tls + shares.admin_tls > 0) out.library_base += board.tls_base_cost * board.connection_bytes;
  out.channel += static_cast<std::int64_t>(config.sources.size()) * kSourceBytes;
  out.body_pool = 0;
  const std::int64_t left = config.memory_budget_bytes - sum_bytes(out);
  out.body_pool = std::clamp<std::int64_t>(left, 0, board.ledger.body_pool);
  return out;
}

}  // namespace tocsin::config
