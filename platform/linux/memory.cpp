// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/memory.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "platform/linux/handle.hpp"

namespace tocsin::linux {

namespace {

std::size_t kilobytes_after(std::string_view text, std::string_view key) noexcept {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = text.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  std::size_t value = 0;
  static_cast<void>(std::from_chars(rest.data(), rest.data() + rest.size(), value));
  return value * 1024;
}

using StatusText = std::array<char, 4096>;

/// What /proc tells about a process, in `text`.
Result<std::string_view> read_status(pid_t pid, StatusText& text) noexcept {
  std::array<char, 48> path{};
  if (pid == 0) {
    static_cast<void>(std::snprintf(path.data(), path.size(), "/proc/self/status"));
  } else {
    static_cast<void>(std::snprintf(path.data(), path.size(), "/proc/%ld/status", static_cast<long>(pid)));
  }
  const Handle file{::open(path.data(), O_RDONLY | O_CLOEXEC)};
  if (!file.valid()) return error(errno == ENOENT ? Errc::not_found : Errc::io_failed, "process status", errno);
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got <= 0) return error(got == 0 || errno == ESRCH ? Errc::not_found : Errc::io_failed, "process status", errno);
  return std::string_view{text.data(), static_cast<std::size_t>(got)};
}

}  // namespace

Result<Memory> memory_of(pid_t pid) noexcept {
  StatusText text;
  const auto status = read_status(pid, text);
  if (!status.ok()) return status.error();
  return Memory{kilobytes_after(*status, "\nRssAnon:"), kilobytes_after(*status, "\nVmRSS:")};
}

Memory MemoryPeak::sample() noexcept {
  if (const auto now = memory_of(); now.ok()) last_ = *now;
  anonymous_bytes_peak_ = std::max(anonymous_bytes_peak_, last_.anonymous_bytes);
  return last_;
}

void tune_malloc() noexcept {
  static_cast<void>(::mallopt(M_ARENA_MAX, 1));
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, 64 * 1024));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, 64 * 1024));
}

void tighten_data_limit(std::size_t spare_bytes) noexcept {
  StatusText text;
  const auto status = read_status(0, text);
  rlimit limit{};
  if (!status.ok() || ::getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kilobytes_after(*status, "\nVmData:") + spare_bytes);
  static_cast<void>(::setrlimit(RLIMIT_DATA, &limit));
}

void trim_malloc() noexcept { static_cast<void>(::malloc_trim(0)); }

}  // namespace tocsin::linux
