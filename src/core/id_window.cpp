// SPDX-License-Identifier: Apache-2.0
#include "src/core/id_window.hpp"

namespace tocsin::core {

std::uint64_t IdWindow::find(std::uint64_t bucket, std::uint64_t id_hash, std::uint64_t mask) const noexcept {
  if (table_.empty()) return 0;
  const std::size_t at = begin_of(bucket);
  for (std::size_t i = at; i < at + kBucket; ++i) {
    const std::uint64_t held = table_[i] & kHashMask;
    if (held != 0 && ((held ^ id_hash) & mask & kHashMask) == 0) return held;
  }
  return 0;
}

void IdWindow::reserve() {
  if (table_.empty()) table_.assign(kEntries, 0);
}

void IdWindow::insert(std::uint64_t bucket, std::uint64_t id_hash) noexcept {
  const std::uint64_t hash = id_hash & kHashMask;
  if (table_.empty() || hash == 0 || find(bucket, hash, kHashMask) != 0) return;
  const auto generation = static_cast<std::uint8_t>(inserted_ / kPerGeneration);
  ++inserted_;
  const std::size_t at = begin_of(bucket);
  std::size_t victim = at;
  std::uint8_t oldest_age = 0;
  for (std::size_t i = at; i < at + kBucket; ++i) {
    if (table_[i] == 0) {
      victim = i;
      break;
    }
    const auto age = static_cast<std::uint8_t>(generation - static_cast<std::uint8_t>(table_[i] >> 56U));
    if (age >= oldest_age) {
      oldest_age = age;
      victim = i;
    }
  }
  table_[victim] = hash | (static_cast<std::uint64_t>(generation) << 56U);
}

void IdWindow::clear() noexcept {
  table_ = {};
  inserted_ = 0;
}

}  // namespace tocsin::core
