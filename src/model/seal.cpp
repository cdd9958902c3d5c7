// SPDX-License-Identifier: Apache-2.0
#include "src/model/seal.hpp"

#include "src/base/crc32c.hpp"
#include "src/model/codec.hpp"

namespace tocsin::model {

void seal(Bytes key, std::string& payload) {
  const std::uint32_t sum = crc32c(as_bytes(payload), crc32c(key));
  Encoder(payload).put(sum);
}

Result<Bytes> unseal(Bytes key, Bytes value) {
  if (value.size() < sizeof(std::uint32_t)) return error(Errc::storage_corrupt, "sealed value");
  const Bytes payload = value.first(value.size() - sizeof(std::uint32_t));
  if (load<std::uint32_t>(value.data() + payload.size()) != crc32c(payload, crc32c(key))) {
    return error(Errc::storage_corrupt, "sealed value");
  }
  return payload;
}

}  // namespace tocsin::model
