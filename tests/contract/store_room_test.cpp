// SPDX-License-Identifier: Apache-2.0
// A full store: what fails, what still works, and how far it can be filled before erasing needs care.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "tests/contract/store_worlds.hpp"

namespace tocsin::test {
namespace {

constexpr std::uint64_t kSmallQuota = std::uint64_t{4} * MiB;

std::array<std::byte, 9> name_of(std::uint64_t number) {
  std::array<std::byte, 9> out{std::byte{'R'}};
  store_be64(&out[1], number);
  return out;
}

class StoreRoom : public StoreContract {
 protected:
  void SetUp() override { open(kSmallQuota); }

  /// One entry a commit until one is refused; returns how many there are.
  std::uint64_t fill(std::size_t value_bytes, std::uint64_t first = 0) {
    const std::string value(value_bytes, 'v');
    for (std::uint64_t i = first;; ++i) {
      auto txn = write();
      Status done = txn->put(name_of(i), as_bytes(value));
      if (done.ok()) done = txn->commit();
      if (done.ok()) continue;
      EXPECT_EQ(done.error().code, Errc::storage_full);
      return i;
    }
  }

  /// Groups of entries a commit, as turns do, until so much of the quota is in use or nothing more fits.
  void fill_to(std::uint64_t percent, std::size_t value_bytes) {
    const std::string value(value_bytes, 'v');
    const std::uint64_t group = value_bytes < 2'000 ? 20 : 1;
    for (std::uint64_t next = 0; store().use().used_bytes < kSmallQuota * percent / 100;) {
      auto txn = write();
      for (std::uint64_t i = 0; i < group; ++i) {
        if (!txn->put(name_of(next + i), as_bytes(value)).ok()) return;
      }
      if (!txn->commit().ok()) return;
      next += group;
    }
  }

  /// Erases `count` entries from `first` in one transaction.
  Status erase(std::uint64_t first, std::uint64_t count) {
    auto txn = write();
    for (std::uint64_t i = first; i < first + count; ++i) {
      if (auto done = txn->erase(name_of(i)); !done.ok()) return done;
    }
    return txn->commit();
  }
};

TEST_P(StoreRoom, AFullStoreKeepsItsOldStateAndCanBeRead) {
  const std::uint64_t count = fill(20'000);
  ASSERT_GT(count, 100U);
  EXPECT_GE(store().use().used_bytes, kSmallQuota * 8 / 10);
  EXPECT_EQ(store().use().quota_bytes, kSmallQuota);
  for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(text(read()->get(name_of(i))).size(), 20'000U) << i;
  EXPECT_EQ(text(read()->get(name_of(count))), "-");
  restart();
  EXPECT_EQ(text(read()->get(name_of(count - 1))).size(), 20'000U);
  EXPECT_EQ(text(read()->get(name_of(count))), "-");
}

TEST_P(StoreRoom, ATransactionThatRanOutCanOnlyBeDropped) {
  fill(20'000);
  auto txn = write();
  Status done;
  for (std::uint64_t i = 1'000'000; done.ok(); ++i) done = txn->put(name_of(i), as_bytes(std::string(20'000, 'x')));
  EXPECT_STREQ(code_of(done), "storage_full");
  EXPECT_STREQ(code_of(txn->put(name_of(0), as_bytes("small"))), "storage_full");
  EXPECT_STREQ(code_of(txn->commit()), "storage_full");
  EXPECT_EQ(text(read()->get(name_of(1'000'000))), "-");
  EXPECT_EQ(text(read()->get(name_of(0))).size(), 20'000U);
}

TEST_P(StoreRoom, AFullStoreIsDrainedByErasingOneByOneAndFilledAgain) {
  const std::uint64_t count = fill(20'000);
  for (std::uint64_t i = 0; i < count; ++i) ASSERT_STREQ(code_of(erase(i, 1)), "ok") << i << " of " << count;
  EXPECT_EQ(text(read()->at_or_after({})), "-");
  EXPECT_LE(store().use().used_bytes, 64U * 1024);
  EXPECT_GE(fill(20'000), count * 8 / 10);
}

/// Erasing copies the pages on its way and writes down what it freed, so a batch needs room of its own; pages that it
/// frees can be used again by the second transaction after it. The table that this prints is for whoever sets shares.
TEST_P(StoreRoom, AStoreFilledTo90PercentErasesBatchesOf100) {
  for (const std::size_t value_bytes : {std::size_t{200}, std::size_t{20'000}}) {
    for (const std::uint64_t percent : {85U, 90U, 97U, 99U}) {
      std::string line;
      for (const std::uint64_t batch : {1U, 10U, 100U}) {
        open(kSmallQuota);
        fill_to(percent, value_bytes);
        const Status done = erase(0, batch);
        line += done.ok() ? " yes" : " no";
        if (percent <= 90) {
          EXPECT_STREQ(code_of(done), "ok") << batch << " at " << percent << " %";
        }
        if (batch == 1) {
          EXPECT_STREQ(code_of(done), "ok") << "one by one at " << percent << " %";
        }
      }
      std::printf("  %s, values of %5zu bytes, %llu %% used: 1, 10, 100 erased at once:%s\n", GetParam().name,
                  value_bytes, static_cast<unsigned long long>(percent), line.c_str());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, StoreRoom, ::testing::ValuesIn(store_makers_begin(), store_makers_end()),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace tocsin::test
