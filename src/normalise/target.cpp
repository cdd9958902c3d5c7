// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/target.hpp"

#include <algorithm>

namespace tocsin::normalise {
namespace {

constexpr std::size_t kIpTextBytesMax = 45;

bool is_ipv4(std::string_view text) noexcept {
  int parts = 0;
  while (parts < 4) {
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 3 && text[digits] >= '0' && text[digits] <= '9') {
      value = value * 10 + (text[digits++] - '0');
    }
    if (digits == 0 || value > 255) return false;
    text.remove_prefix(digits);
    if (++parts == 4) break;
    if (text.empty() || text.front() != '.') return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

/// By its letters only: what comes before "|0" is no name of anything else.
bool looks_like_ipv6(std::string_view text) noexcept {
  constexpr std::string_view kLetters = "0123456789abcdefABCDEF:.";
  return text.size() <= kIpTextBytesMax && std::ranges::count(text, ':') >= 2 &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

bool rewrite_cloud(std::string_view target, std::int32_t cloud_id, std::string& out) {
  if (target.starts_with("0:") && is_ipv4(target.substr(2))) {
    out.assign(std::to_string(cloud_id)).append(target.substr(1));
    return true;
  }
  if (!target.ends_with("|0")) return false;
  const std::string_view ip = target.substr(0, target.size() - 2);
  if (!is_ipv4(ip) && !looks_like_ipv6(ip)) return false;
  out.assign(ip).append("|").append(std::to_string(cloud_id));
  return true;
}

}  // namespace tocsin::normalise
