// SPDX-License-Identifier: Apache-2.0
#include "src/config/similar.hpp"

#include <algorithm>
#include <array>

namespace tocsin::config {
namespace {

constexpr std::size_t kTextBytesCompared = 96;

/// Insertions, deletions, replacements and swaps of neighbours that make one text of the other.
std::size_t distance(std::string_view a, std::string_view b) noexcept {
  using Row = std::array<std::size_t, kTextBytesCompared + 1>;
  Row two_up{};
  Row up{};
  Row here{};
  for (std::size_t j = 0; j <= b.size(); ++j) up[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    here[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      here[j] = std::min({up[j] + 1, here[j - 1] + 1, up[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        here[j] = std::min(here[j], two_up[j - 2] + 1);
    }
    two_up = up;
    up = here;
  }
  return up[b.size()];
}

std::string_view last_part(std::string_view text) noexcept { return text.substr(text.rfind('.') + 1); }

}  // namespace

std::string_view most_similar(std::string_view text, std::span<const std::string> known) {
  if (text.empty() || text.size() > kTextBytesCompared) return {};
  for (const std::string& word : known) {
    // A name without its unit.
    if (word.starts_with(text) && word[text.size()] == '_') return word;
  }
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, std::min<std::size_t>(3, text.size() / 4)) + 1;
  for (const std::string& word : known) {
    if (word.size() > kTextBytesCompared) continue;
    const std::size_t d = distance(text, word);
    if (d < best_distance) {
      best = word;
      best_distance = d;
    }
  }
  if (!best.empty()) return best;
  for (const std::string& word : known) {
    if (last_part(word) == last_part(text)) return word;
  }
  return {};
}

}  // namespace tocsin::config
