// SPDX-License-Identifier: Apache-2.0
// The HTTP layer alone: our server with a handler that keeps every request and answers all of them in the next turn of
// the loop. Set against http_floor it shows what the layer costs.
// Usage: http_layer --port N
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "platform/linux/clock.hpp"
#include "platform/microhttpd/server.hpp"

namespace {

using tocsin::Budget;
using tocsin::KiB;
using tocsin::MiB;
namespace port = tocsin::port;

class Handler final : public port::HttpHandler {
 public:
  std::vector<port::Ticket> kept;

  std::optional<port::HttpResponse> on_head(const port::HttpRequest& request,
                                            std::size_t& bytes_max) noexcept override {
    bytes_max = request.header("X-BK-TOKEN").empty() ? 1 * MiB : 512'000;
    return std::nullopt;
  }
  std::optional<port::HttpResponse> on_request(const port::HttpRequest&, port::Ticket ticket,
                                               std::span<std::byte>) noexcept override {
    kept.push_back(ticket);
    return std::nullopt;
  }
  port::HttpResponse refusal(const port::HttpRequest&, std::uint16_t status, std::string_view) noexcept override {
    port::HttpResponse out;
    out.status = status;
    out.body = "{}";
    return out;
  }
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3 || std::string_view{arguments[1]} != "--port") {
    static_cast<void>(std::fprintf(stderr, "usage: http_layer --port N\n"));
    return 2;
  }
  tocsin::linux::Clock clock{{}};
  tocsin::linux::Loop loop{clock};
  Handler handler;
  Budget small{"small", 256 * KiB};
  Budget pool{"pool", 1536 * KiB};
  tocsin::microhttpd::HttpServer server{{loop, clock, handler, small, pool}};
  tocsin::microhttpd::ListenerOptions options;
  options.address = std::string{"127.0.0.1:"} + arguments[2];
  options.connections_max = 512;
  if (!server.open(options).ok()) return 1;
  std::vector<port::Ticket> due;
  for (;;) {
    if (!loop.run_once(handler.kept.empty() ? -1 : 0).ok()) return 1;
    due.swap(handler.kept);
    for (const port::Ticket ticket : due) {
      port::HttpResponse response;
      response.body =
          R"({"code":"200","message":"success","request_id":"00000000-0000-0000-0000-000000000000","result":"true"})";
      server.answer(ticket, std::move(response));
    }
    due.clear();
  }
}
