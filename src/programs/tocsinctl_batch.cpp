// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_batch.hpp"

#include <algorithm>
#include <istream>

#include "src/config/address.hpp"
#include "src/json/writer.hpp"
#include "src/programs/tocsinctl_answer.hpp"

namespace tocsin::ctl {
namespace {

constexpr int kTriesMax = 20;
constexpr std::int64_t kWaitMaxS = 60;

}  // namespace

std::string item_of(const EventTemplate& common, std::string_view content) {
  std::string out;
  json::Writer writer(out);
  writer.object().member("event_name", to_utf8(common.event_name));
  writer.name("event").object().member("content", to_utf8(content)).end_object();
  writer.member("target", to_utf8(common.target)).name("dimension").object();
  for (const auto& [key, value] : common.dimensions) writer.member(to_utf8(key), to_utf8(value));
  writer.end_object();
  if (common.timestamp_ms) writer.name("timestamp").number(*common.timestamp_ms);
  writer.end_object();
  return out;
}

Result<std::string> item_of_line(json::Parser& parser, const EventTemplate& common, std::string_view line) {
  if (line.starts_with('{')) {
    Document item;
    if (!item.parse(parser, line)) return error(Errc::invalid_input, "begins with { and is not a JSON object");
    return std::string(item.root().written());
  }
  if (common.event_name.empty() || common.target.empty()) {
    return error(Errc::invalid_input, "a line of text needs --event-name and --target");
  }
  return item_of(common, line);
}

Result<std::optional<std::string>> read_line(std::istream& in) {
  std::string line;
  char c = '\0';
  while (in.get(c)) {
    if (c == '\n') return std::optional(std::move(line));
    if (line.size() == kLineBytesMax) return error(Errc::out_of_budget, "is longer than 131072 bytes");
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

std::optional<std::int64_t> wait_s(int status, std::int64_t retry_after_s, int tries_done) noexcept {
  if ((status != 429 && status != 503) || tries_done >= kTriesMax) return std::nullopt;
  return std::clamp<std::int64_t>(retry_after_s, 1, kWaitMaxS);
}

}  // namespace tocsin::ctl
