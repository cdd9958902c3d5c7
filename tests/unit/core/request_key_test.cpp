// SPDX-License-Identifier: Apache-2.0
// Requests with an Idempotency-Key: stored once, over turns that fail, starts and a window that forgets.
#include "src/ingest/request_key.hpp"

#include <gtest/gtest.h>

#include "src/core/id_window.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using test::CoreBox;

class RequestKeys : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.start().ok());
    static_cast<void>(box.add_instance());
    static_cast<void>(box.add_instance(0, kOther));
    static_cast<void>(box.add_instance(0, kSeries, model::InstanceType::time_series));
  }
  /// A push of two items as io makes it; `body` stands for the whole body.
  core::Input push(std::string_view key, const std::string& body = "a", std::int32_t data_id = CoreBox::kDataId) {
    const std::string item = data_id == kSeries ? R"({"metrics":{")" + body + R"(":1}})" : CoreBox::item(body);
    auto input = box.push("[" + item + "," + item + "]", data_id);
    auto& batch = std::get<core::Push>(input.what).batch;
    ingest::set_request_key(
        ingest::make_request_key(box.crypto, box.core->identity().secret, data_id, key, as_bytes(body)), batch);
    return input;
  }
  std::optional<Errc> send(core::Input input) { return box.turn(std::move(input)).answers.at(0).refused; }
  /// Items made by hand, so that there can be many.
  core::Input plain(std::size_t items) {
    core::Push out{model::EventBatch(std::pmr::new_delete_resource()), false};
    auto& batch = out.batch;
    batch.data_id = CoreBox::kDataId;
    batch.received = box.now();
    batch.registry_generation = box.core->view().registry->generation();
    box.random.fill(batch.request_id);
    for (std::size_t i = 0; i < items; ++i) {
      batch.bytes.append("{}", 2);
      batch.items.push_back({2, 0, 0});
    }
    return core::Input{box.next_reply(), std::move(out)};
  }
  [[nodiscard]] std::uint64_t stored() const { return box.core->gauges().next_seq - 1; }

  static constexpr std::int32_t kOther = 10000002;
  static constexpr std::int32_t kSeries = 10000003;
  CoreBox box;
};

TEST_F(RequestKeys, TheSameKeyAndBodyIsStoredOnceAndAnsweredTwice) {
  EXPECT_FALSE(send(push("k")));
  EXPECT_FALSE(send(push("k")));
  EXPECT_EQ(stored(), 2U);
  EXPECT_EQ(box.core->gauges().events_repeated, 2U);
  EXPECT_FALSE(send(push("l")));
  EXPECT_EQ(stored(), 4U);
}

TEST_F(RequestKeys, AnotherBodyUnderTheSameKeyIsAConflict) {
  EXPECT_FALSE(send(push("k", "a")));
  EXPECT_EQ(send(push("k", "b")), Errc::conflict);
  EXPECT_EQ(stored(), 2U);
  EXPECT_FALSE(send(push("k", "a"))) << "the key still stands for the first body";
  EXPECT_EQ(stored(), 2U);
}

TEST_F(RequestKeys, AKeyBelongsToItsDataId) {
  EXPECT_FALSE(send(push("k", "a")));
  EXPECT_FALSE(send(push("k", "b", kOther)));
  EXPECT_EQ(stored(), 4U);
}

TEST_F(RequestKeys, MetricsHaveThemToo) {
  EXPECT_FALSE(send(push("k", "a", kSeries)));
  EXPECT_FALSE(send(push("k", "a", kSeries)));
  EXPECT_EQ(send(push("k", "b", kSeries)), Errc::conflict);
  EXPECT_EQ(stored(), 2U);
}

TEST_F(RequestKeys, OfTwoInOneTurnTheSecondIsTheRepeat) {
  std::vector<core::Input> inputs;
  inputs.push_back(push("k", "a"));
  inputs.push_back(push("k", "a"));
  inputs.push_back(push("k", "b"));
  const auto out = box.turn(std::move(inputs));
  ASSERT_EQ(out.answers.size(), 3U);
  EXPECT_FALSE(out.answers[0].refused);
  EXPECT_FALSE(out.answers[1].refused);
  EXPECT_EQ(out.answers[2].refused, Errc::conflict);
  EXPECT_EQ(stored(), 2U);
}

TEST_F(RequestKeys, AreKnownAgainAfterAPowerCut) {
  EXPECT_FALSE(send(push("k", "a")));
  EXPECT_FALSE(send(push("m", "a", kSeries)));
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  const auto before = box.core->gauges().next_seq;
  EXPECT_FALSE(send(push("k", "a")));
  EXPECT_FALSE(send(push("m", "a", kSeries)));
  EXPECT_EQ(send(push("k", "b")), Errc::conflict);
  EXPECT_EQ(box.core->gauges().next_seq, before);
}

TEST_F(RequestKeys, WaitUntilTheWindowIsMadeAgain) {
  EXPECT_FALSE(send(push("k")));
  box.power_cut();
  box.core = std::make_unique<core::Core>(core::Ports{box.store, box.crypto, box.random}, box.settings);
  ASSERT_TRUE(box.core->start(box.now()).ok());
  EXPECT_EQ(send(push("k")), Errc::unavailable);
  EXPECT_FALSE(send(plain(1))) << "who has no key need not wait";
  while (box.core->background(box.now())) {
  }
  EXPECT_FALSE(send(push("k")));
  EXPECT_EQ(stored(), 3U);
}

TEST_F(RequestKeys, ATurnThatFailedLeavesNoKey) {
  box.store.fail_next_commit(sim::CommitFault::failed_not_durable);
  EXPECT_EQ(send(push("k")), Errc::io_failed);
  while (box.core->background(box.now())) {
  }
  EXPECT_FALSE(send(push("k", "b"))) << "nothing was stored, so nothing was used up";
  EXPECT_EQ(stored(), 2U);
}

TEST_F(RequestKeys, ATurnThatFailedOnFlashOnlySeeminglyIsKnown) {
  box.store.fail_next_commit(sim::CommitFault::failed_but_durable);
  EXPECT_EQ(send(push("k")), Errc::io_failed);
  while (box.core->background(box.now())) {
  }
  EXPECT_FALSE(send(push("k")));
  EXPECT_EQ(stored(), 2U);
}

TEST_F(RequestKeys, AConflictInsideTheStoreIsNoneOfTheSenders) {
  box.store.fail_operation(1, sim::Repeat::once, Errc::conflict);
  EXPECT_EQ(send(push("k")), Errc::unavailable);
}

TEST_F(RequestKeys, AKeyThatTheWindowForgotIsStoredAgain) {
  const auto numbered = [this](std::uint64_t n) {  // all in one bucket
    auto input = plain(1);
    ingest::set_request_key({Id128{}, (n << 20U) | 1U}, std::get<core::Push>(input.what).batch);
    return input;
  };
  constexpr std::uint64_t kMany = core::IdWindow::kBucket + 1;
  for (std::uint64_t n = 1; n <= kMany; ++n) EXPECT_FALSE(send(numbered(n)));
  std::uint64_t again = 0;
  for (std::uint64_t n = 1; n <= kMany && again == 0; ++n) {
    EXPECT_FALSE(send(numbered(n)));
    again = stored() - kMany;
  }
  EXPECT_EQ(again, 1U);
}

TEST_F(RequestKeys, ARebuildLooksBackOverItemsWithoutIds) {
  EXPECT_FALSE(send(push("k")));
  for (std::size_t sent = 0; sent <= core::IdWindow::kEntries; sent += 1'000) {
    auto input = plain(1'000);
    ingest::set_request_key({Id128{std::byte{1}}, (sent << 20U) | 1U}, std::get<core::Push>(input.what).batch);
    EXPECT_FALSE(send(std::move(input)));
  }
  box.power_cut();
  ASSERT_TRUE(box.start().ok());
  const auto before = box.core->gauges().next_seq;
  EXPECT_FALSE(send(push("k")));
  EXPECT_EQ(box.core->gauges().next_seq, before);
}

}  // namespace
}  // namespace tocsin
