// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/random.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace tocsin::linux {

namespace {
constexpr std::size_t kPooledBytesMax = 64;

void from_kernel(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();  // a guessable token is worse than no daemon
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}
}  // namespace

void Random::fill(std::span<std::byte> out) noexcept {
  if (out.size() > kPooledBytesMax) return from_kernel(out);
  const std::lock_guard lock{mutex_};
  if (left_ < out.size()) {
    from_kernel(pool_);
    left_ = pool_.size();
  }
  const std::span used{pool_.data() + (left_ - out.size()), out.size()};
  std::ranges::copy(used, out.begin());
  std::ranges::fill(used, std::byte{0});
  left_ -= out.size();
}

}  // namespace tocsin::linux
