// SPDX-License-Identifier: Apache-2.0
#include "src/core/id_window.hpp"

namespace tocsin::core {

bool IdWindow::holds(std::uint64_t id_hash) const noexcept {
  if (table_.empty()) return false;
  const std::uint64_t hash = id_hash & kHashMask;
  const std::size_t at = bucket_of(hash);
  for (std::size_t i = at; i < at + kBucket; ++i) {
    if (table_[i] != 0 && (table_[i] & kHashMask) == hash) return true;
  }
  return false;
}

void IdWindow::reserve() {
  if (table_.empty()) table_.assign(kEntries, 0);
}

void IdWindow::insert(std::uint64_t id_hash) noexcept {
  const std::uint64_t hash = id_hash & kHashMask;
  if (table_.empty() || hash == 0 || holds(hash)) return;
  const auto generation = static_cast<std::uint8_t>(inserted_ / kPerGeneration);
  ++inserted_;
  const std::size_t at = bucket_of(hash);
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
