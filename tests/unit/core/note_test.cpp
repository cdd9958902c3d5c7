// SPDX-License-Identifier: Apache-2.0
#include "src/core/note.hpp"

#include <gtest/gtest.h>

#include "platform/sim/store.hpp"

namespace tocsin::core {
namespace {

Id128 store_id(int n) {
  Id128 out{};
  out[0] = static_cast<std::byte>(n);
  return out;
}
const std::vector<Upstream> kTwo{{"centre", {true, true, true}}, {"backup", {true, true, true}}};

TEST(CursorNote, TheHigherOfNoteAndTableCounts) {
  Cursors written{};
  written[0] = {5, 6, 7};
  written[1] = {1, 9, 1};
  const std::string note = encode_note(store_id(1), kTwo, written);
  ASSERT_LE(note.size(), port::kNoteBytesMax);
  Cursors merged{};
  merged[0] = {9, 0, 7};
  merge_note(as_bytes(note), store_id(1), kTwo, merged);
  EXPECT_EQ(merged[0], (LaneCursors{9, 6, 7}));
  EXPECT_EQ(merged[1], (LaneCursors{1, 9, 1}));
}

TEST(CursorNote, AnotherStoresNoteCountsForNothing) {
  Cursors written{};
  written[0] = {5, 5, 5};
  const std::string note = encode_note(store_id(1), kTwo, written);
  Cursors merged{};
  merge_note(as_bytes(note), store_id(2), kTwo, merged);
  EXPECT_EQ(merged, Cursors{});
}

TEST(CursorNote, FollowsTheNameOfAnUpstreamNotItsPlace) {
  Cursors written{};
  written[0] = {1, 1, 1};
  written[1] = {2, 2, 2};
  const std::string note = encode_note(store_id(1), kTwo, written);
  const std::vector<Upstream> other{{"backup", {true, true, true}}, {"new", {true, true, true}}};
  Cursors merged{};
  merge_note(as_bytes(note), store_id(1), other, merged);
  EXPECT_EQ(merged[0], (LaneCursors{2, 2, 2}));
  EXPECT_EQ(merged[1], LaneCursors{});
}

TEST(CursorNote, ACutNoteGivesWhatWasWholeAndNeverMore) {
  Cursors written{};
  written[0] = {5, 6, 7};
  written[1] = {1, 9, 1};
  const std::string note = encode_note(store_id(1), kTwo, written);
  for (std::size_t size = 0; size < note.size(); ++size) {
    Cursors merged{};
    merge_note(as_bytes(note).first(size), store_id(1), kTwo, merged);
    EXPECT_EQ(merged[1], LaneCursors{}) << size;
    EXPECT_TRUE(merged[0] == LaneCursors{} || merged[0] == written[0]) << size;
  }
}

TEST(CursorNote, OfAllUpstreamsFitsItsSlot) {
  std::vector<Upstream> all;
  for (std::size_t i = 0; i < kUpstreamsMax; ++i) all.push_back({"upstream" + std::to_string(i), {true, true, true}});
  EXPECT_LE(encode_note(store_id(1), all, Cursors{}).size(), port::kNoteBytesMax);
}

TEST(CursorTable, IsReadBackAndForgottenWithItsUpstream) {
  sim::SimStore store;
  {
    auto txn = store.begin_write();
    ASSERT_TRUE(put_cursor(**txn, "centre", {1, 2, 3}).ok());
    ASSERT_TRUE(put_cursor(**txn, "gone", {4, 5, 6}).ok());
    std::vector<std::string> told;
    ASSERT_TRUE(drop_unknown_cursors(**txn, kTwo, [&](std::string_view name) {
                  told.emplace_back(name);
                  return Status{};
                }).ok());
    EXPECT_EQ(told, std::vector<std::string>{"gone"});
    ASSERT_TRUE((*txn)->commit().ok());
  }
  auto txn = store.begin_read();
  EXPECT_EQ(*read_cursor(**txn, "centre"), (LaneCursors{1, 2, 3}));
  EXPECT_FALSE(*read_cursor(**txn, "gone"));
  EXPECT_TRUE(*has_intact_cursors(**txn));
}

TEST(CursorTable, ADamagedCursorIsNoneAndIsTold) {
  sim::SimStore store;
  {
    auto txn = store.begin_write();
    ASSERT_TRUE(put_cursor(**txn, "centre", {1, 2, 3}).ok());
    const auto key = model::Key(model::Table::cursor).raw(as_bytes(std::string_view("centre")));
    const auto value = (*txn)->get(key);
    std::string bytes(as_text(**value));
    bytes[3] = static_cast<char>(bytes[3] ^ 1);
    ASSERT_TRUE((*txn)->put(key, as_bytes(bytes)).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
  auto txn = store.begin_read();
  EXPECT_FALSE(*read_cursor(**txn, "centre"));
  EXPECT_FALSE(*has_intact_cursors(**txn));
}

}  // namespace
}  // namespace tocsin::core
