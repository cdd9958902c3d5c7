// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "src/ingest/refusal.hpp"
#include "src/model/batch.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::ingest {

inline constexpr std::size_t kRequestKeyBytesMax = 255;

/// What is kept of a request that came with an Idempotency-Key. All of it stands in the record of the request's first
/// item, so that the id window can be made again from the log. Why so: src/decisions/0013-idempotency-key.md.
struct RequestKey {
  Id128 request_id{};         ///< a UUID made of data id and key: the same whenever they come
  std::uint64_t id_hash = 0;  ///< 56 bits: 1, then 19 of the body, then 36 of the key
};
/// The bits of an id_hash in which two requests with one key agree, whatever their bodies are.
inline constexpr std::uint64_t kKeyPart = 0x00FF'FFFF'FFF0'0000ULL;

/// Nothing, or why the key is none: it has 1 to 255 bytes of visible ASCII.
[[nodiscard]] Checked<void> check_request_key(std::string_view key);

/// Precondition: check_request_key() took the key. Cost: one HMAC over `body`.
[[nodiscard]] RequestKey make_request_key(const port::Crypto& crypto, const port::Digest256& secret,
                                          std::int32_t data_id, std::string_view key, Bytes body);

/// Where the id window keeps what came under a key: beside the hash, so that its bits need not repeat the bucket.
[[nodiscard]] inline std::uint64_t bucket_of_key(const Id128& request_id) noexcept {
  return load<std::uint16_t>(request_id.data());
}

/// Puts it into the batch of that request. Precondition: the batch has items, of custom events or metrics.
void set_request_key(const RequestKey& key, model::EventBatch& batch);

/// Whether an id in a record of that kind is one of a request: items of /v2/push/ have no ids of their own.
[[nodiscard]] constexpr bool has_request_keys(model::RecordKind kind) noexcept {
  return kind == model::RecordKind::custom_event || kind == model::RecordKind::custom_metric;
}

}  // namespace tocsin::ingest
