// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/watchdog.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace tocsin::linux {

namespace {

std::int64_t number_from(const char* text) noexcept {
  std::int64_t value = 0;
  if (text == nullptr) return 0;
  const char* end = text + std::strlen(text);
  const auto [stop, fault] = std::from_chars(text, end, value);
  return fault == std::errc{} && stop == end && value > 0 ? value : 0;
}

}  // namespace

Watchdog::Watchdog() noexcept {
  const char* name = ::secure_getenv("NOTIFY_SOCKET");
  const std::size_t length = name == nullptr ? 0 : std::strlen(name);
  if (length >= 2 && length < sizeof to_.sun_path && (name[0] == '/' || name[0] == '@')) {
    to_.sun_family = AF_UNIX;
    std::memcpy(to_.sun_path, name, length);
    if (name[0] == '@') to_.sun_path[0] = '\0';  // abstract: the name's length counts, not a NUL
    to_bytes_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (name[0] == '/' ? 1U : 0U));
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const std::int64_t for_pid = number_from(::secure_getenv("WATCHDOG_PID"));
    const std::int64_t period_us = number_from(::secure_getenv("WATCHDOG_USEC"));
    if (for_pid == 0 || for_pid == ::getpid())
      period_ms_ = static_cast<int>(std::min<std::int64_t>(period_us / 1'000, INT_MAX));
  }
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})
    static_cast<void>(::unsetenv(variable));
}

void Watchdog::send(std::string_view message) noexcept {
  if (!socket_.valid()) return;
  static_cast<void>(::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to_), to_bytes_));
}

void Watchdog::ready() noexcept { send("READY=1"); }
void Watchdog::alive() noexcept { send("WATCHDOG=1"); }
void Watchdog::stopping() noexcept { send("STOPPING=1"); }

void Watchdog::status(std::string_view text) noexcept {
  constexpr std::string_view kKey = "STATUS=";
  std::array<char, 256> line{};
  std::ranges::copy(kKey, line.begin());
  const std::size_t taken = std::min(text.size(), line.size() - kKey.size());
  // One datagram may hold several assignments: a line break in the text must not start one.
  std::ranges::transform(text.substr(0, taken), line.begin() + kKey.size(),
                         [](char c) { return c == '\n' || c == '\r' ? ' ' : c; });
  send({line.data(), kKey.size() + taken});
}

}  // namespace tocsin::linux
