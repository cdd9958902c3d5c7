// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/inlet.hpp"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

namespace tocsin::linux {
namespace {

constexpr int kInletBacklog = 64;
constexpr int kAcceptsPerTurn = 32;
constexpr int kDatagramsPerTurn = 256;
constexpr std::int64_t kNoMemoryMs = 100;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool to_address(const InletAddress& from, SocketAddress& out) noexcept {
  if (from.host.find(':') != std::string::npos) {
    auto& in = reinterpret_cast<sockaddr_in6&>(out.storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(from.port);
    out.size = sizeof in;
    return ::inet_pton(AF_INET6, from.host.c_str(), &in.sin6_addr) == 1;
  }
  auto& in = reinterpret_cast<sockaddr_in&>(out.storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(from.port);
  out.size = sizeof in;
  return ::inet_pton(AF_INET, from.host.c_str(), &in.sin_addr) == 1;
}

bool to_unix_address(const std::string& path, SocketAddress& out) noexcept {
  auto& in = reinterpret_cast<sockaddr_un&>(out.storage);
  if (path.size() >= sizeof in.sun_path) return false;
  in.sun_family = AF_UNIX;
  std::ranges::copy(path, in.sun_path);
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return true;
}

/// Somebody has the socket at that address open.
bool somebody_reads(const SocketAddress& address, int type) noexcept {
  const Handle probe(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return true;
  return ::connect(probe.get(), address.get(), address.size) == 0 || errno != ECONNREFUSED;
}

/// Makes the path free for a new socket.
bool remove_stale(const std::string& path, const SocketAddress& address) noexcept {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return true;
  // A living socket of the other type answers EPROTOTYPE, which is no refusal either.
  if (!S_ISSOCK(info.st_mode) || somebody_reads(address, SOCK_DGRAM) || somebody_reads(address, SOCK_STREAM))
    return false;
  return ::unlink(path.c_str()) == 0;
}

void set_option(int fd, int level, int name, int value) noexcept {
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

void write_peer(const sockaddr_storage& from, std::array<char, 46>& out) noexcept {
  const auto room = static_cast<socklen_t>(out.size());
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    static_cast<void>(::inet_ntop(AF_INET, &in.sin_addr, out.data(), room));
  } else if (from.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
    static_cast<void>(::inet_ntop(AF_INET6, &in.sin6_addr, out.data(), room));
  }
}

}  // namespace

Inlet::Inlet(Loop& loop, port::InletSink& sink, std::size_t message_bytes, std::size_t window_bytes,
             std::pmr::memory_resource& memory) noexcept
    : loop_(loop),
      sink_(sink),
      message_bytes_(std::min(message_bytes, kBufferBytesMax)),
      window_bytes_(std::min(window_bytes, kBufferBytesMax)),
      memory_(memory) {
  for (Stream& stream : streams_) stream.inlet = this;
}

Result<std::uint16_t> Inlet::listen(const InletAddress& address) {
  if (listeners_.size() >= kListenersMax) return error(Errc::out_of_budget, "inlet listeners");
  const bool is_unix = !address.unix_path.empty();
  SocketAddress at;
  if (is_unix ? !to_unix_address(address.unix_path, at) : !to_address(address, at))
    return error(Errc::invalid_input, "inlet address");
  if (is_unix && !remove_stale(address.unix_path, at)) return error(Errc::conflict, "inlet path");
  auto one = std::make_unique<Listener>();
  one->inlet = this;
  one->is_stream = address.is_stream;
  const int type = address.is_stream ? SOCK_STREAM : SOCK_DGRAM;
  one->socket.reset(::socket(at.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = one->socket.get();
  if (fd < 0) return error(Errc::io_failed, "inlet socket", errno);
  if (address.is_stream) set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (at.storage.ss_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd, at.get(), at.size) != 0 || (address.is_stream && ::listen(fd, kInletBacklog) != 0)) {
    const int number = errno;
    return error(number == EADDRINUSE ? Errc::conflict : Errc::io_failed, "inlet", number);
  }
  if (is_unix && ::chmod(address.unix_path.c_str(), 0666) != 0) return error(Errc::io_failed, "inlet path", errno);
  std::uint16_t port = 0;
  if (!is_unix) {
    at.size = sizeof at.storage;
    static_cast<void>(::getsockname(fd, reinterpret_cast<sockaddr*>(&at.storage), &at.size));
    port = ntohs(at.storage.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(at.storage).sin6_port
                                                  : reinterpret_cast<const sockaddr_in&>(at.storage).sin_port);
  }
  const auto watch = loop_.add(fd, EPOLLIN, linux::callback<&Listener::on_ready>(*one));
  if (!watch.ok()) return watch.error().in("inlet");
  one->watch = *watch;
  listeners_.push_back(std::move(one));
  return port;
}

void Inlet::Listener::on_ready(std::uint32_t) noexcept {
  is_stream ? inlet->accept_streams(*this) : inlet->read_datagrams(*this);
}

bool Inlet::read_datagram(Listener& listener, std::size_t& bytes) noexcept {
  std::array<std::byte, kBufferBytesMax> buffer;
  sockaddr_storage from{};
  socklen_t from_size = sizeof from;
  // With MSG_TRUNC the answer is the datagram's own size.
  const ssize_t got = ::recvfrom(listener.socket.get(), buffer.data(), message_bytes_, MSG_DONTWAIT | MSG_TRUNC,
                                 reinterpret_cast<sockaddr*>(&from), &from_size);
  if (got < 0) return errno == EINTR;
  Peer peer;
  write_peer(from, peer.text);
  const auto size = static_cast<std::size_t>(got);
  bytes += size;
  sink_.on_datagram({buffer.data(), std::min(size, message_bytes_)}, size > message_bytes_, peer.view());
  return true;
}

Inlet::Counters Inlet::counters() noexcept {
  for (auto& listener : listeners_) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> about{};
    socklen_t size = sizeof about;
    if (listener->is_stream || ::getsockopt(listener->socket.get(), SOL_SOCKET, SO_MEMINFO, about.data(), &size) != 0)
      continue;
    const std::uint32_t lost = about[SK_MEMINFO_DROPS];
    counters_.lost_in_kernel += lost - listener->lost_seen;
    listener->lost_seen = lost;
  }
  return counters_;
}

void Inlet::read_datagrams(Listener& listener) noexcept {
  std::size_t bytes = 0;
  for (int i = 0; bytes < kTurnBytes && i < kDatagramsPerTurn; ++i) {
    if (!sink_.has_room()) {
      listener.is_paused = loop_.modify(listener.watch, 0).ok();
      return;
    }
    if (!read_datagram(listener, bytes)) return;
  }
}

Inlet::Stream* Inlet::free_stream() noexcept {
  Stream* oldest = nullptr;
  for (Stream& stream : streams_) {
    if (!stream.socket.valid()) return &stream;
    if (oldest == nullptr || stream.heard < oldest->heard) oldest = &stream;
  }
  if (oldest == nullptr || loop_.now() < oldest->heard.after_ms(kIdleMs)) return nullptr;
  ++counters_.evicted;
  close_stream(*oldest);
  return oldest;
}

void Inlet::accept_streams(Listener& listener) noexcept {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    Handle socket(
        ::accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) return;
    Stream* const stream = free_stream();
    if (stream == nullptr) {
      ++counters_.refused;
      continue;
    }
    Peer peer;
    write_peer(from, peer.text);
    if (from.ss_family != AF_UNIX) {
      constexpr int kSilenceS = 120;
      set_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
      set_option(socket.get(), IPPROTO_TCP, TCP_KEEPIDLE, kSilenceS);
    }
    open_stream(*stream, std::move(socket), peer);
  }
}

void Inlet::open_stream(Stream& stream, Handle socket, const Peer& peer) noexcept {
  // Told once for everything new that arrives: what the sink leaves lying must not wake the loop again and again.
  const auto watch = loop_.add(socket.get(), EPOLLIN | EPOLLET, linux::callback<&Stream::on_ready>(stream));
  if (!watch.ok()) {
    ++counters_.refused;
    return;
  }
  stream.socket = std::move(socket);
  stream.watch = *watch;
  stream.peer = peer;
  stream.heard = loop_.now();
  stream.has_more = false;
  ++counters_.connections;
  sink_.on_stream_opened(static_cast<std::size_t>(&stream - streams_.data()));
}

void Inlet::Stream::on_ready(std::uint32_t) noexcept { inlet->read_stream(*this); }

bool Inlet::hold(Stream& stream) noexcept {
  if (stream.kept != nullptr) return true;
  try {
    stream.kept = static_cast<std::byte*>(memory_.allocate(window_bytes_, 1));
  } catch (const std::bad_alloc&) {
    return false;
  }
  stream.kept_bytes = 0;
  return true;
}

void Inlet::let_go(Stream& stream) noexcept {
  if (stream.kept != nullptr) memory_.deallocate(stream.kept, window_bytes_, 1);
  stream.kept = nullptr;
  stream.kept_bytes = 0;
}

/// Reads behind what is kept; a broken connection is an end too.
Inlet::Arrived Inlet::receive(Stream& stream) noexcept {
  const std::size_t room = window_bytes_ - stream.kept_bytes;
  if (room == 0) return Arrived::nothing;
  ssize_t got = 0;
  do {
    got = ::recv(stream.socket.get(), stream.kept + stream.kept_bytes, room, MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Arrived::nothing : Arrived::end;
  stream.kept_bytes += static_cast<std::size_t>(got);
  return got == 0 ? Arrived::end : Arrived::bytes;
}

void Inlet::read_stream(Stream& stream) noexcept {
  stream.has_more = true;
  if (!hold(stream)) return go_on_soon(kNoMemoryMs);
  const auto slot = static_cast<std::size_t>(&stream - streams_.data());
  for (std::size_t bytes = 0; bytes < kTurnBytes;) {
    const std::size_t before = stream.kept_bytes;
    const Arrived arrived = receive(stream);
    bytes += stream.kept_bytes - before;
    std::size_t taken = 0;
    if (stream.kept_bytes > 0) {
      const Bytes waiting{stream.kept, stream.kept_bytes};
      taken = std::min(sink_.on_stream(slot, waiting, arrived == Arrived::end, stream.peer.view()), waiting.size());
      stream.kept_bytes -= taken;
      std::memmove(stream.kept, stream.kept + taken, stream.kept_bytes);
    }
    if (taken > 0) {
      stream.heard = loop_.now();
    } else if (arrived != Arrived::bytes) {
      if (arrived == Arrived::end && stream.kept_bytes == 0) return close_stream(stream);
      stream.has_more = stream.kept_bytes > 0;
      if (!stream.has_more) let_go(stream);
      return;
    }
  }
  go_on_soon(1);
}

void Inlet::close_stream(Stream& stream) noexcept {
  if (!stream.socket.valid()) return;
  loop_.remove(stream.watch);
  stream.socket.reset();
  stream.has_more = false;
  let_go(stream);
  --counters_.connections;
}

void Inlet::resume() noexcept {
  for (auto& listener : listeners_) {
    if (listener->is_paused) listener->is_paused = !loop_.modify(listener->watch, EPOLLIN).ok();
  }
  for (Stream& stream : streams_) {
    if (stream.socket.valid() && stream.has_more) read_stream(stream);
  }
}

void Inlet::go_on_soon(std::int64_t ms) noexcept {
  if (soon_.generation != 0) return;
  const auto timer = loop_.add_timer(loop_.now().after_ms(ms), linux::callback<&Inlet::on_soon>(*this));
  if (timer.ok()) soon_ = *timer;
}

void Inlet::on_soon(std::uint32_t) noexcept {
  soon_ = {};
  resume();
}

void Inlet::close() noexcept {
  loop_.cancel(soon_);
  soon_ = {};
  for (Stream& stream : streams_) close_stream(stream);
  for (auto& listener : listeners_) loop_.remove(listener->watch);
  listeners_.clear();
}

}  // namespace tocsin::linux
