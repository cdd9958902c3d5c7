// SPDX-License-Identifier: Apache-2.0
// Random operations against a plain map. A failure names its seed; TOCSIN_SEED=<number> replays it.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/contract/store_worlds.hpp"

namespace tocsin::test {
namespace {

using Model = std::map<std::string, std::string>;

class StoreModel : public StoreContract {
 protected:
  void SetUp() override { open(std::uint64_t{128} * MiB); }
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_); }

  /// Clustered, so that pages split, merge and empty; one in eight is long.
  std::string key() {
    std::string out(1, static_cast<char>('A' + below(4)));
    out += std::to_string(below(400));
    if (below(8) == 0) out += std::string(below(500), 'k');
    return out;
  }
  std::string value() {
    static constexpr std::array<std::size_t, 6> kSizes{4, 100, 1000, 5000, 30'000, 80'000};
    const std::size_t size = below(kSizes[below(6)]);
    return std::string(size, static_cast<char>('a' + below(26)));
  }

  void change(port::WriteTxn& txn, Model& model) {
    const std::string name = key();
    if (below(100) < 40) {
      const bool there = model.erase(name) > 0;
      ASSERT_STREQ(code_of(txn.erase(as_bytes(name))), there ? "ok" : "not_found");
      return;
    }
    const std::string content = value();
    model[name] = content;
    ASSERT_STREQ(code_of(txn.put(as_bytes(name), as_bytes(content))), "ok");
  }

  void look(port::ReadTxn& txn, const Model& model) {
    const std::string name = key();
    const auto at = model.lower_bound(name);
    const auto line = [](Model::const_iterator row) { return row->first + "=" + row->second; };
    ASSERT_EQ(text(txn.get(as_bytes(name))), model.contains(name) ? model.at(name) : "-");
    ASSERT_EQ(text(txn.at_or_after(as_bytes(name))), at == model.end() ? "-" : line(at));
    ASSERT_EQ(text(txn.before(as_bytes(name))), at == model.begin() ? "-" : line(std::prev(at)));
  }

  void everything(const Model& model) {
    const auto txn = read();
    std::string at;
    for (const auto& [name, content] : model) {
      const auto entry = txn->at_or_after(as_bytes(at));
      ASSERT_EQ(text(entry), name + "=" + content);
      at = name + '\0';
    }
    ASSERT_EQ(text(txn->at_or_after(as_bytes(at))), "-");
  }

  std::mt19937_64 random_;
};

TEST_P(StoreModel, BehavesAsAMapOverCommitsDropsAndRestarts) {
  const char* wished = std::getenv("TOCSIN_SEED");
  const std::uint64_t seed = wished != nullptr ? std::strtoull(wished, nullptr, 10) : 20261121;
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  random_.seed(seed);
  Model model;
  for (int round = 0; round < 400; ++round) {
    Model changed = model;
    auto txn = write();
    for (std::uint64_t i = below(20); i > 0; --i) {
      ASSERT_NO_FATAL_FAILURE(change(*txn, changed));
      ASSERT_NO_FATAL_FAILURE(look(*txn, changed));
    }
    if (below(5) != 0) {
      ASSERT_STREQ(code_of(txn->commit()), "ok");
      model = changed;
    }
    txn.reset();
    ASSERT_NO_FATAL_FAILURE(look(*read(), model));
    if (round % 20 == 19) {
      restart();
      ASSERT_NO_FATAL_FAILURE(everything(model));
    }
  }
}

TEST_P(StoreModel, AQueueThatIsFilledAndDrainedKeepsItsSize) {
  std::uint64_t next = 0;
  std::uint64_t oldest = 0;
  std::uint64_t most = 0;
  for (int turn = 0; turn < 600; ++turn) {
    auto txn = write();
    std::array<std::byte, 9> name{std::byte{'L'}};
    store_be64(&name[1], next++);
    ASSERT_TRUE(txn->put(name, as_bytes(std::string(20'000, 'e'))).ok());
    if (next - oldest > 50) {
      store_be64(&name[1], oldest++);
      ASSERT_TRUE(txn->erase(name).ok());
    }
    ASSERT_TRUE(txn->commit().ok());
    most = std::max(most, store().use().used_bytes);
  }
  EXPECT_GE(most, 50U * 20'000);
  EXPECT_LE(most, 50U * 20'000 * 13 / 10);
  restart();
}

INSTANTIATE_TEST_SUITE_P(Every, StoreModel, ::testing::ValuesIn(store_makers_begin(), store_makers_end()),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace tocsin::test
