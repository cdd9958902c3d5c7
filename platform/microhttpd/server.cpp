// SPDX-License-Identifier: Apache-2.0
#include "platform/microhttpd/server.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>

#include "platform/microhttpd/listener.hpp"

namespace tocsin::microhttpd {

namespace {

/// The library accepts a few more than our limit, so that we see the newcomer and choose who must go.
constexpr unsigned kOverLimit = 16;
constexpr unsigned kOverLimitTls = 4;
constexpr std::int64_t kBackoffMsMax = 32;

/// Broken invariants inside the library. Everything acknowledged is on disk by then, so leaving at once is safe.
[[noreturn]] void on_panic(void*, const char* file, unsigned line, const char* reason) noexcept {
  static_cast<void>(std::fprintf(stderr, "libmicrohttpd gave up at %s:%u: %s\n", file, line, reason));
  ::_exit(70);
}

/// The library wants certificate and key at its start and reads them then.
std::array<MHD_OptionItem, 4> options_of(const port::TlsListener& tls) noexcept {
  // It takes pointers that are not const but never writes to these.
  const auto text = [](const char* from) { return const_cast<char*>(from); };
  return {{{MHD_OPTION_HTTPS_MEM_CERT, 0, text(tls.certificate_pem())},
           {MHD_OPTION_HTTPS_MEM_KEY, 0, text(tls.key_pem())},
           {MHD_OPTION_HTTPS_PRIORITIES, 0, text(tls.priorities())},
           {MHD_OPTION_END, 0, nullptr}}};
}

}  // namespace

/// Entry points called by libmicrohttpd. Nothing may propagate out of here.
struct Library {
  static void* on_target(void* cls, const char* target, MHD_Connection* connection) noexcept {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    auto* slot = info == nullptr ? nullptr : static_cast<Slot*>(info->socket_context);
    if (slot != nullptr) static_cast<ListenerState*>(cls)->server->on_target(*slot, target);
    return slot;
  }

  static MHD_Result on_call(void* cls, MHD_Connection*, const char*, const char* method, const char* version,
                            const char* data, std::size_t* size, void** context) noexcept {
    auto* slot = static_cast<Slot*>(*context);
    if (slot == nullptr) return MHD_NO;
    return static_cast<ListenerState*>(cls)->server->on_call(*slot, method, version, data, *size);
  }

  static void on_completed(void* cls, MHD_Connection*, void** context, MHD_RequestTerminationCode) noexcept {
    if (*context == nullptr) return;
    static_cast<ListenerState*>(cls)->server->on_completed(*static_cast<Slot*>(*context));
    *context = nullptr;
  }

  static void on_connection(void* cls, MHD_Connection* connection, void** socket_context,
                            MHD_ConnectionNotificationCode code) noexcept {
    auto& listener = *static_cast<ListenerState*>(cls);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      listener.server->on_connected(listener, *connection, socket_context);
    } else if (*socket_context != nullptr) {
      listener.server->on_closed(*static_cast<Slot*>(*socket_context));
      *socket_context = nullptr;
    }
  }

  /// Leaves everything as it was sent: the library would cut the path at %00 and merge %2F.
  static std::size_t keep_escapes(void*, MHD_Connection*, char* text) noexcept { return std::strlen(text); }
};

HttpServer::HttpServer(ServerParts parts, Limits limits)
    : parts_(parts),
      limits_(limits),
      groups_(0),
      scratch_(std::make_unique<std::byte[]>(limits.small_body_bytes_max + Body::kPadding)),
      now_(parts.clock.monotonic()) {
  static std::once_flag once;
  std::call_once(once, [] { MHD_set_panic_func(on_panic, nullptr); });
}

HttpServer::~HttpServer() {
  stop();
  // The responses the library still held are gone with its daemons.
}

Result<std::uint16_t> HttpServer::open(const ListenerOptions& options) {
  const auto socket = listen_on(options);
  if (!socket.ok()) return socket.error();
  auto listener = std::make_unique<ListenerState>();
  listener->server = this;
  listener->kind = options.kind;
  listener->connections_max = options.connections_max;
  listener->reconnecting_max = options.reconnecting_max;
  listener->tls = options.tls;
  listener->unix_path = options.unix_path;
  listener->credentials.open(options.unix_group);
  const unsigned slots = options.connections_max + (options.tls != nullptr ? kOverLimitTls : kOverLimit);
  for (unsigned i = 0; i < slots; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->index = static_cast<std::uint32_t>(slots_.size() - 1);
    free_slots_.push_back(slots_.back()->index);
  }
  groups_ = PeerGroups{slots_.size()};
  parse_line_.reserve(slots_.size() * 2);

  std::array<MHD_OptionItem, 4> tls_options{{{MHD_OPTION_END, 0, nullptr}}};
  if (options.tls != nullptr) tls_options = options_of(*options.tls);
  const unsigned flags = unsigned{MHD_USE_EPOLL} | unsigned{MHD_ALLOW_SUSPEND_RESUME} |
                         unsigned{MHD_USE_SUPPRESS_DATE_NO_CLOCK} |
                         (options.tls != nullptr ? unsigned{MHD_USE_TLS} : 0U);
  // No time-out of the library's own: it only knows idleness, and asking the time costs a call for every event.
  // No Date header: the appliance may not know the time. Not its strict mode: it answers a missing Host with two heads,
  // and check_framing() knows that rule and more.
  listener->daemon = MHD_start_daemon(
      flags, 0, nullptr, nullptr, Library::on_call, listener.get(), MHD_OPTION_ARRAY, tls_options.data(),
      MHD_OPTION_LISTEN_SOCKET, socket->fd, MHD_OPTION_CONNECTION_LIMIT, slots, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      limits_.connection_bytes, MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_NOTIFY_COMPLETED, Library::on_completed,
      listener.get(), MHD_OPTION_NOTIFY_CONNECTION, Library::on_connection, listener.get(), MHD_OPTION_URI_LOG_CALLBACK,
      Library::on_target, listener.get(), MHD_OPTION_UNESCAPE_CALLBACK, Library::keep_escapes, nullptr, MHD_OPTION_END);
  if (listener->daemon == nullptr) {
    static_cast<void>(::close(socket->fd));
    return error(Errc::io_failed, "start HTTP daemon");
  }
  const int epoll = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  auto watch = parts_.loop.add(epoll, EPOLLIN, linux::callback<&ListenerState::on_ready>(*listener));
  auto status = watch.ok() ? Status{} : Status{watch.error()};
  if (status.ok() && listeners_.empty())
    status = parts_.loop.add_turn_end(linux::turn_end<&HttpServer::on_turn_end>(*this));
  if (!status.ok()) {
    if (watch.ok()) parts_.loop.remove(*watch);
    MHD_stop_daemon(listener->daemon);
    return status.error().in("HTTP listener");
  }
  listener->watch = *watch;
  listeners_.push_back(std::move(listener));
  return socket->port;
}

void HttpServer::run(ListenerState& listener) noexcept {
  listener.dirty = false;
  listener.progressed = false;
  listener.queued = false;
  static_cast<void>(MHD_run(listener.daemon));
  // A response queued for a connection that was neither readable nor writable is only sent by the next run.
  if (listener.queued) static_cast<void>(MHD_run(listener.daemon));
}

/// When the library wants to run again without an event. It says "now" for every unanswered request, and for every
/// handshake of TLS that waits for its client (0.9.75 does not note that the socket was read empty); those are told
/// apart by whether the last run achieved anything. The back-off covers what that test cannot see.
Monotonic HttpServer::next_run(ListenerState& listener) noexcept {
  MHD_UNSIGNED_LONG_LONG wait_ms = 0;
  if (MHD_get_timeout(listener.daemon, &wait_ms) != MHD_YES) {
    listener.backoff_ms = 1;
    return linux::kNever;
  }
  if (wait_ms != 0) return now_.after_ms(static_cast<std::int64_t>(std::min<MHD_UNSIGNED_LONG_LONG>(wait_ms, 60'000)));
  if ((listener.unanswered == 0 && listener.handshakes == 0) || listener.progressed) {
    listener.backoff_ms = 1;
    return now_;
  }
  const Monotonic next = now_.after_ms(listener.backoff_ms);
  listener.backoff_ms = std::min(listener.backoff_ms * 2, kBackoffMsMax);
  return next;
}

Monotonic HttpServer::on_turn_end(Monotonic now) noexcept {
  if (stopped_) return linux::kNever;
  now_ = now;
  if (sweep_due_ <= now_) sweep();
  if (!parse_line_.empty()) hand_over_waiting();
  if (room_was_freed_) grant_room();
  Monotonic next = linux::kNever;
  for (auto& listener : listeners_) {
    if (listener->dirty || listener->run_due <= now_) {
      run(*listener);
      listener->run_due = next_run(*listener);
    }
    next = std::min(next, listener->run_due);
  }
  // A run may have freed body memory or made answers for another daemon: one more turn at once.
  for (const auto& listener : listeners_) {
    if (listener->dirty || room_was_freed_) next = now_;
  }
  return std::min(next, sweep_due_);
}

void HttpServer::answer(port::Ticket ticket, port::HttpResponse response) noexcept {
  if (stopped_ || ticket.generation == 0 || ticket.slot >= slots_.size()) return;
  Slot& slot = *slots_[ticket.slot];
  if (slot.phase != Phase::answer || slot.generation != ticket.generation) return;
  slot.answer = std::move(response);
  slot.phase = Phase::ready;
  slot.listener->dirty = true;
}

void HttpServer::expire_waiting(port::Listener kind) noexcept {
  for (auto& slot : slots_) {
    if (slot->listener != nullptr && slot->listener->kind == kind && slot->phase == Phase::answer) expire(*slot);
  }
}

void HttpServer::begin_stop() noexcept {
  if (stopping_) return;
  stopping_ = true;
  for (auto& listener : listeners_) {
    const int fd = MHD_quiesce_daemon(listener->daemon);
    if (fd >= 0) static_cast<void>(::close(fd));
    if (!listener->unix_path.empty()) static_cast<void>(::unlink(listener->unix_path.c_str()));
    listener->dirty = true;
  }
  for (auto& slot : slots_) {
    if (slot->phase == Phase::fresh || slot->phase == Phase::idle) shut(*slot);
  }
}

bool HttpServer::quiet() const noexcept {
  return std::ranges::all_of(slots_, [](const auto& slot) {
    return slot->phase == Phase::free || slot->phase == Phase::fresh || slot->phase == Phase::idle;
  });
}

void HttpServer::stop() noexcept {
  if (stopped_) return;
  begin_stop();
  for (auto& slot : slots_) {
    if (slot->phase == Phase::answer || slot->phase == Phase::room || slot->phase == Phase::parse) {
      slot->answer = refusal(*slot, 503, "the server is stopping");
      slot->answer.retry_after_s = 1;
      slot->close = true;
      if (slot->phase == Phase::room) leave_line(*slot);
      slot->phase = Phase::ready;
    }
    if (slot->suspended) resume(*slot);
  }
  for (auto& listener : listeners_) {
    parts_.loop.remove(listener->watch);
    run(*listener);
    run(*listener);
  }
  stopped_ = true;
  parts_.loop.remove_turn_end(this);
  for (auto& listener : listeners_) MHD_stop_daemon(listener->daemon);
}

Counters HttpServer::counters() const noexcept {
  Counters out = counters_;
  for (const auto& slot : slots_) {
    out.connections += slot->phase != Phase::free;
    out.tls_connections += slot->phase != Phase::free && slot->tls != nullptr;
    out.waiting_answers += slot->phase == Phase::answer;
    out.waiting_room += slot->phase == Phase::room;
  }
  return out;
}

}  // namespace tocsin::microhttpd
