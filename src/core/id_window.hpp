// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tocsin::core {

/// Remembers the newest ids of events and keys of requests: 131,072 entries of 8 bytes (56-bit keyed hash, 8-bit
/// generation) in buckets of eight; a full bucket forgets its oldest. A false repeat needs two ids of 2^-56 chance in
/// one bucket. Memory: 1 MiB once the first id comes, none before. Threads: the writer's.
class IdWindow {
 public:
  static constexpr std::size_t kEntries = 131'072;
  static constexpr std::size_t kBucket = 8;

  /// Of an event's id: the hash says the bucket.
  [[nodiscard]] bool holds(std::uint64_t id_hash) const noexcept {
    return find(id_hash >> 8U, id_hash, kHashMask) != 0;
  }
  /// The hash in that bucket (any number; its lowest 14 bits count) that agrees in all bits of `mask`; 0: none does.
  [[nodiscard]] std::uint64_t find(std::uint64_t bucket, std::uint64_t id_hash, std::uint64_t mask) const noexcept;
  /// Takes the table's memory. Throws bad_alloc; without it insert() does nothing.
  void reserve();
  void insert(std::uint64_t id_hash) noexcept { insert(id_hash >> 8U, id_hash); }  // the lowest bit is always 1
  void insert(std::uint64_t bucket, std::uint64_t id_hash) noexcept;
  void clear() noexcept;
  [[nodiscard]] std::uint64_t inserted() const noexcept { return inserted_; }

 private:
  static constexpr std::uint64_t kHashMask = 0x00FF'FFFF'FFFF'FFFFULL;
  static constexpr std::uint64_t kPerGeneration = kEntries / 256;
  [[nodiscard]] static std::size_t begin_of(std::uint64_t bucket) noexcept {
    return static_cast<std::size_t>(bucket % (kEntries / kBucket)) * kBucket;
  }
  std::vector<std::uint64_t> table_;  ///< generation in the top byte; 0: free
  std::uint64_t inserted_ = 0;
};

}  // namespace tocsin::core
