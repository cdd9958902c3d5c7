// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/topic.hpp"

#include <array>
#include <charconv>

namespace tocsin::deliver {
namespace {

constexpr std::array<std::string_view, 5> kNames{"appliance", "name", "data_id", "plugin", "upstream_data_id"};

Error bad(Where where) { return error(Errc::invalid_input, where); }

/// Length of the UTF-8 sequence at the front when a topic may contain that character; 0: it may not.
std::size_t topic_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const unsigned first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7F || first == '+' || first == '#' ? 0 : 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  unsigned code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<unsigned, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool is_control = code < 0xA0;
  const bool is_noncharacter = (code & 0xFFFEU) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
  if (code < kSmallest[length] || code > 0x10FFFF || is_surrogate || is_control || is_noncharacter) return 0;
  return length;
}

void append_level(std::string& out, std::string_view value) {
  if (value.empty()) out += '_';
  while (!value.empty()) {
    const std::size_t length = value.front() == '/' ? 0 : topic_character(value);
    if (length == 0)
      out += '_';
    else
      out.append(value.substr(0, length));
    value.remove_prefix(length == 0 ? 1 : length);
  }
}

void append_fact(std::string& out, std::string_view name, const TopicFacts& facts) {
  if (name == "appliance")
    append_level(out, facts.appliance);
  else if (name == "name")
    append_level(out, facts.name);
  else if (name == "plugin")
    append_level(out, facts.plugin);
  else if (name == "data_id")
    out += std::to_string(facts.data_id);
  else
    out += std::to_string(facts.upstream_data_id);
}

bool is_name(std::string_view name) {
  for (const auto known : kNames)
    if (name == known) return true;
  return false;
}

}  // namespace

Status check_topic_template(std::string_view rest) {
  if (rest.empty() || rest.size() > kTopicBytesMax || rest.front() == '$') return bad("topic");
  if (rest.front() == '/' || rest.back() == '/' || rest.find("//") != std::string_view::npos)
    return bad("topic with an empty level");
  while (!rest.empty()) {
    if (rest.front() == '{') {
      const std::size_t end = rest.find('}');
      if (end == std::string_view::npos || !is_name(rest.substr(1, end - 1))) return bad("topic with an unknown name");
      rest.remove_prefix(end + 1);
      continue;
    }
    const std::size_t length = rest.front() == '}' ? 0 : topic_character(rest);
    if (length == 0) return bad("topic with a character that topics cannot have");
    rest.remove_prefix(length);
  }
  return {};
}

std::string expand_topic(std::string_view rest, const TopicFacts& facts) {
  std::string out;
  while (!rest.empty()) {
    const std::size_t brace = std::min(rest.find('{'), rest.size());
    out.append(rest.substr(0, brace));
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    const std::size_t end = rest.find('}');
    append_fact(out, rest.substr(1, end - 1), facts);
    rest.remove_prefix(end + 1);
  }
  if (out.front() == '$') out.front() = '_';  // a name that begins so would leave our tree
  if (out.size() > kTopicBytesMax) {
    std::size_t size = kTopicBytesMax;
    while ((static_cast<unsigned char>(out[size]) & 0xC0U) == 0x80U) --size;
    out.resize(size);
    if (out.back() == '/') out.back() = '_';
  }
  return out;
}

Result<port::BrokerServer> parse_server(std::string_view url) {
  port::BrokerServer out;
  if (url.starts_with("mqtts://")) {
    out.tls = true;
    out.port = 8883;
    url.remove_prefix(8);
  } else if (url.starts_with("mqtt://")) {
    url.remove_prefix(7);
  } else {
    return bad("server without mqtt:// or mqtts://");
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  std::string_view host = url.substr(0, url.find(':'));
  if (url.starts_with('[')) {
    const std::size_t end = url.find(']');
    if (end == std::string_view::npos) return bad("server address");
    host = url.substr(1, end - 1);
    url.remove_prefix(end + 1);
  } else {
    url.remove_prefix(host.size());
  }
  if (host.empty() || host.size() > 253) return bad("server name");
  for (const char c : host)
    if (c <= ' ' || c == '/' || c == '@' || c == '\x7F' || c == '[') return bad("server name");
  out.host = host;
  if (url.empty()) return out;
  if (url.front() != ':') return bad("server address");
  url.remove_prefix(1);
  const auto [end, failure] = std::from_chars(url.data(), url.data() + url.size(), out.port);
  if (failure != std::errc{} || end != url.data() + url.size() || out.port == 0) return bad("server port");
  return out;
}

std::string to_text(const port::BrokerServer& server) {
  const bool bracket = server.host.find(':') != std::string::npos;
  return (bracket ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

}  // namespace tocsin::deliver
