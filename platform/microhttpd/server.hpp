// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/linux/loop.hpp"
#include "platform/microhttpd/options.hpp"
#include "platform/microhttpd/slots.hpp"
#include "src/base/budget.hpp"
#include "src/base/result.hpp"
#include "src/port/clock.hpp"
#include "src/port/http.hpp"

namespace tocsin::microhttpd {

/// What an HttpServer is made with; everything outlives it.
struct ServerParts {
  linux::Loop& loop;
  const port::Clock& clock;
  port::HttpHandler& handler;
  Budget& small_bodies;  ///< bodies up to Limits::small_body_bytes_max; never waited for
  Budget& body_pool;     ///< larger ones; requests wait in line for it
  const Budget* intake =
      nullptr;  ///< what the handler makes of large bodies; they wait for room there. Null: nobody waits
};

/// HTTP/1.1 on any number of listeners, each a libmicrohttpd daemon run from our own loop.
///
/// A request that waits for its answer is not suspended but left unanswered in the library's last handler call:
/// suspending costs four system calls a request. The library then reports "pending" for it, so that this class itself
/// decides when to run a daemon. Only connections that wait for body memory are suspended, before the body is read.
///
/// Threads: the loop's thread only. Memory: a slot per connection, one scratch buffer, bodies within the budgets, the
/// library's own memory per connection.
class HttpServer final : public port::HttpAnswers {
 public:
  explicit HttpServer(ServerParts parts, Limits limits = {});
  /// As stop(): requests that still wait get 503.
  ~HttpServer() override;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Adds a listener; before the loop runs. Returns its port (0 for a Unix socket).
  /// Errors: invalid_input (address), conflict (in use), io_failed, out_of_budget.
  [[nodiscard]] Result<std::uint16_t> open(const ListenerOptions& options);

  /// Sent at the end of the loop's turn: call it from one of the loop's callbacks. Between two turns it is allowed, but
  /// then the loop may sleep up to 32 ms before it looks.
  void answer(port::Ticket ticket, port::HttpResponse response) noexcept override;

  /// Whoever waits for an answer on such a listener gets 503 now: what they wait for has stalled.
  void expire_waiting(port::Listener kind) noexcept;

  /// Accepts nothing more, closes idle connections, and each other one after its answer. The loop goes on running.
  void begin_stop() noexcept;
  /// Nothing is waiting or being sent any more.
  [[nodiscard]] bool quiet() const noexcept;
  /// Ends at once: whoever waits gets 503, then every connection is closed. Later answers are ignored.
  void stop() noexcept;

  [[nodiscard]] Counters counters() const noexcept;

 private:
  friend struct Library;  // the C callbacks

  [[nodiscard]] Monotonic on_turn_end(Monotonic now) noexcept;
  void run(ListenerState& listener) noexcept;
  [[nodiscard]] Monotonic next_run(ListenerState& listener) noexcept;

  // exchange.cpp: one request's way
  void on_connected(ListenerState& listener, MHD_Connection& connection, void** socket_context) noexcept;
  void on_closed(Slot& slot) noexcept;
  void on_target(Slot& slot, const char* target) noexcept;
  [[nodiscard]] MHD_Result on_call(Slot& slot, const char* method, const char* version, const char* data,
                                   std::size_t& size) noexcept;
  void on_completed(Slot& slot) noexcept;
  [[nodiscard]] MHD_Result on_head(Slot& slot, const char* method, const char* version) noexcept;
  [[nodiscard]] MHD_Result on_body(Slot& slot, std::span<const std::byte> part) noexcept;
  [[nodiscard]] MHD_Result on_end(Slot& slot) noexcept;
  [[nodiscard]] bool keep(Slot& slot, std::span<const std::byte> part) noexcept;
  void hand_over(Slot& slot, std::span<std::byte> body) noexcept;
  void hand_over_when_room(Slot& slot) noexcept;
  [[nodiscard]] bool intake_has_room(const Slot& slot) const noexcept;
  void hand_over_waiting() noexcept;
  [[nodiscard]] MHD_Result refuse(Slot& slot, port::HttpResponse response) noexcept;
  [[nodiscard]] port::HttpResponse refusal(const Slot& slot, std::uint16_t status, std::string_view why) noexcept;
  [[nodiscard]] MHD_Result queue(Slot& slot) noexcept;
  void enter(Slot& slot, Phase phase, std::int64_t deadline_ms) noexcept;

  // admission.cpp: room for bodies, limits of connections, deadlines
  [[nodiscard]] bool take_room(Slot& slot) noexcept;
  void wait_for_room(Slot& slot) noexcept;
  void leave_line(Slot& slot) noexcept;
  void grant_room() noexcept;
  void resume(Slot& slot) noexcept;
  void drop_body(Slot& slot) noexcept;
  void shut(Slot& slot) noexcept;
  void make_place(ListenerState& listener) noexcept;
  void sweep() noexcept;
  [[nodiscard]] Monotonic due(const Slot& slot) const noexcept;
  void expire(Slot& slot) noexcept;

  ServerParts parts_;
  Limits limits_;
  std::vector<std::unique_ptr<ListenerState>> listeners_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::uint32_t> free_slots_;
  PeerGroups groups_;
  ResponseMaker responses_;
  std::unique_ptr<std::byte[]> scratch_;   ///< a small body that came whole; free again when on_request returns
  std::vector<std::uint32_t> parse_line_;  ///< read whole, waiting for the intake, oldest first
  std::uint32_t line_first_ = kNoSlot;     ///< those who wait for room, oldest first
  std::uint32_t line_last_ = kNoSlot;
  bool room_was_freed_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  Monotonic now_{};
  Monotonic sweep_due_ = linux::kNever;
  Counters counters_{};
};

}  // namespace tocsin::microhttpd
