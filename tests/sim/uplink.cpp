// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/uplink.hpp"

#include "src/channel/reader.hpp"
#include "src/core/feed.hpp"

namespace tocsin::test {
namespace {

/// The frame as the worker reads it off the socket; nullopt: a protocol error.
std::optional<sim::Batch> read_frame(std::string_view frame) {
  channel::FrameReader reader(channel::Sender::core);
  Bytes in = as_bytes(frame);
  const auto complete = reader.next(in);
  if (!complete.ok() || !*complete || !in.empty() || reader.type() != channel::FrameType::data) return std::nullopt;
  auto data = channel::DataFrame::read(reader.body());
  if (!data.ok()) return std::nullopt;
  const auto& head = data->head();
  sim::Batch out{head.session, head.lane, static_cast<std::uint8_t>(head.kind), head.repeat, frame.size(), {}};
  while (const auto item = data->next()) out.items.push_back({item->seq, std::string(item->json)});
  return out;
}

}  // namespace

std::uint32_t Uplink::channel_credit() noexcept { return channel::kCreditBytes; }

void Uplink::start(const core::View& view) {
  delivery_ = std::make_unique<core::Delivery>(window_bytes_, std::array<bool, model::kLanes>{true, true, true});
  delivery_->begin(view.ends, view.durable[0]);
  ledger_.on_run(view.ends);
  costs_ = {};
}

void Uplink::on_view(const core::View& view) { delivery_->on_view(view.ends, view.durable[0]); }

void Uplink::crash() {
  lose_process();
  reading_.reset();
  delivery_.reset();
}

void Uplink::lose_process() {
  if (worker_.is_running()) worker_.die(dice_.below(worker_.on_their_way() + 1));
  socket_.clear();
  note_arrivals();
}

void Uplink::note_arrivals() {
  for (const auto& batch : worker_.take_arrived()) ledger_.on_arrived(batch);
}

void Uplink::step(const UplinkFaults& faults, const core::View& view, std::vector<core::Confirm>& intake) {
  if (worker_.is_running() && dice_.once_in(faults.worker_dies)) {
    lose_process();
    disconnect();
  }
  if (!worker_.is_running()) {
    if (dice_.once_in(3)) worker_.launch();
    return;
  }
  if (worker_.is_connected() && (faults.offline || dice_.once_in(faults.connection_lost)))
    worker_.lose_connection(dice_.below(worker_.on_their_way() + 1));
  if (!worker_.is_connected() && !faults.offline && dice_.once_in(3)) worker_.connect();
  if (stalled_ > 0) {
    --stalled_;
  } else {
    if (dice_.once_in(faults.stall)) stalled_ = 20;
    for (std::uint64_t n = dice_.below(4); n > 0; --n) worker_.acknowledge_one();
  }
  note_arrivals();
  carry();
  hear(intake);
  for (std::uint64_t n = dice_.below(4); n > 0; --n) feed(view, intake);
}

/// Some of the frames in the socket reach the worker.
void Uplink::carry() {
  for (std::uint64_t n = dice_.below(4); n > 0 && !socket_.empty(); --n) {
    if (!worker_.take(std::move(socket_.front()))) ledger_.wrong().emplace_back("a frame beyond the credit");
    socket_.pop_front();
  }
}

void Uplink::hear(std::vector<core::Confirm>& intake) {
  for (std::uint64_t n = dice_.below(6); n > 0; --n) {
    const auto word = worker_.hear();
    if (!word) return;
    switch (word->kind) {
      case sim::WorkerWord::Kind::connected: delivery_->on_connected(word->session); break;
      case sim::WorkerWord::Kind::disconnected: disconnect(); break;
      case sim::WorkerWord::Kind::credit: delivery_->on_credit(word->credit_bytes); break;
      case sim::WorkerWord::Kind::confirm: {
        const auto lane = static_cast<model::Lane>(word->lane);
        if (delivery_->on_confirm(lane, word->seq)) confirm(lane, word->seq, intake);
        break;
      }
    }
  }
}

void Uplink::confirm(model::Lane lane, std::uint64_t seq, std::vector<core::Confirm>& intake) {
  intake.push_back({0, lane, seq, delivery_->must_record(lane)});
}

void Uplink::feed(const core::View& view, std::vector<core::Confirm>& intake) {
  if (!reading_) {
    if (const auto request = delivery_->next_feed()) reading_ = {*request, view.registry, view.clocks};
    return;
  }
  const Reading reading = std::move(*reading_);
  reading_.reset();
  bool sent = false;
  const auto done = [&](const core::FeedRequest& asked, const Status& outcome, const core::FeedResult& result,
                        std::string&& frame, std::uint32_t damaged) {
    if (damaged != 0) ledger_.wrong().emplace_back("the reader found damage");
    if (!outcome.ok()) return delivery_->on_feed_failed();
    std::optional<std::uint64_t> passed;
    sent = delivery_->on_fed(asked, result, frame.size(), passed);
    if (sent) send(frame);
    if (passed) confirm(asked.lane, *passed, intake);
  };
  core::FeedJob job(reading.request, reading.registry, reading.clocks, done);
  job.finish(run(job));
  if (sent) check_window(reading.request.lane);
}

void Uplink::check_window(model::Lane which) {
  auto& costs = costs_[static_cast<std::size_t>(which)];
  costs.erase(costs.begin(), costs.upper_bound(delivery_->lane(which).durable));
  std::uint64_t sum = 0;
  for (const auto& [seq, cost] : costs) sum += cost;
  if (sum > window_bytes_) ledger_.wrong().emplace_back("more is offered than the window holds");
}

void Uplink::disconnect() {
  delivery_->on_disconnected();
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    costs_[i].erase(costs_[i].upper_bound(delivery_->lane(static_cast<model::Lane>(i)).confirmed), costs_[i].end());
  }
}

Status Uplink::run(core::Job& job) {
  auto txn = store_.begin_read();
  if (!txn.ok()) return txn.error();
  const auto done = job.step(**txn);
  return done.ok() ? Status{} : Status{done.error()};
}

void Uplink::send(std::string_view frame) {
  auto batch = read_frame(frame);
  if (!batch) return ledger_.wrong().emplace_back("a frame that no worker can read"), void();
  ledger_.on_offered(*batch);
  for (const auto& item : batch->items) costs_[batch->lane][item.seq] = core::window_cost(item.json.size());
  socket_.push_back(std::move(*batch));
}

bool Uplink::has_all() const noexcept {
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = delivery_->lane(static_cast<model::Lane>(i));
    if (lane.durable < lane.head) return false;
  }
  return true;
}

std::string Uplink::describe() const {
  std::string out = std::string(worker_.is_connected() ? "connected"
                                : worker_.is_running() ? "running"
                                                       : "no worker") +
                    ", " + std::to_string(socket_.size()) + " frames in the socket, " +
                    std::to_string(worker_.on_their_way()) + " at the worker; ";
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = delivery_->lane(static_cast<model::Lane>(i));
    out += std::string(model::to_text(static_cast<model::Lane>(i))) + " head " + std::to_string(lane.head) +
           " durable " + std::to_string(lane.durable) + " confirmed " + std::to_string(lane.confirmed) + " offered " +
           std::to_string(lane.offered) + "; ";
  }
  return out;
}

}  // namespace tocsin::test
