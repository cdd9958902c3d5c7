// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "src/base/bytes.hpp"

namespace tocsin::port {

/// Takes messages that nobody answers, from datagrams and from byte streams. Called on the thread that owns the
/// sockets. Nothing may be thrown out of these; a sink does not close its sockets from inside of them.
class InletSink {
 public:
  static constexpr std::size_t kStreamsMax = 16;  ///< of one sink; slots are numbered from 0

  virtual ~InletSink() = default;
  /// Asked before a datagram is read. False: none is until resume(); they wait in the kernel as long as it has room.
  [[nodiscard]] virtual bool has_room() noexcept = 0;
  /// One datagram, or as much of its beginning as the socket was told to read. It is gone afterwards, whatever becomes
  /// of it. `peer`: the sender's address without port; empty: a program on this machine, over a Unix socket.
  virtual void on_datagram(Bytes message, bool is_cut, std::string_view peer) noexcept = 0;
  /// A new stream has that slot.
  virtual void on_stream_opened(std::size_t slot) noexcept = 0;
  /// What waits of a stream, from its first byte that was not taken: all, or as much as a window holds. Answers how
  /// many bytes are taken; the others come again with the next call, when more has arrived or on resume().
  /// `is_end`: the peer sends nothing after them.
  [[nodiscard]] virtual std::size_t on_stream(std::size_t slot, Bytes waiting, bool is_end,
                                              std::string_view peer) noexcept = 0;
};

}  // namespace tocsin::port
