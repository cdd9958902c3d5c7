// SPDX-License-Identifier: Apache-2.0
// The reject box on flash, and the alert about an instance whose requests are refused.
#include "src/core/rejects.hpp"

#include "src/core/scrub.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin::core {
namespace {

using test::CoreBox;

class Rejects : public ::testing::Test {
 protected:
  Rejects() {
    EXPECT_TRUE(box_.start().ok());
    static_cast<void>(box_.add_instance());
  }

  static Refused refused(const std::string& code, const std::string& body = "{}",
                         std::int32_t data_id = CoreBox::kDataId) {
    Refused out(std::pmr::new_delete_resource());
    out.data_id = data_id;
    out.http_status = 400;
    out.is_whole = true;
    out.count = 1;
    out.code = code;
    out.message = "because of " + code;
    out.body = body;
    out.body_bytes = static_cast<std::uint32_t>(body.size());
    return out;
  }
  Input take(std::vector<Refused> refused, std::vector<RejectAlarm> alarms = {}) {
    TakeRejects out(std::pmr::new_delete_resource());
    for (Refused& one : refused) {
      one.first_ms = one.last_ms = box_.now().wall.unix_ms;
      one.is_time_trusted = box_.now().wall.trusted;
      out.refused.push_back(std::move(one));
    }
    out.alarms = std::move(alarms);
    return {{}, std::move(out)};
  }
  void keep(std::vector<Refused> refused) { static_cast<void>(box_.turn(take(std::move(refused)))); }
  void alarm(bool is_over, std::int32_t data_id = CoreBox::kDataId) {
    static_cast<void>(box_.turn(take({}, {{data_id, is_over, 40, is_over ? 9U : 1U}})));
  }

  std::vector<model::Reject> stored() {
    std::vector<model::Reject> out;
    auto txn = box_.store.begin_read();
    std::string next{as_text(model::Key(model::Table::reject))};
    for (;;) {
      const auto entry = (*txn)->at_or_after(as_bytes(next));
      if (!entry.ok() || !*entry || !model::is_in((*entry)->key, model::Table::reject)) return out;
      EXPECT_TRUE(model::is_key((*entry)->key));
      next = as_text((*entry)->key);
      next.push_back('\0');
      if ((*entry)->key.size() == 5) continue;
      auto reject = model::open_sealed((*entry)->key, (*entry)->value, model::decode_reject);
      EXPECT_TRUE(reject.ok());
      if (reject.ok()) out.push_back(std::move(*reject));
    }
  }
  std::vector<model::Alert> alerts() {
    std::vector<model::Alert> out;
    auto txn = box_.store.begin_read();
    for (std::uint64_t number = 1;; ++number) {
      const auto key = model::Key(model::Table::alert).u64(number);
      const auto value = (*txn)->get(key);
      if (!value.ok() || !*value) return out;
      out.push_back(*model::open_sealed(key, **value, model::decode_alert));
    }
  }

  CoreBox box_;
};

TEST_F(Rejects, OneOfAReasonIsKeptWithTheirCountAndTheLastBody) {
  keep({refused("event_target_missing", "first"), refused("data_empty")});
  const std::int64_t first_ms = box_.now().wall.unix_ms;
  box_.advance(10'000);
  auto again = refused("event_target_missing", "second");
  again.count = 7;
  keep({std::move(again)});
  const auto all = stored();
  ASSERT_EQ(all.size(), 2U);
  const model::Reject& one = all[1];
  EXPECT_EQ(one.code, "event_target_missing");
  EXPECT_EQ(one.message, "because of event_target_missing");
  EXPECT_EQ(one.count, 8U);
  EXPECT_EQ(one.body, "second");
  EXPECT_EQ(one.first_ms, first_ms);
  EXPECT_EQ(one.last_ms, first_ms + 10'000);
  EXPECT_GT(one.order, all[0].order);
}

TEST_F(Rejects, AnOlderBodyIsBetterThanNone) {
  keep({refused("data_empty", "body")});
  auto none = refused("data_empty", "");
  none.is_whole = false;
  none.body_bytes = 9;
  keep({std::move(none)});
  const auto all = stored();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].body, "body");
  EXPECT_TRUE(all[0].is_whole);
  EXPECT_EQ(all[0].count, 2U);
}

TEST_F(Rejects, AWholeBodyIsBetterThanAPart) {
  keep({refused("data_empty", "whole")});
  auto part = refused("data_empty", "par");
  part.is_whole = false;
  keep({std::move(part)});
  EXPECT_EQ(stored()[0].body, "whole");
  keep({refused("data_empty", "newer")});
  EXPECT_EQ(stored()[0].body, "newer");
}

TEST_F(Rejects, ARestartKeepsThem) {
  keep({refused("data_empty", "body")});
  box_.power_cut();
  ASSERT_TRUE(box_.start().ok());
  keep({refused("data_empty", "later")});
  const auto all = stored();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].count, 2U);
}

TEST_F(Rejects, TheOldestLeavesAtTheBoundOfEntries) {
  std::vector<Refused> many;
  for (std::size_t i = 0; i < kRejectBoxEntriesMax; ++i) many.push_back(refused("r" + std::to_string(i)));
  keep(std::move(many));
  EXPECT_EQ(stored().size(), kRejectBoxEntriesMax);
  keep({refused("r0")});  // the oldest is news again
  keep({refused("new")});
  const auto all = stored();
  EXPECT_EQ(all.size(), kRejectBoxEntriesMax);
  const auto has = [&](const char* code) { return std::ranges::count(all, code, &model::Reject::code) == 1; };
  EXPECT_TRUE(has("r0"));
  EXPECT_TRUE(has("new"));
  EXPECT_FALSE(has("r1"));
}

TEST_F(Rejects, TheOldestLeavesAtTheBoundOfBytes) {
  constexpr std::uint64_t kQuota = 16 * MiB;
  box_.store.set_quota(kQuota);
  const std::string body(model::kRejectBodyBytesMax, 'b');
  constexpr std::size_t kPairOfPages = 8 * KiB;
  constexpr std::size_t kFits = kQuota / 100 * kRejectBoxShare / kPairOfPages;
  for (std::size_t i = 0; i < kFits; ++i) keep({refused("r" + std::to_string(i), body)});
  EXPECT_EQ(stored().size(), kFits);
  keep({refused("new", body)});
  const auto all = stored();
  EXPECT_EQ(all.size(), kFits);
  EXPECT_EQ(std::ranges::count(all, "r0", &model::Reject::code), 0);
  EXPECT_EQ(std::ranges::count(all, "new", &model::Reject::code), 1);
}

TEST_F(Rejects, ADamagedEntryLeavesAndIsCounted) {
  keep({refused("data_empty")});
  {
    auto txn = box_.store.begin_write();
    ASSERT_TRUE((*txn)->put(model::reject_key(CoreBox::kDataId, "data_empty"), as_bytes("damage")).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  keep({refused("data_type")});
  EXPECT_EQ(stored().size(), 1U);
  EXPECT_EQ(box_.core->gauges().damaged_records, 1U);
}

TEST_F(Rejects, PuttingTheStoreInOrderLeavesThemAlone) {
  keep({refused("data_empty"), refused("data_type")});
  alarm(true);
  const auto report = scrub(box_.store);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->removed + report->moved, 0U);
  EXPECT_EQ(stored().size(), 2U);
  box_.settings.store_was_salvaged = true;
  ASSERT_TRUE(box_.start().ok());
  EXPECT_EQ(stored().size(), 2U);
  EXPECT_EQ(*box_.core->view().reject_alarms, (RejectAlarms{10000001}));
}

TEST_F(Rejects, AboveNinetyPercentOfTheQuotaTheBoxTakesNothing) {
  keep({refused("data_empty", std::string(4096, 'b'))});
  box_.store.set_quota(box_.store.use().used_bytes * 100 / 91);
  keep({refused("data_type")});
  EXPECT_EQ(stored().size(), 1U);
}

TEST_F(Rejects, AnEmptyInputWritesNothing) {
  const auto out = box_.turn(take({}));
  EXPECT_FALSE(out.changed);
  alarm(false);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(Rejects, AnAlertOpensOnceForEachInstanceAndRecovers) {
  static_cast<void>(box_.add_instance(0, 10000002));
  alarm(true);
  alarm(true);
  alarm(true, 10000002);
  ASSERT_EQ(alerts().size(), 2U);
  EXPECT_EQ(alerts()[0].alert_name, kRejectAlertName);
  EXPECT_EQ(alerts()[0].dimensions_json, R"({"data_id":"10000001"})");
  EXPECT_EQ(
      alerts()[0].description,
      "9 of the last 40 requests of data id 10000001 were refused; tocsinctl reject list --plugin 10000001 says why");
  EXPECT_EQ(alerts()[0].bk_biz_id, 2);
  EXPECT_EQ(*box_.core->view().reject_alarms, (RejectAlarms{10000001, 10000002}));
  EXPECT_EQ(box_.core->gauges().alerts_open, 2U);
  alarm(false);
  alarm(false);
  EXPECT_EQ(alerts()[0].state, model::AlertState::recovered);
  EXPECT_EQ(alerts()[0].end_description, "1 of the last 40 requests of data id 10000001 were refused");
  EXPECT_EQ(alerts()[1].state, model::AlertState::abnormal);
  EXPECT_EQ(*box_.core->view().reject_alarms, (RejectAlarms{10000002}));
  EXPECT_EQ(box_.core->gauges().alerts_open, 1U);
  alarm(true);
  EXPECT_EQ(alerts().size(), 3U);
}

TEST_F(Rejects, ARestartKnowsWhoseAlertIsOpen) {
  keep({refused("a"), refused("b", "{}", 10000002)});
  alarm(true);
  box_.power_cut();
  ASSERT_TRUE(box_.start().ok());
  EXPECT_EQ(*box_.core->view().reject_alarms, (RejectAlarms{10000001}));
  box_.wall_off_ms = -3'600'000;  // whatever the clock says, it ends
  alarm(false);
  EXPECT_EQ(alerts()[0].state, model::AlertState::recovered);
  box_.power_cut();
  ASSERT_TRUE(box_.start().ok());
  EXPECT_TRUE(box_.core->view().reject_alarms->empty());
}

TEST_F(Rejects, ATurnThatFailsLosesThemAndNothingElse) {
  box_.store.fail_operation(1, sim::Repeat::once, Errc::io_failed);
  keep({refused("lost")});
  box_.store.fail_operation(0, sim::Repeat::once);
  alarm(true);
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(alerts().size(), 1U);
}

TEST(RejectRecord, AnIdLeadsToItsKeyAndNothingElseDoes) {
  const auto key = model::key_of_reject(model::reject_id(10000001, "data_empty"));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(to_hex(Bytes(*key)), to_hex(Bytes(model::reject_key(10000001, "data_empty"))));
  for (const char* bad : {"", "1", "1.", ".a", "-1.a", "0.a", "1.A", "1.a/b", "x.a", "4294967297.a"})
    EXPECT_FALSE(model::key_of_reject(bad).ok()) << bad;
  EXPECT_FALSE(model::key_of_reject("1." + std::string(65, 'a')).ok());
  EXPECT_TRUE(model::key_of_reject("1." + std::string(64, 'a')).ok());
}

}  // namespace
}  // namespace tocsin::core
