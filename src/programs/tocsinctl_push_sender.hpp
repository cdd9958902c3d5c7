// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "platform/curl/client.hpp"
#include "platform/linux/random.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_push_progress.hpp"

namespace tocsin::ctl {

struct SenderOptions {
  std::string url;  ///< of POST /v2/push/
  bool with_gzip = false;
  std::int64_t give_up_after_ms = 120'000;  ///< without an accepting answer; 0: at the first failure
  std::string key;                          ///< of the first request; the n-th has "<key>-n". Empty: random ones
};

/// Sends bodies until they are taken. Every body has an Idempotency-Key of its own, the same over all of its tries, so
/// that one whose answer was lost is stored once by a server that knows the header.
class Sender {
 public:
  Sender(Context& context, Progress& progress, SenderOptions options);

  /// True: answered 200. False: refused, or given up; said so on err, with `what` for people ("events 1 to 100").
  [[nodiscard]] bool send(const std::string& body, const std::string& what);

  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

 private:
  struct Failure {
    bool is_final = false;
    std::int64_t retry_after_s = 0;
    std::string why;
  };
  [[nodiscard]] std::string next_key();
  [[nodiscard]] bool try_once(const curl::Request& request, Failure& failure);
  [[nodiscard]] double dice();

  Context& context_;
  Progress& progress_;
  SenderOptions options_;
  curl::Client client_;
  linux::Random random_;
  std::uint64_t bodies_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace tocsin::ctl
