// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <microhttpd.h>

#include <string>

#include "platform/linux/handle.hpp"
#include "platform/linux/loop.hpp"
#include "platform/microhttpd/sockets.hpp"

namespace tocsin::microhttpd {

class HttpServer;

/// One daemon of the library and what the server remembers about it.
struct ListenerState {
  HttpServer* server = nullptr;
  port::Listener kind = port::Listener::push;
  unsigned connections_max = 0;
  unsigned reconnecting_max = 0;
  unsigned connections = 0;
  unsigned unanswered = 0;  ///< connections in phase answer or ready: the library calls them pending
  unsigned handshakes = 0;  ///< TLS connections in phase fresh: the library calls them readable until they are through
  port::TlsListener* tls = nullptr;
  bool dirty = true;        ///< must be run at the end of this turn
  bool progressed = false;  ///< something other than asking the unanswered happened in the last run
  bool queued = false;      ///< a response was queued in the last run; the next run sends it
  std::int64_t backoff_ms = 1;
  Monotonic run_due{};
  MHD_Daemon* daemon = nullptr;
  linux::Loop::Watch watch;
  Credentials credentials;
  std::string unix_path;

  void on_ready(std::uint32_t) noexcept { dirty = true; }
  [[nodiscard]] bool is_admin() const noexcept { return kind != port::Listener::push; }
};

}  // namespace tocsin::microhttpd
