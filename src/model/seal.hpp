// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"
#include "src/model/tables.hpp"
#include "src/port/store.hpp"

namespace tocsin::model {

/// Every value outside the log ends in CRC-32C over key and payload: a flipped bit, and a value that turns up
/// under another key, are both found on read (LMDB's pages carry no checksum of their own).
void seal(Bytes key, std::string& payload);

/// The payload of a sealed value. storage_corrupt: too short or the sum differs.
[[nodiscard]] Result<Bytes> unseal(Bytes key, Bytes value);

/// Encodes, seals and puts one record.
template <class Record>
[[nodiscard]] Status put_sealed(port::WriteTxn& txn, const Key& key, const Record& record) {
  std::string value;
  encode(record, value);
  seal(key, value);
  return txn.put(key, as_bytes(value));
}

/// Unseals and decodes one; the errors of both.
template <class Decode>
[[nodiscard]] auto open_sealed(Bytes key, Bytes value, Decode decode) -> decltype(decode(value)) {
  const auto payload = unseal(key, value);
  if (!payload.ok()) return payload.error();
  return decode(*payload);
}

}  // namespace tocsin::model
