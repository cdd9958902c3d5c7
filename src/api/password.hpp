// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "src/core/job.hpp"
#include "src/port/crypto.hpp"
#include "src/port/random.hpp"

namespace tocsin::api {

inline constexpr std::uint32_t kPasswordIterations = 600'000;
inline constexpr std::size_t kPasswordBytesMin = 10;
inline constexpr std::size_t kPasswordBytesMax = 256;

/// 20 characters nobody can guess (about 119 bits), easy to read aloud: letters and digits that are not alike are left
/// out.
[[nodiscard]] std::string generate_password(port::Random& random);
/// 32 hex characters.
[[nodiscard]] std::string generate_token(port::Random& random);

/// PBKDF2-HMAC-SHA256 of one block, cut into pieces, so that hashing a password delays nobody for a third of a second.
class Stretch {
 public:
  Stretch(const port::Crypto& crypto, std::string password, Bytes salt, std::uint32_t iterations);
  ~Stretch();
  Stretch(const Stretch&) = delete;
  Stretch& operator=(const Stretch&) = delete;
  /// At most `iterations` more. True: done.
  [[nodiscard]] bool step(std::uint32_t iterations) noexcept;
  /// Precondition: step() answered true. The same as Crypto::pbkdf2().
  [[nodiscard]] const port::Digest256& result() const noexcept { return sum_; }

 private:
  const port::Crypto& crypto_;
  std::string password_;
  std::uint32_t left_;
  port::Digest256 last_{};
  port::Digest256 sum_{};
};

/// Stretches a password on the reader thread and hands the result over on the io thread.
class StretchJob final : public core::Job {
 public:
  /// `hash` is null when the job could not be run.
  using Done = std::function<void(const port::Digest256* hash)>;
  StretchJob(const port::Crypto& crypto, std::string password, Bytes salt, std::uint32_t iterations, Done done)
      : stretch_(crypto, std::move(password), salt, iterations), done_(std::move(done)) {}
  [[nodiscard]] Result<bool> step(port::ReadTxn& txn) override;
  void finish(const Status& outcome) noexcept override;

 private:
  Stretch stretch_;
  Done done_;
};

}  // namespace tocsin::api
