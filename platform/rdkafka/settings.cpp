// SPDX-License-Identifier: Apache-2.0
#include "platform/rdkafka/settings.hpp"

#include "platform/rdkafka/consumer.hpp"

namespace tocsin::rdkafka {
namespace {

using Settings = std::vector<std::pair<const char*, std::string>>;

void add_security(const port::ConsumerLogin& login, Settings& out) {
  const bool tls = !login.ca_pem.empty();
  const bool sasl = !login.username.empty();
  out.emplace_back("security.protocol", std::string(sasl ? "sasl_" : "") + (tls ? "ssl" : "plaintext"));
  if (tls) {
    out.emplace_back("ssl.ca.pem", login.ca_pem);
    out.emplace_back("enable.ssl.certificate.verification", "true");
    out.emplace_back("ssl.endpoint.identification.algorithm", "https");
    if (!login.cert_pem.empty()) {
      out.emplace_back("ssl.certificate.pem", login.cert_pem);
      out.emplace_back("ssl.key.pem", login.key_pem);
    }
  }
  if (sasl) {
    out.emplace_back("sasl.mechanisms", login.sasl_mechanism);
    out.emplace_back("sasl.username", login.username);
    out.emplace_back("sasl.password", login.password);
  }
}

}  // namespace

Settings settings_of(const port::ConsumerLogin& login) {
  std::string servers;
  for (const auto& server : login.servers) servers += (servers.empty() ? "" : ",") + server;
  const std::string fetch = std::to_string(Consumer::kFetchBytes);
  Settings out{
      // The core keeps the positions. A position that the broker does not have is an error that we are told.
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"isolation.level", "read_committed"},
      {"check.crcs", "true"},
      {"allow.auto.create.topics", "false"},
      // Memory. The limit of produced messages counts here too: fetch.max.bytes is raised to it.
      {"queued.max.messages.kbytes", std::to_string(Consumer::kQueuedKilobytes)},
      {"queued.min.messages", std::to_string(Consumer::kQueuedMessages)},
      {"message.max.bytes", fetch},
      {"fetch.max.bytes", fetch},
      {"fetch.message.max.bytes", std::to_string(Consumer::kFetchPartitionBytes)},
      {"receive.message.max.bytes", std::to_string(Consumer::kAnswerBytesMax)},
      // A line that is cut without a word is noticed; a broker that comes back is not stormed.
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.ms", "500"},
      {"reconnect.backoff.max.ms", "30000"},
      // Words come over the queue, and only those that mean something is wrong.
      {"log.queue", "true"},
      {"log_level", "4"},
      {"log.connection.close", "false"},
  };
  if (!servers.empty()) out.emplace_back("bootstrap.servers", servers);
  if (!login.client_id.empty()) out.emplace_back("client.id", login.client_id);
  add_security(login, out);
  return out;
}

}  // namespace tocsin::rdkafka
