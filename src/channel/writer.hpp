// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/base/result.hpp"
#include "src/channel/frames.hpp"

namespace tocsin::channel {

// Each returns one whole frame, ready for the socket. Texts for people are cut to their limits (at a character of
// UTF-8); other texts that are too long are invalid_input.

/// invalid_input: no server, too many servers, or larger than kConfigureFrameBytesMax in all.
[[nodiscard]] Result<std::string> write_configure(const Configure& configure);
[[nodiscard]] std::string write_ping(std::uint64_t token);
[[nodiscard]] std::string write_stop();
/// invalid_input: no server or topic, too many of them, or larger than kConfigureFrameBytesMax in all.
[[nodiscard]] Result<std::string> write_source(const Source& source);
/// Precondition for this and the two below: the topic is at most kTopicBytesMax.
[[nodiscard]] std::string write_position(const Position& position);
[[nodiscard]] std::string write_settle(const Settle& settle);

[[nodiscard]] std::string write_hello(const Hello& hello);
[[nodiscard]] std::string write_state(const State& state);
[[nodiscard]] std::string write_credit(std::uint32_t bytes);
[[nodiscard]] std::string write_confirm(const Confirm& confirm);
[[nodiscard]] std::string write_pong(std::uint64_t token);
[[nodiscard]] std::string write_log(const Log& log);
[[nodiscard]] std::string write_assigned(const Assigned& assigned);
/// Precondition: the payload is at most kRecordPayloadBytesMax.
[[nodiscard]] std::string write_record(const Record& record);

/// Builds one data frame item by item. Memory: the frame, grown as needed; `frame_bytes_max` bounds it.
class DataWriter {
 public:
  /// `frame_bytes_max` is clamped to kDataFrameBytesMax. Precondition: the plugin id is at most 255 bytes.
  explicit DataWriter(const DataHead& head, std::size_t frame_bytes_max = kDataFrameBytesMax);

  /// False: the item is empty, does not fit any more, or its sequence does not rise; the frame is unchanged.
  [[nodiscard]] bool add(const DataItem& item);

  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t frame_bytes() const noexcept { return frame_.size(); }
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return last_seq_; }

  /// The whole frame; its size is what it costs of the credit. Precondition: count() > 0. Leaves an empty writer.
  [[nodiscard]] std::string take();

 private:
  std::string frame_;
  std::size_t limit_;
  std::size_t count_at_;
  std::uint32_t count_ = 0;
  std::uint64_t last_seq_ = 0;
};

}  // namespace tocsin::channel
