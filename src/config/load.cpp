// SPDX-License-Identifier: Apache-2.0
#include "src/config/load.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include "src/config/address.hpp"
#include "src/config/keys.hpp"
#include "src/config/similar.hpp"
#include "src/config/toml_text.hpp"

namespace tocsin::config {
namespace {

constexpr std::string_view kUpstreamSection = "upstream";
constexpr std::string_view kSyslogSection = "syslog";
constexpr std::string_view kSourceSection = "source";

std::string between(std::int64_t min, std::int64_t max) {
  return "must be from " + std::to_string(min) + " to " + std::to_string(max);
}

bool is_upstream_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kUpstreamNameBytesMax || name.front() < 'a' || name.front() > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

bool is_kafka_topic(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

std::string list_of(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

std::string about(std::string_view text, std::string_view what, std::string_view reason) {
  std::string out = "\"";
  return out.append(text).append("\"").append(what).append(reason);
}

class Loader {
 public:
  Loader(std::string_view file, const BoardProfile& board) : board_(board) {
    loaded_.file = std::string(file);
    loaded_.config = defaults(board);
  }

  void take(const Assignment& one) {
    const std::string_view path = one.path;
    const std::size_t dot = path.find('.');
    const std::string_view section = path.substr(0, dot);
    if (section == kUpstreamSection)
      return take_named(kUpstreamSection, loaded_.config.upstreams, kUpstreamsMax, upstream_keys(), one);
    if (section == kSyslogSection)
      return take_named(kSyslogSection, loaded_.config.syslogs, kSyslogsMax, syslog_keys(), one);
    if (section == kSourceSection)
      return take_named(kSourceSection, loaded_.config.sources, kSourcesMax, source_keys(), one);
    for (const Key<Config>& key : config_keys()) {
      if (key.name == path) return set(key, loaded_.config, one);
    }
    refuse_unknown(one);
  }

  tl::expected<Loaded, std::vector<Problem>> finish() {
    if (problems_.empty()) check_together();
    for (const Upstream& upstream : loaded_.config.upstreams) check_upstream(upstream);
    for (const Syslog& syslog : loaded_.config.syslogs) check_required(kSyslogSection, syslog.name, syslog_keys());
    for (const Source& source : loaded_.config.sources) check_source(source);
    if (!problems_.empty()) {
      if (unreported_ > 0)
        problems_.push_back({loaded_.file, 0, "", "and " + std::to_string(unreported_) + " more problems"});
      return tl::unexpected(std::move(problems_));
    }
    std::sort(loaded_.origins.begin(), loaded_.origins.end(),
              [](const Origin& a, const Origin& b) { return a.key < b.key; });
    return std::move(loaded_);
  }

  void refuse(std::uint32_t line, std::string_view key, std::string message) {
    if (problems_.size() >= kProblemsMax) {
      ++unreported_;
      return;
    }
    problems_.push_back({loaded_.file, line, std::string(key), std::move(message)});
  }

  void set_from_command_line(std::string_view key, std::string value) {
    take({.path = std::string(key), .line = 0, .value = std::move(value)});
  }

 private:
  template <class Owner>
  void set(const Key<Owner>& key, Owner& owner, const Assignment& one) {
    std::string bad = std::visit([&](auto member) { return assign(key, owner.*member, one); }, key.field);
    if (!bad.empty()) return refuse(one.line, one.path, std::move(bad));
    loaded_.origins.push_back({one.path, one.line});
  }

  template <class Owner>
  std::string assign(const Key<Owner>& key, std::int64_t& field, const Assignment& one) {
    const auto* value = std::get_if<std::int64_t>(&one.value);
    if (value == nullptr) return "must be a whole number";
    const std::int64_t max = max_of(key, board_);
    if (*value < key.min || *value > max) {
      return between(key.min, max) + (max < key.max ? " on this board" : "") + ", not " + std::to_string(*value);
    }
    field = *value;
    return {};
  }

  template <class Owner>
  std::string assign(const Key<Owner>& key, std::string& field, const Assignment& one) {
    const auto* value = std::get_if<std::string>(&one.value);
    if (value == nullptr) return "must be a text in quotes";
    const auto size = static_cast<std::int64_t>(value->size());
    if (size < key.min) return "must not be empty";
    if (size > key.max)
      return "must be at most " + std::to_string(key.max) + " bytes long, not " + std::to_string(size);
    if (key.check != nullptr && size > 0) {
      if (std::string bad = key.check(*value); !bad.empty()) return bad;
    }
    field = *value;
    return {};
  }

  template <class Owner>
  std::string assign(const Key<Owner>& key, std::vector<std::string>& field, const Assignment& one) {
    const auto* value = std::get_if<std::vector<std::string>>(&one.value);
    if (value == nullptr) return "must be a list of texts, such as [\"...\"]";
    const auto count = static_cast<std::int64_t>(value->size());
    if (count < key.min || count > key.max)
      return "must have " + std::to_string(key.min) + " to " + std::to_string(key.max) + " entries";
    for (const std::string& text : *value) {
      if (std::string bad = key.check(text); !bad.empty()) return about(text, ": ", bad);
      if (std::count(value->begin(), value->end(), text) > 1) return about(text, " stands there twice", "");
    }
    field = *value;
    return {};
  }

  template <class Owner, class Enum>
  requires std::is_enum_v<Enum> std::string assign(const Key<Owner>& key, Enum& field, const Assignment& one) {
    const auto* value = std::get_if<std::string>(&one.value);
    if (value == nullptr) return "must be a text in quotes, one of: " + list_of(key.words);
    const auto known = std::find(key.words.begin(), key.words.end(), *value);
    if (known != key.words.end()) {
      field = static_cast<Enum>(known - key.words.begin());
      return {};
    }
    if (std::find(key.later_words.begin(), key.later_words.end(), *value) != key.later_words.end()) {
      return "\"" + *value + "\" is not in this release; one of: " + list_of(key.words);
    }
    return "must be one of: " + list_of(key.words);
  }

  /// One key of a section [section.NAME].
  template <class Owner>
  void take_named(std::string_view section, std::vector<Owner>& all, std::size_t most, std::span<const Key<Owner>> keys,
                  const Assignment& one) {
    std::string_view rest = one.path;
    if (rest.size() == section.size()) {
      if (std::holds_alternative<EmptySection>(one.value)) return;
      const std::string word(section);
      return refuse(one.line, one.path, "each " + word + " has a section of its own: [" + word + ".NAME]");
    }
    rest.remove_prefix(section.size() + 1);
    const std::size_t dot = rest.starts_with('"') ? rest.find("\".") + 1 : rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    const std::string path = std::string(section).append(".").append(name);
    if (!is_upstream_name(name)) {
      if (bad_names_.emplace(path).second) {
        refuse(one.line, path, "a name begins with a-z and has at most 32 characters of a-z, 0-9, _ and -");
      }
      return;
    }
    Owner* owner = owner_named(section, all, most, name, one.line);
    if (owner == nullptr) return;
    const bool is_section = dot == std::string_view::npos || dot >= rest.size();
    note_section(path, is_section ? one.line : one.section_line);
    if (is_section) {
      if (std::holds_alternative<EmptySection>(one.value)) return;
      return refuse(one.line, one.path, "must be a section: [" + path + "]");
    }
    const std::string_view last = rest.substr(dot + 1);
    for (const Key<Owner>& key : keys) {
      if (key.name == last) {
        if (key.required) required_seen_.insert(one.path);
        return set(key, *owner, one);
      }
    }
    if (section == kUpstreamSection && is_later_upstream_key(last))
      return refuse(one.line, one.path, "is not in this release");
    refuse_unknown(one);
  }

  /// The first line that names it; a table inside it begins later.
  void note_section(std::string_view path, std::uint32_t line) {
    const auto [at, is_new] = section_lines_.try_emplace(std::string(path), line);
    if (!is_new) at->second = std::min(at->second, line);
  }

  template <class Owner>
  Owner* owner_named(std::string_view section, std::vector<Owner>& all, std::size_t most, std::string_view name,
                     std::uint32_t line) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Owner& one) { return one.name == name; });
    if (found != all.end()) return &*found;
    if (all.size() >= most) {
      const std::string path = std::string(section).append(".").append(name);
      if (bad_names_.emplace(path).second) {
        refuse(line, path, "at most " + std::to_string(most) + " " + std::string(section) + "s");
      }
      return nullptr;
    }
    all.emplace_back().name = std::string(name);
    return &all.back();
  }

  template <class Owner>
  void check_required(std::string_view section, const std::string& name, std::span<const Key<Owner>> keys) {
    const std::string prefix = std::string(section).append(".").append(name);
    for (const Key<Owner>& key : keys) {
      const std::string path = prefix + "." + std::string(key.name);
      if (key.required && !required_seen_.contains(path)) refuse(section_lines_[prefix], path, "is missing");
    }
  }

  void refuse_unknown(const Assignment& one) {
    const bool is_section = std::any_of(config_keys().begin(), config_keys().end(), [&](const Key<Config>& key) {
      return key.name.starts_with(one.path) && key.name.substr(one.path.size()).starts_with('.');
    });
    if (is_section) {
      if (std::holds_alternative<EmptySection>(one.value)) return;
      return refuse(one.line, one.path, "is a section: write [" + one.path + "]");
    }
    std::vector<std::string> known;
    for (const Key<Config>& key : config_keys()) known.emplace_back(key.name);
    const std::string prefix = one.path.substr(0, one.path.rfind('.') + 1);
    const auto add_known = [&](const auto& keys) {
      for (const auto& key : keys) known.push_back(prefix + std::string(key.name));
    };
    if (one.path.starts_with(kUpstreamSection)) add_known(upstream_keys());
    if (one.path.starts_with(kSyslogSection)) add_known(syslog_keys());
    if (one.path.starts_with(kSourceSection)) add_known(source_keys());
    std::string message = "unknown key";
    if (const std::string_view like = most_similar(one.path, known); !like.empty()) {
      message.append("; did you mean ").append(like).append("?");
    }
    refuse(one.line, one.path, std::move(message));
  }

  /// What upstreams and sources have in common: keys that need each other.
  template <class Owner>
  void check_credentials(const std::string& prefix, const Owner& owner, bool is_mqtt) {
    const bool any_tls = std::any_of(owner.servers.begin(), owner.servers.end(),
                                     [](const std::string& server) { return server.starts_with("mqtts://"); });
    if (any_tls && owner.ca_file.empty()) {
      refuse(line_of(prefix + "servers"), prefix + "ca_file",
             "is required with mqtts://: the CA that the broker's certificate comes from");
    }
    if (is_mqtt && !any_tls && !owner.servers.empty()) {
      for (const std::string_view last : {"ca_file", "cert_file", "key_file"}) {
        const std::string path = prefix + std::string(last);
        if (line_of(path) != 0) refuse(line_of(path), path, "has no effect, since no server is mqtts://");
      }
    }
    if (owner.cert_file.empty() != owner.key_file.empty()) {
      refuse(line_of(prefix + (owner.cert_file.empty() ? "key_file" : "cert_file")),
             prefix + (owner.cert_file.empty() ? "cert_file" : "key_file"), "cert_file and key_file go together");
    }
    if (!owner.password_file.empty() && owner.username.empty()) {
      refuse(line_of(prefix + "password_file"), prefix + "username", "is needed with password_file");
    }
  }

  void check_upstream(const Upstream& upstream) {
    check_required(kUpstreamSection, upstream.name, upstream_keys());
    check_credentials("upstream." + upstream.name + ".", upstream, true);
  }

  void check_source(const Source& source) {
    const std::string prefix = "source." + source.name + ".";
    check_required(kSourceSection, source.name, source_keys());
    const bool is_mqtt = source.kind == SourceKind::mqtt;
    for (const std::string& server : source.servers) {
      if ((server.find("://") != std::string::npos) == is_mqtt) continue;
      refuse(
          line_of(prefix + "servers"), prefix + "servers",
          about(server, ": ", is_mqtt ? "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]" : "expected HOST[:PORT]"));
    }
    for (const std::string& topic : source.topics) {
      if (is_mqtt || is_kafka_topic(topic)) continue;
      refuse(line_of(prefix + "topics"), prefix + "topics",
             about(topic, ": ", "a topic of Kafka has at most 249 characters of a-z, A-Z, 0-9, ., _ and -"));
    }
    for (const std::string_view last : {"from", "sasl_mechanism", "protocol"}) {
      const std::string path = prefix + std::string(last);
      if (line_of(path) == 0 || (last == "protocol") == is_mqtt) continue;
      refuse(line_of(path), path, is_mqtt ? "is for kafka only" : "is for mqtt only");
    }
    if (!is_mqtt && source.ca_file.empty() && !source.cert_file.empty())
      refuse(line_of(prefix + "cert_file"), prefix + "ca_file", "is needed with cert_file");
    check_credentials(prefix, source, is_mqtt);
  }

  void check_tls() {
    const Config& config = loaded_.config;
    if (config.push_listen.empty() && config.push_tls_listen.empty())
      refuse(line_of("http.push.listen"), "http.push.listen", "is empty, and so is tls_listen: nobody could push");
    if (config.tls_cert_file.empty() != config.tls_key_file.empty()) {
      const bool has_cert = !config.tls_cert_file.empty();
      refuse(line_of(has_cert ? "tls.cert_file" : "tls.key_file"), has_cert ? "tls.key_file" : "tls.cert_file",
             "cert_file and key_file go together");
    }
    if (config.push_client_certificate == ClientCertificate::required && config.tls_client_ca_file.empty()) {
      refuse(line_of("http.push.client_certificate"), "tls.client_ca_file",
             "is needed for client_certificate = \"required\": the CA that the certificates come from");
    }
    const ConnectionShares shares = connection_shares(board_, config);
    const std::int64_t least = config.push_listen.empty() ? 0 : kPlainConnectionsMin;
    if (shares.push_tls + shares.admin_tls == 0 || shares.push_plain >= least) return;
    refuse(line_of("http.push.connections_max"), "http.push.connections_max",
           "is too small: " + std::to_string(shares.push_tls + shares.admin_tls) + " TLS connections count as " +
               std::to_string(board_.tls_connection_cost) + " each, TLS itself as " +
               std::to_string(board_.tls_base_cost) + "; at least " +
               std::to_string(config.push_connections_max - shares.push_plain + least) + " are needed");
  }

  void check_together() {
    const Config& config = loaded_.config;
    check_tls();
    Ledger ledger = ledger_for(board_, config);
    const std::int64_t needed = sum_bytes(ledger) - ledger.body_pool + config.push_body_bytes_max;
    if (ledger.body_pool >= config.push_body_bytes_max) return;
    refuse(line_of("memory.budget_bytes"), "memory.budget_bytes",
           "is too small: " + std::to_string(config.push_connections_max) + " connections and one body of " +
               std::to_string(config.push_body_bytes_max) + " bytes need " + std::to_string(needed));
  }

  std::uint32_t line_of(std::string_view key) const noexcept {
    const auto found = std::find_if(loaded_.origins.begin(), loaded_.origins.end(),
                                    [&](const Origin& origin) { return origin.key == key; });
    return found == loaded_.origins.end() ? 0 : found->line;
  }

  const BoardProfile& board_;
  Loaded loaded_;
  std::vector<Problem> problems_;
  std::size_t unreported_ = 0;
  std::set<std::string, std::less<>> bad_names_;
  std::set<std::string, std::less<>> required_seen_;
  std::map<std::string, std::uint32_t, std::less<>> section_lines_;  ///< of the named sections
};

}  // namespace

std::string to_text(const Problem& problem) {
  std::string out = problem.file;
  if (problem.line != 0) out += ":" + std::to_string(problem.line);
  if (!problem.key.empty()) out.append(out.empty() ? "" : ": ").append(problem.key);
  return out.append(out.empty() ? "" : ": ").append(problem.message);
}

std::vector<NamedFile> named_files(const Loaded& loaded) {
  std::vector<NamedFile> out;
  const auto add_file = [&](std::string key, const std::string& path) {
    if (path.empty()) return;
    NamedFile one{.key = std::move(key), .line = 0, .path = path};
    const auto origin = std::find_if(loaded.origins.begin(), loaded.origins.end(),
                                     [&](const Origin& known) { return known.key == one.key; });
    if (origin != loaded.origins.end()) one.line = origin->line;
    out.push_back(std::move(one));
  };
  const auto add = [&](const std::string& prefix, const auto& owner) {
    for (const auto& [last, path] :
         {std::pair{"ca_file", &owner.ca_file}, std::pair{"cert_file", &owner.cert_file},
          std::pair{"key_file", &owner.key_file}, std::pair{"password_file", &owner.password_file}}) {
      add_file(prefix + last, *path);
    }
  };
  add_file("tls.client_ca_file", loaded.config.tls_client_ca_file);
  for (const Upstream& upstream : loaded.config.upstreams) add("upstream." + upstream.name + ".", upstream);
  for (const Source& source : loaded.config.sources) add("source." + source.name + ".", source);
  return out;
}

tl::expected<Loaded, std::vector<Problem>> load(std::string_view text, std::string_view file,
                                                const BoardProfile& board) {
  Loader loader(file, board);
  if (text.size() > kTextBytesMax) {
    loader.refuse(0, "", "is larger than " + std::to_string(kTextBytesMax) + " bytes");
    return loader.finish();
  }
  const auto assignments = read_toml(text);
  if (!assignments) {
    loader.refuse(assignments.error().line, "", assignments.error().message);
    return loader.finish();
  }
  for (const Assignment& one : *assignments) loader.take(one);
  return loader.finish();
}

tl::expected<Loaded, std::vector<Problem>> load_embedded(std::string_view data_dir, const BoardProfile& board) {
  Loader loader("", board);
  loader.set_from_command_line("appliance.data_dir", std::string(data_dir));
  loader.set_from_command_line("control.socket", std::string(data_dir) + "/control.sock");
  return loader.finish();
}

}  // namespace tocsin::config
