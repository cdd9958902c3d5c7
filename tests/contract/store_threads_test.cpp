// SPDX-License-Identifier: Apache-2.0
// One writer, one reader, and reopening in between.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/contract/store_worlds.hpp"

namespace tocsin::test {
namespace {

class StoreThreads : public StoreContract {};

/// Two keys are always written together, so a reader that sees them differ has seen half a transaction.
TEST_P(StoreThreads, AReadingThreadSeesOnlyWholeTransactions) {
  put_committed("a", "0");
  put_committed("b", "0");
  std::atomic<bool> stop{false};
  std::atomic<int> seen{0};
  std::atomic<int> torn{0};
  std::thread reader{[&] {
    while (!stop) {
      auto txn = store().begin_read();
      if (!txn.ok()) {
        if (txn.error().code != Errc::unavailable) ++torn;
        continue;
      }
      const auto a = text((*txn)->get(as_bytes("a")));
      std::this_thread::yield();
      const auto b = text((*txn)->get(as_bytes("b")));
      if (a.size() != b.size() || a != b) ++torn;
      ++seen;
    }
  }};
  for (int i = 1; i < 300; ++i) {
    auto txn = write();
    const std::string value(static_cast<std::size_t>(i * 37 % 9000), static_cast<char>('a' + i % 26));
    EXPECT_TRUE(txn->put(as_bytes("a"), as_bytes(value)).ok());
    EXPECT_TRUE(txn->put(as_bytes("b"), as_bytes(value)).ok());
    EXPECT_TRUE(txn->commit().ok());
    txn.reset();
    if (i % 50 == 0) {
      EXPECT_TRUE(store().reopen().ok());
    }
  }
  while (seen == 0) std::this_thread::yield();
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST_P(StoreThreads, EightReadersAtOnceAreServed) {
  put_committed("a", "1");
  std::vector<std::unique_ptr<port::ReadTxn>> readers;
  for (int i = 0; i < 8; ++i) readers.push_back(read());
  for (const auto& reader : readers) EXPECT_EQ(text(reader->get(as_bytes("a"))), "1");
}

INSTANTIATE_TEST_SUITE_P(Every, StoreThreads, ::testing::ValuesIn(store_makers_begin(), store_makers_end()),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace tocsin::test
