// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_answer.hpp"

#include <charconv>

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ctl {
namespace {

/// Bytes of the UTF-8 character at the start of `text`; 0: there is none.
std::size_t character_bytes(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool is_bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return is_bad ? 0 : size;
}

}  // namespace

Value Value::member(std::string_view name) const {
  if (kind() != json::Kind::object) return {};
  json::Cursor cursor(text_);
  cursor.enter('{');
  std::string_view written_name;
  while (cursor.next_member(written_name)) {
    const std::string_view value = cursor.skip();
    if (json::stands_for(written_name, name)) return Value(value);
  }
  return {};
}

Value Value::any_of(std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names) {
    const Value value = member(name);
    if (value.kind() != json::Kind::null) return value;
  }
  return {};
}

std::vector<Value> Value::elements() const {
  std::vector<Value> out;
  if (kind() != json::Kind::array) return out;
  json::Cursor cursor(text_);
  cursor.enter('[');
  while (cursor.next_element()) out.emplace_back(cursor.skip());
  return out;
}

std::vector<std::pair<std::string, Value>> Value::members() const {
  std::vector<std::pair<std::string, Value>> out;
  if (kind() != json::Kind::object) return out;
  json::Cursor cursor(text_);
  cursor.enter('{');
  std::string_view written_name;
  while (cursor.next_member(written_name)) {
    std::string name;
    json::append_unescaped(written_name, name);
    const std::string_view value = cursor.skip();
    out.emplace_back(std::move(name), Value(value));
  }
  return out;
}

std::optional<std::string> Value::text() const {
  if (kind() != json::Kind::string) return std::nullopt;
  std::string out;
  json::append_unescaped(json::inside_of(text_), out);
  return out;
}

std::optional<std::int64_t> Value::integer() const {
  if (kind() != json::Kind::number) return std::nullopt;
  return json::to_integer(text_);
}

std::string Value::shown() const {
  if (kind() == json::Kind::null) return "-";
  if (auto plain = text()) return *std::move(plain);
  std::string out;
  json::append_compact(text_, out);
  return out;
}

bool Document::parse(json::Parser& parser, std::string_view text) {
  root_ = Value();
  buffer_.assign(text);
  buffer_.append(json::kPaddingBytes, '\0');
  const auto checked = parser.check({buffer_.data(), text.size()});
  if (!checked) return false;
  root_ = Value(checked->text);
  return true;
}

std::vector<Value> entries_of(const Value& data) {
  return data.kind() == json::Kind::array ? data.elements() : data.member("items").elements();
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append(1, '%').append(1, kHex[byte >> 4U]).append(1, kHex[byte & 15U]);
    }
  }
  return out;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (text.front() != '\0') {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace tocsin::ctl
