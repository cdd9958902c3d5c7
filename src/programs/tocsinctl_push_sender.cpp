// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_push_sender.hpp"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "platform/zlib/gzip.hpp"
#include "src/base/hex.hpp"
#include "src/programs/tocsinctl_push_retry.hpp"

namespace tocsin::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t kPushAnswerBytesMax = 64 * 1024;

std::string told_to_wait(std::int64_t retry_after_s) {
  return retry_after_s > 0 ? " (told to wait " + std::to_string(retry_after_s) + " s)" : std::string{};
}

}  // namespace

Sender::Sender(Context& context, Progress& progress, SenderOptions options)
    : context_(context),
      progress_(progress),
      options_(std::move(options)),
      client_(curl::Options{.unix_socket = {}, .response_bytes_max = kPushAnswerBytesMax}) {}

std::string Sender::next_key() {
  ++bodies_;
  if (!options_.key.empty()) return options_.key + (bodies_ == 1 ? "" : "-" + std::to_string(bodies_));
  std::array<std::byte, 16> bytes{};
  random_.fill(bytes);
  return to_hex(bytes);
}

double Sender::dice() {
  std::array<std::byte, 1> byte{};
  random_.fill(byte);
  return static_cast<double>(std::to_integer<int>(byte[0])) / 255.0;
}

bool Sender::try_once(const curl::Request& request, Failure& failure) {
  const auto response = client_.request(request);
  ++requests_;
  if (!response.ok()) {
    failure = {!may_be_taken_later(response.error()), 0, options_.url + ": " + response.error().context[0]};
    return false;
  }
  if (response->status == 200) return true;
  Document answer;
  const bool is_json = answer.parse(context_.parser(), response->body);
  const std::string message = is_json ? answer.root().member("message").text().value_or("") : "";
  failure = {!may_be_taken_later(response->status), response->retry_after_s,
             std::to_string(response->status) + (message.empty() ? "" : ": " + message)};
  return false;
}

bool Sender::send(const std::string& body, const std::string& what) {
  curl::Request request;
  request.is_post = true;
  request.url = options_.url;
  request.headers = {"Content-Type: application/json", "Idempotency-Key: " + next_key()};
  if (options_.with_gzip) request.headers.emplace_back("Content-Encoding: gzip");
  request.body = options_.with_gzip ? zlib::gzip(body) : body;
  const auto begun = SteadyClock::now();
  Failure failure;
  for (int tries = 1; !try_once(request, failure); ++tries) {
    if (failure.is_final) {
      progress_.hide();
      context_.fail("refused with " + failure.why + what);
      return false;
    }
    const std::chrono::milliseconds wait(wait_ms(failure.retry_after_s, tries, dice()));
    if (SteadyClock::now() - begun + wait > std::chrono::milliseconds(options_.give_up_after_ms)) {
      progress_.hide();
      context_.fail("giving up after " + std::to_string(tries) + (tries == 1 ? " try" : " tries") + ": " + failure.why +
                    told_to_wait(failure.retry_after_s) + what);
      return false;
    }
    if (tries == 1) {
      progress_.hide();
      context_.fail(failure.why + told_to_wait(failure.retry_after_s) + "; trying again");
    }
    std::this_thread::sleep_for(wait);
  }
  return true;
}

}  // namespace tocsin::ctl
