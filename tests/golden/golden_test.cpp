// SPDX-License-Identifier: Apache-2.0
// Stores that releases left behind: every later build opens them and finds what is in them. tests/golden/README.md.
#include <gtest/gtest.h>

#include <filesystem>

#include "src/audit/verify.hpp"
#include "src/log/log.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"
#include "tests/golden/box.hpp"

namespace tocsin {
namespace {

using test::GoldenBox;

constexpr bool kSameWordSize = sizeof(void*) == 8;  // LMDB's file holds the word size of the machine that made it

/// Works on a copy: opening a store writes to it.
class GoldenStore : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "tocsin-golden-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
    for (const char* file : {"data.mdb", "note"}) {
      std::filesystem::copy_file(std::filesystem::path(TOCSIN_SOURCE_DIR) / "tests/golden/store-1" / file, dir / file);
    }
    box = std::make_unique<GoldenBox>(dir);
    opened = box->open();
    if (!kSameWordSize) {
      ASSERT_FALSE(opened.ok());
      EXPECT_EQ(opened.error().code, Errc::unsupported);
      EXPECT_NE(opened.error().context[0], nullptr) << "with words";
      GTEST_SKIP() << "made on a machine of another word size; refused as documented";
    }
    ASSERT_TRUE(opened.ok());
    EXPECT_FALSE(box->store->report().salvaged);
  }
  void TearDown() override {
    box.reset();
    std::filesystem::remove_all(dir);
  }
  [[nodiscard]] std::vector<std::string> records(model::Lane lane) {
    std::vector<std::string> out;
    auto txn = box->store->begin_read();
    const auto walked = log::walk(**txn, lane, 0, 1'000, [&](const model::SegmentHeader&, const model::Record& record) {
      out.emplace_back(record.json);
      return true;
    });
    EXPECT_TRUE(walked.ok());
    EXPECT_EQ(walked->damaged, 0U);
    return out;
  }
  [[nodiscard]] audit::Report verify() {
    auto txn = box->store->begin_read();
    audit::Verifier verifier(box->crypto, audit::begin(), std::nullopt);
    for (bool done = false; !done;) {
      const auto slice = audit::verify_slice(verifier, **txn, 1'000);
      EXPECT_TRUE(slice.ok());
      done = !slice.ok() || *slice;
    }
    return verifier.finish(audit::Tail::is_exact);
  }

  std::filesystem::path dir;
  std::unique_ptr<GoldenBox> box;
  Status opened;
};

TEST_F(GoldenStore, KeepsItsIdentityAndCountsItsBoots) {
  ASSERT_TRUE(box->start().ok());
  EXPECT_EQ(to_hex(box->core->identity().appliance), "5c760f0f5701e136adf26172dc20d456");
  EXPECT_EQ(to_hex(box->core->identity().store), "e28aa24d1feeb9a64794e8293a7d9522");
  EXPECT_EQ(box->core->gauges().boot, 3U);
  EXPECT_EQ(box->core->gauges().damaged_records, 0U);
}

TEST_F(GoldenStore, HasItsEvents) {
  ASSERT_TRUE(box->start().ok());
  const auto normal = records(model::Lane::normal);
  ASSERT_EQ(normal.size(), 6U);
  EXPECT_NE(normal[0].find(R"("event_name":"early")"), std::string::npos);
  EXPECT_NE(normal[1].find(R"("event_name":"first")"), std::string::npos);
  EXPECT_NE(normal[2].find(R"("event_name":"second","target":"b")"), std::string::npos);
  for (std::size_t i = 3; i < 6; ++i) EXPECT_NE(normal[i].find(R"("device":"/dev/sda1")"), std::string::npos);
  const auto critical = records(model::Lane::critical);
  ASSERT_EQ(critical.size(), 1U);
  EXPECT_NE(critical[0].find(R"("alert_name":"smoke")"), std::string::npos);
  EXPECT_EQ(records(model::Lane::alert).size(), 3U);
}

TEST_F(GoldenStore, GoesOnWithItsSequences) {
  ASSERT_TRUE(box->start().ok());
  const auto before = box->core->gauges().next_seq;
  ASSERT_TRUE(
      box->push(test::kGoldenPlain, R"([{"event_name":"new","target":"a","event":{"content":"x"},"dimension":{}}])"));
  EXPECT_EQ(box->core->gauges().next_seq, before + 1);
  EXPECT_EQ(records(model::Lane::normal).size(), 7U);
}

TEST_F(GoldenStore, HasItsAlerts) {
  ASSERT_TRUE(box->start().ok());
  EXPECT_EQ(box->core->gauges().alerts_open, 2U);
  auto txn = box->store->begin_read();
  const auto key = model::Key(model::Table::alert).u64(1);
  const auto alert = model::decode_alert(*model::unseal(key, **(*txn)->get(key)));
  ASSERT_TRUE(alert.ok());
  EXPECT_EQ(alert->alert_name, "disk full");
  EXPECT_EQ(alert->state, model::AlertState::acked);
  EXPECT_EQ(alert->ack_operator, "user:alice");
  EXPECT_EQ(alert->severity, 2);
  EXPECT_EQ(alert->event_count, 3U);
}

TEST_F(GoldenStore, KnowsAnEventIdItHasSeen) {
  ASSERT_TRUE(box->start().ok());
  ASSERT_TRUE(box->event(
      test::kGoldenSource,
      R"({"alert_name":"smoke","severity":1,"event_id":"e-1","target_type":"HOST","target":"10.0.0.9","time":1793500000})"));
  EXPECT_EQ(box->core->gauges().events_repeated, 1U);
  EXPECT_EQ(records(model::Lane::critical).size(), 1U);
}

TEST_F(GoldenStore, TakesItsTokensAndUsers) {
  ASSERT_TRUE(box->start().ok());
  const auto registry = box->core->view().registry;
  const auto& secret = box->core->identity().secret;
  EXPECT_NE(registry->authenticate(test::kGoldenPlain, test::kGoldenToken, box->crypto, secret), nullptr);
  EXPECT_NE(registry->authenticate(test::kGoldenAlerting, test::kGoldenToken, box->crypto, secret), nullptr);
  EXPECT_NE(registry->api_token(test::kGoldenApiToken, box->crypto, secret, box->now().wall), nullptr);
  const auto* alice = registry->user("alice");
  ASSERT_NE(alice, nullptr);
  EXPECT_EQ(alice->password_hash, box->crypto.pbkdf2("golden-password", alice->salt, alice->iterations));
}

TEST_F(GoldenStore, HasAnAuditLogThatVerifiesBeforeAndAfterAStart) {
  const auto before = verify();
  EXPECT_TRUE(before.ok()) << audit::to_text(before);
  EXPECT_GT(before.rows, 8U);
  ASSERT_TRUE(box->start().ok());
  const auto after = verify();
  EXPECT_TRUE(after.ok()) << audit::to_text(after);
  EXPECT_EQ(after.rows, before.rows + 1) << "the start";
}

TEST_F(GoldenStore, RemembersWhatWasConfirmedAndWhenItBooted) {
  ASSERT_TRUE(box->start().ok());
  EXPECT_EQ(box->core->view().durable[0][2], 3U);
  const auto& offsets = box->core->view().clocks->offsets;
  ASSERT_EQ(offsets.size(), 1U);
  EXPECT_EQ(offsets[0].first, 1U);
  EXPECT_EQ(offsets[0].second, 1'793'500'000'000);
}

}  // namespace
}  // namespace tocsin
