// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "src/port/store.hpp"

namespace tocsin::test {

/// A store that can be started again, as after the end of its process.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  virtual port::Store& store() = 0;
  virtual void restart() = 0;
};

/// A name for the test's output and a way to make the world with a quota.
struct StoreMaker {
  const char* name;
  std::unique_ptr<StoreWorld> (*make)(std::uint64_t quota_bytes);
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) { *out << maker.name; }

/// Every implementation of the port.
[[nodiscard]] const StoreMaker* store_makers_begin();
[[nodiscard]] const StoreMaker* store_makers_end();

class StoreContract : public ::testing::TestWithParam<StoreMaker> {
 protected:
  static constexpr std::uint64_t kQuotaBytes = std::uint64_t{32} * MiB;
  void SetUp() override { open(kQuotaBytes); }
  void open(std::uint64_t quota_bytes) {
    world_.reset();
    world_ = GetParam().make(quota_bytes);
    ASSERT_NE(world_, nullptr);
  }
  port::Store& store() { return world_->store(); }
  void restart() { world_->restart(); }

  [[nodiscard]] std::unique_ptr<port::WriteTxn> write() {
    auto txn = store().begin_write();
    EXPECT_TRUE(txn.ok());
    return txn.ok() ? std::move(*txn) : nullptr;
  }
  [[nodiscard]] std::unique_ptr<port::ReadTxn> read() {
    auto txn = store().begin_read();
    EXPECT_TRUE(txn.ok());
    return txn.ok() ? std::move(*txn) : nullptr;
  }
  void put_committed(std::string_view key, std::string_view value) {
    auto txn = write();
    ASSERT_TRUE(txn->put(as_bytes(key), as_bytes(value)).ok());
    ASSERT_TRUE(txn->commit().ok());
  }

 private:
  std::unique_ptr<StoreWorld> world_;
};

/// Text of an answer, so that a failed comparison is readable: "-" none, "!" error.
[[nodiscard]] inline std::string text(const Result<std::optional<Bytes>>& got) {
  if (!got.ok()) return std::string{"! "} + to_text(got.error().code);
  return got->has_value() ? std::string{as_text(**got)} : "-";
}
[[nodiscard]] inline std::string text(const Result<std::optional<port::Entry>>& got) {
  if (!got.ok()) return std::string{"! "} + to_text(got.error().code);
  if (!got->has_value()) return "-";
  return std::string{as_text((*got)->key)} + "=" + std::string{as_text((*got)->value)};
}
[[nodiscard]] inline const char* code_of(const Status& status) {
  return status.ok() ? "ok" : to_text(status.error().code);
}

}  // namespace tocsin::test
