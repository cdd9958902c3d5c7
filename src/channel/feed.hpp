// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>

#include "src/channel/reader.hpp"
#include "src/port/link.hpp"

namespace tocsin::channel {

/// Takes frames one at a time.
class FrameHandler {
 public:
  virtual ~FrameHandler() = default;
  /// `frame` has a complete frame; take_body() is allowed. False: protocol error. May throw std::bad_alloc.
  [[nodiscard]] virtual bool on_frame(FrameReader& frame) = 0;
};

/// From a link's bytes to a handler's frames. A named boundary: std::bad_alloc ends the link.
class FrameFeed final : public port::LinkSink {
 public:
  FrameFeed(Sender peer, FrameHandler& handler) noexcept : reader_(peer), handler_(handler) {}

  [[nodiscard]] bool on_bytes(Bytes in) noexcept override {
    try {
      for (;;) {
        const auto complete = reader_.next(in);
        if (!complete.ok()) return false;
        if (!*complete) return true;
        if (!handler_.on_frame(reader_)) return false;
      }
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

 private:
  FrameReader reader_;
  FrameHandler& handler_;
};

/// The core's account of what it may send. Follows the worker's state and credit frames.
class CreditAccount {
 public:
  /// Credit starts at zero with every state frame; `session` is 0 unless it says connected.
  void on_state(const State& state) noexcept {
    session_ = state.session;
    bytes_ = 0;
    message_bytes_max_ = state.message_bytes_max;
  }
  /// False: protocol error (not connected, or more in all than one session may have).
  [[nodiscard]] bool on_credit(std::uint32_t bytes) noexcept {
    if (session_ == 0 || bytes > kCreditBytes - bytes_) return false;
    bytes_ += bytes;
    return true;
  }
  /// False: no room for that frame now; nothing is spent.
  [[nodiscard]] bool spend(std::size_t frame_bytes) noexcept {
    if (session_ == 0 || frame_bytes > bytes_) return false;
    bytes_ -= static_cast<std::uint32_t>(frame_bytes);
    return true;
  }
  [[nodiscard]] std::uint32_t session() const noexcept { return session_; }  ///< 0: nothing may be sent
  [[nodiscard]] std::uint32_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint32_t message_bytes_max() const noexcept { return message_bytes_max_; }  ///< 0: no limit

 private:
  std::uint32_t session_ = 0;
  std::uint32_t bytes_ = 0;
  std::uint32_t message_bytes_max_ = 0;
};

}  // namespace tocsin::channel
