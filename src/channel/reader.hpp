// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "src/base/result.hpp"
#include "src/channel/frames.hpp"

namespace tocsin::channel {

/// Cuts a byte stream into frames, however it arrives.
/// Memory: one frame; taken when its length and type are known and allowed, so a wrong length takes nothing.
class FrameReader {
 public:
  /// `sender`: who is at the other end, which says what types may come.
  explicit FrameReader(Sender sender) noexcept : sender_(sender) {}

  /// Consumes from the front of `in` up to the end of one frame. True: type() and body() are that frame's until the
  /// next call. False: `in` is used up and the frame is not complete.
  /// invalid_input: protocol error; so does every later call. Throws std::bad_alloc; the reader is then useless.
  [[nodiscard]] Result<bool> next(Bytes& in);

  [[nodiscard]] FrameType type() const noexcept { return static_cast<FrameType>(head_[4]); }
  [[nodiscard]] Bytes body() const noexcept { return as_bytes(body_); }  ///< payload, without length and type
  [[nodiscard]] std::size_t frame_bytes() const noexcept { return kFrameHeadBytes + body_.size(); }
  /// The payload without copying it; the reader keeps no memory for it.
  [[nodiscard]] std::string take_body() noexcept;

 private:
  [[nodiscard]] bool begin_body();

  Sender sender_;
  bool broken_ = false;
  bool complete_ = false;
  std::array<std::byte, kFrameHeadBytes> head_{};
  std::size_t head_bytes_ = 0;
  std::size_t body_wanted_ = 0;
  std::string body_;
};

// Payloads. invalid_input: protocol error. Views point into `body`.

[[nodiscard]] Result<Configure> read_configure(Bytes body);
[[nodiscard]] Result<std::uint64_t> read_ping(Bytes body);  ///< pong too
[[nodiscard]] Status read_stop(Bytes body);
[[nodiscard]] Result<Source> read_source(Bytes body);
[[nodiscard]] Result<Position> read_position(Bytes body);
[[nodiscard]] Result<Settle> read_settle(Bytes body);
[[nodiscard]] Result<Hello> read_hello(Bytes body);
[[nodiscard]] Result<State> read_state(Bytes body);
[[nodiscard]] Result<std::uint32_t> read_credit(Bytes body);
[[nodiscard]] Result<Confirm> read_confirm(Bytes body);
[[nodiscard]] Result<Log> read_log(Bytes body);
[[nodiscard]] Result<Assigned> read_assigned(Bytes body);
[[nodiscard]] Result<Record> read_record(Bytes body);

/// A data frame whose every byte has been checked. Walk it with next(); rewind() begins again.
class DataFrame {
 public:
  [[nodiscard]] static Result<DataFrame> read(Bytes body);

  [[nodiscard]] const DataHead& head() const noexcept { return head_; }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t first_seq() const noexcept { return first_seq_; }
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return last_seq_; }
  [[nodiscard]] std::optional<DataItem> next() noexcept;
  void rewind() noexcept { rest_ = items_; }

 private:
  DataHead head_;
  std::uint32_t count_ = 0;
  std::uint64_t first_seq_ = 0;
  std::uint64_t last_seq_ = 0;
  Bytes items_;
  Bytes rest_;
};

}  // namespace tocsin::channel
