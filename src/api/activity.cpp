// SPDX-License-Identifier: Apache-2.0
#include "src/api/activity.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace tocsin::api {
namespace {

constexpr std::int64_t kHalfMs = kActivityWindowMs / 2;

void add_to(std::uint32_t& count, std::uint32_t more) noexcept {
  count = more > std::numeric_limits<std::uint32_t>::max() - count ? std::numeric_limits<std::uint32_t>::max()
                                                                   : count + more;
}

}  // namespace

Activity::Activity(Budget* memory) noexcept
    : memory_(memory), slots_(memory != nullptr ? memory : std::pmr::null_memory_resource()) {}

void Activity::Slot::set_last(Heard how, std::int64_t ms) noexcept {
  constexpr std::int64_t kMsMax = std::int64_t{std::numeric_limits<std::uint32_t>::max()} * 1000;  // the year 2106
  ms = std::clamp<std::int64_t>(ms, 0, kMsMax);
  heard = how;
  last_s = static_cast<std::uint32_t>(ms / 1000);
  last_part_ms = static_cast<std::uint16_t>(ms % 1000);
}

const Activity::Slot* Activity::find(std::int32_t data_id) const noexcept {
  const auto at = std::ranges::lower_bound(slots_, data_id, {}, &Slot::data_id);
  return at != slots_.end() && at->data_id == data_id ? &*at : nullptr;
}

Activity::Slot* Activity::slot_of(std::int32_t data_id) noexcept {
  const auto at = std::ranges::lower_bound(slots_, data_id, {}, &Slot::data_id);
  if (at != slots_.end() && at->data_id == data_id) return &*at;
  if (memory_ == nullptr || slots_.size() >= model::kInstancesMax) return nullptr;
  const auto place = at - slots_.begin();
  try {
    // All of them at once: growing would need the old and the new.
    slots_.reserve(model::kInstancesMax);
    Slot slot;
    slot.data_id = data_id;
    return &*slots_.insert(slots_.begin() + place, slot);
  } catch (const std::bad_alloc&) {
    return nullptr;  // the line is full; a later request of it is counted
  }
}

void Activity::on_request(std::int32_t data_id) noexcept {
  if (Slot* slot = slot_of(data_id)) add_to(slot->now.requests, 1);
}

void Activity::on_reject(std::int32_t data_id) noexcept {
  Slot* const slot = slot_of(data_id);
  if (slot == nullptr) return;
  add_to(slot->now.rejects, 1);
  add_to(slot->total_rejects, 1);
}

void Activity::on_stored(std::int32_t data_id, std::uint32_t events, Monotonic received) noexcept {
  Slot* const slot = events > 0 ? slot_of(data_id) : nullptr;
  if (slot == nullptr) return;
  add_to(slot->now.events, events);
  if (slot->heard != Heard::this_start || slot->last_ms() < received.ms())
    slot->set_last(Heard::this_start, received.ms());
}

void Activity::on_found(std::int32_t data_id, Wall received) noexcept {
  Slot* const slot = slot_of(data_id);
  if (slot == nullptr || slot->heard != Heard::never) return;
  slot->set_last(received.trusted ? Heard::before : Heard::before_undated, received.unix_ms);
}

void Activity::turn(Monotonic now, const registry::Registry& registry) noexcept {
  if (!half_began_) half_began_ = now;
  for (int n = 0; n < 2 && now >= half_began_->after_ms(kHalfMs); ++n) {
    half_began_ = half_began_->after_ms(kHalfMs);
    ++halves_;
    for (Slot& slot : slots_) slot.before = std::exchange(slot.now, {});
  }
  if (now >= half_began_->after_ms(kHalfMs)) half_began_ = now;
  if (registry.generation() == generation_) return;
  generation_ = registry.generation();
  std::erase_if(slots_, [&](const Slot& slot) { return registry.instance(slot.data_id) == nullptr; });
}

std::int64_t Activity::window_ms(Monotonic now) const noexcept {
  const std::int64_t running_ms = half_began_ ? std::clamp<std::int64_t>(now.ms() - half_began_->ms(), 0, kHalfMs) : 0;
  return running_ms + (halves_ > 0 ? kHalfMs : 0);
}

}  // namespace tocsin::api
