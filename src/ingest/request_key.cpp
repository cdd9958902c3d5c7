// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/request_key.hpp"

#include <algorithm>
#include <string>

namespace tocsin::ingest {
namespace {

constexpr unsigned kBodyAt = 1;  // bit 0 is always set: 0 means "no id"
constexpr unsigned kKeyAt = 20;
constexpr std::uint64_t kHashMask = 0x00FF'FFFF'FFFF'FFFFULL;
constexpr std::uint64_t kBodyPart = (1ULL << kKeyAt) - (1ULL << kBodyAt);
static_assert((1U | kBodyPart | kKeyPart) == kHashMask && (kBodyPart & kKeyPart) == 0);

bool is_visible(char c) noexcept { return c > ' ' && c < '\x7F'; }

}  // namespace

Checked<void> check_request_key(std::string_view key) {
  if (key.empty()) return refuse("idempotency_key_empty", "Idempotency-Key cannot be empty");
  if (key.size() > kRequestKeyBytesMax) {
    return refuse("idempotency_key_too_long", "Idempotency-Key is longer than 255 bytes");
  }
  if (!std::all_of(key.begin(), key.end(), is_visible)) {
    return refuse("idempotency_key_characters", "Idempotency-Key may have visible ASCII characters only");
  }
  return {};
}

RequestKey make_request_key(const port::Crypto& crypto, const port::Digest256& secret, std::int32_t data_id,
                            std::string_view key, Bytes body) {
  std::string text = "Idempotency-Key";  // no text of another use of the secret begins so and goes on with a NUL
  text.append(1, '\0').append(std::to_string(data_id)).append(1, '\0').append(key);
  const port::Digest256 of_key = crypto.hmac_sha256(secret, as_bytes(text));
  const port::Digest256 of_body = crypto.hmac_sha256(of_key, body);
  RequestKey out;
  std::copy_n(of_key.begin(), out.request_id.size(), out.request_id.begin());
  out.request_id[6] = (out.request_id[6] & std::byte{0x0F}) | std::byte{0x80};  // a UUID of version 8
  out.request_id[8] = (out.request_id[8] & std::byte{0x3F}) | std::byte{0x80};
  const auto key_bits = load<std::uint64_t>(of_key.data() + out.request_id.size());
  const auto body_bits = load<std::uint64_t>(of_body.data());
  out.id_hash = (key_bits & kKeyPart) | (body_bits & kBodyPart) | 1U;
  return out;
}

void set_request_key(const RequestKey& key, model::EventBatch& batch) {
  batch.request_id = key.request_id;
  batch.items.front().id_hash = key.id_hash;
}

}  // namespace tocsin::ingest
