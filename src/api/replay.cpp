// SPDX-License-Identifier: Apache-2.0
#include "src/api/api.hpp"
#include "src/ingest/request_key.hpp"

namespace tocsin::api {
namespace {

/// No sender can choose it: a key that comes in a head has no space in it.
std::string replay_key(const model::Reject& reject, const port::Crypto& crypto) {
  return "reject box " + model::reject_id(reject.data_id, reject.code) + " " +
         to_hex(crypto.md5(as_bytes(reject.body)));
}

}  // namespace

/// What was refused once and is replayed twice is stored once: a push by a key that stands for this body, standard
/// events by their ids.
Reply Api::replay(const Call& call, const model::Reject& reject) {
  if (!reject.is_whole)
    return call.fail(409, "only a part of that body was kept, or a part of it is masked", "replay_impossible");
  if (reject.way == model::RejectWay::source)
    return call.fail(409, "the head of that request, which its profile may read, was not kept", "replay_impossible");
  if (reject.code == RefusalCode("client_certificate").text())
    return call.fail(409, "whoever sent it did not show the instance's certificate", "replay_impossible");
  const auto& registry = *parts_.daemon.view().registry;
  const model::Instance* instance = registry.instance(reject.data_id);
  if (instance == nullptr || !instance->enabled)
    return call.fail(409, "its instance was deleted or is disabled", "replay_impossible");
  if (reject.is_time_trusted && reject.first_ms < instance->created_ms)
    return call.fail(409, "it is of an instance that had this data id before", "replay_impossible");
  std::string padded = reject.body;
  padded.append(json::kPaddingBytes, '\0');
  const Bytes body = as_bytes(padded).first(reject.body.size());
  const bool is_push = reject.way == model::RejectWay::push;
  core::Input input{call.reply_to(), core::Push{model::EventBatch(parts_.intake), !is_push}};
  auto& batch = std::get<core::Push>(input.what).batch;
  batch.received = parts_.daemon.now();
  batch.registry_generation = registry.generation();
  batch.request_id = call.request_id;
  const auto read = [&]() -> ingest::Checked<void> {
    if (is_push) {
      if (auto envelope = push_reader_.read_envelope(body); !envelope) return tl::unexpected(envelope.error());
      return push_reader_.read_items(*instance, batch.received, batch);
    }
    if (auto envelope = standard_reader_.read_envelope(body); !envelope) return tl::unexpected(envelope.error());
    if (instance->type == model::InstanceType::time_series)
      return ingest::refuse("time_series", "this instance does not take events");
    return standard_reader_.read_items(*instance, batch.received, call.request_id, batch);
  };
  if (const auto taken = read(); !taken)
    return call.fail(taken.error().http_status, "still refused: " + taken.error().message, taken.error().code);
  if (is_push) {
    const std::string key = replay_key(reject, parts_.crypto);
    ingest::set_request_key(ingest::make_request_key(parts_.crypto, parts_.secret, batch.data_id, key, body), batch);
  }
  // First what is done, then that it is done: a replay that nobody can trace is worse than a row too many.
  core::Input note{{},
                   core::Note{model::AuditAction::reject_replayed, call.who.actor,
                              "reject:" + model::reject_id(reject.data_id, reject.code), reject.message}};
  if (!parts_.daemon.post(std::move(note)))
    return call.fail(503, "too many requests are waiting for the writer", "queue_full");
  return post_input(services_, call, std::move(input));
}

}  // namespace tocsin::api
