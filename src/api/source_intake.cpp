// SPDX-License-Identifier: Apache-2.0
// Events of other systems: /fta/v1/event as bk-collector takes them, /event/<receiver> as BlueKing's ingester does.
#include "src/api/api.hpp"
#include "src/api/sender.hpp"
#include "src/api/source_body.hpp"
#include "src/normalise/http_parts.hpp"

namespace tocsin::api {
namespace {

constexpr std::string_view kWrongToken = "reject invalid token";
constexpr std::string_view kNoRoom = "the body takes more memory than this box has for one request: send fewer events";
constexpr std::size_t kDebugBytesMax = 8 * KiB;
constexpr std::string_view kDebugTooLarge =
    "debug: the events are larger than 8 KiB: send fewer, or use tocsinctl explain";

/// Without whatever repeats the token: a proxy may have put the whole address into a header of its own.
void drop_token(std::vector<port::HttpMember>& members, std::string_view token) {
  std::erase_if(members, [&](const port::HttpMember& member) { return member.value.find(token) != std::string::npos; });
}

/// Whether a body with that fault was never read as JSON.
bool is_of_parser(RefusalCode code) noexcept {
  return code == RefusalCode("json_invalid") || code == RefusalCode("body_too_many_elements") ||
         code == RefusalCode("body_too_long");
}

}  // namespace

/// Reads the profile of an instance that was not used lately, then goes on with the request that waits for it.
class Api::ProfileJob final : public core::Job {
 public:
  ProfileJob(Api& api, SourceRequest&& request, std::span<const std::byte> body)
      : api_(api), request_(std::move(request)), body_(api.parts_.intake) {
    body_.reserve(body.size() + json::kPaddingBytes);
    body_.assign(body.begin(), body.end());
    body_.resize(body.size() + json::kPaddingBytes);
  }

  Result<bool> step(port::ReadTxn& txn) override {
    return registry::read_profile_into(profile_, txn, request_.data_id);
  }
  void finish(const Status& outcome) noexcept override {
    api_.go_on(request_, [&] { return take_up(outcome); });
  }

 private:
  Reply take_up(const Status& outcome) {
    const Id128& id = request_.request_id;
    if (!outcome.ok()) {
      return refuse(request_.shape, 503, "the profile of this instance cannot be read", id, "profile_unusable");
    }
    const auto* instance = api_.parts_.daemon.view().registry->instance(request_.data_id);
    if (instance == nullptr || !instance->enabled) {
      return refuse(request_.shape, 401, in_words_of(request_.shape, 401, request_.peer, kWrongToken), id,
                    "token_invalid");
    }
    const auto body = std::span(body_).first(body_.size() - json::kPaddingBytes);
    // Another request that waited for the same profile may have brought it.
    if (const auto* there = api_.profiles_.find(request_.data_id, request_.profile_revision); there != nullptr)
      return api_.take_events(request_, *instance, *there, body);
    const auto ready = api_.profiles_.add(request_.data_id, request_.profile_revision, profile_);
    // The sender can do nothing about it, and shall not throw its events away.
    if (!ready) return refuse(request_.shape, 503, "profile: " + ready.error().message, id, "profile_unusable");
    return api_.take_events(request_, *instance, **ready, body);
  }

  Api& api_;
  SourceRequest request_;
  std::pmr::vector<std::byte> body_;
  model::Profile profile_;
};

/// The boundary for what is thrown behind a job.
template <class Work>
void Api::go_on(const SourceRequest& request, Work&& work) noexcept {
  try {
    if (auto response = work()) services_.answer(request.ticket, std::move(*response));
  } catch (const std::bad_alloc&) {
    services_.answer_out_of_memory(request.ticket, request.shape, request.request_id);
  } catch (...) {
    ++counters_.internal_errors;
    services_.answer(request.ticket, emergency_reply(request.shape, 500, request.request_id, emergency_room_));
  }
}

Reply Api::source(const port::HttpRequest& request, const Match& found, port::Ticket ticket,
                  std::span<std::byte> body) {
  const Shape shape = found.route->shape;
  const bool is_fta = shape == Shape::fta;
  const Id128 id = uuid_of(request.header("X-Request-ID")).value_or(request_id());
  const std::string token = source_token(request);
  if (token.empty() && is_fta) return refuse(shape, 403, "empty token", id, "token_missing");
  const Receiver receiver = find_receiver(*parts_.daemon.view().registry, is_fta ? std::string_view{} : found.parameter,
                                          token, parts_.crypto, parts_.secret);
  if (!is_fta && !receiver.is_known) return refuse(shape, 404, "unknown plugin", id, "plugin_unknown");
  const model::Instance* const instance = receiver.instance;
  if (instance == nullptr)
    return refuse(shape, 401, in_words_of(shape, 401, request.peer(), kWrongToken), id, "token_invalid");
  rejects_.count(instance->data_id);
  const Sender sender{*instance, shape, as_text(body), token, false, request.peer(), request.peer_certificate()};
  if (auto refusal = refuse_sender(sender, id)) return refusal;
  if (instance->type == model::InstanceType::time_series)
    return reject(sender, {400, "this instance takes metrics, at /v2/push/", "time_series"}, id);
  if (body.empty()) return reject(sender, {400, "body: empty", "body_empty"}, id);

  const auto debug = request.query("debug");
  SourceRequest source{ticket,
                       shape,
                       id,
                       request_id(),
                       instance->data_id,
                       instance->profile_revision,
                       debug && !debug->empty(),
                       token,
                       std::string(request.peer()),
                       request.headers(normalise::kHttpPartsMax),
                       request.query_members(normalise::kHttpPartsMax)};
  drop_token(source.headers, token);
  drop_token(source.query, token);
  const ReadyProfile* profile = profiles_.find(instance->data_id, instance->profile_revision);
  if (profile != nullptr) return take_events(source, *instance, *profile, body);
  if (parts_.daemon.post(std::make_unique<ProfileJob>(*this, std::move(source), body))) return std::nullopt;
  return refuse(shape, 503, "too many requests are waiting for the reader", id, "queue_full");
}

/// What does not fit into an idle box never will: 413. Else it may later: 503, by the boundary.
Reply Api::take_events(const SourceRequest& source, const model::Instance& instance, const ReadyProfile& profile,
                       std::span<std::byte> body) {
  const bool is_idle = parts_.intake->used_bytes() == 0;
  const std::uint64_t refusals = parts_.intake->refusals();
  try {
    return normalise_events(source, instance, profile, body);
  } catch (const std::bad_alloc&) {
    if (!is_idle || parts_.intake->refusals() == refusals) throw;
    return reject(sender_of(source, instance, body), {413, std::string(kNoRoom), "body_takes_too_much"},
                  source.request_id);
  }
}

Api::Sender Api::sender_of(const SourceRequest& source, const model::Instance& instance,
                           std::span<const std::byte> body, bool is_json) noexcept {
  return {instance, source.shape, as_text(body), source.token, is_json, source.peer};
}

Reply Api::normalise_events(const SourceRequest& source, const model::Instance& instance, const ReadyProfile& profile,
                            std::span<std::byte> body) {
  const auto refused = [&](const ingest::Refusal& why) {
    const bool is_json = profile.format == SourceFormat::json && !is_of_parser(why.code);
    return reject(sender_of(source, instance, body, is_json), why, source.request_id);
  };
  ChargedText events(*parts_.intake, body.size());
  const auto count =
      read_source_body(services_, {profile, instance, source.headers, source.query, body}, nullptr, events.text);
  if (!count) return refused(count.error());
  events.charge_growth();
  const std::string_view shown = source.debug ? std::string_view(events.text) : std::string_view{};
  if (*count == 0) return source_success(source.shape, source.request_id, shown);
  core::Input input{{pack(source.ticket), static_cast<std::uint32_t>(source.shape), source.request_id},
                    core::Push{model::EventBatch(parts_.intake), false}};
  auto& batch = std::get<core::Push>(input.what).batch;
  batch.received = parts_.daemon.now();
  batch.registry_generation = parts_.daemon.view().registry->generation();
  batch.request_id = source.own_id;
  standard_reader_.use_made(events.text, *count);
  const auto taken = standard_reader_.read_items(instance, batch.received, source.own_id, batch);
  if (!taken) return refused(taken.error());
  if (source.debug && shown.size() > kDebugBytesMax)
    return refuse(source.shape, 413, kDebugTooLarge, source.request_id, "debug_too_large");
  if (source.debug) return source_success(source.shape, source.request_id, shown);
  return hand_over(std::move(input), source.shape);
}

}  // namespace tocsin::api
