// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "src/core/effects.hpp"
#include "src/model/tables.hpp"

namespace tocsin::core {

/// What a record costs of the delivery window. The border of the window is computed again after a start, so this
/// must be a function of the stored record alone.
[[nodiscard]] constexpr std::uint64_t window_cost(std::size_t json_bytes) noexcept { return json_bytes + 64; }

inline constexpr std::uint64_t kBatchBytesMax = 256 * 1024;  ///< of a frame with more than one item

/// What the reader shall prepare next for one upstream.
struct FeedRequest {
  std::uint32_t session = 0;     ///< the worker's own number; begins again with each worker process
  std::uint64_t connection = 0;  ///< ours; never used twice in a run
  std::uint64_t news = 0;        ///< how much was heard when it was asked
  model::Lane lane = model::Lane::normal;
  std::uint64_t from_seq = 0;
  std::uint64_t head_seq = 0;           ///< end of the lane as io knows it
  std::uint64_t window_left_bytes = 0;  ///< what cursor + W still allows
  std::uint32_t frame_bytes_max = 0;    ///< what the worker's credit allows
  std::uint64_t repeat_to_seq = 0;      ///< offered before in this run: a repeat up to here
  std::uint64_t start_head_seq = 0;     ///< end of the lane when this run began
  std::uint64_t start_window_bytes =
      0;  ///< of the window that an earlier run may have offered, what is left beyond repeat_to_seq
  std::uint64_t batch_bytes_max = kBatchBytesMax;  ///< of a frame with more than one item
};

struct FeedResult {
  std::uint64_t last_seq = 0;  ///< of the batch, or of the holes passed; 0: the next record waits for credit or window
  std::uint64_t cost_bytes = 0;
  std::uint64_t start_window_bytes = 0;  ///< left after this batch
  std::uint32_t items = 0;               ///< 0: only holes up to last_seq
  bool repeat = false;
};

/// Decides what is offered to one upstream, and what of it is marked as a possible repeat.
/// Promise: an item that may have left before never leaves unmarked. Nothing is offered beyond the durable cursor + W,
/// so after a start exactly the first W bytes beyond the cursor (as far as they existed then) are marked.
/// Pure; io thread. Memory: one entry a batch in flight, bounded by W and by kBatchesMax a lane.
class Delivery {
 public:
  static constexpr std::size_t kBatchesMax = 256;

  Delivery(std::uint64_t window_bytes, std::array<bool, model::kLanes> wants) noexcept
      : window_bytes_(window_bytes), wants_(wants) {}

  /// At start, before anything else: what is on flash. `is_cursor_lost`: all that existed then is marked.
  void begin(const log::Ends& ends, const std::array<std::uint64_t, model::kLanes>& durable,
             bool is_cursor_lost = false) noexcept;
  /// After a turn.
  void on_view(const log::Ends& ends, const std::array<std::uint64_t, model::kLanes>& durable) noexcept;

  void on_connected(std::uint32_t session) noexcept;
  void on_disconnected() noexcept;
  void on_credit(std::uint32_t bytes) noexcept;
  /// True: news for the writer. A confirmation beyond what was offered is a worker's mistake and is ignored.
  [[nodiscard]] bool on_confirm(model::Lane lane, std::uint64_t seq) noexcept;

  /// Half the window is confirmed and not on flash: the cursor should be recorded without waiting for company.
  [[nodiscard]] bool must_record(model::Lane lane) const noexcept;

  /// The next thing to read; at most one request is out at a time. nullopt: nothing to do or no room.
  [[nodiscard]] std::optional<FeedRequest> next_feed() noexcept;
  /// The reader's answer. True: the frame (of `frame_bytes`) may go to the worker now. False: the session is over, or
  /// there is no frame. `confirm_to` is set when only holes were found behind all that is confirmed.
  [[nodiscard]] bool on_fed(const FeedRequest& request, const FeedResult& result, std::size_t frame_bytes,
                            std::optional<std::uint64_t>& confirm_to);
  void on_feed_failed() noexcept { is_feeding_ = false; }

  [[nodiscard]] bool is_connected() const noexcept { return session_ != 0; }
  struct LaneView {
    std::uint64_t head = 0, durable = 0, confirmed = 0, offered = 0;
  };
  [[nodiscard]] LaneView lane(model::Lane lane) const noexcept;
  [[nodiscard]] bool wants(model::Lane lane) const noexcept { return wants_[static_cast<std::size_t>(lane)]; }
  [[nodiscard]] std::uint64_t confirmed_items() const noexcept { return confirmed_items_; }

 private:
  struct Batch {
    std::uint64_t last_seq;
    std::uint64_t cost_bytes;
    std::uint32_t items;
  };
  struct Lane {
    std::uint64_t head = 0;
    std::uint64_t durable = 0;
    std::uint64_t confirmed = 0;
    std::uint64_t offered = 0;
    std::uint64_t offered_ever = 0;  ///< in this run
    std::uint64_t start_head = 0;
    std::uint64_t start_window_bytes = 0;
    std::uint64_t outstanding_bytes = 0;  ///< of the batches below
    std::deque<Batch> batches;            ///< offered and not yet durable
    bool is_waiting = false;              ///< the next record did not fit: ask again after news only
  };
  void settle(Lane& lane) noexcept;

  std::uint64_t window_bytes_;
  std::array<bool, model::kLanes> wants_;
  std::array<Lane, model::kLanes> lanes_;
  std::uint32_t session_ = 0;  ///< 0: not connected
  std::uint64_t connection_ = 0;
  std::uint64_t news_ = 0;  ///< everything heard that may make room
  std::uint64_t credit_bytes_ = 0;
  std::uint64_t confirmed_items_ = 0;
  bool is_feeding_ = false;
};

}  // namespace tocsin::core
