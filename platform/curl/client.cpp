// SPDX-License-Identifier: Apache-2.0
#include "platform/curl/client.hpp"

#include <curl/curl.h>

#include <new>
#include <utility>

namespace tocsin::curl {
namespace {

struct Sink {
  std::string& body;
  std::size_t bytes_max;
  bool is_over = false;
  bool is_out_of_memory = false;
};

/// Called by libcurl (C): nothing may propagate out. Taking less than offered ends the exchange.
extern "C" std::size_t tocsin_curl_on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& sink = *static_cast<Sink*>(self);
  const std::size_t bytes = size * count;
  if (bytes > sink.bytes_max - sink.body.size()) {
    sink.is_over = true;
    return 0;
  }
  try {
    sink.body.append(data, bytes);
  } catch (const std::bad_alloc&) {
    sink.is_out_of_memory = true;
    return 0;
  }
  return bytes;
}

/// Called by libcurl (C) as data moves, and about once a second. Not 0 ends the exchange.
extern "C" int tocsin_curl_on_progress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::atomic<bool>*>(stop)->load(std::memory_order_relaxed) ? 1 : 0;
}

struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

bool append(List& list, const char* line) noexcept {
  curl_slist* longer = curl_slist_append(list.get(), line);
  if (longer == nullptr) return false;
  static_cast<void>(list.release());
  list.reset(longer);
  return true;
}

Error from_curl(CURLcode code, const Sink& sink, std::int32_t os_errno) noexcept {
  if (sink.is_over) return error(Errc::out_of_budget, "the answer is too long");
  switch (code) {
    case CURLE_OUT_OF_MEMORY: return error(Errc::out_of_budget, "out of memory");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: return error(Errc::invalid_input, "not a URL of http:// or https://");
    case CURLE_COULDNT_RESOLVE_HOST: return error(Errc::unavailable, "no such host");
    case CURLE_COULDNT_CONNECT: return error(Errc::unavailable, "no connection", os_errno);
    case CURLE_ABORTED_BY_CALLBACK: return error(Errc::io_failed, "stopped");
    case CURLE_OPERATION_TIMEDOUT: return error(Errc::timed_out, "no answer in time");
    default: return error(Errc::io_failed, "the connection broke before the answer was complete", os_errno);
  }
}

}  // namespace

struct Client::Handle {
  CURL* easy = nullptr;
};

Client::Client(Options options) : options_(std::move(options)), handle_(std::make_unique<Handle>()) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::bad_alloc{};
  handle_->easy = curl_easy_init();
  if (handle_->easy == nullptr) {
    curl_global_cleanup();
    throw std::bad_alloc{};
  }
}

Client::~Client() {
  curl_easy_cleanup(handle_->easy);
  curl_global_cleanup();
}

Result<Response> Client::request(const Request& request) {
  CURL* easy = handle_->easy;
  curl_easy_reset(easy);  // keeps the connections
  Response response;
  Sink sink{response.body, options_.response_bytes_max};
  List headers;
  // "Expect: 100-continue" would cost a round trip, and a second of waiting where the peer ignores it.
  bool complete = append(headers, "Expect:");
  for (const std::string& line : request.headers) complete = complete && append(headers, line.c_str());
  if (!complete) throw std::bad_alloc{};

  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, tocsin_curl_on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &sink);
  if (!options_.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
  }
  if (options_.stop != nullptr) {
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, tocsin_curl_on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, options_.stop);
  }
  if (request.is_post) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  const CURLcode code = curl_easy_perform(easy);
  if (sink.is_out_of_memory) throw std::bad_alloc{};
  if (code != CURLE_OK) {
    long os_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    return from_curl(code, sink, static_cast<std::int32_t>(os_errno));
  }
  long status = 0;
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
  response.status = static_cast<int>(status);
  response.retry_after_s = retry_after_s;
  return response;
}

}  // namespace tocsin::curl
