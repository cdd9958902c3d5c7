// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/hex.hpp"
#include "src/base/result.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::model {

inline constexpr std::uint32_t kStoreFormat = 1;
inline constexpr std::size_t kHardwareBytesMax = 256;

/// The first record of a store.
struct Identity {
  std::uint32_t format = kStoreFormat;
  Id128 appliance{};         ///< made at first start
  Id128 store{};             ///< new whenever a store is created, restored, salvaged or cloned
  port::Digest256 secret{};  ///< keys the hashes of tokens and event ids
  std::int64_t created_ms = 0;
  std::string hardware;  ///< fingerprint; empty: the board has none
};
void encode(const Identity& identity, std::string& out);
/// unsupported: a newer format (the number is in `newer` when given).
[[nodiscard]] Result<Identity> decode_identity(Bytes in, std::uint32_t* newer = nullptr);

/// Counters that a turn writes only when it touches more than the log.
struct StateRecord {
  std::uint64_t next_seq = 1;  ///< a lower bound: the log's end may be higher
  std::uint64_t next_alert = 1;
  std::uint64_t folds_from_seq = 0;  ///< folds of sequences >= this may be missing in stored alerts; 0: none is
  std::uint32_t boot = 0;            ///< starts of the daemon, from 1
  std::uint64_t evicted_events = 0;  ///< since the store was made
  std::uint64_t alerts_stored = kNotCounted;
  static constexpr std::uint64_t kNotCounted = ~0ULL;
};
void encode(const StateRecord& state, std::string& out);
[[nodiscard]] Result<StateRecord> decode_state(Bytes in);

/// What is known of one boot's clocks: wall = wall_offset_ms + monotonic. Written when the wall clock becomes trusted.
/// `before`: what its wall clock said until then, for the times of the alerts that were opened meanwhile.
struct BootClock {
  std::int64_t wall_offset_ms = 0;
  struct Before {
    std::int64_t from_ms = 0;  ///< the wall times from here …
    std::int64_t end_ms = 0;   ///< … to before here were noted by that clock
    std::int64_t shift_ms = 0;
    std::uint64_t first_alert = 0;
    std::uint64_t end_alert = 0;  ///< the first alert that is none of them; equal: there are none
  } before;
};
void encode(const BootClock& clock, std::string& out);
[[nodiscard]] Result<BootClock> decode_boot_clock(Bytes in);

}  // namespace tocsin::model
