// SPDX-License-Identifier: Apache-2.0
// What one damaged key may cost: itself, and never what stands behind it.
#include "src/core/scrub.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "src/model/alert.hpp"
#include "src/model/audit.hpp"
#include "src/model/seal.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using model::Key;
using model::Table;
using test::CoreBox;

class Scrub : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.start().ok());
    static_cast<void>(box.add_instance(2));
    for (int i = 0; i < 5; ++i) push(i);
  }
  void push(int i) {
    const std::string item = CoreBox::item("disk", "0:10.0.0." + std::to_string(i));
    ASSERT_FALSE(box.turn(box.push("[" + item + "]")).answers.at(0).refused);
  }
  [[nodiscard]] std::map<std::string, std::string> content() {
    std::map<std::string, std::string> out;
    auto txn = box.store.begin_read();
    for (std::string at;;) {
      auto entry = (*txn)->at_or_after(as_bytes(at));
      if (!*entry) return out;
      out.emplace(as_text((*entry)->key), as_text((*entry)->value));
      at = std::string{as_text((*entry)->key)} + '\0';
    }
  }
  void edit(const std::function<void(port::WriteTxn&)>& change) {
    auto txn = box.store.begin_write();
    change(**txn);
    ASSERT_TRUE((*txn)->commit().ok());
  }
  /// What a flipped bit in a key does to an entry.
  void move(Bytes from, Bytes to) {
    edit([&](port::WriteTxn& txn) {
      const std::string value{as_text(**txn.get(from))};
      EXPECT_TRUE(txn.erase(from).ok());
      EXPECT_TRUE(txn.put(to, as_bytes(value)).ok());
    });
  }
  CoreBox box;
};

TEST_F(Scrub, LeavesAHealthyStoreAlone) {
  const auto before = content();
  const auto commits = box.store.commits();
  const auto report = core::scrub(box.store);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->moved + report->removed + report->reopened, 0U);
  EXPECT_TRUE(content() == before);
  EXPECT_EQ(box.store.commits(), commits);
}

TEST_F(Scrub, PutsEveryKindOfNumberedValueBackUnderItsKey) {
  const auto before = content();
  int moved = 0;
  for (const auto& [key, value] : before) {
    if (std::string_view("ABLPRU").find(key[0]) == std::string_view::npos) continue;
    ++moved;
    std::string foreign = key;
    foreign.back() = static_cast<char>(foreign.back() ^ 0x40);
    if (moved % 2 == 0) foreign[0] = static_cast<char>(foreign[0] ^ 0x20);
    if (before.contains(foreign)) continue;
    move(as_bytes(key), as_bytes(foreign));
  }
  ASSERT_GT(moved, 10);
  ASSERT_TRUE(core::scrub(box.store).ok());
  EXPECT_TRUE(content() == before);
}

TEST_F(Scrub, RemovesAKeyOfTheWrongLengthThatWouldEndALane) {
  const auto before = content();
  std::string longer{as_text(model::segment_key(model::Lane::normal, 3))};
  longer += "and more";
  edit([&](port::WriteTxn& txn) { EXPECT_TRUE(txn.put(as_bytes(longer), as_bytes("x")).ok()); });
  EXPECT_EQ(core::scrub(box.store)->removed, 1U);
  EXPECT_TRUE(content() == before);
}

TEST_F(Scrub, ADamagedAuditRowStaysAndOneThatFollowsNothingGoes) {
  const Key damaged = Key(Table::audit_row).u64(2);
  edit([&](port::WriteTxn& txn) {
    EXPECT_TRUE(txn.put(damaged, as_bytes("not what it was")).ok());
    EXPECT_TRUE(txn.put(Key(Table::audit_row).u64(1ULL << 40U), as_bytes("not what it was")).ok());
  });
  EXPECT_EQ(core::scrub(box.store)->removed, 1U);
  EXPECT_TRUE(content().contains(std::string{as_text(damaged)}));
}

TEST_F(Scrub, AnOpenAlertIsFoundByItsIdentityAgain) {
  const auto before = content();
  edit([&](port::WriteTxn& txn) {
    for (const auto& [key, value] : before) {
      if (key[0] != 'D') continue;
      EXPECT_TRUE(txn.erase(as_bytes(key)).ok());
    }
  });
  EXPECT_EQ(core::scrub(box.store)->reopened, 5U);
  EXPECT_TRUE(content() == before);
}

TEST_F(Scrub, GoesOnOverManyCommits) {
  const auto before = content();
  edit([&](port::WriteTxn& txn) {
    for (std::uint64_t i = 0; i < 3 * core::kScrubChangesPerCommit; ++i)
      EXPECT_TRUE(txn.put(Key(Table::alert).u64(1000 + i), as_bytes("damage")).ok());
  });
  EXPECT_EQ(core::scrub(box.store)->removed, 3U * core::kScrubChangesPerCommit);
  EXPECT_TRUE(content() == before);
}

TEST_F(Scrub, AnAlertUnderAFarNumberClosesNoOther) {
  box.power_cut();
  move(Key(Table::alert).u64(5), Key(Table::alert).u64(5 + (1ULL << 39U)));
  ASSERT_TRUE(box.start().ok());
  push(1);
  EXPECT_EQ(box.core->gauges().alerts_open, 5U);
  push(77);
  EXPECT_EQ(box.core->gauges().alerts_open, 6U);
  EXPECT_TRUE(content().contains(std::string{as_text(Key(Table::alert).u64(6))}));
}

TEST_F(Scrub, ADamagedCursorOffersAllThatIsStoredAgainAndSaysSo) {
  static_cast<void>(box.turn(core::Input{{}, core::Confirm{0, model::Lane::normal, 9, false}}));
  box.advance(2'000);
  push(1);
  ASSERT_EQ(box.core->view().durable[0][2], 9U);
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_FALSE(box.core->view().cursor_lost[0]);
  const Key cursor = Key(Table::cursor).raw(as_bytes(std::string_view("centre")));
  for (const bool is_key_damaged : {false, true}) {
    box.power_cut();
    if (is_key_damaged) {
      move(cursor, Key(Table::cursor).raw(as_bytes(std::string_view("cantre"))));
    } else {
      edit([&](port::WriteTxn& txn) { EXPECT_TRUE(txn.put(cursor, as_bytes(std::string_view("damage"))).ok()); });
    }
    static_cast<void>(box.store.put_note({}));
    ASSERT_TRUE(box.start().ok());
    EXPECT_TRUE(box.core->view().cursor_lost[0]);
    EXPECT_EQ(box.core->view().durable[0][2], 0U);
    edit([&](port::WriteTxn& txn) { static_cast<void>(txn.erase(cursor)); });
    static_cast<void>(box.turn(core::Input{{}, core::Confirm{0, model::Lane::normal, 9, false}}));
    box.advance(2'000);
    push(1);
  }
}

TEST_F(Scrub, TheBootNumberIsFoundAgainWithoutTheCounters) {
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  ASSERT_EQ(box.core->gauges().boot, 2U);
  box.power_cut();
  edit([](port::WriteTxn& txn) { EXPECT_TRUE(txn.put(Key(Table::state), as_bytes(std::string_view("damage"))).ok()); });
  ASSERT_TRUE(box.start().ok());
  EXPECT_EQ(box.core->gauges().boot, 3U);
}

TEST_F(Scrub, ABrokenAuditChainIsAnnouncedOnce) {
  box.power_cut();
  edit([](port::WriteTxn& txn) {
    EXPECT_TRUE(txn.put(Key(Table::audit_row).u64(1), as_bytes(std::string_view("damage"))).ok());
  });
  const auto salvages = [this] {
    std::size_t count = 0;
    for (const auto& [key, value] : content()) {
      if (key[0] != 'R') continue;
      const auto row = model::open_sealed(as_bytes(key), as_bytes(value), model::decode_audit_row);
      count += row.ok() && row->action == model::AuditAction::store_salvaged ? 1 : 0;
    }
    return count;
  };
  for (int start = 0; start < 3; ++start) {
    ASSERT_TRUE(box.start().ok());
    EXPECT_EQ(salvages(), 1U);
    box.power_cut();
  }
}

TEST_F(Scrub, ALostCopyOfTheIdentityIsMadeAgain) {
  const auto before = content();
  box.power_cut();
  edit(
      [](port::WriteTxn& txn) { EXPECT_TRUE(txn.put(Key(Table::format), as_bytes(std::string_view("damage"))).ok()); });
  ASSERT_TRUE(box.start().ok());
  EXPECT_EQ(content()[std::string(1, '\0')], before.at(std::string(1, '\0')));
}

TEST_F(Scrub, ASequenceIsNotGivenAgainAfterItsSegmentWasRemoved) {
  const auto next_seq = box.core->gauges().next_seq;
  box.power_cut();
  edit([&](port::WriteTxn& txn) {
    for (const auto& [key, value] : content()) {
      if (key[0] != 'L') continue;
      EXPECT_TRUE(txn.put(as_bytes(key), as_bytes("damage")).ok());
    }
    EXPECT_TRUE(txn.put(Key(Table::alert).u64(1ULL << 39U), as_bytes("damage")).ok());
  });
  ASSERT_TRUE(box.start().ok());
  EXPECT_GE(box.core->gauges().next_seq, next_seq);
  const auto after_start = box.core->gauges().next_seq;
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  EXPECT_GE(box.core->gauges().next_seq, after_start);
}

}  // namespace
}  // namespace tocsin
