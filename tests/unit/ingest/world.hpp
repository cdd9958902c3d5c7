// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "platform/gnutls/crypto.hpp"
#include "src/ingest/facts_again.hpp"
#include "src/ingest/push.hpp"
#include "src/ingest/standard.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::ingest {

inline constexpr std::int64_t kNowMs = 1'700'000'000'123;

inline Now trusted_now() { return Now{{}, {kNowMs, true}}; }

inline model::Instance event_instance(std::uint8_t alert = 0) {
  model::Instance out;
  out.data_id = 1500006;
  out.bk_biz_id = 2;
  out.alert = alert;
  return out;
}

inline model::Instance source_instance() {
  model::Instance out = event_instance();
  out.type = model::InstanceType::alert_source;
  return out;
}

inline model::Instance series_instance() {
  model::Instance out = event_instance();
  out.type = model::InstanceType::time_series;
  return out;
}

/// The items of a batch, taken apart.
struct Stored {
  std::string json;
  std::string facts;
  std::uint64_t id_hash = 0;
};

inline std::vector<Stored> take_apart(const model::EventBatch& batch) {
  std::vector<Stored> out;
  std::string_view rest{reinterpret_cast<const char*>(batch.bytes.data()), batch.bytes.size()};
  for (const model::Item& item : batch.items) {
    out.push_back({std::string{rest.substr(0, item.json_bytes)},
                   std::string{rest.substr(item.json_bytes, item.facts_bytes)}, item.id_hash});
    rest.remove_prefix(item.json_bytes + item.facts_bytes);
  }
  if (!rest.empty()) out.clear();
  return out;
}

/// One reader of each contract, and what the last request left.
struct World {
  World() : push(parser, crypto), standard(parser, crypto, port::Digest256{std::byte{7}}) {}

  /// Empty: taken. Else "<code>: <message>".
  std::string push_body(std::string_view body, const model::Instance& instance = event_instance(),
                        Now now = trusted_now()) {
    const json::Padded padded{body};
    const auto envelope = push.read_envelope(padded.bytes());
    if (!envelope) return note(envelope.error());
    const auto taken = push.read_items(instance, now, batch);
    return taken ? "" : note(taken.error());
  }
  std::string push_item(std::string_view item, const model::Instance& instance = event_instance(),
                        Now now = trusted_now()) {
    return push_body(R"({"data_id":1,"access_token":"t","data":[)" + std::string{item} + "]}", instance, now);
  }
  std::string send(std::string_view body, const model::Instance& instance = source_instance()) {
    const json::Padded padded{body};
    const auto envelope = standard.read_envelope(padded.bytes());
    if (!envelope) return note(envelope.error());
    const auto taken = standard.read_items(instance, trusted_now(), request_id, batch);
    return taken ? "" : note(taken.error());
  }
  std::string note(const Refusal& refusal) {
    status = refusal.http_status;
    return std::string{refusal.code.text()} + ": " + refusal.message;
  }
  /// The JSON of the last item.
  std::string last() {
    const auto items = take_apart(batch);
    return items.empty() ? "" : items.back().json;
  }

  json::Parser parser;
  gnutls::Crypto crypto;
  PushReader push;
  StandardReader standard;
  model::EventBatch batch{std::pmr::new_delete_resource()};
  Id128 request_id{std::byte{0xAB}};
  std::uint16_t status = 0;
};

inline std::uint64_t seed_from_env() {
  const char* const chosen = std::getenv("TOCSIN_SEED");
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 20261121;
}

}  // namespace tocsin::ingest
