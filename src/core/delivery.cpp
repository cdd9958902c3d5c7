// SPDX-License-Identifier: Apache-2.0
#include "src/core/delivery.hpp"

#include <algorithm>

namespace tocsin::core {
namespace {

constexpr std::uint32_t kFrameBytesMin = 8 * 1024;  ///< less credit than this is not worth a batch

}  // namespace

void Delivery::begin(const log::Ends& ends, const std::array<std::uint64_t, model::kLanes>& durable,
                     bool is_cursor_lost) noexcept {
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    Lane& lane = lanes_[i];
    lane.head = ends[i].last_seq;
    lane.durable = lane.confirmed = lane.offered = lane.offered_ever = durable[i];
    lane.start_head = ends[i].last_seq;
    lane.start_window_bytes = is_cursor_lost ? ~0ULL : window_bytes_;
  }
}

void Delivery::on_view(const log::Ends& ends, const std::array<std::uint64_t, model::kLanes>& durable) noexcept {
  ++news_;
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    Lane& lane = lanes_[i];
    lane.head = std::max(lane.head, ends[i].last_seq);
    lane.durable = std::max(lane.durable, durable[i]);
    lane.is_waiting = false;
    settle(lane);
  }
}

void Delivery::on_credit(std::uint32_t bytes) noexcept {
  credit_bytes_ += bytes;
  ++news_;
  for (Lane& lane : lanes_) lane.is_waiting = false;
}

void Delivery::settle(Lane& lane) noexcept {
  while (!lane.batches.empty() && lane.batches.front().last_seq <= lane.durable) {
    lane.outstanding_bytes -= lane.batches.front().cost_bytes;
    lane.batches.pop_front();
  }
}

void Delivery::on_connected(std::uint32_t session) noexcept {
  on_disconnected();
  session_ = session;
  ++connection_;
}

void Delivery::on_disconnected() noexcept {
  session_ = 0;
  credit_bytes_ = 0;
  for (Lane& lane : lanes_) {
    lane.offered = lane.confirmed;
    lane.is_waiting = false;
    while (!lane.batches.empty() && lane.batches.back().last_seq > lane.confirmed) {
      lane.outstanding_bytes -= lane.batches.back().cost_bytes;
      lane.batches.pop_back();
    }
  }
}

bool Delivery::on_confirm(model::Lane which, std::uint64_t seq) noexcept {
  Lane& lane = lanes_[static_cast<std::size_t>(which)];
  if (session_ == 0 || seq <= lane.confirmed || seq > lane.offered) return false;
  for (const Batch& batch : lane.batches) {
    if (batch.last_seq > lane.confirmed && batch.last_seq <= seq) confirmed_items_ += batch.items;
  }
  lane.confirmed = seq;
  lane.is_waiting = false;
  return true;
}

std::optional<FeedRequest> Delivery::next_feed() noexcept {
  if (session_ == 0 || is_feeding_ || credit_bytes_ < kFrameBytesMin) return std::nullopt;
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    Lane& lane = lanes_[i];
    if (!wants_[i] || lane.offered >= lane.head || lane.batches.size() >= kBatchesMax) continue;
    if (lane.is_waiting || lane.outstanding_bytes >= window_bytes_) continue;
    is_feeding_ = true;
    return FeedRequest{session_,
                       connection_,
                       news_,
                       static_cast<model::Lane>(i),
                       lane.offered + 1,
                       lane.head,
                       window_bytes_ - lane.outstanding_bytes,
                       static_cast<std::uint32_t>(std::min<std::uint64_t>(credit_bytes_, 0xFFFF'FFFFU)),
                       lane.offered_ever,
                       lane.start_head,
                       lane.start_window_bytes};
  }
  return std::nullopt;
}

bool Delivery::on_fed(const FeedRequest& request, const FeedResult& result, std::size_t frame_bytes,
                      std::optional<std::uint64_t>& confirm_to) {
  is_feeding_ = false;
  if (session_ == 0 || request.connection != connection_) return false;
  Lane& lane = lanes_[static_cast<std::size_t>(request.lane)];
  if (result.last_seq == 0) {
    lane.is_waiting = request.news == news_;  // what was heard meanwhile may have made the room it lacked
    return false;
  }
  if (result.items == 0) {
    // Holes only (evicted, damaged): pass over them once everything before is confirmed.
    if (lane.confirmed == lane.offered) {
      lane.offered = lane.confirmed = result.last_seq;
      lane.offered_ever = std::max(lane.offered_ever, lane.offered);
      confirm_to = result.last_seq;
    } else {
      lane.is_waiting = true;
    }
    return false;
  }
  if (frame_bytes > credit_bytes_) return false;
  lane.batches.push_back({result.last_seq, result.cost_bytes, result.items});
  lane.outstanding_bytes += result.cost_bytes;
  lane.offered = result.last_seq;
  lane.offered_ever = std::max(lane.offered_ever, lane.offered);
  lane.start_window_bytes = result.start_window_bytes;
  credit_bytes_ -= frame_bytes;
  return true;
}

bool Delivery::must_record(model::Lane which) const noexcept {
  const Lane& lane = lanes_[static_cast<std::size_t>(which)];
  std::uint64_t unrecorded = 0;
  for (const Batch& batch : lane.batches) {
    if (batch.last_seq <= lane.confirmed) unrecorded += batch.cost_bytes;
  }
  return unrecorded >= window_bytes_ / 2;
}

Delivery::LaneView Delivery::lane(model::Lane which) const noexcept {
  const Lane& lane = lanes_[static_cast<std::size_t>(which)];
  return {lane.head, lane.durable, lane.confirmed, lane.offered};
}

}  // namespace tocsin::core
