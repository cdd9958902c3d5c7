// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.hpp"

namespace tocsin::curl {

struct Options {
  std::string unix_socket;                     ///< not empty: every request goes there, whatever host the URL names
  std::size_t response_bytes_max = 16U << 20;  ///< a longer answer is an error
  std::int64_t connect_timeout_ms = 5'000;
  /// Not null: once true, the exchange that is going on ends within about a second, as io_failed. Outlives the client.
  const std::atomic<bool>* stop = nullptr;
};

struct Request {
  bool is_post = false;
  std::string url;                   ///< http:// or https://
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;                  ///< of a POST
  std::int64_t timeout_ms = 30'000;  ///< for the whole exchange
};

struct Response {
  int status = 0;
  std::string body;
  std::int64_t retry_after_s = 0;  ///< 0: none was given
};

/// Requests one after the other on kept connections. Proxies of the environment are not used and redirects not
/// followed. One owner thread; the first Client of a process is made before its other threads.
class Client {
 public:
  /// Throws std::bad_alloc.
  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Any HTTP status is success. unavailable: nobody answers there (os_errno says why, when known); timed_out;
  /// invalid_input: not a URL of these kinds; out_of_budget: the answer is longer than response_bytes_max;
  /// io_failed: the exchange broke, and whether the request took effect is unknown.
  [[nodiscard]] Result<Response> request(const Request& request);

 private:
  struct Handle;
  Options options_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace tocsin::curl
