// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.hpp"
#include "src/model/tables.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::model {

inline constexpr std::size_t kSourceNameBytesMax = 32;
inline constexpr std::size_t kSourceTopicBytesMax = 1024;
inline constexpr std::int64_t kNoOffset = -1;

/// How far a source has been read: everything before `next_offset` is in the log, or was refused for good.
struct SourcePosition {
  std::string source;  ///< its name in the configuration
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t next_offset = kNoOffset;
};

/// FORMAT.md "position". Unsealed payload.
void encode(const SourcePosition& position, std::string& out);
[[nodiscard]] Result<SourcePosition> decode_source_position(Bytes in);

/// Topics may be longer than keys: their place in it is the first half of a SHA-256.
[[nodiscard]] Key source_position_key(const port::Crypto& crypto, std::string_view source, std::string_view topic,
                                      std::int32_t partition);

}  // namespace tocsin::model
