// SPDX-License-Identifier: Apache-2.0
#include "src/config/address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace tocsin::config {
namespace {

constexpr std::size_t kHostBytesMax = 253;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<std::uint16_t> number(std::string_view text, unsigned most) noexcept {
  unsigned value = 0;
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

bool is_ipv4(std::string_view text) noexcept {
  int parts = 0;
  while (parts < 4) {
    const std::size_t dot = text.find('.');
    if (!number(text.substr(0, dot), 255)) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    text.remove_prefix(dot + 1);
  }
  return false;
}

// Groups of one side of "::"; the last may be an IPv4 address, which counts as two. -1: not an address.
int groups(std::string_view text) noexcept {
  if (text.empty()) return 0;
  int count = 0;
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && is_ipv4(group)) return count + 2;
    if (group.empty() || group.size() > 4 || !std::all_of(group.begin(), group.end(), is_hex)) return -1;
    if (++count > 8) return -1;
    if (colon == std::string_view::npos) return count;
    text.remove_prefix(colon + 1);
  }
}

bool is_ipv6(std::string_view text) noexcept {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return groups(text) == 8;
  const int left = groups(text.substr(0, gap));
  const int right = groups(text.substr(gap + 2));
  return left >= 0 && right >= 0 && left + right <= 7;
}

bool is_host_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > kHostBytesMax) return false;
  char before = '.';
  for (const char c : text) {
    if (!is_digit(c) && !is_letter(c) && c != '-' && c != '.' && c != '_') return false;
    if (before == '.' && (c == '.' || c == '-')) return false;
    before = c;
  }
  return before != '-';
}

bool looks_like_an_ipv4_address(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool is_bracketed = false;
};

std::optional<HostPort> split(std::string_view text) noexcept {
  HostPort out;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.host = text.substr(1, close - 1);
    out.is_bracketed = true;
    text.remove_prefix(close + 1);
    if (text.empty()) return out;
    if (text.front() != ':') return std::nullopt;
    out.port = text.substr(1);
    return out;
  }
  const std::size_t colon = text.find(':');
  out.host = text.substr(0, colon);
  if (colon != std::string_view::npos) out.port = text.substr(colon + 1);
  return out;
}

/// The rest of a server's address, behind its scheme.
Result<ServerUrl> parse_host_and_port(std::string_view text, ServerUrl out) {
  if (text.find_first_of("/?#") != std::string_view::npos) {
    return error(Errc::invalid_input, "a broker's address ends after the port, it has no path");
  }
  if (text.find('@') != std::string_view::npos) {
    return error(Errc::invalid_input, "credentials do not belong into the address; use username and password_file");
  }
  const auto parts = split(text);
  const bool good_host = parts && (parts->is_bracketed                       ? is_ipv6(parts->host)
                                   : looks_like_an_ipv4_address(parts->host) ? is_ipv4(parts->host)
                                                                             : is_host_name(parts->host));
  if (!good_host) return error(Errc::invalid_input, "not a host name or address");
  out.host = std::string(parts->host);
  if (parts->port) {
    const auto port = number(*parts->port, 65535);
    if (!port || *port == 0) return error(Errc::invalid_input, "the port must be a number from 1 to 65535");
    out.port = *port;
  }
  return out;
}

bool is_level_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 32 || name.front() < 'a' || name.front() > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// Empty: a level that a filter may have.
std::string check_level(std::string_view level, bool is_last, std::vector<std::string_view>& names) {
  if (level == "+") return {};
  if (level == "#") return is_last ? "" : "# must be the last level";
  if (level.find_first_of("+#") != std::string_view::npos) return "+ and # stand for whole levels";
  if (level.find_first_of("{}") == std::string_view::npos) return {};
  const bool is_name = level.size() > 2 && level.front() == '{' && level.back() == '}' &&
                       is_level_name(level.substr(1, level.size() - 2));
  if (!is_name) return "a level in braces is {name}: a-z first, at most 32 characters of a-z, 0-9 and _";
  if (std::find(names.begin(), names.end(), level) != names.end()) return std::string(level) + " stands there twice";
  names.push_back(level);
  return {};
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto parts = split(text);
  if (!parts || !parts->port)
    return error(Errc::invalid_input, "expected ADDRESS:PORT, such as 0.0.0.0:10205 or [::1]:10206");
  const auto port = number(*parts->port, 65535);
  if (!port) return error(Errc::invalid_input, "the port must be a number from 0 to 65535");
  if (!(parts->is_bracketed ? is_ipv6(parts->host) : is_ipv4(parts->host))) {
    return error(Errc::invalid_input, "the address must be numeric, such as 0.0.0.0:10205 or [::1]:10206");
  }
  const bool loopback = parts->is_bracketed ? parts->host == "::1" : parts->host.starts_with("127.");
  return ListenAddress{std::string(parts->host), *port, parts->is_bracketed, loopback};
}

Result<MessageListen> parse_message_listen(std::string_view text) {
  constexpr std::size_t kPathBytesMax = 107;  // sockaddr_un
  MessageListen out;
  const auto take = [&text](std::string_view scheme) {
    const bool is_it = text.starts_with(scheme);
    if (is_it) text.remove_prefix(scheme.size());
    return is_it;
  };
  const bool is_unix_stream = take("unix-stream://");
  if (is_unix_stream || take("unix://")) {
    out.is_stream = is_unix_stream;
    if (!text.starts_with('/') || text.ends_with('/') || text.size() > kPathBytesMax) {
      return error(Errc::invalid_input, "the path of a Unix socket begins with / and has at most 107 bytes");
    }
    out.unix_path = std::string(text);
    return out;
  }
  out.is_stream = take("tcp://");
  if (!out.is_stream && !take("udp://")) {
    return error(Errc::invalid_input,
                 "expected udp://ADDRESS:PORT, tcp://ADDRESS:PORT, unix:///PATH or unix-stream:///PATH");
  }
  auto address = parse_listen(text);
  if (!address.ok()) return address.error();
  out.address = std::move(*address);
  return out;
}

Result<ServerUrl> parse_server(std::string_view text) {
  if (text.starts_with("mqtt://")) return parse_host_and_port(text.substr(7), {.port = 1883});
  if (text.starts_with("mqtts://")) return parse_host_and_port(text.substr(8), {.is_tls = true, .port = 8883});
  return error(Errc::invalid_input, "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]");
}

Result<ServerUrl> parse_kafka_server(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return error(Errc::invalid_input, "expected HOST[:PORT]");
  return parse_host_and_port(text, {.port = 9092});
}

std::string check_topic_filter(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }))
    return "must not contain control characters";
  if (text.starts_with("$share/")) return "shared subscriptions share messages among readers; this box wants all";
  std::vector<std::string_view> names;
  for (;;) {
    const std::size_t slash = text.find('/');
    const bool is_last = slash == std::string_view::npos;
    if (std::string bad = check_level(text.substr(0, slash), is_last, names); !bad.empty()) return bad;
    if (is_last) return {};
    text.remove_prefix(slash + 1);
  }
}

std::string plain_filter(std::string_view filter) {
  std::string out;
  bool is_inside = false;
  for (const char c : filter) {
    if (c == '{') out.push_back('+');
    is_inside = (is_inside || c == '{') && c != '}';
    if (!is_inside && c != '}') out.push_back(c);
  }
  return out;
}

}  // namespace tocsin::config
