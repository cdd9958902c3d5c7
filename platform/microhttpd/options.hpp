// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/bytes.hpp"
#include "src/port/http.hpp"
#include "src/port/tls.hpp"

namespace tocsin::microhttpd {

/// One listening socket. Exactly one of `address` and `unix_path` is set.
struct ListenerOptions {
  port::Listener kind = port::Listener::push;
  std::string address = {};     ///< "0.0.0.0:10205" or "[::1]:0"; port 0: any free one
  std::string unix_path = {};   ///< made with mode 0660; a stale socket is replaced, one in use is not
  std::string unix_group = {};  ///< owner group of the socket; its members are admins. Unknown or empty: none
  unsigned connections_max = 64;
  /// A client that closes and connects again is for a moment two connections: nobody is shut for so many. At most 16.
  unsigned reconnecting_max = 0;
  port::TlsListener* tls = nullptr;  ///< null: without TLS; outlives the server
};

/// Times in milliseconds, sizes in bytes. Tests make them small.
struct Limits {
  std::size_t connection_bytes = 8 * KiB;        ///< the library's memory for one connection; headers fit in it
  std::size_t small_body_bytes_max = 4 * KiB;    ///< such bodies never wait for room
  std::size_t chunked_reserve_bytes = 64 * KiB;  ///< first reservation of a body of unknown length
  std::size_t intake_reserve_bytes = 192 * KiB;  ///< of the intake, for small bodies
  std::size_t discarded_bytes_max = 1 * MiB;     ///< read and dropped so that a client sees why it was refused
  std::size_t body_rate_bytes_per_s = 8 * KiB;   ///< slower uploads and downloads are cut
  std::int64_t head_ms = 5'000;                  ///< connect (TLS too) to request line, and that to end of head
  std::int64_t body_base_ms = 15'000;            ///< whole body: this plus its size at the minimum rate
  std::int64_t rate_grace_ms = 2'000;            ///< before the minimum rate counts
  std::int64_t room_ms = 5'000;                  ///< wait for body memory, then 503
  std::int64_t answer_ms = 60'000;               ///< a handler that never answers: 503
  std::int64_t idle_ms = 60'000;                 ///< kept-alive connection without a request
  std::int64_t half_closed_ms = 1'000;           ///< an idle connection whose client has ended its side is closed then
  std::int64_t sweep_ms = 100;                   ///< deadlines are looked at no more often than this
};

struct Counters {
  std::uint64_t requests = 0;            ///< heads that were read
  std::uint64_t answers = 0;             ///< responses handed to the library
  std::uint64_t refused_framing = 0;     ///< 400 before the handler saw anything
  std::uint64_t refused_by_handler = 0;  ///< on_head said no
  std::uint64_t refused_too_large = 0;   ///< 413
  std::uint64_t refused_no_room = 0;     ///< 503, body memory
  std::uint64_t cut_slow = 0;            ///< a deadline passed; the connection was shut
  std::uint64_t cut_over_limit = 0;      ///< shut to make room for another connection
  std::uint64_t connections = 0;         ///< now
  std::uint64_t tls_connections = 0;     ///< of these
  std::uint64_t waiting_answers = 0;     ///< now
  std::uint64_t waiting_room = 0;        ///< now
};

}  // namespace tocsin::microhttpd
