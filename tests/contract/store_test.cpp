// SPDX-License-Identifier: Apache-2.0
// What every implementation of the store port promises.
#include <algorithm>
#include <array>

#include "tests/contract/store_worlds.hpp"

namespace tocsin::test {
namespace {

using namespace std::string_view_literals;

Bytes b(std::string_view text) { return as_bytes(text); }

TEST_P(StoreContract, ATransactionReadsItsOwnWrites) {
  auto txn = write();
  EXPECT_EQ(text(txn->get(b("a"))), "-");
  ASSERT_TRUE(txn->put(b("a"), b("1")).ok());
  ASSERT_TRUE(txn->put(b("c"), b("3")).ok());
  EXPECT_EQ(text(txn->get(b("a"))), "1");
  EXPECT_EQ(text(txn->at_or_after(b("b"))), "c=3");
  ASSERT_TRUE(txn->erase(b("a")).ok());
  EXPECT_EQ(text(txn->get(b("a"))), "-");
  EXPECT_EQ(text(txn->at_or_after({})), "c=3");
}

TEST_P(StoreContract, CommittedEntriesAreThereAfterARestart) {
  put_committed("key", "value");
  restart();
  EXPECT_EQ(text(read()->get(b("key"))), "value");
}

TEST_P(StoreContract, ADroppedTransactionLeavesNothing) {
  put_committed("a", "old");
  {
    auto txn = write();
    ASSERT_TRUE(txn->put(b("a"), b("new")).ok());
    ASSERT_TRUE(txn->put(b("b"), b("more")).ok());
  }
  EXPECT_EQ(text(read()->get(b("a"))), "old");
  EXPECT_EQ(text(read()->get(b("b"))), "-");
  {
    auto txn = write();
    ASSERT_TRUE(txn->erase(b("a")).ok());
  }
  restart();
  EXPECT_EQ(text(read()->get(b("a"))), "old");
}

TEST_P(StoreContract, SeekingAnswersAtTheBorders) {
  auto txn = write();
  for (const auto key : {"b"sv, "d"sv, "f"sv}) ASSERT_TRUE(txn->put(b(key), b(key)).ok());
  ASSERT_TRUE(txn->commit().ok());
  const auto reader = read();
  EXPECT_EQ(text(reader->at_or_after({})), "b=b");
  EXPECT_EQ(text(reader->at_or_after(b("a"))), "b=b");
  EXPECT_EQ(text(reader->at_or_after(b("d"))), "d=d");
  EXPECT_EQ(text(reader->at_or_after(b("d\0"sv))), "f=f");
  EXPECT_EQ(text(reader->at_or_after(b("f"))), "f=f");
  EXPECT_EQ(text(reader->at_or_after(b("g"))), "-");
  EXPECT_EQ(text(reader->before({})), "-");
  EXPECT_EQ(text(reader->before(b("b"))), "-");
  EXPECT_EQ(text(reader->before(b("c"))), "b=b");
  EXPECT_EQ(text(reader->before(b("d"))), "b=b");
  EXPECT_EQ(text(reader->before(b("d\0"sv))), "d=d");
  EXPECT_EQ(text(reader->before(b("\xff"sv))), "f=f");
}

TEST_P(StoreContract, AnEmptyStoreAnswersNothing) {
  EXPECT_EQ(text(read()->get(b("a"))), "-");
  EXPECT_EQ(text(read()->at_or_after({})), "-");
  EXPECT_EQ(text(read()->before(b("\xff"sv))), "-");
}

TEST_P(StoreContract, KeysAreOrderedAsUnsignedBytesAndAShorterOneFirst) {
  auto txn = write();
  for (const auto key : {"\x80"sv, "\x7f"sv, "\x7f\x01"sv, "\0"sv}) ASSERT_TRUE(txn->put(b(key), b(key)).ok());
  std::string order;
  for (auto entry = txn->at_or_after({}); entry.ok() && *entry;) {
    std::string key{as_text((*entry)->key)};
    order += key + '|';
    entry = txn->at_or_after(b(key + '\0'));
  }
  EXPECT_EQ(order, "\0|\x7f|\x7f\x01|\x80|"sv);
}

TEST_P(StoreContract, ReservedRoomIsWhatTheCallerFillsIn) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{70'000}}) {
    auto txn = write();
    auto room = txn->reserve(b("r"), size);
    ASSERT_TRUE(room.ok());
    ASSERT_EQ(room->size(), size);
    std::fill(room->begin(), room->end(), std::byte{'x'});
    ASSERT_TRUE(txn->commit().ok());
    EXPECT_EQ(text(read()->get(b("r"))), std::string(size, 'x'));
  }
}

TEST_P(StoreContract, AValueOfAnySizeComesBackAndCanBeReplaced) {
  const std::array<std::size_t, 8> sizes{0, 1, 2000, 4096, 65'520, 600'000, 3, 0};
  for (const std::size_t from : sizes) {
    for (const std::size_t to : sizes) {
      put_committed("v", std::string(from, 'f'));
      put_committed("v", std::string(to, 't'));
      ASSERT_EQ(text(read()->get(b("v"))), std::string(to, 't')) << from << " to " << to;
    }
  }
  restart();
  EXPECT_EQ(text(read()->get(b("v"))), "");
}

TEST_P(StoreContract, ErasingWhatIsNotThereIsSaidAndHarmless) {
  put_committed("a", "1");
  auto txn = write();
  EXPECT_STREQ(code_of(txn->erase(b("b"))), "not_found");
  ASSERT_TRUE(txn->erase(b("a")).ok());
  EXPECT_STREQ(code_of(txn->erase(b("a"))), "not_found");
  ASSERT_TRUE(txn->commit().ok());
  EXPECT_EQ(text(read()->get(b("a"))), "-");
}

TEST_P(StoreContract, AReaderKeepsItsViewWhileOthersCommit) {
  put_committed("a", "old");
  put_committed("gone", "still here");
  const auto before = read();
  const auto view = before->get(b("a"));
  for (int i = 0; i < 50; ++i) {
    auto txn = write();
    ASSERT_TRUE(txn->put(b("a"), b("new " + std::to_string(i))).ok());
    ASSERT_TRUE(txn->put(b("b" + std::to_string(i)), b("more")).ok());
    if (i == 0) {
      ASSERT_TRUE(txn->erase(b("gone")).ok());
    }
    ASSERT_TRUE(txn->commit().ok());
  }
  EXPECT_EQ(text(view), "old");
  EXPECT_EQ(text(before->get(b("a"))), "old");
  EXPECT_EQ(text(before->get(b("b7"))), "-");
  EXPECT_EQ(text(before->get(b("gone"))), "still here");
  const auto after = read();
  EXPECT_EQ(text(after->get(b("a"))), "new 49");
  EXPECT_EQ(text(after->get(b("gone"))), "-");
}

TEST_P(StoreContract, AReaderDoesNotSeeTheOpenTransaction) {
  auto txn = write();
  ASSERT_TRUE(txn->put(b("a"), b("1")).ok());
  EXPECT_EQ(text(read()->get(b("a"))), "-");
  ASSERT_TRUE(txn->commit().ok());
  EXPECT_EQ(text(read()->get(b("a"))), "1");
}

TEST_P(StoreContract, KeysHaveOneTo511Bytes) {
  const std::string longest(511, 'k');
  const std::string too_long(512, 'k');
  put_committed(longest, "v");
  EXPECT_EQ(text(read()->get(b(longest))), "v");
  auto txn = write();
  EXPECT_STREQ(code_of(txn->put(b(too_long), b("v"))), "invalid_input");
  EXPECT_STREQ(code_of(txn->put({}, b("v"))), "invalid_input");
  EXPECT_STREQ(code_of(txn->erase(b(too_long))), "invalid_input");
  EXPECT_FALSE(txn->reserve(b(too_long), 1).ok());
  EXPECT_EQ(text(txn->get(b(too_long))), "! invalid_input");
  EXPECT_EQ(text(txn->at_or_after(b(too_long))), "! invalid_input");
  EXPECT_EQ(text(txn->before(b(too_long))), "! invalid_input");
  ASSERT_TRUE(txn->put(b("a"), b("after a refusal")).ok());
  ASSERT_TRUE(txn->commit().ok());
  EXPECT_EQ(text(read()->get(b("a"))), "after a refusal");
}

TEST_P(StoreContract, ValuesHaveAtMost4MiB) {
  auto txn = write();
  EXPECT_TRUE(txn->reserve(b("fits"), 4 * MiB).ok());
  EXPECT_FALSE(txn->reserve(b("does not"), 4 * MiB + 1).ok());
}

TEST_P(StoreContract, AFoundKeyCanBeUsedToReplaceOrEraseItsEntry) {
  auto txn = write();
  for (char c = 'a'; c < 'z'; ++c) ASSERT_TRUE(txn->put(b(std::string(20, c)), b("short")).ok());
  auto found = txn->at_or_after(b("m"));
  ASSERT_TRUE(found.ok() && *found);
  ASSERT_TRUE(txn->put((*found)->key, b("a longer value than before")).ok());
  found = txn->before(b("m"));
  ASSERT_TRUE(found.ok() && *found);
  ASSERT_TRUE(txn->erase((*found)->key).ok());
  EXPECT_EQ(text(txn->get(b(std::string(20, 'm')))), "a longer value than before");
  EXPECT_EQ(text(txn->get(b(std::string(20, 'l')))), "-");
  EXPECT_EQ(text(txn->before(b("m"))), std::string(20, 'k') + "=short");
}

TEST_P(StoreContract, ThereIsOneWriteTransactionAtATime) {
  auto txn = write();
  const auto second = store().begin_write();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::conflict);
  txn.reset();
  EXPECT_TRUE(store().begin_write().ok());
}

TEST_P(StoreContract, AnEmptyCommitSucceeds) {
  EXPECT_TRUE(write()->commit().ok());
  auto txn = write();
  ASSERT_TRUE(txn->commit().ok());
  EXPECT_STREQ(code_of(txn->put(b("a"), b("late"))), "unavailable");
  EXPECT_STREQ(code_of(txn->commit()), "unavailable");
}

TEST_P(StoreContract, ReopeningKeepsWhatWasCommitted) {
  put_committed("a", "1");
  ASSERT_TRUE(store().reopen().ok());
  EXPECT_EQ(text(read()->get(b("a"))), "1");
  put_committed("a", "2");
  EXPECT_EQ(text(read()->get(b("a"))), "2");
}

TEST_P(StoreContract, ReopeningIsRefusedWhileATransactionIsOpen) {
  auto txn = write();
  EXPECT_STREQ(code_of(store().reopen()), "conflict");
}

TEST_P(StoreContract, TheNoteIsReplacedAsAWhole) {
  std::array<std::byte, port::kNoteBytesMax> out{};
  ASSERT_EQ(store().get_note(out).value_or(99), 0U);
  for (int i = 0; i < 5; ++i) {
    const std::string note = "note " + std::string(static_cast<std::size_t>(100 - 20 * i), static_cast<char>('a' + i));
    ASSERT_TRUE(store().put_note(b(note)).ok());
    if (i % 2 == 1) restart();
    const auto size = store().get_note(out);
    ASSERT_TRUE(size.ok());
    EXPECT_EQ(as_text(Bytes{out}.first(*size)), note);
  }
}

TEST_P(StoreContract, ANoteHasAtMost480Bytes) {
  const std::string longest(port::kNoteBytesMax, 'n');
  ASSERT_TRUE(store().put_note(b(longest)).ok());
  EXPECT_STREQ(code_of(store().put_note(b(longest + "n"))), "invalid_input");
  std::array<std::byte, port::kNoteBytesMax> out{};
  ASSERT_EQ(store().get_note(out).value_or(0), longest.size());
  EXPECT_EQ(as_text(Bytes{out}), longest);
  ASSERT_TRUE(store().put_note({}).ok());
  EXPECT_EQ(store().get_note(out).value_or(99), 0U);
}

TEST_P(StoreContract, TheNoteIsNoPartOfATransaction) {
  {
    auto txn = write();
    ASSERT_TRUE(store().put_note(b("kept")).ok());
  }
  restart();
  std::array<std::byte, port::kNoteBytesMax> out{};
  EXPECT_EQ(store().get_note(out).value_or(0), 4U);
}

INSTANTIATE_TEST_SUITE_P(Every, StoreContract, ::testing::ValuesIn(store_makers_begin(), store_makers_end()),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace tocsin::test
