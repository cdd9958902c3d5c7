// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "src/port/link.hpp"

namespace tocsin::linux {

/// One end of the stream socket between tocsind and a worker; both use it. Never blocks.
/// What arrives goes to the sink in any split; what leaves are whole frames, control before data, and a frame that has
/// begun is finished first.
/// Memory: kControlMax control frames and one data frame, as given. Threads: one owner.
class WorkerLink {
 public:
  static constexpr std::size_t kControlMax = 64;

  /// `fd`: a connected stream socket, which stays the caller's to close; it becomes non-blocking. Both it and `sink`
  /// outlive the link.
  WorkerLink(int fd, port::LinkSink& sink) noexcept;
  WorkerLink(const WorkerLink&) = delete;
  WorkerLink& operator=(const WorkerLink&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  /// The peer broke the protocol (the sink said so), as opposed to having gone.
  [[nodiscard]] bool peer_was_wrong() const noexcept { return peer_was_wrong_; }
  [[nodiscard]] bool wants_write() const noexcept { return !current_.empty(); }
  [[nodiscard]] bool data_pending() const noexcept { return current_is_data_ || !data_.empty(); }

  /// Reads what is there, at most kReadsPerCall buffers, and hands it to the sink. Closed afterwards at end of file, on
  /// an error, or when the sink says no. The sink may call send_* from inside, and must not destroy the link.
  void on_readable() noexcept;
  void on_writable() noexcept;

  /// Both write at once what the socket takes. Throw std::bad_alloc (nothing queued then).
  /// False: the peer has gone, or kControlMax frames wait already.
  [[nodiscard]] bool send_control(std::string frame);
  /// False: the peer has gone, or a data frame is on its way; `frame` is then untouched.
  [[nodiscard]] bool send_data(std::string&& frame);

  /// Ends the conversation both ways; what was not written is dropped.
  void close() noexcept;

 private:
  static constexpr std::size_t kReadBytes = 16 * 1024;
  static constexpr int kReadsPerCall = 64;

  bool next_frame() noexcept;
  void give_up_writing() noexcept;

  int fd_;
  port::LinkSink& sink_;
  bool closed_ = false;
  bool peer_was_wrong_ = false;
  bool writes_ = true;  ///< false once a write has failed; nothing is sent any more
  std::deque<std::string> control_;
  std::string data_;
  std::string current_;  ///< being written; empty: nothing is
  std::size_t written_bytes_ = 0;
  bool current_is_data_ = false;
};

}  // namespace tocsin::linux
