// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "platform/microhttpd/body.hpp"
#include "platform/microhttpd/framing.hpp"
#include "platform/microhttpd/response.hpp"
#include "platform/microhttpd/sockets.hpp"
#include "src/base/time.hpp"
#include "src/port/http.hpp"
#include "src/port/tls.hpp"

namespace tocsin::microhttpd {

struct ListenerState;

/// Where a connection stands. The order of a request: head, [room], body or discard, [parse], [answer], ready, sending,
/// idle.
enum class Phase : std::uint8_t {
  free,     ///< no connection in this slot
  fresh,    ///< connected, no request line yet; the handshake of TLS is in here
  idle,     ///< kept alive after an answer
  head,     ///< request line seen, headers coming
  room,     ///< suspended until there is memory for the body
  body,     ///< admitted; the body is coming
  discard,  ///< refused with `answer`; the body is read and dropped first
  parse,    ///< read whole; waits for room in the handler's intake
  answer,   ///< the handler has the request and owes an answer
  ready,    ///< `answer` waits to be queued
  sending,  ///< the library sends the answer
};

inline constexpr std::uint32_t kNoSlot = UINT32_MAX;

/// One connection. Lives in a fixed table, so that a request costs no allocation.
struct Slot {
  MHD_Connection* connection = nullptr;
  ListenerState* listener = nullptr;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< of the current ticket
  int fd = -1;
  Phase phase = Phase::free;
  bool shut = false;            ///< shutdown() was called; the library will notice
  bool close = false;           ///< the connection ends with this answer
  bool suspended = false;       ///< in the library's sense
  bool holds_pool = false;      ///< its body is charged to the pool
  bool first_again = false;     ///< resumed from `room`: the library repeats the first call before the body comes
  bool counted = false;         ///< in ListenerState::unanswered
  bool looked_for_end = false;  ///< in this phase
  std::uint32_t peer_group = 0;
  std::uint32_t next_in_line = kNoSlot;  ///< queue of those who wait for room
  Peer peer;
  std::unique_ptr<port::TlsConnection> tls;      ///< null: without TLS
  std::optional<port::Digest256> certificate{};  ///< of the client; set with its first request
  std::string_view target;             ///< request target, cut in place by the library; valid while the request is
  std::string_view path;               ///< its part before the query, as sent
  const char* target_fault = nullptr;  ///< of check_target(), which must see the target uncut
  Framing framing;
  std::size_t body_bytes_max = 0;
  std::uint64_t received = 0;
  Body body;
  port::HttpResponse answer;
  ShortResponse* shared = nullptr;
  Monotonic since{};     ///< start of this phase
  Monotonic deadline{};  ///< end of this phase
};

/// How many connections and pool bodies an address has. Entries are at most as many as slots.
class PeerGroups {
 public:
  explicit PeerGroups(std::size_t entries_max) : groups_(entries_max) {}
  struct Group {
    std::array<std::byte, 16> key{};
    std::uint32_t connections = 0;
    std::uint32_t pool_bodies = 0;
  };
  /// Precondition: fewer connections than entries.
  [[nodiscard]] std::uint32_t enter(const std::array<std::byte, 16>& key) noexcept {
    std::uint32_t free = 0;
    bool has_free = false;
    for (std::uint32_t i = 0; i < groups_.size(); ++i) {
      Group& group = groups_[i];
      if (group.connections != 0 && group.key == key) {
        ++group.connections;
        return i;
      }
      if (group.connections == 0 && !has_free) {
        free = i;
        has_free = true;
      }
    }
    groups_[free] = {key, 1, 0};
    return free;
  }
  void leave(std::uint32_t group) noexcept { --groups_[group].connections; }
  [[nodiscard]] Group& operator[](std::uint32_t group) noexcept { return groups_[group]; }

 private:
  std::vector<Group> groups_;
};

/// The request of a slot as handlers see it. A value on the stack for one call.
class RequestView final : public port::HttpRequest {
 public:
  RequestView(const Slot& slot, port::Listener listener) noexcept : slot_(slot), listener_(listener) {}
  [[nodiscard]] port::Listener listener() const noexcept override { return listener_; }
  [[nodiscard]] port::Method method() const noexcept override { return slot_.framing.method; }
  [[nodiscard]] std::string_view path() const noexcept override { return slot_.path; }
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const override;
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept override;
  [[nodiscard]] std::vector<port::HttpMember> headers(std::size_t max) const override;
  [[nodiscard]] std::vector<port::HttpMember> query_members(std::size_t max) const override;
  [[nodiscard]] std::string_view peer() const noexcept override { return slot_.peer.text.data(); }
  [[nodiscard]] bool peer_is_loopback() const noexcept override { return slot_.peer.loopback; }
  [[nodiscard]] bool peer_is_admin() const noexcept override { return slot_.peer.admin; }
  [[nodiscard]] std::uint32_t peer_uid() const noexcept override { return slot_.peer.uid; }
  [[nodiscard]] const port::Digest256* peer_certificate() const noexcept override {
    return slot_.certificate ? &*slot_.certificate : nullptr;
  }

 private:
  const Slot& slot_;
  port::Listener listener_;
};

}  // namespace tocsin::microhttpd
