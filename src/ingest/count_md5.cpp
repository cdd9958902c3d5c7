// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/count_md5.hpp"

#include <algorithm>
#include <charconv>

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::string plain_text(std::string_view inside) {
  std::string out;
  json::append_unescaped(inside, out);
  return out;
}

}  // namespace

std::size_t CountMd5::Known::place_of(std::string_view text) noexcept {
  std::uint32_t hash = 2'166'136'261;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return (hash ^ hash >> 16U) % kEntries;
}

const CountMd5::Digest* CountMd5::Known::find(std::string_view text) const noexcept {
  if (text.size() > kTextBytesMax) return nullptr;
  const Entry& entry = entries_[place_of(text)];
  return std::string_view{entry.text.data(), entry.size} == text ? &entry.digest : nullptr;
}

void CountMd5::Known::note(std::string_view text, const Digest& digest) noexcept {
  if (text.size() > kTextBytesMax) return;
  Entry& entry = entries_[place_of(text)];
  entry.size = static_cast<std::uint8_t>(text.size());
  std::copy(text.begin(), text.end(), entry.text.begin());
  entry.digest = digest;
}

CountMd5::Digest CountMd5::of_text(std::string_view text) const noexcept {
  if (const Digest* const known = known_ != nullptr ? known_->find(text) : nullptr; known != nullptr) return *known;
  const port::Digest128 raw = crypto_.md5(as_bytes(text));
  Digest out{};
  for (std::size_t i = 0; i < raw.size(); ++i) {
    out[2 * i] = kHex[std::to_integer<unsigned>(raw[i]) >> 4U];
    out[2 * i + 1] = kHex[std::to_integer<unsigned>(raw[i]) & 15U];
  }
  if (known_ != nullptr) known_->note(text, out);
  return out;
}

CountMd5::Digest CountMd5::of_list(std::vector<Digest>& digests) const {
  std::sort(digests.begin(), digests.end());
  std::string text = "[";
  text.reserve(2 + digests.size() * 36);
  for (const Digest& digest : digests) {
    if (text.size() > 1) text += ", ";
    text.append(1, '\'').append(digest.data(), digest.size()).append(1, '\'');
  }
  text += ']';
  return of_text(text);
}

CountMd5::Digest CountMd5::of_json(std::string_view json) const {
  json::Cursor at{json};
  std::vector<Digest> parts;
  switch (at.kind()) {
    case json::Kind::null: return of_text("None");
    case json::Kind::boolean: return of_text(json.front() == 't' ? "True" : "False");
    case json::Kind::number: return of_text(python_number(json));
    case json::Kind::string: {
      const std::string_view inside = json::inside_of(json);
      return json::has_escapes(inside) ? of_text(plain_text(inside)) : of_text(inside);
    }
    case json::Kind::array:
      for (at.enter('['); at.next_element();) parts.push_back(of_json(at.skip()));
      return of_list(parts);
    case json::Kind::object: break;
  }
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const Digest value = of_json(at.skip());
    std::vector<Digest> pair{of_text(plain_text(name)), of_text({value.data(), value.size()})};
    parts.push_back(of_list(pair));
  }
  return of_list(parts);
}

std::string python_number(std::string_view number) {
  if (number.find_first_of(".eE") == std::string_view::npos) return number == "-0" ? "0" : std::string{number};
  std::array<char, 32> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), json::to_double(number), std::chars_format::scientific).ptr;
  const std::string_view shortest{text.data(), static_cast<std::size_t>(end - text.data())};
  const std::size_t e = shortest.find('e');
  int exponent = 0;
  std::from_chars(shortest.data() + e + (shortest[e + 1] == '+' ? 2 : 1), end, exponent);
  if (exponent < -4 || exponent >= 16) return std::string{shortest};  // both write two exponent digits at least
  std::string out = shortest.front() == '-' ? "-" : "";
  std::string digits;
  for (const char c : shortest.substr(0, e)) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  if (exponent < 0) return out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  out.append(digits, 0, whole).append(1, '.');
  return digits.size() > whole ? out.append(digits, whole) : out.append(1, '0');
}

Id128 to_id(const CountMd5::Digest& digest) noexcept {
  Id128 out{};
  static_cast<void>(from_hex({digest.data(), digest.size()}, out));
  return out;
}

}  // namespace tocsin::ingest
