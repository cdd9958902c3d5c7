// SPDX-License-Identifier: Apache-2.0
#include "src/api/logins.hpp"

#include <algorithm>
#include <array>

namespace tocsin::api {
namespace {

/// The rest of `header` after the scheme and its spaces; nullopt: another scheme. Schemes have no case.
std::optional<std::string_view> after_scheme(std::string_view header, std::string_view scheme) noexcept {
  if (header.size() > kCredentialsBytesMax || header.size() <= scheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if ((header[i] | 0x20) != scheme[i]) return std::nullopt;
  }
  if (header[scheme.size()] != ' ') return std::nullopt;
  header.remove_prefix(scheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

int base64_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out.push_back(static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xFFU));
  }
  return out;
}

}  // namespace

std::optional<BasicCredentials> parse_basic(std::string_view header) {
  const auto encoded = after_scheme(header, "basic");
  if (!encoded) return std::nullopt;
  const auto plain = decode_base64(*encoded);
  if (!plain) return std::nullopt;
  const std::size_t colon = plain->find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return BasicCredentials{plain->substr(0, colon), plain->substr(colon + 1)};
}

std::string_view parse_bearer(std::string_view header) noexcept {
  return after_scheme(header, "bearer").value_or(std::string_view{});
}

port::Digest256 LoginCache::key_of(std::string_view header) const noexcept {
  return crypto_.hmac_sha256(key_, as_bytes(header));
}

void LoginCache::follow(std::uint64_t generation) noexcept {
  if (generation == generation_) return;
  generation_ = generation;
  entries_.clear();
}

std::string_view LoginCache::find(const port::Digest256& key, std::uint64_t generation, Monotonic now) noexcept {
  follow(generation);
  const auto at = std::ranges::find(entries_, key, &Entry::key);
  if (at == entries_.end()) return {};
  if (at->expires > now) return at->user;
  entries_.erase(at);
  return {};
}

void LoginCache::add(const port::Digest256& key, std::string user, std::uint64_t generation, Monotonic now) {
  follow(generation);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
  if (entries_.size() >= kLoginsCachedMax) entries_.erase(entries_.begin());
  entries_.push_back({key, std::move(user), now.after_ms(kLoginCachedMs)});
}

std::uint16_t FailedLogins::wait_s(std::string_view account, Monotonic now) const noexcept {
  const auto at = std::ranges::find(accounts_, account, &Account::name);
  if (at == accounts_.end() || at->until <= now) return 0;
  return static_cast<std::uint16_t>((at->until.ms() - now.ms() + 999) / 1000);
}

void FailedLogins::failed(std::string_view account, Monotonic now) {
  Account entry{std::string(account), 0, {}, {}};
  if (const auto at = std::ranges::find(accounts_, account, &Account::name); at != accounts_.end()) {
    if (at->last.after_ms(kFailuresKeptMs) > now) entry = std::move(*at);
    entry.name = account;
    accounts_.erase(at);
  } else if (accounts_.size() >= kAccountsWatchedMax) {
    accounts_.erase(accounts_.begin());
  }
  ++entry.failures;
  entry.last = now;
  if (const int over = entry.failures - kFailuresFree; over >= 0) {
    const std::int64_t wait_ms = over < 6 ? 1000LL << static_cast<unsigned>(over) : kLockMaxMs;
    entry.until = now.after_ms(std::min(wait_ms, kLockMaxMs));
  }
  accounts_.push_back(std::move(entry));
}

void FailedLogins::succeeded(std::string_view account) noexcept {
  std::erase_if(accounts_, [&](const Account& entry) { return entry.name == account; });
}

}  // namespace tocsin::api
