// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/time.hpp"
#include "src/port/crypto.hpp"
#include "src/port/random.hpp"

namespace tocsin::api {

inline constexpr std::size_t kLoginsCachedMax = 64;
inline constexpr std::int64_t kLoginCachedMs = 10 * 60'000;
inline constexpr std::size_t kAccountsWatchedMax = 64;
inline constexpr int kFailuresFree = 5;  ///< failures of an account before it must wait
inline constexpr std::int64_t kLockMaxMs = 60'000;
inline constexpr std::int64_t kFailuresKeptMs = 10 * 60'000;
inline constexpr std::size_t kCredentialsBytesMax = 512;  ///< of a whole Authorization header

/// User and password of an Authorization header "Basic …". nullopt: not such a header.
struct BasicCredentials {
  std::string user;
  std::string password;
};
[[nodiscard]] std::optional<BasicCredentials> parse_basic(std::string_view header);
/// The token of "Bearer …"; empty: not such a header.
[[nodiscard]] std::string_view parse_bearer(std::string_view header) noexcept;

/// Remembers which Authorization headers were right a moment ago, under a key that dies with the process: stretching a
/// password for every request of a page would take a core. Bounds above; the oldest goes first. Threads: io.
class LoginCache {
 public:
  LoginCache(const port::Crypto& crypto, port::Random& random) : crypto_(crypto) { random.fill(key_); }
  [[nodiscard]] port::Digest256 key_of(std::string_view header) const noexcept;
  /// The user whose header has that key; empty: not known, expired, or the registry has changed since.
  [[nodiscard]] std::string_view find(const port::Digest256& key, std::uint64_t generation, Monotonic now) noexcept;
  void add(const port::Digest256& key, std::string user, std::uint64_t generation, Monotonic now);
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    port::Digest256 key{};
    std::string user;
    Monotonic expires;
  };
  void follow(std::uint64_t generation) noexcept;
  const port::Crypto& crypto_;
  port::Digest256 key_{};
  std::uint64_t generation_ = 0;
  std::vector<Entry> entries_;  ///< oldest first
};

/// Slows down whoever guesses passwords: from the fifth failure on an account waits 1, 2, 4 … seconds, 60 at most.
/// Accounts that do not exist are watched too, so that nothing tells them apart. Threads: io.
class FailedLogins {
 public:
  /// Seconds that this account has to wait; 0: it may try.
  [[nodiscard]] std::uint16_t wait_s(std::string_view account, Monotonic now) const noexcept;
  void failed(std::string_view account, Monotonic now);
  void succeeded(std::string_view account) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return accounts_.size(); }

 private:
  struct Account {
    std::string name;
    int failures = 0;
    Monotonic last;
    Monotonic until;
  };
  std::vector<Account> accounts_;  ///< least recently failed first
};

}  // namespace tocsin::api
