// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/worker_link.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace tocsin::linux {

WorkerLink::WorkerLink(int fd, port::LinkSink& sink) noexcept : fd_(fd), sink_(sink) {
  const int flags = ::fcntl(fd_, F_GETFL);
  if (flags < 0 || ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK) < 0) close();
}

void WorkerLink::close() noexcept {
  if (closed_) return;
  closed_ = true;
  static_cast<void>(::shutdown(fd_, SHUT_RDWR));
  give_up_writing();
}

void WorkerLink::on_readable() noexcept {
  std::array<std::byte, kReadBytes> buffer;
  for (int i = 0; !closed_ && i < kReadsPerCall; ++i) {
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) {
      if (!sink_.on_bytes({buffer.data(), static_cast<std::size_t>(got)})) {
        peer_was_wrong_ = true;
        close();
      }
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    close();
  }
}

bool WorkerLink::next_frame() noexcept {
  written_bytes_ = 0;
  std::string().swap(current_);  // a written data frame's memory goes back at once
  current_is_data_ = control_.empty() && !data_.empty();
  if (!control_.empty()) {
    current_.swap(control_.front());
    control_.pop_front();
  } else {
    current_.swap(data_);
  }
  return !current_.empty();
}

/// A peer that has gone may have left words for us: the descriptor stays open until reading finds the end.
void WorkerLink::give_up_writing() noexcept {
  writes_ = false;
  control_.clear();
  data_.clear();
  current_.clear();
  current_is_data_ = false;
}

void WorkerLink::on_writable() noexcept {
  if (current_.empty() && !next_frame()) return;
  while (!closed_) {
    const auto sent =
        ::send(fd_, current_.data() + written_bytes_, current_.size() - written_bytes_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) give_up_writing();
      return;
    }
    written_bytes_ += static_cast<std::size_t>(sent);
    if (written_bytes_ == current_.size() && !next_frame()) return;
  }
}

bool WorkerLink::send_control(std::string frame) {
  const std::size_t waiting = control_.size() + (!current_.empty() && !current_is_data_ ? 1 : 0);
  if (!writes_ || waiting >= kControlMax) return false;
  control_.push_back(std::move(frame));
  on_writable();
  return true;
}

bool WorkerLink::send_data(std::string&& frame) {
  if (!writes_ || data_pending()) return false;
  data_ = std::move(frame);
  on_writable();
  return true;
}

}  // namespace tocsin::linux
