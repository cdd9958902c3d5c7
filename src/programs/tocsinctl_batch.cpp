// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_batch.hpp"

#include <istream>

#include "src/config/address.hpp"
#include "src/json/writer.hpp"
#include "src/programs/tocsinctl_answer.hpp"

namespace tocsin::ctl {
namespace {

void write_dimensions(json::Writer& writer, const EventTemplate& common) {
  writer.name("dimension").object();
  for (const auto& [key, value] : common.dimensions) writer.member(to_utf8(key), to_utf8(value));
  writer.end_object();
}

}  // namespace

std::string item_of(const EventTemplate& common, std::string_view content) {
  std::string out;
  json::Writer writer(out);
  writer.object().member("event_name", to_utf8(common.event_name));
  writer.name("event").object().member("content", to_utf8(content)).end_object();
  writer.member("target", to_utf8(common.target));
  write_dimensions(writer, common);
  if (common.timestamp_ms) writer.name("timestamp").number(*common.timestamp_ms);
  writer.end_object();
  return out;
}

std::optional<Metric> metric_of(json::Parser& parser, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  Document value;
  if (!value.parse(parser, text.substr(equals + 1)) || value.root().kind() != json::Kind::number) return std::nullopt;
  return Metric{std::string(text.substr(0, equals)), std::string(value.root().written())};
}

std::string metric_item_of(const EventTemplate& common, const std::vector<Metric>& metrics) {
  std::string out;
  json::Writer writer(out);
  writer.object().name("metrics").object();
  for (const Metric& one : metrics) writer.name(to_utf8(one.name)).raw(one.number);
  writer.end_object();
  if (!common.target.empty()) writer.member("target", to_utf8(common.target));
  write_dimensions(writer, common);
  if (common.timestamp_ms) writer.name("timestamp").number(*common.timestamp_ms);
  writer.end_object();
  return out;
}

Result<std::optional<std::string>> read_line(std::istream& in) {
  std::string line;
  char c = '\0';
  while (in.get(c)) {
    if (c == '\n') return std::optional(std::move(line));
    if (line.size() == kLineBytesMax) return error(Errc::out_of_budget, "is longer than 512000 bytes");
    line += c;
  }
  if (line.empty()) return std::optional<std::string>{};
  return std::optional(std::move(line));
}

std::string url_of_listener(std::string_view listen_address) {
  const auto address = config::parse_listen(listen_address);
  if (!address.ok() || address->port == 0) return {};
  const std::string port = ":" + std::to_string(address->port);
  if (address->is_ipv6) return "http://[" + (address->host == "::" ? "::1" : address->host) + "]" + port;
  return "http://" + (address->host == "0.0.0.0" ? "127.0.0.1" : address->host) + port;
}

std::string Batch::body(std::int64_t data_id, std::string_view token) const {
  std::string out;
  json::Writer writer(out);
  writer.object().name("data_id").number(data_id).member("access_token", to_utf8(token));
  writer.name("data").raw("[" + items_ + "]").end_object();
  return out;
}

}  // namespace tocsin::ctl
