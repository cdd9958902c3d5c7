// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/worker_process.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "platform/linux/memory.hpp"

namespace tocsin::linux {
namespace {

bool is_local_stream(int fd) noexcept {
  int domain = 0;
  int type = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) return false;
  size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

Readiness to_readiness(short events) noexcept {
  return {(events & (POLLIN | POLLHUP | POLLERR)) != 0, (events & POLLOUT) != 0,
          (events & (POLLHUP | POLLERR | POLLRDHUP)) != 0};
}

}  // namespace

bool begin_worker() noexcept {
  if (!is_local_stream(kWorkerFd)) return false;
  // The parent asked for this before exec; asking again costs nothing and covers a program run through a wrapper. A
  // parent that ended in between is noticed by the end of file on its socket.
  static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGKILL));
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(::signal(SIGINT, SIG_IGN));
  static_cast<void>(::signal(SIGHUP, SIG_IGN));
  // The resolver blocks the worker's only thread; its defaults are 5 s, twice, for each server.
  static_cast<void>(::setenv("RES_OPTIONS", "timeout:2 attempts:1", 1));
  tune_malloc();
  return true;
}

void worker_wait(Interest link, Interest other, std::int64_t wait_ms, Readiness& link_ready,
                 Readiness& other_ready) noexcept {
  const auto wanted = [](Interest interest) noexcept {
    return pollfd{interest.fd,
                  static_cast<short>(POLLRDHUP | (interest.read ? POLLIN : 0) | (interest.write ? POLLOUT : 0)), 0};
  };
  std::array<pollfd, 2> fds{wanted(link), wanted(other)};
  const int timeout = static_cast<int>(std::clamp<std::int64_t>(wait_ms, 0, 3'600'000));
  if (::poll(fds.data(), fds.size(), timeout) < 0) fds[0].revents = fds[1].revents = 0;  // a signal: nothing is ready
  link_ready = to_readiness(fds[0].revents);
  other_ready = to_readiness(fds[1].revents);
}

}  // namespace tocsin::linux
