// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/profile.hpp"

namespace tocsin::config {

inline constexpr std::size_t kTextBytesMax = 64 * 1024;  ///< of a configuration file
inline constexpr std::size_t kUpstreamsMax = 8;
inline constexpr std::size_t kUpstreamNameBytesMax = 32;
inline constexpr std::size_t kSyslogsMax = 4;
inline constexpr std::size_t kSourcesMax = 4;
inline constexpr std::size_t kTopicsMax = 16;             ///< of one source
inline constexpr std::int64_t kSourceBytes = 128 * 1024;  ///< of the ledger's line channel, for each source
inline constexpr std::size_t kListenMax = 4;              ///< addresses of one listener
inline constexpr std::size_t kServersMax = 8;             ///< of one upstream
inline constexpr std::size_t kProblemsMax = 64;  ///< reported of one file; a last one says how many more there are

// The numbers of these enums are positions in the word lists of keys.cpp, nothing else.
enum class UpstreamKind : std::uint8_t { mqtt };
enum class PayloadFormat : std::uint8_t { bk };
enum class Forward : std::uint8_t { both, events, alerts };
enum class SyslogTarget : std::uint8_t { address, hostname };
enum class SourceKind : std::uint8_t { mqtt, kafka };
enum class SourceFrom : std::uint8_t { start, end };
enum class SaslMechanism : std::uint8_t { plain, scram_sha_256, scram_sha_512 };
enum class MqttProtocol : std::uint8_t { automatic, mqtt_5, mqtt_3_1_1 };
enum class ClientCertificate : std::uint8_t { off, optional, required };

/// One `[upstream.<name>]`.
struct Upstream {
  std::string name;
  UpstreamKind kind = UpstreamKind::mqtt;
  std::vector<std::string> servers;  ///< each passes parse_server(); tried in order
  std::string topic = "tocsin/{appliance}/{data_id}";
  PayloadFormat format = PayloadFormat::bk;
  MqttProtocol protocol = MqttProtocol::automatic;
  std::string username;
  std::string password_file;
  std::string ca_file;    ///< not empty when a server is mqtts://
  std::string cert_file;  ///< with key_file, or both empty
  std::string key_file;
  Forward forward = Forward::both;
  std::int64_t bytes_per_second = 0;  ///< 0: no limit
};

/// One `[syslog.<name>]`.
struct Syslog {
  std::string name;
  std::vector<std::string> listen;  ///< each passes parse_message_listen()
  std::string plugin;               ///< a data id or a plugin id; nobody promises that it exists
  std::string event_name = "syslog";
  SyslogTarget target = SyslogTarget::address;
};

/// One `[source.<name>]`: a broker whose messages are read.
struct Source {
  std::string name;
  SourceKind kind = SourceKind::mqtt;
  std::vector<std::string> servers;  ///< each passes parse_server(), or parse_kafka_server()
  std::vector<std::string> topics;   ///< mqtt: filters, where a level may be {name}; kafka: names
  std::string plugin;                ///< a data id or a plugin id; nobody promises that it exists
  MqttProtocol protocol = MqttProtocol::automatic;
  SourceFrom from = SourceFrom::start;  ///< kafka: of a partition that was never read
  std::string username;
  std::string password_file;
  SaslMechanism sasl_mechanism = SaslMechanism::plain;
  std::string ca_file;  ///< kafka: not empty means TLS
  std::string cert_file;
  std::string key_file;
};

/// What tocsind runs with. The defaults are those of a file without that key; where the board decides, defaults()
/// puts its value in. keys.hpp describes each field to people.
struct Config {
  std::string appliance_name;  ///< empty: the host's name
  std::string data_dir = "/var/lib/tocsin";
  std::int64_t bk_biz_id = 2;
  std::int64_t bk_cloud_id = 0;
  std::string timezone = "Asia/Shanghai";

  std::string control_socket = "/run/tocsin/control.sock";

  std::vector<std::string> push_listen = {"0.0.0.0:10205"};  ///< each passes parse_listen(); not both are empty
  std::vector<std::string> push_tls_listen;
  ClientCertificate push_client_certificate = ClientCertificate::optional;
  std::int64_t push_body_bytes_max = 512'000;
  std::int64_t push_connections_max = 256;
  std::int64_t push_tls_connections_max = 24;
  std::int64_t push_requests_per_second_max = 0;  ///< of all instances together; 0: no limit

  std::vector<std::string> admin_listen = {"127.0.0.1:10206"};  ///< loopback only
  std::vector<std::string> admin_tls_listen;

  std::string tls_cert_file;  ///< with tls_key_file, or both empty: in data_dir/tls
  std::string tls_key_file;
  std::string tls_client_ca_file;  ///< empty: no client is asked for a certificate

  std::int64_t store_quota_bytes = 268'435'456;
  std::int64_t store_retention_hours = 168;
  std::int64_t store_commit_delay_ms = 0;

  std::int64_t memory_budget_bytes = 8'388'608;
  std::int64_t audit_retention_days = 365;
  std::int64_t rejects_alert_percent = 10;  ///< of an instance's requests in 5 minutes; 0: no alert

  std::vector<Syslog> syslogs;      ///< in the order of their names
  std::vector<Source> sources;      ///< in the order of their names
  std::vector<Upstream> upstreams;  ///< in the order of their names
};

/// The configuration of an empty file on this board.
[[nodiscard]] Config defaults(const BoardProfile& board);

/// How push_connections_max is divided once something listens with TLS. `push_plain` is below zero when it is too
/// small.
struct ConnectionShares {
  std::int64_t push_plain = 0;
  std::int64_t push_tls = 0;
  std::int64_t admin_tls = 0;
};
[[nodiscard]] ConnectionShares connection_shares(const BoardProfile& board, const Config& config) noexcept;

/// The ledger this configuration gives: connections as configured, the body pool cut to what the budget leaves.
/// Nothing is below zero and the sum is within memory.budget_bytes when `config` came from load() or defaults().
[[nodiscard]] Ledger ledger_for(const BoardProfile& board, const Config& config) noexcept;

}  // namespace tocsin::config
