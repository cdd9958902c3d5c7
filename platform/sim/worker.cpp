// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/worker.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::sim {

void Worker::launch() {
  running_ = true;
  connected_ = false;
  session_ = 0;
  credit_left_ = 0;
  words_.clear();
}

void Worker::connect() {
  connected_ = true;
  ++session_;
  credit_left_ = credit_bytes_;
  words_.push_back({WorkerWord::Kind::connected, session_});
  words_.push_back({WorkerWord::Kind::credit, session_, credit_bytes_});
}

bool Worker::take(Batch&& batch) {
  if (!running_ || !connected_ || batch.session != session_) return true;
  if (batch.frame_bytes > credit_left_) return false;
  credit_left_ -= batch.frame_bytes;
  published_.push_back(std::move(batch));
  return true;
}

void Worker::acknowledge_one() {
  if (published_.empty()) return;
  Batch batch = std::move(published_.front());
  published_.pop_front();
  const auto bytes = static_cast<std::uint32_t>(batch.frame_bytes);
  words_.push_back({WorkerWord::Kind::confirm, session_, 0, batch.lane, batch.items.back().seq});
  words_.push_back({WorkerWord::Kind::credit, session_, bytes});
  credit_left_ += bytes;
  arrived_.push_back(std::move(batch));
}

void Worker::lose_connection(std::size_t arrived) {
  if (!connected_) return;
  for (std::size_t n = std::min(arrived, published_.size()); n > 0; --n) {
    arrived_.push_back(std::move(published_.front()));
    published_.pop_front();
  }
  published_.clear();
  connected_ = false;
  credit_left_ = 0;
  words_.push_back({WorkerWord::Kind::disconnected});
}

void Worker::die(std::size_t arrived) {
  lose_connection(arrived);
  running_ = false;
  words_.clear();
}

std::optional<WorkerWord> Worker::hear() {
  if (words_.empty()) return std::nullopt;
  const WorkerWord word = words_.front();
  words_.pop_front();
  return word;
}

std::vector<Batch> Worker::take_arrived() { return std::exchange(arrived_, {}); }

}  // namespace tocsin::sim
