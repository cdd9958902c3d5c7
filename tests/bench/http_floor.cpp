// SPDX-License-Identifier: Apache-2.0
// The machine's floor for one HTTP thread: bare libmicrohttpd in its fastest mode, which reads and drops the body and
// answers a fixed push answer. Everything `make bench` reports is a share of what wrk measures against this.
// The external loop is used because the library's own epoll thread stalls at 256 connections.
// Usage: http_floor --port N
#include <microhttpd.h>
#include <sys/epoll.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

char g_body[] =
    R"({"code":"200","message":"success","request_id":"00000000-0000-0000-0000-000000000000","result":"true"})";

MHD_Result on_call(void* response, MHD_Connection* connection, const char*, const char*, const char*, const char*,
                   std::size_t* size, void** context) {
  static int seen = 0;
  if (*context == nullptr) {
    *context = &seen;
    return MHD_YES;
  }
  if (*size != 0) {
    *size = 0;
    return MHD_YES;
  }
  return MHD_queue_response(connection, 200, static_cast<MHD_Response*>(response));
}

}  // namespace

int main(int count, char** arguments) {
  std::uint16_t port = 0;
  const std::string_view number{count == 3 ? arguments[2] : ""};
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), port);
  if (count != 3 || std::string_view{arguments[1]} != "--port" || parsed.ec != std::errc{}) {
    static_cast<void>(std::fprintf(stderr, "usage: http_floor --port N\n"));
    return 2;
  }
  MHD_Response* response = MHD_create_response_from_buffer(std::strlen(g_body), g_body, MHD_RESPMEM_PERSISTENT);
  static_cast<void>(MHD_add_response_header(response, "Content-Type", "application/json"));
  MHD_Daemon* daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK, port, nullptr, nullptr, on_call,
                                        response, MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{8192},
                                        MHD_OPTION_CONNECTION_LIMIT, 600U, MHD_OPTION_END);
  if (daemon == nullptr) return 1;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &event);
  for (;;) {
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    const bool limited = MHD_get_timeout(daemon, &wait_ms) == MHD_YES;
    epoll_wait(epoll, &event, 1, limited ? static_cast<int>(wait_ms) : -1);
    MHD_run(daemon);
  }
}
