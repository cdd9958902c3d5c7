// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <new>

namespace tocsin::linux {

namespace {

constexpr int kChannelFd = 3;
constexpr rlim_t kStackBytes = 256U * 1024U;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsDataLimited = false;  // a sanitizer's shadow memory counts as data, terabytes of it
#else
constexpr bool kIsDataLimited = true;
#endif

/// Everything the child needs, made before fork: afterwards only system calls are allowed.
struct Plan {
  const char* program;
  std::array<char*, 2> argv;
  std::array<char*, 6> envp;
  int channel;
  int null;
  rlim_t data_bytes_max;
  pid_t parent;
};

void limit(__rlimit_resource what, rlim_t soft, rlim_t hard) noexcept {
  const rlimit value{soft, hard};
  static_cast<void>(::setrlimit(what, &value));
}

void close_from(unsigned first) noexcept {
  if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return;
  for (int fd = static_cast<int>(first); fd < 4096; ++fd) static_cast<void>(::close(fd));  // kernels before 5.9
}

[[noreturn]] void become(const Plan& plan) noexcept {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(127);
  if (::getppid() != plan.parent) ::_exit(127);  // the parent ended before the line above
  for (int signal = 1; signal < NSIG; ++signal) static_cast<void>(::signal(signal, SIG_DFL));
  sigset_t none;
  static_cast<void>(::sigemptyset(&none));
  static_cast<void>(::sigprocmask(SIG_SETMASK, &none, nullptr));
  // The two sources were made above 3, so that no dup2 can overwrite one that is still needed.
  if (::dup2(plan.null, 0) < 0 || ::dup2(plan.null, 1) < 0 || ::dup2(plan.channel, kChannelFd) < 0) ::_exit(127);
  close_from(kChannelFd + 1);
  limit(RLIMIT_STACK, kStackBytes, kStackBytes);
  limit(RLIMIT_CORE, 0, 0);
  if (kIsDataLimited && plan.data_bytes_max != 0) limit(RLIMIT_DATA, plan.data_bytes_max, plan.data_bytes_max);
  static_cast<void>(::execve(plan.program, plan.argv.data(), plan.envp.data()));
  ::_exit(127);
}

/// The same descriptor at a number above the channel's, or an invalid handle.
Handle moved_up(Handle from) noexcept {
  if (from.get() > kChannelFd) return from;
  return Handle{::fcntl(from.get(), F_DUPFD_CLOEXEC, kChannelFd + 1)};
}

}  // namespace

Process::~Process() {
  if (!running()) return;
  loop_->remove(watch_);
  kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status Process::start(Loop& loop, const Options& options, ChildExited exited) noexcept {
  if (running()) return error(Errc::conflict, "start worker");
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0)
    return error(Errc::io_failed, "worker socket", errno);
  Handle ours{pair[0]};
  const Handle theirs = moved_up(Handle{pair[1]});
  const Handle null = moved_up(Handle{::open("/dev/null", O_RDWR | O_CLOEXEC)});
  if (!theirs.valid() || !null.valid()) return error(Errc::io_failed, "worker descriptors", errno);

  std::string name, timezone;
  try {
    name = options.program.substr(options.program.rfind('/') + 1);
    if (!options.timezone.empty()) timezone = "TZ=" + options.timezone;
  } catch (const std::bad_alloc&) {
    return error(Errc::out_of_budget, "worker name");
  }
  std::array arenas = std::to_array("MALLOC_ARENA_MAX=1");
  std::array language = std::to_array("LANG=C.UTF-8");
  std::array path = std::to_array("PATH=/usr/bin:/bin");
  Plan plan{.program = options.program.c_str(),
            .argv = {name.data(), nullptr},
            .envp = {arenas.data(), language.data(), path.data(), timezone.empty() ? nullptr : timezone.data(), nullptr,
                     nullptr},
            .channel = theirs.get(),
            .null = null.get(),
            .data_bytes_max = options.data_bytes_max,
            .parent = ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return error(Errc::io_failed, "fork worker", errno);
  if (pid == 0) become(plan);

  pid_ = pid;
  loop_ = &loop;
  exited_ = exited;
  channel_ = std::move(ours);
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  const auto watch = pidfd_.valid() ? loop.add(pidfd_.get(), EPOLLIN, callback<&Process::on_exit>(*this))
                                    : Result<Loop::Watch>{error(Errc::io_failed, "pidfd", errno)};
  if (!watch.ok()) {
    kill();
    static_cast<void>(::waitpid(pid_, nullptr, 0));
    pid_ = -1;
    channel_.reset();
    return watch.error().in("watch worker");
  }
  watch_ = *watch;
  return {};
}

void Process::on_exit(std::uint32_t) noexcept {
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0) return;
  loop_->remove(watch_);
  pidfd_.reset();
  pid_ = -1;
  const ChildExit how = WIFSIGNALED(status) ? ChildExit{true, WTERMSIG(status)} : ChildExit{false, WEXITSTATUS(status)};
  exited_.call(exited_.self, how);
}

void Process::send(int signal) noexcept {
  // Not yet waited for, so the number still means this child.
  if (pid_ > 0) static_cast<void>(::kill(pid_, signal));
}
void Process::term() noexcept { send(SIGTERM); }
void Process::kill() noexcept { send(SIGKILL); }

}  // namespace tocsin::linux
