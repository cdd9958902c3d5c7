// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::model {

/// Every value outside the log ends in CRC-32C over key and payload: a flipped bit, and a value that turns up
/// under another key, are both found on read (LMDB's pages carry no checksum of their own).
void seal(Bytes key, std::string& payload);

/// The payload of a sealed value. storage_corrupt: too short or the sum differs.
[[nodiscard]] Result<Bytes> unseal(Bytes key, Bytes value);

}  // namespace tocsin::model
