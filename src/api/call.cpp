// SPDX-License-Identifier: Apache-2.0
#include "src/api/call.hpp"

#include <charconv>

namespace tocsin::api {

Reply post_input(const Services& services, const Call& call, core::Input&& input) {
  if (services.parts.daemon.post(std::move(input))) return std::nullopt;
  return call.fail(503, "too many requests are waiting for the writer", "queue_full");
}

Reply post_job(const Services& services, const Call& call, std::unique_ptr<core::Job> job) {
  if (services.parts.daemon.post(std::move(job))) return std::nullopt;
  return call.fail(503, "too many jobs are waiting for the reader", "queue_full");
}

port::HttpResponse fail_with(const Call& call, const Error& error) {
  const StatusOf how = status_of(error.code, Shape::admin);
  std::string why;
  for (auto at = error.context.rbegin(); at != error.context.rend(); ++at) {
    if (*at != nullptr) why.append(why.empty() ? "" : ": ").append(*at);
  }
  if (why.empty()) why = to_text(error.code);
  auto out = call.fail(how.status, why, code_of(error.code));
  out.retry_after_s = how.retry_after_s;
  return out;
}

std::optional<std::uint64_t> query_number(const Call& call, std::string_view name, std::uint64_t otherwise,
                                          std::uint64_t min, std::uint64_t max) noexcept {
  const std::string* text = call.query(name);
  if (text == nullptr) return otherwise;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value < min || value > max) return std::nullopt;
  return value;
}

}  // namespace tocsin::api
