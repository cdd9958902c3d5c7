// SPDX-License-Identifier: Apache-2.0
#include "platform/gnutls/records.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace tocsin::gnutls {

namespace {

constexpr unsigned kTypeFirst = 20;  // change_cipher_spec
constexpr unsigned kTypeLast = 23;   // application_data
constexpr unsigned kMajorVersion = 3;

ssize_t fail(int number) noexcept {
  errno = number;
  return -1;
}

}  // namespace

void RecordReader::handshake_is_over() noexcept {
  unheard_bytes_max_ = kUnheardBytesMax;
  unheard_bytes_ = 0;
}

/// Until it is full: what comes later makes a new event only after the socket was read empty.
ssize_t RecordReader::fill_part(std::byte* to, std::size_t size) noexcept {
  for (std::size_t have = 0; have < size;) {
    const ssize_t got = ::recv(fd_, to + have, size - have, 0);
    if (got <= 0) return got;
    have += static_cast<std::size_t>(got);
    have_bytes_ += static_cast<std::size_t>(got);
  }
  return 1;
}

/// The header is there: false and errno, when no body may follow it.
bool RecordReader::begin_body() noexcept {
  const auto at = [this](std::size_t i) { return std::to_integer<unsigned>(header_[i]); };
  body_bytes_ = at(3) << 8U | at(4);
  const bool is_tls = at(0) >= kTypeFirst && at(0) <= kTypeLast && at(1) == kMajorVersion;
  if (!is_tls || body_bytes_ == 0 || body_bytes_ > kRecordBytesMax) {
    errno = EPROTO;
    return false;
  }
  unheard_bytes_ += kHeaderBytes + body_bytes_;
  if (unheard_bytes_ > unheard_bytes_max_) {
    errno = EMSGSIZE;
    return false;
  }
  body_.reset(new (std::nothrow) std::byte[body_bytes_]);
  if (body_ == nullptr) errno = ENOMEM;
  return body_ != nullptr;
}

ssize_t RecordReader::fill() noexcept {
  if (have_bytes_ < kHeaderBytes) {
    if (const ssize_t got = fill_part(header_.data() + have_bytes_, kHeaderBytes - have_bytes_); got <= 0) return got;
    if (!begin_body()) return fail(errno);
  }
  if (body_ == nullptr) return fail(EPROTO);  // it was refused before
  const std::size_t have = have_bytes_ - kHeaderBytes;
  return have == body_bytes_ ? 1 : fill_part(body_.get() + have, body_bytes_ - have);
}

ssize_t RecordReader::read(void* out, std::size_t size) noexcept {
  if (const ssize_t got = fill(); got <= 0) return got;
  auto* const to = static_cast<std::byte*>(out);
  std::size_t given = 0;
  if (given_bytes_ < kHeaderBytes) {
    given = std::min(size, kHeaderBytes - given_bytes_);
    std::memcpy(to, header_.data() + given_bytes_, given);
    given_bytes_ += given;
  }
  if (given < size && given_bytes_ >= kHeaderBytes) {
    const std::size_t at = given_bytes_ - kHeaderBytes;
    const std::size_t more = std::min(size - given, body_bytes_ - at);
    std::memcpy(to + given, body_.get() + at, more);
    given_bytes_ += more;
    given += more;
  }
  if (given_bytes_ == kHeaderBytes + body_bytes_) {
    body_.reset();
    have_bytes_ = given_bytes_ = body_bytes_ = 0;
  }
  return static_cast<ssize_t>(given);
}

}  // namespace tocsin::gnutls
