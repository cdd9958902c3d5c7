// SPDX-License-Identifier: Apache-2.0
#include "src/api/password.hpp"

#include <array>

#include "src/base/hex.hpp"

namespace tocsin::api {
namespace {

/// About 5 ms of HMACs on a small board's core.
constexpr std::uint32_t kIterationsPerSlice = 2048;

}  // namespace

std::string generate_password(port::Random& random) {
  constexpr std::string_view kLetters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.:+=%";
  static_assert(kLetters.size() == 64, "a power of two: every letter is equally likely");
  std::array<std::byte, 20> bytes{};
  random.fill(bytes);
  std::string out;
  for (const std::byte byte : bytes) out.push_back(kLetters[std::to_integer<std::size_t>(byte) % kLetters.size()]);
  return out;
}

std::string generate_token(port::Random& random) {
  Id128 bytes;
  random.fill(bytes);
  return to_hex(bytes);
}

Stretch::Stretch(const port::Crypto& crypto, std::string password, Bytes salt, std::uint32_t iterations)
    : crypto_(crypto), password_(std::move(password)), left_(iterations > 0 ? iterations - 1 : 0) {
  std::string first(as_text(salt));
  first.append({'\0', '\0', '\0', '\1'});
  last_ = crypto_.hmac_sha256(as_bytes(password_), as_bytes(first));
  sum_ = last_;
}

Stretch::~Stretch() { password_.assign(password_.size(), '\0'); }

bool Stretch::step(std::uint32_t iterations) noexcept {
  for (; iterations > 0 && left_ > 0; --iterations, --left_) {
    last_ = crypto_.hmac_sha256(as_bytes(password_), last_);
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] ^= last_[i];
  }
  return left_ == 0;
}

Result<bool> StretchJob::step(port::ReadTxn& /*txn*/) { return stretch_.step(kIterationsPerSlice); }

void StretchJob::finish(const Status& outcome) noexcept { done_(outcome.ok() ? &stretch_.result() : nullptr); }

}  // namespace tocsin::api
