// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/signals.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <cerrno>

namespace tocsin::linux {

Status Signals::open(Loop& loop, SignalArrived arrived) noexcept {
  sigset_t wanted;
  static_cast<void>(::sigemptyset(&wanted));
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) static_cast<void>(::sigaddset(&wanted, signal));
  if (::pthread_sigmask(SIG_BLOCK, &wanted, nullptr) != 0) return error(Errc::io_failed, "block signals");
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));
  fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.valid()) return error(Errc::io_failed, "signalfd", errno);
  const auto watch = loop.add(fd_.get(), EPOLLIN, callback<&Signals::on_ready>(*this));
  if (!watch.ok()) return watch.error().in("signals");
  loop_ = &loop;
  watch_ = *watch;
  arrived_ = arrived;
  return {};
}

Signals::~Signals() {
  if (loop_ != nullptr) loop_->remove(watch_);
}

void Signals::on_ready(std::uint32_t) noexcept {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    arrived_.call(arrived_.self, static_cast<int>(info.ssi_signo));
}

}  // namespace tocsin::linux
