// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory_resource>
#include <string_view>

#include "src/normalise/normalise.hpp"
#include "src/port/crypto.hpp"

/// Records of BlueKing's GSE, the agents' own events, as standard events.
/// src/decisions/0018-gse-records.md has the shapes, and what becomes of each.
namespace tocsin::normalise {

inline constexpr std::size_t kGseBytesMax = 64 * KiB;  ///< of one record
inline constexpr std::size_t kGseEventsMax = 512;      ///< of one record

/// A record without what its pipe puts behind it: one NUL or line feed.
[[nodiscard]] constexpr std::string_view without_gse_end(std::string_view record) noexcept {
  if (record.ends_with('\0') || record.ends_with('\n')) record.remove_suffix(1);
  return record;
}

/// What a conversion may use.
struct GseMeans {
  const port::Crypto& crypto;
  std::pmr::memory_resource& arena;    ///< takes the events: about 0.6 KiB each, and the texts made for them
  std::pmr::memory_resource& scratch;  ///< takes and gives back
  Explain* explain = nullptr;          ///< hears what is skipped
};

/// A list of standard events, perhaps none, that looks into the arena and into `record`. Events of a type that is not
/// taken, and of file systems that upstream ignores, are skipped; a record of another shape is refused, with the member
/// and the rule. Whoever converts a record again gets the same event ids.
/// Throws what the resources throw, and std::bad_alloc.
[[nodiscard]] tl::expected<json::Value, Refusal> gse_events(const json::Value& record, const GseMeans& means);

}  // namespace tocsin::normalise
