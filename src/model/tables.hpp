// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "src/base/bytes.hpp"
#include "src/base/hex.hpp"

namespace tocsin::model {

/// The first byte of every key. FORMAT.md has the grammar of what follows. Never reuse a letter.
enum class Table : std::uint8_t {
  format = 0x00,      ///< format version and identity: the first key of the store; its copy is under + 1 (u8)
  alert = 'A',        ///< + alert number (be64)
  audit_block = 'B',  ///< + block index (be64)
  cursor = 'C',       ///< + upstream name: its confirmed sequence of each lane
  open_alert = 'D',   ///< + dedupe identity (16 bytes) -> number of the open alert
  reject = 'J',       ///< + data id (be32) + reason: refusals of that instance; no reason: its alert about them is open
  boot = 'K',         ///< + boot number (be32)
  profile = 'F',      ///< + data id (be32): how the events of that instance are read
  data_ids = 'I',     ///< one record: the highest data id given out
  lane = 'L',         ///< + lane (u8) + first sequence (be64): a segment
  source_position = 'O',  ///< + hash of source and topic (16 bytes) + partition (be32): how far it was read
  instance = 'P',         ///< + data id (be32)
  audit_row = 'R',        ///< + row index (be64)
  state = 'S',            ///< one record: counters
  api_token = 'T',        ///< + keyed hash of the token (32 bytes)
  user = 'U',             ///< + user name
};

inline constexpr std::size_t kRejectCodeBytesMax = 64;  ///< of the reason in a key of Table::reject

/// Least important last: eviction walks from the end. Numbers are stored.
enum class Lane : std::uint8_t { alert = 0, critical = 1, normal = 2 };
inline constexpr std::size_t kLanes = 3;
[[nodiscard]] const char* to_text(Lane lane) noexcept;

/// A key in place.
class Key {
 public:
  static constexpr std::size_t kRestBytesMax = 71;  ///< behind the table
  explicit Key(Table table) noexcept { bytes_[size_++] = static_cast<std::byte>(table); }
  Key& u8(std::uint8_t v) noexcept {
    bytes_[size_++] = static_cast<std::byte>(v);
    return *this;
  }
  Key& u32(std::uint32_t v) noexcept {
    store_be32(bytes_.data() + size_, v);
    size_ += 4;
    return *this;
  }
  Key& u64(std::uint64_t v) noexcept {
    store_be64(bytes_.data() + size_, v);
    size_ += 8;
    return *this;
  }
  /// Cut at the room left; names are checked where they enter.
  Key& raw(Bytes v) noexcept {
    const std::size_t n = v.size() < bytes_.size() - size_ ? v.size() : bytes_.size() - size_;
    if (n != 0) std::memcpy(bytes_.data() + size_, v.data(), n);
    size_ += n;
    return *this;
  }
  // A key is its bytes wherever one is wanted. NOLINTNEXTLINE(google-explicit-constructor)
  [[nodiscard]] operator Bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<std::byte, 1 + kRestBytesMax> bytes_{};
  std::size_t size_ = 0;
};

[[nodiscard]] inline Key segment_key(Lane lane, std::uint64_t first_seq) noexcept {
  return Key(Table::lane).u8(static_cast<std::uint8_t>(lane)).u64(first_seq);
}
/// Whether a key has the form that its table gives it. A key of no table is none: a new table needs a higher store
/// format.
[[nodiscard]] bool is_key(Bytes key) noexcept;

[[nodiscard]] inline bool is_in(Bytes key, Table table) noexcept {
  return !key.empty() && key[0] == static_cast<std::byte>(table);
}

}  // namespace tocsin::model
