// SPDX-License-Identifier: Apache-2.0
#include "platform/microhttpd/response.hpp"

#include <charconv>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace tocsin::microhttpd {

namespace {

const char* text_of(port::ContentType type) noexcept {
  switch (type) {
    case port::ContentType::json: return "application/json";
    case port::ContentType::text: return "text/plain; charset=utf-8";
    case port::ContentType::html: return "text/html; charset=utf-8";
    case port::ContentType::css: return "text/css; charset=utf-8";
    case port::ContentType::javascript: return "text/javascript; charset=utf-8";
    case port::ContentType::svg: return "image/svg+xml";
    case port::ContentType::prometheus: return "text/plain; version=0.0.4; charset=utf-8";
    case port::ContentType::ndjson: return "application/x-ndjson";
  }
  return "application/octet-stream";
}

constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Adds headers until one fails; the answer is then not sent at all.
class Headers {
 public:
  explicit Headers(MHD_Response* response) noexcept : response_(response) {}
  void add(const char* name, const char* value) noexcept {
    if (response_ == nullptr) ok_ = false;
    if (ok_) ok_ = MHD_add_response_header(response_, name, value) == MHD_YES;
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  MHD_Response* response_;
  bool ok_ = true;
};

void add_common(Headers& headers, port::ContentType type, bool admin) noexcept {
  headers.add("Content-Type", text_of(type));
  if (admin) headers.add("Cache-Control", "no-store");
  if (admin || type == port::ContentType::html) headers.add("X-Content-Type-Options", "nosniff");
  if (type == port::ContentType::html) {
    headers.add("Content-Security-Policy", kContentSecurityPolicy);
    headers.add("Referrer-Policy", "no-referrer");
  }
}

constexpr const char* kRequestId = "X-Request-ID";

using UuidText = std::array<char, kUuidBytes + 1>;
/// Empty for no id. Needs no memory.
UuidText text_of(const Id128& id) noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  UuidText out{};
  if (id == Id128{}) return out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
    const auto byte = std::to_integer<unsigned>(id[i]);
    out[at++] = kHex[byte >> 4U];
    out[at++] = kHex[byte & 15U];
  }
  return out;
}

void add_particular(Headers& headers, const port::HttpResponse& answer, bool close) noexcept {
  if (answer.retry_after_s != 0) {
    std::array<char, 8> seconds{};
    static_cast<void>(std::to_chars(seconds.data(), seconds.data() + seconds.size() - 1, answer.retry_after_s));
    headers.add("Retry-After", seconds.data());
  }
  if (!answer.allow.empty()) {
    std::array<char, 64> allow{};
    answer.allow.copy(allow.data(), allow.size() - 1);
    headers.add("Allow", allow.data());
  }
  if (answer.ask_for_credentials) headers.add("WWW-Authenticate", "Basic realm=\"tocsin\", charset=\"UTF-8\"");
  if (answer.clock_untrusted) headers.add("X-Tocsin-Clock", "untrusted");
  if (!answer.error.is_none()) headers.add("X-Tocsin-Error", answer.error.text());
  if (const UuidText id = text_of(answer.request_id); id[0] != '\0') headers.add(kRequestId, id.data());
  if (close) headers.add("Connection", "close");
}

bool is_plain(const port::HttpResponse& answer) noexcept {
  return answer.retry_after_s == 0 && answer.allow.empty() && !answer.ask_for_credentials && !answer.clock_untrusted &&
         answer.error.is_none();
}

/// False: out of memory; the response then bears none.
bool set_request_id(ShortResponse& shared, const Id128& id) noexcept {
  if (shared.request_id[0] != '\0')
    static_cast<void>(MHD_del_response_header(shared.response, kRequestId, shared.request_id.data()));
  shared.request_id = text_of(id);
  if (shared.request_id[0] == '\0') return true;
  if (MHD_add_response_header(shared.response, kRequestId, shared.request_id.data()) == MHD_YES) return true;
  shared.request_id = {};
  return false;
}

void free_string(void* cls) noexcept { delete static_cast<std::string*>(cls); }

MHD_Response* own_body(port::HttpResponse& answer) noexcept {
  if (!answer.static_body.empty()) {
    // The library never writes to a persistent buffer.
    return MHD_create_response_from_buffer(answer.static_body.size(), const_cast<char*>(answer.static_body.data()),
                                           MHD_RESPMEM_PERSISTENT);
  }
  auto* body = new (std::nothrow) std::string{std::move(answer.body)};
  if (body == nullptr) return nullptr;
  MHD_Response* response =
      MHD_create_response_from_buffer_with_free_callback_cls(body->size(), body->data(), free_string, body);
  if (response == nullptr) delete body;
  return response;
}

}  // namespace

ResponseMaker::~ResponseMaker() {
  for (auto& shared : short_) {
    if (shared.response != nullptr) MHD_destroy_response(shared.response);
  }
}

ShortResponse* ResponseMaker::take_short(const port::HttpResponse& answer, bool admin) noexcept {
  ShortResponse* free = nullptr;
  for (std::size_t i = 0; i < kShortMax; ++i) {
    ShortResponse& candidate = short_[i];
    if (candidate.busy) continue;
    if (candidate.response != nullptr && candidate.bytes == answer.body.size() && candidate.type == answer.type &&
        candidate.admin == admin)
      return &candidate;
    if (candidate.response == nullptr && free == nullptr) free = &candidate;
  }
  for (std::size_t i = 0; free == nullptr && i < kShortMax; ++i) {
    ShortResponse& victim = short_[next_victim_++ % kShortMax];
    if (!victim.busy) free = &victim;
  }
  if (free == nullptr) return nullptr;
  if (free->response != nullptr) MHD_destroy_response(std::exchange(free->response, nullptr));
  MHD_Response* response =
      MHD_create_response_from_buffer(answer.body.size(), free->body.data(), MHD_RESPMEM_PERSISTENT);
  Headers headers{response};
  add_common(headers, answer.type, admin);
  if (!headers.ok()) {
    if (response != nullptr) MHD_destroy_response(response);
    return nullptr;
  }
  free->response = response;
  free->request_id = {};
  free->bytes = answer.body.size();
  free->type = answer.type;
  free->admin = admin;
  return free;
}

ResponseMaker::Made ResponseMaker::make(port::HttpResponse& answer, bool admin, bool close) noexcept {
  if (!close && is_plain(answer) && answer.static_body.empty() && answer.body.size() <= ShortResponse::kBytesMax) {
    ShortResponse* const shared = take_short(answer, admin);
    if (shared != nullptr && set_request_id(*shared, answer.request_id)) {
      std::memcpy(shared->body.data(), answer.body.data(), answer.body.size());
      shared->busy = true;
      return {shared->response, shared};
    }
  }
  MHD_Response* response = own_body(answer);
  Headers headers{response};
  add_common(headers, answer.type, admin);
  add_particular(headers, answer, close);
  if (headers.ok()) return {response, nullptr};
  if (response != nullptr) MHD_destroy_response(response);
  return {};
}

}  // namespace tocsin::microhttpd
