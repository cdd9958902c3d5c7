// SPDX-License-Identifier: Apache-2.0
// What memory holds beyond the store: folds and confirmations, over failed turns, crashes and full caches.
#include <gtest/gtest.h>

#include "src/audit/verify.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using test::CoreBox;
constexpr std::int32_t kAlerting = 10000002;

class Reload : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.start().ok());
    static_cast<void>(box.add_instance());
    static_cast<void>(box.add_instance(2, kAlerting));
  }
  void push(const std::string& name, std::int32_t data_id = kAlerting) {
    ASSERT_FALSE(box.turn(box.push("[" + CoreBox::item(name) + "]", data_id)).answers.at(0).refused);
  }
  void restart() {
    box.power_cut();
    ASSERT_TRUE(box.start().ok());
  }
  /// What people see of alert `number`: as stored, and what was folded since.
  [[nodiscard]] std::uint64_t count(std::uint64_t number) {
    const auto view = box.core->view();
    for (const auto& news : *view.folds) {
      if (news.number == number) return news.event_count;
    }
    return stored(number).event_count;
  }
  [[nodiscard]] model::Alert stored(std::uint64_t number) {
    auto txn = box.store.begin_read();
    const auto key = model::Key(model::Table::alert).u64(number);
    auto alert = model::decode_alert(*model::unseal(key, **(*txn)->get(key)));
    EXPECT_TRUE(alert.ok());
    return *alert;
  }
  core::Effects ack(std::uint64_t number) {
    return box.turn(
        core::Input{box.next_reply(), core::AckAlerts{{model::alert_id(stored(number))}, "seen", "user:alice"}});
  }
  /// Pushes to many targets in one turn.
  void push_many(int alerts) {
    std::vector<core::Input> inputs;
    for (int from = 0; from < alerts; from += 100) {
      std::string items = "[";
      for (int i = from; i < from + 100; ++i)
        items += (i > from ? "," : "") + CoreBox::item("disk", "0:10.0.0." + std::to_string(i));
      inputs.push_back(box.push(items + "]", kAlerting));
    }
    for (const auto& answer : box.turn(std::move(inputs)).answers) ASSERT_FALSE(answer.refused);
  }
  CoreBox box;
};

TEST_F(Reload, AnAlertThatWasOnlyLookedAtKeepsItsFolds) {
  push("disk");
  static_cast<void>(ack(1));
  push("disk");
  static_cast<void>(ack(1));  // acknowledged already: nothing changes
  EXPECT_EQ(count(1), 2U);
  core::Effects out;
  box.core->flush(box.now(), out);
  EXPECT_EQ(stored(1).event_count, 2U);
}

TEST_F(Reload, CountsShownFollowAnAcknowledgement) {
  push("disk");
  push("disk");
  EXPECT_EQ(count(1), 2U);
  std::vector<core::Input> both;
  both.push_back(box.push("[" + CoreBox::item("disk") + "]", kAlerting));
  both.push_back({box.next_reply(), core::AckAlerts{{model::alert_id(stored(1))}, "seen", "user:alice"}});
  static_cast<void>(box.turn(std::move(both)));
  EXPECT_EQ(count(1), 3U);
}

TEST_F(Reload, CountsAreShownRightAfterAStart) {
  push("disk");
  push("disk");
  restart();
  EXPECT_EQ(count(1), 2U);
}

TEST_F(Reload, FoldsAreRecountedByTheInstanceOfTheirTime) {
  push("disk");
  push("disk");
  core::ChangeInstance off;
  off.change = core::InstanceChange::update;
  off.instance = *box.core->view().registry->instance(kAlerting);
  off.instance.alert = 0;
  static_cast<void>(box.turn(core::Input{box.next_reply(), off}));
  push("disk");  // counts no more
  off.instance.alert = 2;
  static_cast<void>(box.turn(core::Input{box.next_reply(), off}));
  restart();
  EXPECT_EQ(count(1), 2U);
}

TEST_F(Reload, AnItemMadeWithTheInstanceAsItWasIsRefused) {
  auto late = box.push("[" + CoreBox::item("disk") + "]", kAlerting);
  core::ChangeInstance change;
  change.change = core::InstanceChange::update;
  change.instance = *box.core->view().registry->instance(kAlerting);
  change.instance.alert = 1;
  static_cast<void>(box.turn(core::Input{box.next_reply(), change}));
  EXPECT_EQ(box.turn(std::move(late)).answers.at(0).refused, Errc::unavailable);
}

TEST_F(Reload, MoreFoldsInATurnThanTheCacheHoldsAreWrittenWithIt) {
  push_many(1'000);
  push_many(1'000);
  EXPECT_EQ(box.core->gauges().alerts_open, 1'000U);
  EXPECT_EQ(count(1), 2U);
  EXPECT_EQ(count(1'000), 2U);
  restart();
  EXPECT_EQ(count(1), 2U);
  EXPECT_EQ(count(1'000), 2U);
  push("disk");
}

TEST_F(Reload, AConfirmationOutlivesTheTurnThatFailed) {
  push("a", CoreBox::kDataId);
  const auto seq = box.core->gauges().next_seq - 1;
  box.store.fail_next_commit(sim::CommitFault::failed_not_durable);
  std::vector<core::Input> both;
  both.push_back(box.push("[" + CoreBox::item("b") + "]"));
  both.push_back({{}, core::Confirm{0, model::Lane::normal, seq, false}});
  EXPECT_TRUE(box.turn(std::move(both)).answers.at(0).refused);
  ASSERT_TRUE(box.core->next_deadline());
  box.mono_ms = box.core->next_deadline()->ms();
  static_cast<void>(box.turn(std::vector<core::Input>{}));
  EXPECT_EQ(box.core->view().durable[0][2], seq);
}

TEST_F(Reload, AStateThatCouldNotBeReadIsReadAgainWithoutAClient) {
  box.store.fail_operation(1, sim::Repeat::for_good);
  static_cast<void>(box.turn(core::Input{box.next_reply(), core::Note{}}));
  box.store.fail_operation(0, sim::Repeat::once);
  const auto due = box.core->next_deadline();
  ASSERT_TRUE(due);
  EXPECT_LE(due->ms(), box.mono_ms + 1'000);
  box.mono_ms = due->ms();
  static_cast<void>(box.turn(std::vector<core::Input>{}));
  EXPECT_FALSE(box.core->next_deadline());
}

/// The store is full, and the state cannot be read again after the turn that failed for it: what follows in the same
/// turn must not be built on half a state.
TEST(ReloadWhenFull, NothingIsBuiltOnAStateThatWasReadInHalf) {
  for (std::uint64_t k = 1; k < 150; ++k) {
    CoreBox box;
    ASSERT_TRUE(box.start().ok());
    static_cast<void>(box.add_instance());
    std::vector<core::Input> inputs;
    inputs.push_back(box.push("[" + CoreBox::item("a") + "]"));
    for (int i = 0; i < 24; ++i) {
      // A large one that does not fit, then a small one, which would fit over a row that is there.
      const std::string detail(i % 2 == 0 ? 500 : 0, 'x');
      inputs.push_back({box.next_reply(), core::Note{model::AuditAction::login_refused, "", "", detail}});
    }
    box.store.set_quota(box.store.use().used_bytes);
    box.store.fail_operation(k, sim::Repeat::once);
    static_cast<void>(box.turn(std::move(inputs)));
    box.store.fail_operation(0, sim::Repeat::once);
    box.store.set_quota(64 * MiB);
    static_cast<void>(
        box.turn(core::Input{box.next_reply(), core::Note{model::AuditAction::login_refused, "peer", "", ""}}));
    box.power_cut();
    ASSERT_TRUE(box.start().ok());
    auto txn = box.store.begin_read();
    audit::Verifier verifier(box.crypto, audit::begin(), std::nullopt);
    const auto all = audit::verify_slice(verifier, **txn, 1'000);
    ASSERT_TRUE(all.ok() && *all);
    const auto report = verifier.finish(audit::Tail::is_exact);
    ASSERT_TRUE(report.ok()) << "operation " << k << ": " << audit::to_text(report);
    ASSERT_EQ(report.epochs_begun, 0U) << "operation " << k;
  }
}

TEST_F(Reload, OnePassingErrorDoesNotEndTheRebuildOfTheIdWindow) {
  box.power_cut();
  box.core = std::make_unique<core::Core>(core::Ports{box.store, box.crypto, box.random}, box.settings);
  ASSERT_TRUE(box.core->start(box.now()).ok());
  box.store.fail_operation(2, sim::Repeat::once);  // the first read inside the slice
  EXPECT_TRUE(box.core->background(box.now()));
  EXPECT_FALSE(box.core->gauges().ids_ready);
  while (box.core->background(box.now())) {
  }
  EXPECT_TRUE(box.core->gauges().ids_ready);
}

}  // namespace
}  // namespace tocsin
