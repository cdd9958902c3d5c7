// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <memory>

namespace tocsin::gnutls {

/// Reads a socket for GnuTLS, one whole TLS record at a time.
///
/// Read straight from the socket, GnuTLS 3.7.9 keeps each piece of a record that comes in pieces in a block of 16 KiB
/// of its own, and gathers handshake messages of up to 16 MiB: a few packets of a client that nobody knows would take
/// megabytes. So it is given records that are complete, and only so many bytes for nothing.
///
/// Memory: one record while it is incomplete, at most kRecordBytesMax; nothing in between.
class RecordReader {
 public:
  static constexpr std::size_t kHeaderBytes = 5;
  static constexpr std::size_t kRecordBytesMax = 16'384 + 256;   ///< RFC 8446, 5.2; more than AEAD adds in TLS 1.2
  static constexpr std::size_t kHandshakeBytesMax = 12 * 1'024;  ///< a client's part of the handshake
  static constexpr std::size_t kUnheardBytesMax = 24 * 1'024;    ///< between two parts of requests

  explicit RecordReader(int fd) noexcept : fd_(fd) {}

  /// As recv(): bytes, 0 at the end, -1 and errno. EAGAIN until a record is whole. EPROTO: this is not TLS.
  /// EMSGSIZE: more than may come before the next progressed().
  [[nodiscard]] ssize_t read(void* out, std::size_t size) noexcept;
  void handshake_is_over() noexcept;
  void progressed() noexcept { unheard_bytes_ = 0; }

 private:
  [[nodiscard]] ssize_t fill() noexcept;
  [[nodiscard]] ssize_t fill_part(std::byte* to, std::size_t size) noexcept;
  [[nodiscard]] bool begin_body() noexcept;

  int fd_;
  std::array<std::byte, kHeaderBytes> header_{};
  std::unique_ptr<std::byte[]> body_;
  std::size_t body_bytes_ = 0;
  std::size_t have_bytes_ = 0;   ///< of header and body
  std::size_t given_bytes_ = 0;  ///< of these; only a whole record is given
  std::size_t unheard_bytes_ = 0;
  std::size_t unheard_bytes_max_ = kHandshakeBytesMax;
};

}  // namespace tocsin::gnutls
