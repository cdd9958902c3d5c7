// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/sim/worker.hpp"
#include "src/core/core.hpp"
#include "src/core/delivery.hpp"
#include "src/core/job.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/ledger.hpp"

namespace tocsin::test {

/// What the uplink may suffer: once in so many steps; 0 never.
struct UplinkFaults {
  std::uint64_t worker_dies = 0;
  std::uint64_t connection_lost = 0;
  std::uint64_t stall = 0;  ///< the broker then acknowledges nothing for a while
  bool offline = false;     ///< no broker at all
};

/// The io side of one upstream, as the daemon has it, with the socket to its worker: words and frames travel with
/// delay.
class Uplink {
 public:
  Uplink(port::Store& store, Ledger& ledger, Dice& dice, std::uint64_t window_bytes)
      : store_(store), ledger_(ledger), dice_(dice), window_bytes_(window_bytes) {}

  void start(const core::View& view);
  void on_view(const core::View& view);
  /// Some of everything that can happen; confirmations for the writer are added to `intake`.
  void step(const UplinkFaults& faults, const core::View& view, std::vector<core::Confirm>& intake);
  /// The daemon is gone, and its worker with it.
  void crash();
  [[nodiscard]] bool has_all() const noexcept;
  [[nodiscard]] std::string describe() const;

 private:
  void hear(std::vector<core::Confirm>& intake);
  void feed(const core::View& view, std::vector<core::Confirm>& intake);
  [[nodiscard]] Status run(core::Job& job);
  void send(std::string_view frame);
  void disconnect();
  void check_window(model::Lane which);
  void carry();
  void note_arrivals();
  void confirm(model::Lane lane, std::uint64_t seq, std::vector<core::Confirm>& intake);
  void lose_process();

  /// What the reader was asked and has not answered.
  struct Reading {
    core::FeedRequest request;
    registry::Registry::Pointer registry;
    std::shared_ptr<const core::BootClocks> clocks;
  };
  [[nodiscard]] static std::uint32_t channel_credit() noexcept;

  port::Store& store_;
  Ledger& ledger_;
  Dice& dice_;
  std::uint64_t window_bytes_;
  std::unique_ptr<core::Delivery> delivery_;
  sim::Worker worker_{channel_credit()};
  std::deque<sim::Batch> socket_;
  std::optional<Reading> reading_;
  std::array<std::map<std::uint64_t, std::uint64_t>, model::kLanes>
      costs_;  ///< of the window: what was sent, by sequence
  std::uint64_t stalled_ = 0;
};

}  // namespace tocsin::test
