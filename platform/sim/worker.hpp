// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "src/base/bytes.hpp"

namespace tocsin::sim {

/// One batch as the worker sees it.
struct Batch {
  struct Item {
    std::uint64_t seq = 0;
    std::string json;
  };
  std::uint32_t session = 0;
  std::uint8_t lane = 0;
  std::uint8_t kind = 0;
  bool repeat = false;
  std::size_t frame_bytes = 0;  ///< what it costs of the credit
  std::vector<Item> items;
};

/// What a worker says to the core, in the order said.
struct WorkerWord {
  enum class Kind : std::uint8_t { connected, disconnected, credit, confirm };
  Kind kind{};
  std::uint32_t session = 0;
  std::uint32_t credit_bytes = 0;
  std::uint8_t lane = 0;
  std::uint64_t seq = 0;
};

/// A worker process and the broker behind it. The broker takes batches in the order they were published and forgets
/// nothing that it took; the connection and the process may end at any moment, and then a part of what was published
/// has arrived and the rest never will. Nothing here is random: whoever owns the world decides.
/// Threads: one.
class Worker {
 public:
  explicit Worker(std::uint32_t credit_bytes) noexcept : credit_bytes_(credit_bytes) {}

  /// A new process: sessions count from 1 again. Precondition: it is not running.
  void launch();
  [[nodiscard]] bool is_running() const noexcept { return running_; }
  [[nodiscard]] bool is_connected() const noexcept { return connected_; }

  /// Reaches the broker: a new session and its first grant. Precondition: running, not connected.
  void connect();
  /// One frame from the core. False: it was beyond the credit, a protocol error. A frame of another session is dropped.
  [[nodiscard]] bool take(Batch&& batch);
  /// The broker takes the oldest batch that is on its way and acknowledges it; the worker confirms and returns credit.
  void acknowledge_one();
  /// The connection ends; of the batches on their way the first `arrived` reached the broker.
  void lose_connection(std::size_t arrived);
  /// The process ends likewise; words that nobody has heard are lost with it.
  void die(std::size_t arrived);

  /// The oldest word that was not heard yet.
  [[nodiscard]] std::optional<WorkerWord> hear();
  [[nodiscard]] std::size_t on_their_way() const noexcept { return published_.size(); }
  /// Everything that the broker took since the last call, in its order.
  [[nodiscard]] std::vector<Batch> take_arrived();

 private:
  std::uint32_t credit_bytes_;
  bool running_ = false;
  bool connected_ = false;
  std::uint32_t session_ = 0;
  std::size_t credit_left_ = 0;
  std::deque<Batch> published_;
  std::deque<WorkerWord> words_;
  std::vector<Batch> arrived_;
};

}  // namespace tocsin::sim
