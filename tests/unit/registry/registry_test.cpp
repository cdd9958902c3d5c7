// SPDX-License-Identifier: Apache-2.0
#include "src/registry/registry.hpp"

#include <gtest/gtest.h>

#include "platform/gnutls/crypto.hpp"
#include "platform/sim/store.hpp"

namespace tocsin::registry {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
  model::Instance instance(std::int32_t data_id, std::string_view token) {
    model::Instance out;
    out.data_id = data_id;
    out.plugin_id = "demo";
    out.token_hash = token_hash(token, crypto, secret);
    return out;
  }
  model::ApiToken api_token(const std::string& name, std::string_view token, std::int64_t expires_ms = 0) {
    model::ApiToken out;
    out.name = name;
    out.expires_ms = expires_ms;
    out.hash = token_hash(token, crypto, secret);
    return out;
  }
  gnutls::Crypto crypto;
  port::Digest256 secret{};
  Registry::Pointer empty = std::make_shared<const Registry>();
};

TEST_F(RegistryTest, ChangesMakeCopiesWithTheNextGeneration) {
  const auto one = empty->with(instance(7, "a"));
  const auto two = one->with(instance(3, "b"));
  EXPECT_EQ(empty->instances().size(), 0U);
  EXPECT_EQ(one->instances().size(), 1U);
  ASSERT_EQ(two->instances().size(), 2U);
  EXPECT_EQ(two->instances()[0].data_id, 3) << "by data id";
  EXPECT_EQ(two->generation(), empty->generation() + 2);
  EXPECT_EQ(two->with(instance(7, "c"))->instances().size(), 2U) << "replaced";
  EXPECT_EQ(two->without_instance(3)->instance(3), nullptr);
  EXPECT_NE(two->instance(3), nullptr);
  EXPECT_EQ(two->without_instance(99)->instances().size(), 2U);
}

TEST_F(RegistryTest, OnlyTheRightTokenOfAnEnabledInstanceOpens) {
  auto disabled = instance(2, "b");
  disabled.enabled = false;
  const auto registry = empty->with(instance(1, "a"))->with(disabled);
  EXPECT_NE(registry->authenticate(1, "a", crypto, secret), nullptr);
  EXPECT_EQ(registry->authenticate(1, "b", crypto, secret), nullptr);
  EXPECT_EQ(registry->authenticate(1, "", crypto, secret), nullptr);
  EXPECT_EQ(registry->authenticate(2, "b", crypto, secret), nullptr) << "disabled";
  EXPECT_EQ(registry->authenticate(3, "a", crypto, secret), nullptr) << "unknown";
  port::Digest256 other_secret{};
  other_secret[0] = std::byte{1};
  EXPECT_EQ(registry->authenticate(1, "a", crypto, other_secret), nullptr);
}

TEST_F(RegistryTest, TheTokenBeforeTheLastRotationOpensWhileItHolds) {
  auto rotated = instance(1, "new");
  rotated.old_token_hash = token_hash("old", crypto, secret);
  const auto ended = empty->with(rotated);
  EXPECT_EQ(ended->authenticate(1, "old", crypto, secret), nullptr);
  EXPECT_EQ(ended->old_token_ends_ms(), 0);
  rotated.old_token_until_ms = 5'000;
  auto later = rotated;
  later.data_id = 2;
  later.old_token_until_ms = 7'000;
  const auto holds = ended->with(rotated)->with(later);
  EXPECT_NE(holds->authenticate(1, "old", crypto, secret), nullptr);
  EXPECT_NE(holds->authenticate(1, "new", crypto, secret), nullptr);
  EXPECT_NE(holds->by_token("old", crypto, secret), nullptr);
  EXPECT_EQ(holds->authenticate(1, "older", crypto, secret), nullptr);
  EXPECT_EQ(holds->old_token_ends_ms(), 5'000);
  EXPECT_EQ(holds->without_instance(1)->old_token_ends_ms(), 7'000);
  rotated.enabled = false;
  EXPECT_EQ(holds->with(rotated)->authenticate(1, "old", crypto, secret), nullptr);
}

TEST_F(RegistryTest, AnInstanceWithoutAnOldTokenIsNotOpenedByAHashOfZeros) {
  auto one = instance(1, "a");
  one.old_token_until_ms = 0;
  EXPECT_EQ(empty->with(one)->authenticate(1, "", crypto, secret), nullptr);
}

TEST_F(RegistryTest, ATokenAloneFindsItsInstance) {
  const auto registry = empty->with(instance(1, "a"))->with(instance(2, "b"));
  ASSERT_NE(registry->by_token("b", crypto, secret), nullptr);
  EXPECT_EQ(registry->by_token("b", crypto, secret)->data_id, 2);
  EXPECT_EQ(registry->by_token("c", crypto, secret), nullptr);
}

TEST_F(RegistryTest, ApiTokensExpireByATrustedClockOnly) {
  const auto registry = empty->with(api_token("ci", "x", 1'000))->with(api_token("ever", "y"));
  EXPECT_NE(registry->api_token("x", crypto, secret, {999, true}), nullptr);
  EXPECT_EQ(registry->api_token("x", crypto, secret, {1'000, true}), nullptr);
  EXPECT_NE(registry->api_token("x", crypto, secret, {5'000, false}), nullptr);
  EXPECT_NE(registry->api_token("y", crypto, secret, {5'000, true}), nullptr);
  EXPECT_EQ(registry->without_api_token("ever")->api_token("y", crypto, secret, {0, true}), nullptr);
}

TEST_F(RegistryTest, UsersAreFoundByName) {
  model::User alice;
  alice.name = "alice";
  const auto registry = empty->with(alice);
  EXPECT_NE(registry->user("alice"), nullptr);
  EXPECT_EQ(registry->user("alic"), nullptr);
  EXPECT_EQ(registry->without_user("alice")->user("alice"), nullptr);
}

TEST_F(RegistryTest, AllocatesAboveTheHighestOfItsOwnRange) {
  EXPECT_EQ(empty->next_data_id(), model::kDataIdAllocatedFirst);
  EXPECT_EQ(empty->with(instance(1'500'000, "a"))->next_data_id(), model::kDataIdAllocatedFirst);
  EXPECT_EQ(empty->with(instance(10000005, "a"))->next_data_id(), 10000006);
  EXPECT_EQ(empty->with(instance(0x7FFF'FFFF, "a"))->next_data_id(), model::kDataIdAllocatedFirst);
  EXPECT_EQ(empty->with(instance(0x7FFF'FFFD, "a"))->next_data_id(), 0x7FFF'FFFE);
  EXPECT_EQ(empty->with(instance(0x7FFF'FFFE, "a"))->next_data_id(), std::nullopt);
}

TEST_F(RegistryTest, TheDataIdOfADeletedInstanceIsNotGivenAgain) {
  const auto registry = empty->with(instance(10000005, "a"))->without_instance(10000005);
  EXPECT_EQ(registry->next_data_id(), 10000006);
  EXPECT_EQ(registry->highest_data_id(), 10000005);
  EXPECT_EQ(empty->with(instance(1'500'000, "a"))->highest_data_id(), 0) << "not of the box's own range";
}

TEST_F(RegistryTest, TheHighestDataIdIsKeptBesideTheInstances) {
  sim::SimStore store;
  const auto next_after = [&](const auto& change) {
    auto txn = store.begin_write();
    change(**txn);
    EXPECT_TRUE((*txn)->commit().ok());
    auto read = store.begin_read();
    std::uint32_t damaged = 0;
    const auto loaded = Registry::load(**read, 1, damaged);
    EXPECT_TRUE(loaded.ok());
    return std::pair{(*loaded)->next_data_id().value_or(0), damaged};
  };
  EXPECT_EQ(next_after([&](auto& txn) { EXPECT_TRUE(put(txn, instance(10000003, "a")).ok()); }),
            (std::pair{10000004, 0U}));
  EXPECT_EQ(next_after([&](auto& txn) { EXPECT_TRUE(put_highest_data_id(txn, 10000009).ok()); }),
            (std::pair{10000010, 0U}));
  EXPECT_EQ(next_after([&](auto& txn) { EXPECT_TRUE(txn.put(model::Key(model::Table::data_ids), {}).ok()); }),
            (std::pair{10000004, 1U}))
      << "damaged: the instances that are there still count";
}

TEST_F(RegistryTest, LoadsWhatWasPutAndLeavesOutWhatIsDamaged) {
  sim::SimStore store;
  {
    auto txn = store.begin_write();
    for (const std::int32_t id : {5, 1, 9}) ASSERT_TRUE(put(**txn, instance(id, "t")).ok());
    model::User alice;
    alice.name = "alice";
    ASSERT_TRUE(put(**txn, alice).ok());
    ASSERT_TRUE(put(**txn, api_token("ci", "x")).ok());
    ASSERT_TRUE(put(**txn, api_token("gone", "y")).ok());
    ASSERT_TRUE(erase_api_token(**txn, api_token("gone", "y").hash).ok());
    const auto key = model::Key(model::Table::instance).u32(5);
    std::string value(as_text(**(*txn)->get(key)));
    value[2] = static_cast<char>(value[2] ^ 1);
    ASSERT_TRUE((*txn)->put(key, as_bytes(value)).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  auto txn = store.begin_read();
  std::uint32_t damaged = 0;
  const auto loaded = Registry::load(**txn, 12, damaged);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(damaged, 1U);
  EXPECT_EQ((*loaded)->generation(), 12U);
  ASSERT_EQ((*loaded)->instances().size(), 2U);
  EXPECT_NE((*loaded)->authenticate(9, "t", crypto, secret), nullptr);
  EXPECT_EQ((*loaded)->instance(5), nullptr);
  EXPECT_NE((*loaded)->user("alice"), nullptr);
  EXPECT_EQ((*loaded)->api_tokens().size(), 1U);
}

TEST_F(RegistryTest, TakesNoMoreThanItsBounds) {
  sim::SimStore store;
  {
    auto txn = store.begin_write();
    for (std::size_t i = 0; i <= kUsersMax; ++i) {
      model::User user;
      user.name = "user" + std::to_string(i);
      ASSERT_TRUE(put(**txn, user).ok());
    }
    ASSERT_TRUE((*txn)->commit().ok());
  }
  auto txn = store.begin_read();
  std::uint32_t damaged = 0;
  const auto loaded = Registry::load(**txn, 1, damaged);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->users().size(), kUsersMax);
  EXPECT_EQ(damaged, 1U);
}

TEST_F(RegistryTest, AStoreThatCannotBeReadIsAnError) {
  sim::SimStore store;
  auto txn = store.begin_read();
  store.fail_operation(1, sim::Repeat::once);
  std::uint32_t damaged = 0;
  EXPECT_FALSE(Registry::load(**txn, 1, damaged).ok());
}

}  // namespace
}  // namespace tocsin::registry
