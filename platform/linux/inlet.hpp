// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include "platform/linux/handle.hpp"
#include "platform/linux/loop.hpp"
#include "src/port/inlet.hpp"

namespace tocsin::linux {

/// Where an inlet listens: a numeric address and port (0: any free one), or the path of a Unix socket.
struct InletAddress {
  bool is_stream = false;
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;  ///< not empty: a Unix socket
};

/// Sockets that give what arrives to one sink and never answer: datagram sockets, and stream listeners with at most
/// InletSink::kStreamsMax connections together.
///
/// What a sink does not take of a stream is kept, kWindowBytes at most, in memory that is held only meanwhile; nothing
/// more is read then, and a peer that goes on writing waits. (Left in the kernel's buffer, a beginning of a message can
/// hold a block of 64 KiB there, the window closes, and the rest never comes.) Without that memory it is tried again
/// later. Datagrams stay in the kernel while the sink has no room; what finds the buffer full is lost (a sender to a
/// Unix socket waits instead). Of a datagram the first kWindowBytes are read. When every slot is taken, a new
/// connection gets the one that has said nothing whole for the longest time, kIdleMs at least, else it is closed at
/// once. Dead peers are found by TCP keep-alive. One socket is read for kTurnBytes at a time, then the loop goes round.
/// Unix sockets: everybody on the machine may write (mode 0666); a stale one at the path is replaced, a living one or
/// another file is a conflict. The path is left behind. Threads: the loop's.
class Inlet {
 public:
  static constexpr std::size_t kListenersMax = 8;
  static constexpr std::int64_t kIdleMs = 60'000;
  static constexpr std::size_t kTurnBytes = 64 * 1024;
  static constexpr std::size_t kBufferBytesMax = 16 * 1024;

  struct Counters {
    std::uint64_t connections = 0;     ///< open now
    std::uint64_t refused = 0;         ///< closed at once, no slot was free
    std::uint64_t evicted = 0;         ///< closed for a new one
    std::uint64_t lost_in_kernel = 0;  ///< datagrams that found the socket's buffer full
  };

  /// `loop`, `sink` and `memory` outlive it. `message_bytes`: read of a datagram; `window_bytes`: shown of a stream;
  /// both at most kBufferBytesMax.
  Inlet(Loop& loop, port::InletSink& sink, std::size_t message_bytes, std::size_t window_bytes,
        std::pmr::memory_resource& memory) noexcept;
  ~Inlet() { close(); }
  Inlet(const Inlet&) = delete;
  Inlet& operator=(const Inlet&) = delete;

  /// Answers the real port, 0 for a Unix socket. Errors: invalid_input (address not understood, path too long),
  /// conflict (in use), out_of_budget (kListenersMax), io_failed.
  [[nodiscard]] Result<std::uint16_t> listen(const InletAddress& address);
  /// The sink has room again: datagrams are read on, and streams with something left are shown to it once more.
  void resume() noexcept;
  /// Ends listening and every connection.
  void close() noexcept;
  /// Asks the kernel for its part.
  [[nodiscard]] Counters counters() noexcept;

 private:
  struct Peer {
    std::array<char, 46> text{};
    [[nodiscard]] std::string_view view() const noexcept { return text.data(); }
  };
  struct Listener {
    Inlet* inlet = nullptr;
    Handle socket;
    Loop::Watch watch;
    bool is_stream = false;
    bool is_paused = false;
    std::uint32_t lost_seen = 0;  ///< the kernel's own count, which wraps
    void on_ready(std::uint32_t events) noexcept;
  };
  struct Stream {
    Inlet* inlet = nullptr;
    Handle socket;
    Loop::Watch watch;
    Peer peer;
    Monotonic heard{};          ///< when the sink took something of it last
    bool has_more = false;      ///< something may be there that the sink has not taken
    std::byte* kept = nullptr;  ///< window_bytes_ of memory_, while it is not null
    std::size_t kept_bytes = 0;
    void on_ready(std::uint32_t events) noexcept;
  };
  void read_datagrams(Listener& listener) noexcept;
  [[nodiscard]] bool read_datagram(Listener& listener, std::size_t& bytes) noexcept;
  void accept_streams(Listener& listener) noexcept;
  [[nodiscard]] Stream* free_stream() noexcept;
  void open_stream(Stream& stream, Handle socket, const Peer& peer) noexcept;
  void read_stream(Stream& stream) noexcept;
  void close_stream(Stream& stream) noexcept;
  void go_on_soon(std::int64_t ms) noexcept;
  enum class Arrived : std::uint8_t { bytes, nothing, end };
  [[nodiscard]] Arrived receive(Stream& stream) noexcept;
  [[nodiscard]] bool hold(Stream& stream) noexcept;
  void let_go(Stream& stream) noexcept;
  void on_soon(std::uint32_t) noexcept;

  Loop& loop_;
  port::InletSink& sink_;
  std::size_t message_bytes_;
  std::size_t window_bytes_;
  std::pmr::memory_resource& memory_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::array<Stream, port::InletSink::kStreamsMax> streams_{};
  Loop::Timer soon_;
  Counters counters_;
};

}  // namespace tocsin::linux
