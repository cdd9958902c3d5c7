// SPDX-License-Identifier: Apache-2.0
#include "src/alert/table.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tocsin::alert {
namespace {

struct Case {
  const char* name;
  State from;
  Input on;
  State to;
  Effect effect;
};
using S = State;
using I = Input;
using E = Effect;

class AlertTable : public ::testing::TestWithParam<Case> {};

TEST_P(AlertTable, TakesTheDocumentedTransition) {
  const auto& c = GetParam();
  const Cell got = step(c.from, c.on);
  EXPECT_EQ(got.next, c.to);
  EXPECT_EQ(got.effect, c.effect);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AlertTable,
    ::testing::Values(
        Case{"TheFirstAbnormalEventOpens", S::none, I::event_abnormal, S::abnormal, E::open},
        Case{"AbnormalAgainFolds", S::abnormal, I::event_abnormal, S::abnormal, E::fold},
        Case{"AnAcknowledgedAlertFoldsAndStaysAcknowledged", S::acked, I::event_abnormal, S::acked, E::fold},
        Case{"AbnormalAfterRecoveryOpensAnew", S::recovered, I::event_abnormal, S::abnormal, E::open},
        Case{"AbnormalAfterClosingOpensAnew", S::closed, I::event_abnormal, S::abnormal, E::open},
        Case{"MoreSevereTakesThePlace", S::abnormal, I::event_abnormal_more_severe, S::abnormal, E::close_and_open},
        Case{"MoreSevereTakesThePlaceOfAnAcknowledgedOne", S::acked, I::event_abnormal_more_severe, S::abnormal,
             E::close_and_open},
        Case{"LessSevereIsDropped", S::abnormal, I::event_abnormal_less_severe, S::abnormal, E::drop},
        Case{"RecoveryRecovers", S::abnormal, I::event_recovered, S::recovered, E::recover},
        Case{"RecoveryRecoversAnAcknowledgedAlert", S::acked, I::event_recovered, S::recovered, E::recover},
        Case{"LessSevereRecoveryIsDropped", S::abnormal, I::event_recovered_less_severe, S::abnormal, E::drop},
        Case{"RecoveryWithoutAlertIsIgnored", S::none, I::event_recovered, S::none, E::ignore},
        Case{"RecoveryTwiceIsIgnored", S::recovered, I::event_recovered, S::recovered, E::ignore},
        Case{"ClosingEventCloses", S::abnormal, I::event_closed, S::closed, E::close},
        Case{"ClosingWithoutAlertIsIgnored", S::none, I::event_closed, S::none, E::ignore},
        Case{"AnEndFromBeforeTheAlertEndsNothing", S::abnormal, I::event_end_outdated, S::abnormal, E::fold},
        Case{"AckAcknowledges", S::abnormal, I::operator_ack, S::acked, E::ack},
        Case{"AckTwiceIsRefused", S::acked, I::operator_ack, S::acked, E::refuse_already_acked},
        Case{"AckOfARecoveredAlertIsRefused", S::recovered, I::operator_ack, S::recovered, E::refuse_not_abnormal},
        Case{"UnackTakesBack", S::acked, I::operator_unack, S::abnormal, E::unack},
        Case{"AnAcknowledgedAlertIsNotClosedByAnOperator", S::acked, I::operator_close, S::acked, E::refuse_acked},
        Case{"TimerClosesAnAcknowledgedAlertToo", S::acked, I::timer_close, S::closed, E::close},
        Case{"TimerLeavesAnEndedAlertAlone", S::closed, I::timer_recover, S::closed, E::none}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(AlertTableAsAWhole, OnlyAnOpenAlertFoldsOrEnds) {
  for (std::size_t i = 0; i < kInputs; ++i) {
    for (const State state : {S::none, S::recovered, S::closed}) {
      const Cell cell = step(state, static_cast<Input>(i));
      EXPECT_TRUE(cell.effect != E::fold && cell.effect != E::recover && cell.effect != E::close) << i;
      EXPECT_TRUE(cell.effect == E::open || cell.next == state) << i;
    }
  }
}

TEST(AlertTableAsAWhole, IsPrintedInTheManualAsItIs) {
  const auto page = std::filesystem::path(__FILE__).parent_path() / "../../../src/alert/TABLE.md";
  std::ifstream file(page);
  ASSERT_TRUE(file) << page;
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), table_markdown());
}

}  // namespace
}  // namespace tocsin::alert
