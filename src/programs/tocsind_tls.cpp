// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_tls.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "platform/gnutls/self_signed.hpp"
#include "platform/linux/files.hpp"
#include "src/base/hex.hpp"
#include "src/config/address.hpp"
#include "src/programs/tocsind_host.hpp"
#include "src/programs/version.hpp"

namespace tocsin::programs {
namespace {

constexpr std::size_t kPemBytesMax = 16 * KiB;
constexpr std::size_t kAddressesMax = 16;
constexpr std::int64_t kDayS = 24 * 3600;
constexpr std::int64_t kLifeS = 3652 * kDayS;

struct Pair {
  std::string certificate_pem;
  std::string key_pem;
};
struct Paths {
  std::string certificate;
  std::string key;
  bool is_ours = false;  ///< the default place: nobody else puts files there
};

void say_failure(const std::string& what, const Error& failure) {
  const char* why = failure.os_errno > 0 ? std::strerror(failure.os_errno) : failure.context[0];
  if (failure.code == Errc::out_of_budget) why = "larger than 16 KiB";
  std::fprintf(stderr, "tocsind: TLS: %s: %s\n", what.c_str(), why != nullptr ? why : to_text(failure.code));
}

/// nullopt: said why. An empty text: there is no such file.
std::optional<std::string> read_pem(const std::string& path) {
  auto text = linux::read_file(path, kPemBytesMax);
  if (text.ok()) return std::move(*text);
  if (text.error().code == Errc::not_found) return std::string{};
  say_failure(path, text.error());
  return std::nullopt;
}

void add(std::vector<std::string>& all, std::string text) {
  if (all.size() < kAddressesMax && std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
}

/// Whatever a client may call this box by to get to these listeners.
gnutls::SelfSignedOptions names_of(const config::Config& config) {
  gnutls::SelfSignedOptions out;
  out.name = config.appliance_name.empty() ? host_name() : config.appliance_name;
  add(out.dns_names, host_name());
  for (const auto* list : {&config.push_tls_listen, &config.admin_tls_listen}) {
    for (const std::string& text : *list) {
      const auto address = config::parse_listen(text);
      if (!address.ok()) continue;
      const bool is_any = address->host == "0.0.0.0" || address->host == "::";
      if (is_any || address->is_loopback) add(out.dns_names, "localhost");
      if (!is_any) add(out.addresses, address->host);
      if (!is_any) continue;
      add(out.addresses, address->is_ipv6 ? "::1" : "127.0.0.1");
      for (std::string& one : host_addresses(address->is_ipv6)) add(out.addresses, std::move(one));
    }
  }
  return out;
}

Status write_pair(const Paths& paths, const gnutls::SelfSigned& made) {
  for (const std::string* path : {&paths.key, &paths.certificate}) {
    const auto slash = path->rfind('/');
    if (slash == std::string::npos || slash == 0) continue;
    if (auto done = linux::make_folders(path->substr(0, slash), 0755); !done.ok()) return done;
  }
  if (auto done = linux::write_file(paths.key, as_bytes(made.key_pem), 0600); !done.ok()) return done;
  return linux::write_file(paths.certificate, as_bytes(made.certificate_pem), 0644);
}

std::optional<Pair> make_files(const config::Config& config, const Paths& paths, Wall now) {
  auto options = names_of(config);
  // A clock that nobody vouches for may say 1970: this program was built later than that.
  options.from_unix_s = std::max(now.unix_ms, kBuildTimeMs) / 1000 - kDayS;
  options.until_unix_s = options.from_unix_s + kLifeS;
  auto made = gnutls::make_self_signed(options);
  if (!made.ok()) {
    say_failure("cannot make a certificate", made.error());
    return std::nullopt;
  }
  if (auto done = write_pair(paths, *made); !done.ok()) {
    say_failure("cannot write " + paths.certificate + " and " + paths.key, done.error());
    return std::nullopt;
  }
  std::fprintf(stderr, "tocsind: made a self-signed certificate: %s (SHA-256 %s)\n", paths.certificate.c_str(),
               to_hex(made->fingerprint).c_str());
  return Pair{std::move(made->certificate_pem), std::move(made->key_pem)};
}

std::optional<Pair> load_or_make(const config::Config& config, Wall now) {
  Paths paths{config.tls_cert_file, config.tls_key_file};
  if (paths.certificate.empty()) paths = {config.data_dir + "/tls/cert.pem", config.data_dir + "/tls/key.pem", true};
  auto certificate = read_pem(paths.certificate);
  auto key = read_pem(paths.key);
  if (!certificate || !key) return std::nullopt;
  if (!certificate->empty() && !key->empty()) return Pair{std::move(*certificate), std::move(*key)};
  if (!paths.is_ours && certificate->empty() != key->empty()) {
    const bool lacks_key = key->empty();
    std::fprintf(stderr, "tocsind: TLS: %s is missing or empty, but %s is there: nothing is made in its place\n",
                 (lacks_key ? paths.key : paths.certificate).c_str(),
                 (lacks_key ? paths.certificate : paths.key).c_str());
    return std::nullopt;
  }
  return make_files(config, paths, now);
}

gnutls::AskClient ask_of(const config::Config& config) noexcept {
  if (config.tls_client_ca_file.empty()) return gnutls::AskClient::never;
  switch (config.push_client_certificate) {
    case config::ClientCertificate::off: return gnutls::AskClient::never;
    case config::ClientCertificate::optional: return gnutls::AskClient::optional;
    case config::ClientCertificate::required: break;
  }
  return gnutls::AskClient::required;
}

}  // namespace

bool ListenersTls::open(const config::Config& config, const BoxClock& clock) {
  if (config.push_tls_listen.empty() && config.admin_tls_listen.empty()) return true;
  const auto pair = load_or_make(config, clock.now().wall);
  if (!pair) return false;
  gnutls::ServerTlsOptions options;
  options.certificate_pem = pair->certificate_pem;
  options.key_pem = pair->key_pem;
  const auto make = [](gnutls::ServerTlsOptions from, std::unique_ptr<gnutls::ServerTls>& to) {
    auto made = gnutls::ServerTls::make(std::move(from));
    if (!made.ok()) {
      say_failure("certificate, key or client_ca_file", made.error());
      return false;
    }
    to = std::move(*made);
    return true;
  };
  if (!config.admin_tls_listen.empty() && !make(options, admin_)) return false;
  if (config.push_tls_listen.empty()) return true;
  options.ask = ask_of(config);
  options.wall = [&clock] { return clock.now().wall; };
  if (options.ask != gnutls::AskClient::never) {
    auto ca = read_pem(config.tls_client_ca_file);
    if (!ca) return false;
    if (ca->empty()) {
      std::fprintf(stderr, "tocsind: TLS: %s is missing or empty\n", config.tls_client_ca_file.c_str());
      return false;
    }
    options.client_ca_pem = std::move(*ca);
  }
  return make(std::move(options), push_);
}

}  // namespace tocsin::programs
