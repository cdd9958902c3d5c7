// SPDX-License-Identifier: Apache-2.0
// Who may have memory and a connection, and for how long.
#include <sys/socket.h>

#include <algorithm>

#include "platform/microhttpd/listener.hpp"
#include "platform/microhttpd/server.hpp"

namespace tocsin::microhttpd {

namespace {

std::size_t room_needed(const Slot& slot, const Limits& limits) noexcept {
  if (slot.framing.chunked) return std::min(limits.chunked_reserve_bytes, slot.body_bytes_max);
  const auto bytes = static_cast<std::size_t>(slot.framing.content_bytes);  // at most body_bytes_max by now
  return bytes <= limits.small_body_bytes_max ? 0 : bytes;
}

}  // namespace

/// True: the body has its memory, or needs none yet. While others wait, a newcomer waits behind them.
bool HttpServer::take_room(Slot& slot) noexcept {
  const std::size_t bytes = room_needed(slot, limits_);
  if (bytes == 0) return true;
  if (line_first_ != kNoSlot && slot.phase != Phase::room) return false;
  if (!slot.body.reserve(parts_.body_pool, bytes)) return false;
  slot.holds_pool = true;
  ++groups_[slot.peer_group].pool_bodies;
  return true;
}

void HttpServer::wait_for_room(Slot& slot) noexcept {
  slot.next_in_line = kNoSlot;
  if (line_first_ == kNoSlot) {
    line_first_ = slot.index;
  } else {
    slots_[line_last_]->next_in_line = slot.index;
  }
  line_last_ = slot.index;
  enter(slot, Phase::room, limits_.room_ms);
  slot.suspended = true;
  MHD_suspend_connection(slot.connection);
}

void HttpServer::leave_line(Slot& slot) noexcept {
  std::uint32_t before = kNoSlot;
  for (std::uint32_t at = line_first_; at != kNoSlot; before = at, at = slots_[at]->next_in_line) {
    if (at != slot.index) continue;
    (before == kNoSlot ? line_first_ : slots_[before]->next_in_line) = slot.next_in_line;
    if (line_last_ == at) line_last_ = before;
    slot.next_in_line = kNoSlot;
    return;
  }
}

/// First in line goes first, but an address that holds a body already lets addresses without one pass.
/// Whoever's turn it is and does not fit keeps everybody waiting: otherwise large bodies would starve.
void HttpServer::grant_room() noexcept {
  room_was_freed_ = false;
  while (line_first_ != kNoSlot) {
    std::uint32_t chosen = line_first_;
    for (std::uint32_t at = line_first_; at != kNoSlot; at = slots_[at]->next_in_line) {
      if (groups_[slots_[at]->peer_group].pool_bodies != 0) continue;
      chosen = at;
      break;
    }
    Slot& slot = *slots_[chosen];
    if (!take_room(slot)) return;
    leave_line(slot);
    const std::uint64_t slowest_ms = slot.framing.content_bytes * 1'000 / limits_.body_rate_bytes_per_s;
    enter(slot, Phase::body, limits_.body_base_ms + static_cast<std::int64_t>(slowest_ms));
    slot.first_again = true;
    resume(slot);
  }
}

void HttpServer::resume(Slot& slot) noexcept {
  slot.suspended = false;
  MHD_resume_connection(slot.connection);
  slot.listener->dirty = true;
}

void HttpServer::drop_body(Slot& slot) noexcept {
  if (slot.body.empty()) return;
  slot.body.reset();
  room_was_freed_ = line_first_ != kNoSlot;
  if (!slot.holds_pool) return;
  slot.holds_pool = false;
  --groups_[slot.peer_group].pool_bodies;
}

/// The library notices the end of the connection in its next run and reports it as completed and closed.
void HttpServer::shut(Slot& slot) noexcept {
  if (slot.shut) return;
  slot.shut = true;
  --slot.listener->connections;
  static_cast<void>(::shutdown(slot.fd, SHUT_RDWR));
  slot.listener->dirty = true;
}

/// One connection too many: of the address that has most, the longest idle one goes, or the slowest unfinished one when
/// there are more of those. So a crowd of clients that never finish pushes itself out and not who keeps a connection
/// for the next event, while a crowd of those cannot keep newcomers out. Requests that were read already are let
/// finish. Work: two passes over the slots.
void HttpServer::make_place(ListenerState& listener) noexcept {
  const auto ours = [&listener](const Slot& slot) {
    return slot.phase != Phase::free && slot.listener == &listener && !slot.shut;
  };
  std::uint32_t most = 0;
  std::uint32_t crowd = kNoSlot;
  Slot* newest = nullptr;
  for (const auto& slot : slots_) {
    if (!ours(*slot)) continue;
    if (const std::uint32_t count = groups_[slot->peer_group].connections; count > most) {
      most = count;
      crowd = slot->peer_group;
    }
    if (slot->phase == Phase::fresh && (newest == nullptr || slot->since >= newest->since)) newest = slot.get();
  }
  Slot* idle = nullptr;
  Slot* slow = nullptr;
  std::uint32_t idles = 0;
  std::uint32_t slows = 0;
  for (const auto& slot : slots_) {
    if (!ours(*slot) || slot->peer_group != crowd) continue;
    const bool waits_for_us = slot->phase == Phase::answer || slot->phase == Phase::ready ||
                              slot->phase == Phase::room || slot->phase == Phase::parse;
    if (waits_for_us) continue;
    const bool is_idle = slot->phase == Phase::idle;
    ++(is_idle ? idles : slows);
    Slot*& oldest = is_idle ? idle : slow;
    if (oldest == nullptr || slot->since < oldest->since) oldest = slot.get();
  }
  Slot* const oldest = idle != nullptr && idles >= slows ? idle : slow;
  Slot* victim = oldest != nullptr ? oldest : newest;
  if (victim == nullptr) return;
  ++counters_.cut_over_limit;
  shut(*victim);
}

Monotonic HttpServer::due(const Slot& slot) const noexcept {
  if (slot.shut || slot.phase == Phase::ready) return linux::kNever;
  if (slot.phase == Phase::idle && !slot.looked_for_end) {
    return std::min(slot.deadline, slot.since.after_ms(limits_.half_closed_ms));
  }
  const bool must_flow = (slot.phase == Phase::body && slot.holds_pool) || slot.phase == Phase::discard;
  if (!must_flow) return slot.deadline;
  const auto earned_ms = static_cast<std::int64_t>(slot.received * 1'000 / limits_.body_rate_bytes_per_s);
  return std::min(slot.deadline, slot.since.after_ms(limits_.rate_grace_ms + earned_ms));
}

void HttpServer::expire(Slot& slot) noexcept {
  if (slot.phase == Phase::room || slot.phase == Phase::parse || slot.phase == Phase::answer) {
    const bool room = slot.phase == Phase::room;
    if (room) ++counters_.refused_no_room;
    slot.answer = refusal(slot, 503, room ? "no memory for the body now" : "not answered in time");
    slot.answer.retry_after_s = 1;
    slot.close = true;
    if (room) leave_line(slot);
    if (slot.phase == Phase::parse) std::erase(parse_line_, slot.index);
    slot.phase = Phase::ready;
    slot.first_again = room;
    if (room) {
      // Closing with unread bytes resets the connection, and the client would see that instead of the answer.
      if (!slot.framing.expects_continue && slot.framing.content_bytes <= limits_.discarded_bytes_max) {
        enter(slot, Phase::discard, limits_.body_base_ms);
      }
      resume(slot);
    }
    slot.listener->dirty = true;
    return;
  }
  if (slot.phase == Phase::idle && slot.deadline > now_) {
    // The library overlooks an end that comes together with the request: after a short read it waits for an edge.
    slot.looked_for_end = true;
    if (!has_ended(slot.fd)) return;
  }
  if (slot.phase != Phase::idle) ++counters_.cut_slow;
  shut(slot);
}

void HttpServer::sweep() noexcept {
  Monotonic next = linux::kNever;
  for (const auto& slot : slots_) {
    if (slot->phase == Phase::free) continue;
    if (due(*slot) <= now_) expire(*slot);
    next = std::min(next, due(*slot));
  }
  sweep_due_ = next == linux::kNever ? next : std::max(next, now_.after_ms(limits_.sweep_ms));
}

}  // namespace tocsin::microhttpd
