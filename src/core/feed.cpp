// SPDX-License-Identifier: Apache-2.0
#include "src/core/feed.hpp"

#include <optional>

#include "src/channel/writer.hpp"

namespace tocsin::core {
namespace {

constexpr int kSegmentsPerFeed = 64;

channel::DataKind kind_of(model::RecordKind kind) noexcept {
  switch (kind) {
    case model::RecordKind::alert_transition: return channel::DataKind::alert_transitions;
    case model::RecordKind::gap: return channel::DataKind::gap_records;
    case model::RecordKind::standard_event: return channel::DataKind::standard_events;
    case model::RecordKind::custom_event:
    case model::RecordKind::custom_metric: break;
  }
  return channel::DataKind::events;
}

/// Collects records into one frame until something that a batch must not cross.
class Batch {
 public:
  Batch(const FeedRequest& request, const registry::Registry& registry, const BootClocks& clocks)
      : request_(request), registry_(registry), clocks_(clocks), start_window_(request.start_window_bytes) {}

  /// False: the batch ends before this record.
  bool add(const model::SegmentHeader& segment, const model::Record& record) {
    const std::uint64_t cost = window_cost(record.json.size());
    const bool in_start_window =
        record.seq > request_.repeat_to_seq && record.seq <= request_.start_head_seq && cost <= start_window_;
    const bool repeat = record.seq <= request_.repeat_to_seq || in_start_window;
    if (!writer_) {
      if (cost > request_.window_left_bytes) return false;
      open(segment, record, repeat);
    } else if (segment.boot != head_.boot || record.data_id != head_.data_id || repeat != head_.repeat ||
               kind_of(record.kind) != head_.kind || writer_->count() >= kBatchItemsMax ||
               cost_bytes_ + cost > request_.window_left_bytes || cost_bytes_ + cost > request_.batch_bytes_max) {
      return false;
    }
    const bool trusted = (segment.flags & model::kSegmentTrusted) != 0;
    const Wall wall = clocks_.date(segment.boot, trusted, record.wall_ms, record.mono_ms);
    if (!writer_->add({record.seq, wall.unix_ms, wall.trusted, record.json})) {
      // Behind other items it waits for the next frame; alone it can never be sent (larger than any frame).
      is_too_large_ = writer_->count() == 0;
      return false;
    }
    cost_bytes_ += cost;
    if (in_start_window) {
      start_window_ -= cost;
    } else if (record.seq > request_.repeat_to_seq) {
      start_window_ = 0;  // the border is passed for good
    }
    return true;
  }

  [[nodiscard]] bool has_items() const noexcept { return writer_ && writer_->count() > 0; }
  [[nodiscard]] bool is_too_large() const noexcept { return is_too_large_; }
  FeedResult finish(std::string& frame) {
    const FeedResult out{writer_->last_seq(), cost_bytes_, start_window_, writer_->count(), head_.repeat};
    frame = writer_->take();
    return out;
  }

 private:
  void open(const model::SegmentHeader& segment, const model::Record& record, bool repeat) {
    head_.session = request_.session;
    head_.lane = static_cast<std::uint8_t>(request_.lane);
    head_.repeat = repeat;
    head_.kind = kind_of(record.kind);
    head_.boot = segment.boot;
    head_.data_id = record.data_id;
    if (const auto* instance = registry_.instance(record.data_id)) {
      head_.bk_biz_id = instance->bk_biz_id;
      head_.upstream_data_id = instance->upstream_data_id;
      head_.plugin_id = instance->plugin_id;
    }
    writer_.emplace(head_, request_.frame_bytes_max);
  }

  const FeedRequest& request_;
  const registry::Registry& registry_;
  const BootClocks& clocks_;
  std::uint64_t start_window_;
  std::uint64_t cost_bytes_ = 0;
  channel::DataHead head_{};
  std::optional<channel::DataWriter> writer_;
  bool is_too_large_ = false;
};

}  // namespace

FeedJob::FeedJob(const FeedRequest& request, registry::Registry::Pointer registry,
                 std::shared_ptr<const BootClocks> clocks, Done done)
    : request_(request), registry_(std::move(registry)), clocks_(std::move(clocks)), done_(std::move(done)) {}

Result<bool> FeedJob::step(port::ReadTxn& txn) {
  Batch batch{request_, *registry_, *clocks_};
  bool must_wait = false;         // for credit or window: the next record does not fit what is left of them
  std::uint64_t passed_over = 0;  // a record that no frame can ever hold
  auto walked = log::walk(txn, request_.lane, request_.from_seq, kSegmentsPerFeed,
                          [&](const model::SegmentHeader& segment, const model::Record& record) {
                            if (batch.add(segment, record)) return true;
                            if (batch.is_too_large() && request_.frame_bytes_max >= channel::kDataFrameBytesMax) {
                              passed_over = record.seq;
                              ++damaged_;
                            } else {
                              must_wait = true;
                            }
                            return false;
                          });
  if (!walked.ok()) return walked.error().in("feeding an upstream");
  damaged_ += walked->damaged;
  if (batch.has_items()) {
    result_ = batch.finish(frame_);
  } else {
    result_.start_window_bytes = request_.start_window_bytes;
    if (passed_over != 0) {
      result_.last_seq = passed_over;
    } else if (!must_wait) {
      result_.last_seq = walked->next_seq ? *walked->next_seq - 1 : request_.head_seq;
    }
  }
  return true;
}

void FeedJob::finish(const Status& outcome) noexcept { done_(request_, outcome, result_, std::move(frame_), damaged_); }

}  // namespace tocsin::core
