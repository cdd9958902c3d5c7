// SPDX-License-Identifier: Apache-2.0
#include "src/api/body.hpp"

#include <algorithm>
#include <charconv>

#include "src/ingest/event_time.hpp"

namespace tocsin::api {
namespace {

constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  // the end of the year 9999

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

std::string not_json(const json::ParseError& error) {
  const std::string place = error.has_place ? " near byte " + std::to_string(error.offset) : std::string{};
  return std::string("the body is not JSON: ").append(error.reason).append(place);
}

Body::Body(const Services& services, std::string_view text, std::initializer_list<std::string_view> known) {
  if (text.empty()) return;
  auto parsed = json::Document::parse(services.parser, text);
  if (!parsed) {
    problem_ = not_json(parsed.error());
    return;
  }
  document_ = std::move(*parsed);
  if (!root().is_object()) {
    problem_ = "the body must be a JSON object";
    return;
  }
  const auto unknown = root().unknown_member({known.begin(), known.size()});
  if (!unknown) return;
  std::string rule = "not known here; the members are";
  for (const std::string_view name : known) rule.append(name == *known.begin() ? " " : ", ").append(name);
  if (known.size() == 0) rule = "not known here; the body must be empty";
  reject(*unknown, rule);
}

void Body::reject(std::string_view name, std::string_view rule) {
  if (!ok()) return;
  problem_.assign(name.substr(0, 64)).append(": ").append(rule);
}

void Body::reject(std::string problem) {
  if (ok()) problem_ = std::move(problem);
}

void Body::require(std::string_view name) {
  if (ok() && !has(name)) reject(name, "missing");
}

std::optional<std::string> Body::text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max) {
  const json::Node node = find(name);
  if (!node.exists()) return std::nullopt;
  const auto text = node.text();
  if (text && text->size() >= bytes_min && text->size() <= bytes_max && !has_control(*text)) return std::string(*text);
  reject(name, "must be a string of " + std::to_string(bytes_min) + " to " + std::to_string(bytes_max) +
                   " bytes without control characters");
  return std::nullopt;
}

std::optional<std::int64_t> Body::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const json::Node node = find(name);
  if (!node.exists()) return std::nullopt;
  const auto value = node.integer();
  if (value && *value >= min && *value <= max) return value;
  reject(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<bool> Body::boolean(std::string_view name) {
  const json::Node node = find(name);
  if (!node.exists()) return std::nullopt;
  if (node.boolean()) return node.boolean();
  reject(name, "must be true or false");
  return std::nullopt;
}

std::optional<std::size_t> Body::word(std::string_view name, std::initializer_list<std::string_view> words) {
  const json::Node node = find(name);
  if (!node.exists()) return std::nullopt;
  const auto text = node.text();
  const auto at = text ? std::ranges::find(words, *text) : words.end();
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  std::string rule = "must be one of";
  for (const std::string_view word : words) rule.append(" \"").append(word).append("\"");
  reject(name, rule);
  return std::nullopt;
}

std::optional<std::vector<std::string>> Body::texts(std::string_view name, std::size_t count_max,
                                                    std::size_t bytes_max) {
  const json::Node node = find(name);
  if (!node.exists()) return std::nullopt;
  std::vector<std::string> out;
  bool is_good = node.is_array();
  for (json::Node at = is_good ? node.first() : json::Node{}; is_good && at.exists(); at = at.next()) {
    const auto text = at.text();
    is_good = text && !text->empty() && text->size() <= bytes_max && out.size() < count_max;
    if (is_good) out.emplace_back(*text);
  }
  if (is_good && !out.empty()) return out;
  reject(name, "must be a list of 1 to " + std::to_string(count_max) + " strings of 1 to " + std::to_string(bytes_max) +
                   " bytes");
  return std::nullopt;
}

std::optional<std::int64_t> Body::time(std::string_view name) {
  const json::Node node = find(name);
  if (!node.exists()) return std::nullopt;
  const auto ms = node.text() ? parse_time(*node.text()) : node.integer();
  if (ms && *ms >= 0 && *ms <= kTimeMsMax) return ms;
  reject(name, "must be an RFC 3339 time such as 2026-01-31T08:00:00Z or epoch milliseconds");
  return std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) noexcept {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto plain = std::from_chars(text.data(), end, number);
  if (plain.ec == std::errc{} && plain.ptr == end) {
    return number >= 0 && number <= kTimeMsMax ? std::optional(number) : std::nullopt;
  }
  return ingest::parse_time_text(text, 0);
}

bool has_control(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_account_name(std::string_view name) noexcept {
  const auto is_allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= model::kAccountNameBytesMax && (is_letter(name[0]) || is_digit(name[0])) &&
         std::ranges::all_of(name, is_allowed);
}

bool is_plugin_id(std::string_view name) noexcept {
  const auto is_allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !name.empty() && name.size() <= model::kPluginIdBytesMax && is_letter(name[0]) &&
         std::ranges::all_of(name, is_allowed);
}

}  // namespace tocsin::api
