// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "platform/gnutls/crypto.hpp"
#include "platform/sim/clock.hpp"
#include "platform/sim/store.hpp"
#include "src/core/core.hpp"
#include "tests/sim/clients.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/partition.hpp"
#include "tests/sim/uplink.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin::test {

/// What a world is made of. Chances are "once in so many steps", 0 never; platform/sim/FAULTS.md tells what each may
/// do.
struct WorldPlan {
  std::uint64_t quota_bytes = 64 * MiB;
  std::uint64_t window_bytes = 64 * KiB;
  std::int64_t retention_ms = 168LL * 3'600'000;
  std::uint64_t items_max = 100;
  std::uint64_t pushes_max = 6;  ///< new inputs a step
  std::uint64_t power_cut = 60;
  std::uint64_t commit_fault = 40;
  std::uint64_t operation_fault = 40;
  std::uint64_t dead_card = 200;   ///< every operation fails for some steps
  std::uint64_t store_full = 100;  ///< no room for some steps
  std::uint64_t offline = 50;      ///< no broker for some steps
  std::uint64_t wall_step = 60;
  std::uint64_t trust_change = 80;
  std::uint64_t long_pause = 40;
  UplinkFaults uplink{.worker_dies = 60, .connection_lost = 30, .stall = 40};
};

/// A whole box in one thread: daemon, store, worker, broker, clients and operators, driven step by step from one seed.
class World {
 public:
  World(std::uint64_t seed, const WorldPlan& plan);

  /// A bounded amount of everything. Afterwards wrong() tells what promise is broken.
  void step();
  /// No more faults and no more clients; steps until everything is delivered. False: `steps_max` was not enough.
  [[nodiscard]] bool heal(int steps_max);
  /// The checks over everything at once.
  void check_all();

  [[nodiscard]] const std::vector<std::string>& wrong() { return ledger_.wrong(); }
  [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_; }
  [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }
  [[nodiscard]] std::uint32_t restarts() const noexcept { return restarts_; }
  [[nodiscard]] const Partition& partition() const noexcept { return partition_; }
  [[nodiscard]] std::uint64_t evicted() const { return core_ ? core_->gauges().events_evicted : 0; }
  [[nodiscard]] std::string describe() const;

 private:
  enum class CutAt : std::uint8_t { nowhere, before_turn, in_commit, after_turn };

  void pass_time();
  void choose_faults();
  [[nodiscard]] bool start();
  void clients_send();
  void take_turn(CutAt cut);
  void judge(const core::Answer& answer, std::vector<Clients::Waiting>& taken);
  void power_cut();
  void read_news();
  void begin_partition();
  void check_log();
  void check_alerts();
  void check_audit();
  void note(std::string_view what, std::uint64_t number = 0);

  WorldPlan plan_;
  Dice dice_;
  SeededRandom random_;
  gnutls::Crypto crypto_;
  sim::Clock clock_;
  sim::SimStore store_;
  Ledger ledger_;
  Clients clients_;
  Partition partition_;
  Uplink uplink_;
  core::Settings settings_;
  std::unique_ptr<core::Core> core_;
  core::View view_;
  std::deque<Clients::Waiting> intake_;
  std::vector<core::Confirm> confirms_;
  std::uint64_t dead_steps_ = 0;
  std::uint64_t full_steps_ = 0;
  std::uint64_t offline_steps_ = 0;
  bool registered_ = false;
  bool healed_ = false;
  std::uint32_t restarts_ = 0;
  std::uint64_t trace_ = 0xCBF2'9CE4'8422'2325ULL;
};

}  // namespace tocsin::test
