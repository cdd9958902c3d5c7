// SPDX-License-Identifier: Apache-2.0
#include "src/config/toml_text.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <algorithm>

namespace tocsin::config {
namespace {

// No key has more parts than "upstream.<name>.<key>". Deeper tables are reported where they begin, which also bounds
// the recursion below.
constexpr int kDepthMax = 4;
// The library bounds nested values, not the parts of a dotted key, and destroys tables recursively.
constexpr std::size_t kDotsInLineMax = 256;

bool is_bare(std::string_view part) noexcept {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string join(std::string_view path, std::string_view part) {
  std::string out(path);
  if (!out.empty()) out += '.';
  if (is_bare(part)) return out.append(part);
  return out.append(1, '"').append(part).append(1, '"');
}

void flatten(const toml::table& table, const std::string& path, int depth, std::vector<Assignment>& out);

void add(const toml::node& node, std::uint32_t line, std::string path, int depth, std::vector<Assignment>& out) {
  Assignment one{.path = std::move(path), .line = line, .value = ForeignValue{"value of an unexpected kind"}};
  if (const auto* table = node.as_table()) {
    if (depth < kDepthMax && !table->empty()) return flatten(*table, one.path, depth + 1, out);
    if (table->empty()) {
      one.value = EmptySection{};
    } else {
      one.value = ForeignValue{"section"};
    }
  } else if (const auto* integer = node.as_integer()) {
    one.value = integer->get();
  } else if (const auto* text = node.as_string()) {
    one.value = text->get();
  } else if (const auto* array = node.as_array()) {
    std::vector<std::string> texts;
    for (const toml::node& item : *array) {
      if (const auto* entry = item.as_string()) texts.push_back(entry->get());
    }
    if (texts.size() == array->size()) {
      one.value = std::move(texts);
    } else {
      one.value = ForeignValue{"list of other things than texts"};
    }
  } else if (node.is_floating_point()) {
    one.value = ForeignValue{"fraction"};
  } else if (node.is_boolean()) {
    one.value = ForeignValue{"boolean"};
  } else {
    one.value = ForeignValue{"date or time"};
  }
  out.push_back(std::move(one));
}

void flatten(const toml::table& table, const std::string& path, int depth, std::vector<Assignment>& out) {
  for (const auto& [key, node] : table) {
    add(node, static_cast<std::uint32_t>(key.source().begin.line), join(path, key.str()), depth, out);
  }
}

}  // namespace

tl::expected<std::vector<Assignment>, SyntaxError> read_toml(std::string_view text) {
  std::uint32_t line = 1;
  std::size_t dots = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '.' && ++dots > kDotsInLineMax) {
      return tl::unexpected(SyntaxError{"too many dots in one line", line});
    }
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return tl::unexpected(SyntaxError{std::string(parsed.error().description()),
                                      static_cast<std::uint32_t>(parsed.error().source().begin.line)});
  }
  std::vector<Assignment> out;
  flatten(parsed.table(), {}, 1, out);
  return out;
}

}  // namespace tocsin::config
