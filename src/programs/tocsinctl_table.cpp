// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_table.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tocsin::ctl {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// East Asian Width W and F of Unicode, joined where what lies between is not in use.
constexpr std::array kWide = {
    Range{0x1100, 0x115f},   Range{0x231a, 0x231b},   Range{0x2e80, 0x303e},   Range{0x3041, 0x33ff},
    Range{0x3400, 0x4dbf},   Range{0x4e00, 0xa4cf},   Range{0xa960, 0xa97f},   Range{0xac00, 0xd7a3},
    Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},
    Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff}, Range{0x20000, 0x3fffd},
};
constexpr std::array kNoWidth = {
    Range{0x0300, 0x036f}, Range{0x200b, 0x200f}, Range{0x20d0, 0x20ff}, Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f},
};
// These change the order in which a terminal shows what follows.
constexpr std::array kDirection = {Range{0x200e, 0x200f}, Range{0x202a, 0x202e}, Range{0x2066, 0x2069}};

template <std::size_t N>
bool is_in(std::uint32_t c, const std::array<Range, N>& ranges) noexcept {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return c >= r.first && c <= r.last; });
}

/// Takes the next character off `text`. Bytes that are none count as one character each.
std::uint32_t take(std::string_view& text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(0);
  const std::size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 1 || text.size() < size) {
    text.remove_prefix(1);
    return first;
  }
  std::uint32_t out = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) out = (out << 6U) | (byte(i) & 0x3fU);
  text.remove_prefix(size);
  return out;
}

std::size_t width(std::uint32_t c) noexcept {
  if (is_in(c, kNoWidth)) return 0;
  return is_in(c, kWide) ? 2 : 1;
}

std::string cut(std::string_view text) {
  if (columns_of(text) <= kCellColumnsMax) return std::string(text);
  std::string_view rest = text;
  std::size_t columns = 0;
  while (!rest.empty()) {
    std::string_view next = rest;
    columns += width(take(next));
    if (columns > kCellColumnsMax - 1) break;
    rest = next;
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

void add_padded(std::string& out, std::string_view text, std::size_t columns) {
  out.append(text).append(columns - columns_of(text), ' ');
}

}  // namespace

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) columns += width(take(text));
  return columns;
}

std::string plain_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view rest = text;
    const std::uint32_t c = take(rest);
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
      out += ' ';
    } else if (!is_in(c, kDirection)) {
      out.append(text.substr(0, text.size() - rest.size()));
    }
    text = rest;
  }
  return out;
}

std::string table_of(const std::vector<std::string>& titles, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines{titles};
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (const std::string& cell : row) line.push_back(cut(plain_line(cell)));
  }
  std::vector<std::size_t> columns(titles.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) columns[i] = std::max(columns[i], columns_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) add_padded(out, line[i], columns[i] + 2);
    out.append(line.back()).append("\n");
  }
  return out;
}

std::string list_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::size_t columns = 0;
  for (const auto& [name, value] : entries) columns = std::max(columns, columns_of(plain_line(name)));
  std::string out;
  for (const auto& [name, value] : entries) {
    add_padded(out, plain_line(name), columns + 2);
    out.append(plain_line(value)).append("\n");
  }
  return out;
}

}  // namespace tocsin::ctl
