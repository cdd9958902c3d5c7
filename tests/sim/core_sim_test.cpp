// SPDX-License-Identifier: Apache-2.0
// Goal: an event that was answered survives power cuts and failing cards and is delivered, in order, repeats marked.
// Method: many short worlds, each from one seed; promises are checked at every step, delivery once the faults stop.
// Replay one with TOCSIN_SEED=<number>; TOCSIN_SIM_STEPS sets the steps of each world (600).
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/sim/world.hpp"

namespace tocsin {
namespace {

using test::World;
using test::WorldPlan;

std::uint64_t number_from_env(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t steps() { return number_from_env("TOCSIN_SIM_STEPS", 600); }

/// What happened in all worlds of one kind.
struct Totals {
  std::uint64_t events = 0, arrivals = 0, repeats = 0, gaps = 0, removed = 0, restarts = 0, records = 0, conflicts = 0;
};

bool is_replay() { return number_from_env("TOCSIN_SEED", 0) != 0; }

/// Worlds of one kind: `count` of them from `seed` on, or the one of TOCSIN_SEED.
void run_worlds(const WorldPlan& plan, std::uint64_t seed, int count, Totals& sum) {
  if (is_replay()) seed = number_from_env("TOCSIN_SEED", 0), count = 1;
  for (int n = 0; n < count; ++n, ++seed) {
    SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
    World world(seed, plan);
    for (std::uint64_t i = 0; i < steps(); ++i) {
      world.step();
      ASSERT_TRUE(world.wrong().empty()) << "step " << i << ": " << world.wrong().front() << "\n" << world.describe();
    }
    const bool is_done = world.heal(20'000);
    ASSERT_TRUE(world.wrong().empty()) << "after the faults: " << world.wrong().front() << "\n" << world.describe();
    ASSERT_TRUE(is_done) << world.describe();
    sum.events += world.ledger().events();
    sum.arrivals += world.ledger().arrivals();
    sum.repeats += world.ledger().repeats();
    sum.gaps += world.ledger().gaps();
    sum.removed += world.ledger().removed();
    sum.restarts += world.restarts();
    sum.records += world.partition().size();
    sum.conflicts += world.partition().conflicts();
  }
  std::printf(
      "%d worlds, %llu events, %llu arrivals, %llu repeats, %llu gaps, %llu removed, %llu starts, %llu records of a "
      "source, %llu conflicts\n",
      count, static_cast<unsigned long long>(sum.events), static_cast<unsigned long long>(sum.arrivals),
      static_cast<unsigned long long>(sum.repeats), static_cast<unsigned long long>(sum.gaps),
      static_cast<unsigned long long>(sum.removed), static_cast<unsigned long long>(sum.restarts),
      static_cast<unsigned long long>(sum.records), static_cast<unsigned long long>(sum.conflicts));
}

TEST(CoreSim, KeepsItsPromisesUnderEveryFault) {
  Totals sum;
  run_worlds({}, 1'000, 60, sum);
}

TEST(CoreSim, KeepsItsPromisesWithoutFaults) {
  WorldPlan calm{.power_cut = 0,
                 .commit_fault = 0,
                 .operation_fault = 0,
                 .dead_card = 0,
                 .store_full = 0,
                 .offline = 0,
                 .wall_step = 0,
                 .trust_change = 0};
  calm.uplink = {};
  Totals sum;
  run_worlds(calm, 2'000, 10, sum);
}

TEST(CoreSim, EvictsBehindGapRecordsWhenTheQuotaIsSmall) {
  WorldPlan small;
  small.quota_bytes = 2 * MiB;
  small.offline = 20;
  small.pushes_max = 12;
  Totals sum;
  run_worlds(small, 3'000, 20, sum);
  // One world of a replay need not have it; all of them together must, or the test shows nothing.
  if (!is_replay()) {
    EXPECT_GT(sum.gaps, 0U);
  }
}

TEST(CoreSim, RemovesDeliveredEventsAfterRetention) {
  WorldPlan brief;
  brief.retention_ms = 60'000;
  brief.quota_bytes = 256 * MiB;  // what goes, goes for its age and not for want of room
  brief.store_full = 0;
  brief.long_pause = 10;
  Totals sum;
  run_worlds(brief, 4'000, 20, sum);
  // One world of a replay need not have it; all of them together must, or the test shows nothing.
  if (!is_replay()) {
    EXPECT_GT(sum.removed, 0U);
  }
}

TEST(CoreSim, MarksRepeatsAtTheBorderOfASmallWindow) {
  WorldPlan narrow;
  narrow.window_bytes = 4 * KiB;
  narrow.power_cut = 15;
  narrow.uplink = {.worker_dies = 15, .connection_lost = 10, .stall = 20};
  Totals sum;
  run_worlds(narrow, 5'000, 20, sum);
  // One world of a replay need not have it; all of them together must, or the test shows nothing.
  if (!is_replay()) {
    EXPECT_GT(sum.repeats, 0U);
  }
}

TEST(CoreSim, TheSameSeedIsTheSameWorld) {
  const auto run = [] {
    World world(42, {});
    for (int i = 0; i < 300; ++i) world.step();
    return world.trace_hash();
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace tocsin
