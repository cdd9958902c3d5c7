// SPDX-License-Identifier: Apache-2.0
#include "platform/microhttpd/sockets.hpp"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace tocsin::microhttpd {

namespace {

constexpr int kBacklog = 512;

Error close_and_fail(int fd, Errc code, Where where, int number) noexcept {
  if (fd >= 0) static_cast<void>(::close(fd));
  return error(code, where, number);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// "1.2.3.4:80" or "[::1]:80".
bool parse(const std::string& text, Address& out) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data() + colon + 1, end, port);
  if (fault != std::errc{} || stop != end) return false;
  std::array<char, 64> host{};
  const bool six = text[0] == '[' && text[colon - 1] == ']';
  const std::string_view bare =
      six ? std::string_view{text}.substr(1, colon - 2) : std::string_view{text}.substr(0, colon);
  if (bare.size() >= host.size()) return false;
  std::ranges::copy(bare, host.begin());
  if (six) {
    auto& in = reinterpret_cast<sockaddr_in6&>(out.storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    out.size = sizeof in;
    return ::inet_pton(AF_INET6, host.data(), &in.sin6_addr) == 1;
  }
  auto& in = reinterpret_cast<sockaddr_in&>(out.storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  out.size = sizeof in;
  return ::inet_pton(AF_INET, host.data(), &in.sin_addr) == 1;
}

Result<ListeningSocket> listen_tcp(const std::string& text) {
  Address address;
  if (!parse(text, address)) return error(Errc::invalid_input, "listen address");
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return error(Errc::io_failed, "listen socket", errno);
  const int on = 1;
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  if (address.storage.ss_family == AF_INET6)
    static_cast<void>(::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    const int number = errno;
    return close_and_fail(fd, number == EADDRINUSE ? Errc::conflict : Errc::io_failed, "listen", number);
  }
  address.size = sizeof address.storage;
  static_cast<void>(::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size));
  const std::uint16_t port = address.storage.ss_family == AF_INET6
                                 ? reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port
                                 : reinterpret_cast<const sockaddr_in&>(address.storage).sin_port;
  return ListeningSocket{fd, ntohs(port)};
}

/// True when some process accepts connections there.
bool somebody_listens(const sockaddr_un& address, socklen_t size) noexcept {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
  const bool listens = result == 0 || errno == EAGAIN || errno == EACCES || errno == EPERM;
  static_cast<void>(::close(fd));
  return listens;
}

Result<ListeningSocket> listen_unix(const ListenerOptions& options) {
  sockaddr_un address{};
  if (options.unix_path.size() >= sizeof address.sun_path) return error(Errc::invalid_input, "socket path too long");
  address.sun_family = AF_UNIX;
  std::ranges::copy(options.unix_path, address.sun_path);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + options.unix_path.size() + 1);
  const char* path = options.unix_path.c_str();
  struct stat info {};
  if (::lstat(path, &info) == 0) {
    if (!S_ISSOCK(info.st_mode) || somebody_listens(address, size)) return error(Errc::conflict, "control socket");
    static_cast<void>(::unlink(path));
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return error(Errc::io_failed, "control socket", errno);
  // Nobody but us until mode and group are as they should be.
  const mode_t old_mask = ::umask(0177);
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  const int number = errno;
  static_cast<void>(::umask(old_mask));
  if (bound != 0) return close_and_fail(fd, number == EADDRINUSE ? Errc::conflict : Errc::io_failed, "bind", number);
  if (const group* found = options.unix_group.empty() ? nullptr : ::getgrnam(options.unix_group.c_str());
      found != nullptr) {
    // Who is in the group may give it away, and root. Else it stays with our own group: the owner can still use it.
    if (::chown(path, static_cast<uid_t>(-1), found->gr_gid) != 0) {
      std::fprintf(stderr,
                   "control socket: group %s cannot use it: chown: %s (only a member of the group or root may)\n",
                   options.unix_group.c_str(), std::strerror(errno));
    }
  }
  if (::chmod(path, 0660) != 0 || ::listen(fd, kBacklog) != 0)
    return close_and_fail(fd, Errc::io_failed, "control socket", errno);
  return ListeningSocket{fd, 0};
}

}  // namespace

Result<ListeningSocket> listen_on(const ListenerOptions& options) {
  if (options.address.empty() == options.unix_path.empty()) return error(Errc::invalid_input, "one address is needed");
  return options.unix_path.empty() ? listen_tcp(options.address) : listen_unix(options);
}

void Credentials::open(const std::string& group) {
  const ::group* found = group.empty() ? nullptr : ::getgrnam(group.c_str());
  has_group_ = found != nullptr;
  if (has_group_) group_ = found->gr_gid;
}

bool Credentials::is_member(uid_t uid) const noexcept {
  const passwd* user = ::getpwuid(uid);
  if (user == nullptr) return false;
  std::array<gid_t, 64> groups{};
  int count = static_cast<int>(groups.size());
  static_cast<void>(::getgrouplist(user->pw_name, user->pw_gid, groups.data(), &count));
  const auto kept = std::min(groups.size(), static_cast<std::size_t>(std::max(count, 0)));
  return std::find(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(kept), group_) !=
         groups.begin() + static_cast<std::ptrdiff_t>(kept);
}

bool Credentials::is_admin(uid_t uid, gid_t gid, Monotonic now) noexcept {
  if (uid == 0 || uid == ::geteuid()) return true;
  if (!has_group_) return false;
  if (gid == group_) return true;
  for (const Known& known : known_) {
    if (known.uid == uid && now < known.until) return known.admin;
  }
  const bool admin = is_member(uid);
  known_[next_++ % known_.size()] = {uid, admin, now.after_ms(60'000)};
  return admin;
}

bool has_ended(int fd) noexcept {
  char next = 0;
  return ::recv(fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

Peer peer_of(int fd, const sockaddr* address, Credentials& credentials, Monotonic now) noexcept {
  Peer peer;
  if (address != nullptr && address->sa_family == AF_INET) {
    const auto& in = *reinterpret_cast<const sockaddr_in*>(address);
    static_cast<void>(::inet_ntop(AF_INET, &in.sin_addr, peer.text.data(), peer.text.size()));
    peer.key[10] = peer.key[11] = std::byte{0xFF};
    std::memcpy(peer.key.data() + 12, &in.sin_addr, 4);
    peer.loopback = peer.key[12] == std::byte{127};
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    const auto& in = *reinterpret_cast<const sockaddr_in6*>(address);
    static_cast<void>(::inet_ntop(AF_INET6, &in.sin6_addr, peer.text.data(), peer.text.size()));
    std::memcpy(peer.key.data(), &in.sin6_addr, 8);  // a host owns its whole /64
    peer.loopback = IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) != 0;
    if (peer.loopback) peer.key[15] = std::byte{1};
  } else {
    std::ranges::copy(std::string_view{"unix"}, peer.text.begin());
    ucred who{};
    socklen_t size = sizeof who;
    peer.uid = UINT32_MAX;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) {
      peer.uid = who.uid;
      peer.admin = credentials.is_admin(who.uid, who.gid, now);
    }
  }
  return peer;
}

}  // namespace tocsin::microhttpd
