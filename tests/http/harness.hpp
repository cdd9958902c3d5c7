// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/linux/clock.hpp"
#include "platform/microhttpd/server.hpp"

namespace tocsin::microhttpd {

/// A raw client: what it sends is exactly what a test says, what it got is exactly what came.
class Client {
 public:
  /// 127.0.0.`host`: tests play several addresses.
  explicit Client(std::uint16_t port, int host = 1) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7F000000U + static_cast<unsigned>(host));
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    sockaddr_in to = from;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    static_cast<void>(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to));
  }
  explicit Client(const std::string& path) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  Client(Client&& other) noexcept
      : got(std::move(other.got)),
        closed(other.closed),
        fd_(std::exchange(other.fd_, -1)),
        out_(std::move(other.out_)) {}
  Client(const Client&) = delete;
  ~Client() { close(); }

  void send(std::string text) {
    out_ += text;
    move();
  }
  /// Writes what fits, reads what came.
  void move() {
    if (fd_ < 0) return;
    if (!out_.empty()) {
      const ssize_t put = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (put > 0) out_.erase(0, static_cast<std::size_t>(put));
    }
    char part[16384];
    for (;;) {
      const ssize_t count = ::recv(fd_, part, sizeof part, 0);
      if (count > 0) {
        got.append(part, static_cast<std::size_t>(count));
        continue;
      }
      if (count == 0 || (errno != EAGAIN && errno != ENOTCONN)) closed = true;
      break;
    }
  }
  [[nodiscard]] bool all_sent() const { return out_.empty(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Sends nothing more, and says so.
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  [[nodiscard]] int status() const {
    int code = 0;
    if (got.size() >= 12) static_cast<void>(std::from_chars(got.data() + 9, got.data() + 12, code));
    return code;
  }
  [[nodiscard]] std::size_t answers() const {
    std::size_t count = 0;
    for (std::size_t at = got.find("HTTP/1.1 "); at != std::string::npos; at = got.find("HTTP/1.1 ", at + 9)) ++count;
    return count;
  }
  [[nodiscard]] bool has(const std::string& text) const { return got.find(text) != std::string::npos; }

  std::string got;
  bool closed = false;

 private:
  int fd_ = -1;
  std::string out_;
};

/// Plays the layer above: remembers what it was given and answers as the test says.
class FakeHandler final : public port::HttpHandler {
 public:
  std::optional<port::HttpResponse> on_head(const port::HttpRequest& request,
                                            std::size_t& bytes_max) noexcept override {
    ++heads;
    bytes_max = body_bytes_max;
    if (request.path() != "/deny") return std::nullopt;
    port::HttpResponse out;
    out.status = 401;
    out.body = R"({"code":"401"})";
    out.ask_for_credentials = true;
    return out;
  }
  std::optional<port::HttpResponse> on_request(const port::HttpRequest& request, port::Ticket ticket,
                                               std::span<std::byte> body) noexcept override {
    bodies.emplace_back(as_text(body));
    for (std::size_t i = 0; i < 64; ++i)
      padding_is_zero = padding_is_zero && body.data()[body.size() + i] == std::byte{};
    if (inspect) inspect(request);
    if (defer) {
      tickets.push_back(ticket);
      return std::nullopt;
    }
    return good();
  }
  port::HttpResponse refusal(const port::HttpRequest&, std::uint16_t status, std::string_view why) noexcept override {
    port::HttpResponse out;
    out.status = status;
    out.body = R"({"why":")" + std::string{why} + R"("})";
    return out;
  }
  static port::HttpResponse good() {
    port::HttpResponse out;
    out.body = R"({"result":"true"})";
    return out;
  }

  std::size_t body_bytes_max = 512'000;
  bool defer = false;
  std::function<void(const port::HttpRequest&)> inspect;
  int heads = 0;
  bool padding_is_zero = true;
  std::vector<std::string> bodies;
  std::vector<port::Ticket> tickets;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(Limits limits = {}, unsigned connections_max = 300) {
    server = std::make_unique<HttpServer>(ServerParts{loop, clock, handler, small, pool}, limits);
    ListenerOptions options;
    options.address = "127.0.0.1:0";
    options.connections_max = connections_max;
    const auto opened = server->open(options);
    ASSERT_TRUE(opened.ok());
    port = *opened;
    ASSERT_NE(port, 0);
  }
  /// Runs server and clients until `done`; false after five seconds.
  bool run_until(const std::function<bool()>& done, std::vector<Client*> clients) {
    const Monotonic give_up = clock.monotonic().after_ms(5'000);
    while (!done()) {
      if (clock.monotonic() > give_up) return false;
      EXPECT_TRUE(loop.run_once(1).ok());
      for (Client* client : clients) client->move();
    }
    return true;
  }
  bool run_until_closed(Client& client) {
    return run_until([&] { return client.closed; }, {&client});
  }
  bool run_until_answers(Client& client, std::size_t count = 1) {
    return run_until([&] { return client.answers() >= count && client.has("\r\n\r\n"); }, {&client});
  }
  /// As many turns as anything that is ready needs.
  void settle(std::vector<Client*> clients = {}) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(loop.run_once(0).ok());
      for (Client* client : clients) client->move();
    }
  }
  static std::string post(const std::string& body, const std::string& path = "/v2/push/") {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }

  linux::Clock clock{{}};
  linux::Loop loop{clock};
  FakeHandler handler;
  Budget small{"small", 64 * KiB};
  Budget pool{"pool", 1536 * KiB};
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
};

}  // namespace tocsin::microhttpd
