// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "platform/microhttpd/options.hpp"
#include "src/base/result.hpp"
#include "src/base/time.hpp"

namespace tocsin::microhttpd {

struct ListeningSocket {
  int fd = -1;             ///< the caller closes it
  std::uint16_t port = 0;  ///< the real one; 0 for a Unix socket
};

/// Binds and listens. Errors: invalid_input (address not understood), conflict (in use), io_failed.
[[nodiscard]] Result<ListeningSocket> listen_on(const ListenerOptions& options);

/// Who is at the other end.
struct Peer {
  std::array<char, 46> text{};      ///< address without port, NUL-terminated; "unix"
  std::array<std::byte, 16> key{};  ///< for limits per address: IPv4-mapped, or the IPv6 /64; zero for Unix
  bool loopback = false;
  bool admin = false;
  std::uint32_t uid = 0;
};

/// Decides whether a user of the Unix socket is an admin: root, our own uid, the group's members. Answers are kept for
/// a minute, because asking the user database may read files.
class Credentials {
 public:
  /// `group` may be empty or unknown.
  void open(const std::string& group);
  [[nodiscard]] bool is_admin(uid_t uid, gid_t gid, Monotonic now) noexcept;

 private:
  struct Known {
    uid_t uid = 0;
    bool admin = false;
    Monotonic until{};
  };
  [[nodiscard]] bool is_member(uid_t uid) const noexcept;
  bool has_group_ = false;
  gid_t group_ = 0;
  std::array<Known, 8> known_{};
  std::size_t next_ = 0;
};

/// The other end sends nothing more, and all that it sent was read.
[[nodiscard]] bool has_ended(int fd) noexcept;

[[nodiscard]] Peer peer_of(int fd, const sockaddr* address, Credentials& credentials, Monotonic now) noexcept;

}  // namespace tocsin::microhttpd
