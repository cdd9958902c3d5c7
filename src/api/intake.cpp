// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/api/api.hpp"
#include "src/api/sender.hpp"
#include "src/ingest/request_key.hpp"

namespace tocsin::api {
namespace {

constexpr std::string_view kInvalidToken = "reject invalid token";
constexpr RefusalCode kNoCertificate = "client_certificate";
constexpr std::string_view kIntakeFull = "too many requests are waiting for the writer";

/// Why what came with a known token is not taken, in the words of the check.
port::HttpResponse refuse_body(Shape shape, const ingest::Refusal& refusal, const Id128& request_id) {
  return refuse(shape, refusal.http_status, refusal.message, request_id, refusal.code);
}

bool is_data_id(std::int64_t number) noexcept {
  return number > 0 && number <= std::numeric_limits<std::int32_t>::max();
}

std::string_view token_in_head(const port::HttpRequest& request) noexcept {
  const std::string_view token = request.header("X-BK-TOKEN");
  return token.empty() ? parse_bearer(request.header("Authorization")) : token;
}

}  // namespace

Api::Response Api::reject(const Sender& sender, const ingest::Refusal& refusal, const Id128& request_id) {
  rejects_.take({.data_id = sender.instance.data_id,
                 .way = sender.shape == Shape::push    ? model::RejectWay::push
                        : sender.shape == Shape::items ? model::RejectWay::items
                                                       : model::RejectWay::source,
                 .http_status = refusal.http_status,
                 .code = refusal.code.text(),
                 .message = refusal.message,
                 .body = sender.body,
                 .token = sender.token,
                 .is_json = sender.is_json},
                parts_.daemon.now().wall);
  return refuse(sender.shape, refusal.http_status,
                in_words_of(sender.shape, refusal.http_status, sender.peer, refusal.message), request_id, refusal.code);
}

Reply Api::refuse_sender(const Sender& sender, const Id128& request_id) {
  const model::Instance& instance = sender.instance;
  if (!instance.takes_certificate(sender.certificate)) {
    return reject(sender, {401, "reject client certificate: this instance is bound to another one", kNoCertificate},
                  request_id);
  }
  const Monotonic now = parts_.daemon.now().mono;
  // Nobody is charged for what another limit refuses: first whether all of them have room, then this one, then both.
  if (const std::uint16_t wait_s = total_rate_.wait(now); wait_s != 0) {
    ++counters_.rate_limited;
    auto out = reject(
        sender,
        {429, "rate limit: this box takes at most " + std::to_string(total_rate_.per_second()) + " requests a second",
         "rate_limited_total"},
        request_id);
    out.retry_after_s = wait_s;
    return out;
  }
  rate_.follow(*parts_.daemon.view().registry);
  const std::uint16_t wait_s = rate_.take(instance.data_id, instance.max_rate, now);
  if (wait_s == 0) {
    total_rate_.take(now);
    return std::nullopt;
  }
  ++counters_.rate_limited;
  const bool refuses_all = instance.max_rate < -1;
  const std::int32_t rate = instance.max_rate == -1 ? model::kMaxRateDefault : instance.max_rate;
  auto out = reject(sender,
                    {429,
                     refuses_all ? std::string("rate limit: this instance refuses all requests")
                                 : "rate limit: at most " + std::to_string(rate) + " requests a minute",
                     "rate_limited"},
                    request_id);
  out.retry_after_s = wait_s;
  return out;
}

Reply Api::hand_over(core::Input&& input, Shape shape) {
  const Id128 id = input.reply.request_id;
  if (parts_.daemon.post(std::move(input))) return std::nullopt;
  return refuse(shape, 503, kIntakeFull, id, "queue_full");
}

bool Api::is_foreign(Encoding encoding) const noexcept {
  if (encoding == Encoding::plain) return false;
  return encoding == Encoding::foreign || parts_.inflater == nullptr || parts_.body_pool == nullptr;
}

/// Every way in gets its body inflated.
Reply Api::take_in(const port::HttpRequest& request, const Match& found, port::Ticket ticket,
                   std::span<std::byte> body) {
  const Route& route = *found.route;
  const Encoding encoding = encoding_of(request);
  if (is_foreign(encoding)) return refuse(route.shape, 415, kForeignEncoding, request_id());
  std::pmr::vector<std::byte> inflated(parts_.body_pool != nullptr ? parts_.body_pool
                                                                   : std::pmr::null_memory_resource());
  if (encoding != Encoding::plain && !body.empty()) {
    const auto fault =
        inflate_body(encoding, body, parts_.push_body_bytes_max, *parts_.inflater, *parts_.body_pool, inflated);
    if (fault) return refuse(route.shape, fault->status, fault->message, request_id(), fault->code);
    body = std::span(inflated).first(inflated.size() - json::kPaddingBytes);
  }
  if (route.intake == Intake::source) return source(request, found, ticket, body);
  return route.intake == Intake::push ? push(request, ticket, body) : items(request, ticket, body);
}

Reply Api::push(const port::HttpRequest& request, port::Ticket ticket, std::span<std::byte> body) {
  const Id128 id = request_id();
  if (body.empty()) {
    return refuse(Shape::push, 400, "empty request body not allowed, ip=" + std::string(request.peer()), id,
                  "body_empty");
  }
  const auto envelope = push_reader_.read_envelope(body);
  if (!envelope) return refuse_body(Shape::push, envelope.error(), id);
  if (envelope->data_id == 0 && envelope->access_token.empty())
    return refuse(Shape::push, 401, "reject empty token", id, "token_missing");
  const auto& registry = *parts_.daemon.view().registry;
  const model::Instance* instance = is_data_id(envelope->data_id)
                                        ? registry.authenticate(static_cast<std::int32_t>(envelope->data_id),
                                                                envelope->access_token, parts_.crypto, parts_.secret)
                                        : nullptr;
  if (instance == nullptr) return refuse(Shape::push, 401, kInvalidToken, id);
  rejects_.count(instance->data_id);
  const Sender sender{.instance = *instance,
                      .shape = Shape::push,
                      .body = as_text(body),
                      .token = envelope->access_token,
                      .certificate = request.peer_certificate()};
  if (auto refusal = refuse_sender(sender, id)) return refusal;
  const std::string_view key = request.header("Idempotency-Key");
  const bool has_key = key.data() != nullptr;
  if (has_key) {
    const auto good = ingest::check_request_key(key);
    if (!good) return reject(sender, good.error(), id);
  }
  core::Input input{{pack(ticket), static_cast<std::uint32_t>(Shape::push), id},
                    core::Push{model::EventBatch(parts_.intake), false}};
  auto& batch = std::get<core::Push>(input.what).batch;
  batch.received = parts_.daemon.now();
  batch.registry_generation = registry.generation();
  batch.request_id = id;
  if (auto taken = push_reader_.read_items(*instance, batch.received, batch); !taken) {
    return reject(sender, taken.error(), id);
  }
  if (has_key) {
    const auto made = ingest::make_request_key(parts_.crypto, parts_.secret, batch.data_id, key, body);
    ingest::set_request_key(made, batch);
    input.reply.request_id = made.request_id;
  }
  return hand_over(std::move(input), Shape::push);
}

/// The instance that a standard event's sender is; null: nobody we know. A token alone finds its instance.
const model::Instance* Api::find_sender(const port::HttpRequest& request,
                                        const ingest::StandardEnvelope& envelope) const {
  std::string_view token = token_in_head(request);
  if (token.empty()) token = envelope.access_token.value_or(std::string_view{});
  if (token.empty() || token.size() > model::kTokenBytesMax) return nullptr;
  const auto& registry = *parts_.daemon.view().registry;
  if (!envelope.data_id) return registry.by_token(token, parts_.crypto, parts_.secret);
  if (!is_data_id(*envelope.data_id)) return nullptr;
  return registry.authenticate(static_cast<std::int32_t>(*envelope.data_id), token, parts_.crypto, parts_.secret);
}

Reply Api::items(const port::HttpRequest& request, port::Ticket ticket, std::span<std::byte> body) {
  const Id128 id = request_id();
  const auto envelope = standard_reader_.read_envelope(body);
  const model::Instance* instance =
      find_sender(request, envelope ? *envelope : ingest::StandardEnvelope{});  // the head may say who sends
  if (instance != nullptr) rejects_.count(instance->data_id);
  if (!envelope && instance == nullptr) return refuse_body(Shape::items, envelope.error(), id);
  if (instance == nullptr) return refuse(Shape::items, 401, kInvalidToken, id);
  const std::string_view token = token_in_head(request);
  const Sender sender{.instance = *instance,
                      .shape = Shape::items,
                      .body = as_text(body),
                      .token = token.empty() ? envelope->access_token.value_or(std::string_view{}) : token,
                      .is_json = envelope.has_value(),
                      .certificate = request.peer_certificate()};
  if (!envelope) return reject(sender, envelope.error(), id);
  if (auto refusal = refuse_sender(sender, id)) return refusal;
  if (instance->type == model::InstanceType::time_series) {
    return reject(sender, {400, "this instance does not take events", "time_series"}, id);
  }
  core::Input input{{pack(ticket), static_cast<std::uint32_t>(Shape::items), id},
                    core::Push{model::EventBatch(parts_.intake), true}};
  auto& batch = std::get<core::Push>(input.what).batch;
  batch.received = parts_.daemon.now();
  batch.registry_generation = parts_.daemon.view().registry->generation();
  batch.request_id = id;
  if (auto taken = standard_reader_.read_items(*instance, batch.received, id, batch); !taken) {
    return reject(sender, taken.error(), id);
  }
  return hand_over(std::move(input), Shape::items);
}

}  // namespace tocsin::api
