// SPDX-License-Identifier: Apache-2.0
// What one client sends over one connection, through the real server. Whatever reaches the handler is what a reader
// that tolerates nothing makes of the same bytes: same requests, same borders, same paths, queries, headers, bodies.
// (A stream with NUL is not compared: the library makes ends of lines of some and cuts values short at others.)
// The first byte chooses the listener. Time is the target's own: it stands still while bytes move, and passes when a
// connection waits for more than its client sends.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "platform/linux/loop.hpp"
#include "platform/microhttpd/server.hpp"
#include "src/api/logins.hpp"
#include "src/api/routes.hpp"
#include "src/port/clock.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/strict_http.hpp"

namespace tocsin {
namespace {

using fuzz::require;

constexpr std::size_t kStreamBytesMax = 16 * KiB;
constexpr int kTurnsMax = 12;   // with the time standing still
constexpr int kMinutesMax = 3;  // until every deadline has passed
constexpr std::array<std::string_view, 4> kHeaders{"Authorization", "Content-Type", "X-BK-TOKEN", "Host"};

std::string base64(std::string_view plain) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : plain) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) out += kLetters[(bits >> (have - 6)) & 63U];
  }
  if (have != 0) out += kLetters[(bits << (6 - have)) & 63U];
  return out;
}

/// What the operator API reads out of a head.
void check_head(const port::HttpRequest& request) {
  const std::string_view path = request.path();
  const auto found = api::match(request.listener(), request.method(), path);
  if (found.route != nullptr) {
    require(api::serves(found.route->on, request.listener()), "a route of another listener");
    require(found.parameter.find('/') == std::string_view::npos, "a parameter is one segment");
    require(path.find(found.parameter) != std::string_view::npos, "a parameter is part of the path");
    require((found.route->path.find('{') == std::string_view::npos) == found.parameter.empty(), "a parameter, or none");
  }
  const std::string_view given = request.header("Authorization");
  require(api::parse_bearer(given).size() < api::kCredentialsBytesMax, "a token has a bound");
  const auto basic = api::parse_basic(given);
  if (!basic) return;
  require(!basic->user.empty() && basic->user.find(':') == std::string::npos, "a user has a name");
  std::string again = "Basic ";
  again.append(base64(basic->user + ":" + basic->password));
  if (again.size() > api::kCredentialsBytesMax) return;
  const auto same = api::parse_basic(again);
  require(same && same->user == basic->user && same->password == basic->password, "credentials are read as written");
}

/// Compares each request with the next one of the strict reader.
class ComparingHandler final : public port::HttpHandler {
 public:
  void begin(std::string_view stream) {
    expected_ = fuzz::StrictReader{stream};
    is_compared_ = stream.find('\0') == std::string_view::npos;
  }

  std::optional<port::HttpResponse> on_head(const port::HttpRequest& request,
                                            std::size_t& bytes_max) noexcept override {
    bytes_max = 8 * KiB;
    check_head(request);
    return std::nullopt;
  }
  std::optional<port::HttpResponse> on_request(const port::HttpRequest& request, port::Ticket,
                                               std::span<std::byte> body) noexcept override {
    port::HttpResponse out;
    out.body = "{}";
    if (!is_compared_) return out;
    const auto wanted = expected_.next();
    require(wanted.has_value(), "taken, and no request by the letter");
    require(request.path() == wanted->path(), "same path");
    require(as_text(body) == wanted->body, "same body");
    require((request.method() == port::Method::post) == (wanted->method == "POST"), "same method");
    for (const std::string_view name : api::kQueryNames)
      require(request.query(name) == wanted->query(name), "same query");
    for (const std::string_view name : kHeaders) require(request.header(name) == wanted->header(name), "same header");
    return out;
  }
  port::HttpResponse refusal(const port::HttpRequest& request, std::uint16_t status,
                             std::string_view why) noexcept override {
    require(status >= 400 && !why.empty(), "a refusal has a status and words");
    static_cast<void>(api::match(request.listener(), request.method(), request.path()));
    port::HttpResponse out;
    out.status = status;
    out.body = why;
    return out;
  }

 private:
  fuzz::StrictReader expected_{{}};
  bool is_compared_ = true;
};

class ManualClock final : public port::Clock {
 public:
  Monotonic monotonic() const noexcept override { return now; }
  Wall wall() const noexcept override { return {1'700'000'000'000, true}; }
  const char* source() const noexcept override { return "battery"; }
  bool set_wall(std::int64_t) noexcept override { return false; }
  Monotonic now{1'000'000'000};
};

class HttpWorld {
 public:
  HttpWorld() {
    std::string folder = "/tmp/tocsin-fuzz-XXXXXX";
    require(::mkdtemp(folder.data()) != nullptr, "a folder for the sockets");
    for (const auto kind : {port::Listener::push, port::Listener::control}) {
      microhttpd::ListenerOptions options;
      options.kind = kind;
      options.unix_path = folder + (kind == port::Listener::push ? "/p" : "/c");
      paths_.push_back(options.unix_path);
      require(server_.open(options).ok(), "a listener");
    }
  }
  ~HttpWorld() {
    for (const std::string& path : paths_) ::unlink(path.c_str());
    ::rmdir(paths_.front().substr(0, paths_.front().rfind('/')).c_str());
  }
  HttpWorld(const HttpWorld&) = delete;
  HttpWorld& operator=(const HttpWorld&) = delete;

  void send(bool to_push, std::string_view stream) {
    handler_.begin(stream);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    paths_[to_push ? 0 : 1].copy(to.sun_path, sizeof to.sun_path - 1);
    require(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "a connection");
    require(::send(fd, stream.data(), stream.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(stream.size()), "room");
    ::shutdown(fd, SHUT_WR);
    bool is_over = runs_out(fd);
    for (int minute = 0; minute < kMinutesMax && !is_over; ++minute) {
      clock_.now = clock_.now.after_ms(60'000);
      is_over = runs_out(fd);
    }
    require(is_over, "a connection whose client sends no more comes to its end");
    ::close(fd);
    static_cast<void>(loop_.run_once(0));
    require(small_.used_bytes() == 0 && pool_.used_bytes() == 0, "no body is kept");
  }

 private:
  bool runs_out(int fd) {
    for (int turn = 0; turn < kTurnsMax; ++turn) {
      require(loop_.run_once(0).ok(), "a turn");
      if (drained(fd)) return true;
    }
    return false;
  }
  static bool drained(int fd) {
    std::array<char, 4096> part{};
    for (;;) {
      const ssize_t count = ::recv(fd, part.data(), part.size(), 0);
      if (count == 0 || (count < 0 && errno != EAGAIN)) return true;
      if (count < 0) return false;
    }
  }

  ManualClock clock_;
  linux::Loop loop_{clock_};
  ComparingHandler handler_;
  Budget small_{"small", 256 * KiB};
  Budget pool_{"pool", 1 * MiB};
  microhttpd::HttpServer server_{{loop_, clock_, handler_, small_, pool_}};
  std::vector<std::string> paths_;
};

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tocsin::HttpWorld world;
  if (size < 1 || size > tocsin::kStreamBytesMax) return 0;
  world.send((data[0] & 1U) == 0, tocsin::fuzz::text_of(data + 1, size - 1));
  return 0;
}
