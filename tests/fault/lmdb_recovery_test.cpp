// SPDX-License-Identifier: Apache-2.0
// What open does with a directory in each state that damage or a cut can leave.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "platform/lmdb/layout.hpp"
#include "tests/fault/lmdb_support.hpp"

namespace tocsin::test {
namespace {
namespace fs = std::filesystem;

class LmdbRecovery : public ::testing::Test {
 protected:
  void SetUp() override {
    content_ = populate(dir_);
    ASSERT_FALSE(content_.empty());
    healthy_ = read_file(data_);
  }

  /// Offset of the n-th leaf page that belongs to the newest snapshot for sure: one that holds a wanted key.
  [[nodiscard]] std::size_t leaf_with(const std::string& key) const {
    const std::size_t page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::size_t found = 0;
    for (std::size_t at = 2 * page_bytes; at + page_bytes <= healthy_.size(); at += page_bytes) {
      const auto header = lmdb::layout::header_of(&healthy_[at]);
      if (header.number != at / page_bytes || header.flags != lmdb::layout::kLeaf) continue;
      if (as_text(Bytes{healthy_}.subspan(at, page_bytes)).find(key) != std::string_view::npos) found = at;
    }
    return found;
  }
  void damage_leaf_header() {
    auto file = healthy_;
    file[leaf_with(content_.rbegin()->first) + lmdb::layout::kWordBytes + 2] ^= std::byte{0x10};
    write_file(data_, file);
  }

  TempDir home_;
  std::string dir_ = home_.file("store");
  std::string data_ = dir_ + "/data.mdb";
  Content content_;
  std::vector<std::byte> healthy_;
};

TEST_F(LmdbRecovery, ANewDirectoryIsMadeForItsOwnerAlone) {
  const std::string fresh = home_.file("fresh");
  {
    auto opened = open_store(fresh);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE((*opened)->report().created);
  }
  EXPECT_EQ(fs::status(fresh).permissions(), fs::perms::owner_all);
  for (const auto& file : fs::directory_iterator{fresh}) {
    EXPECT_EQ(file.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << file.path();
  }
  auto again = open_store(fresh);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE((*again)->report().created);
}

TEST_F(LmdbRecovery, ADirectoryHasOneUserAtATime) {
  auto first = open_store(dir_);
  ASSERT_TRUE(first.ok());
  const auto second = open_store(dir_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::conflict);
  first->reset();
  EXPECT_TRUE(open_store(dir_).ok());
}

TEST_F(LmdbRecovery, ADamagedLeafCostsItsEntriesAndNoOthers) {
  damage_leaf_header();
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  const auto& report = (*opened)->report();
  EXPECT_TRUE(report.salvaged);
  EXPECT_EQ(report.subtrees_lost, 1U);
  EXPECT_EQ(report.entries_lost, 0U);
  EXPECT_FALSE(report.fault.empty());
  EXPECT_TRUE(fs::exists(report.damaged_path)) << report.damaged_path;
  const auto found = compare(**opened, content_);
  EXPECT_EQ(found.right, report.entries_kept);
  EXPECT_EQ(found.right + found.missing, content_.size());
  EXPECT_GT(found.missing, 0U);
  EXPECT_LT(found.missing, 60U);
  EXPECT_EQ(found.wrong + found.caught + found.errors, 0U);
}

TEST_F(LmdbRecovery, ADamagedEntryCostsItselfAlone) {
  auto file = healthy_;
  const std::size_t page = leaf_with(content_.rbegin()->first);
  const std::size_t first = load<std::uint16_t>(&file[page + lmdb::layout::kHeaderBytes]);
  store(&file[page + first + 6], std::uint16_t{60'000});  // the length of its key
  write_file(data_, file);
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)->report().entries_lost, 1U);
  EXPECT_EQ((*opened)->report().subtrees_lost, 0U);
  EXPECT_EQ(compare(**opened, content_).right, content_.size() - 1);
}

TEST_F(LmdbRecovery, ADamagedMetaPageCostsAtMostTheLastCommit) {
  const std::size_t page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (const std::size_t meta : {std::size_t{0}, page_bytes}) {
    auto file = healthy_;
    file[meta + lmdb::layout::kHeaderBytes] ^= std::byte{1};
    write_file(data_, file);
    auto opened = open_store(dir_);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE((*opened)->report().salvaged);
    EXPECT_EQ((*opened)->report().subtrees_lost, 0U);
    EXPECT_GE(compare(**opened, content_).right, content_.size() - 15);
  }
}

TEST_F(LmdbRecovery, WithoutMetaPagesAnEmptyStoreIsMadeAndTheFileKept) {
  auto file = healthy_;
  std::fill_n(file.begin(), 2 * ::sysconf(_SC_PAGESIZE), std::byte{0xEE});
  write_file(data_, file);
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE((*opened)->report().salvaged);
  EXPECT_EQ((*opened)->report().entries_kept, 0U);
  EXPECT_EQ((*opened)->report().subtrees_lost, 1U);
  EXPECT_EQ(read_file((*opened)->report().damaged_path), file);
  EXPECT_EQ(compare(**opened, content_).missing, content_.size());
}

TEST_F(LmdbRecovery, ASalvageIsSaidAgainUntilSomethingWasCommitted) {
  damage_leaf_header();
  std::uint64_t kept = 0;
  for (int i = 0; i < 3; ++i) {
    auto opened = open_store(dir_);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE((*opened)->report().salvaged);
    if (i == 0) kept = (*opened)->report().entries_kept;
    EXPECT_EQ((*opened)->report().entries_kept, kept);
    auto txn = (*opened)->begin_write();
    ASSERT_TRUE(txn.ok());
    ASSERT_TRUE((*txn)->put(as_bytes("identity"), as_bytes(sealed("identity", "new"))).ok());
    if (i == 2) {
      ASSERT_TRUE((*txn)->commit().ok());
    }
  }
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE((*opened)->report().salvaged);
}

TEST_F(LmdbRecovery, ACutInTheMiddleOfASalvageIsFinishedOrStartedAgain) {
  write_file(dir_ + "/data.mdb.new", as_bytes("half a salvaged store"));
  write_file(dir_ + "/data.mdb.create", as_bytes("half a new store"));
  {
    auto opened = open_store(dir_);  // before the first rename: what is beside the store is worth nothing
    ASSERT_TRUE(opened.ok());
    EXPECT_FALSE((*opened)->report().salvaged);
    EXPECT_EQ(compare(**opened, content_).right, content_.size());
  }
  EXPECT_FALSE(fs::exists(dir_ + "/data.mdb.new"));
  EXPECT_FALSE(fs::exists(dir_ + "/data.mdb.create"));
  fs::rename(data_, dir_ + "/data.mdb.new");  // between the renames: the new file is complete
  write_file(dir_ + "/salvaged", as_bytes("kept 5 lost 1 pages 2 older 1 file 0 fault words\n"));
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE((*opened)->report().created);
  EXPECT_TRUE((*opened)->report().salvaged);
  EXPECT_EQ((*opened)->report().entries_kept, 5U);
  EXPECT_EQ((*opened)->report().fault, "words");
  EXPECT_EQ(compare(**opened, content_).right, content_.size());
}

TEST_F(LmdbRecovery, TwoDamagedFilesAreKept) {
  for (int i = 0; i < 4; ++i) {
    damage_leaf_header();
    auto opened = open_store(dir_);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE((*opened)->report().salvaged);
    EXPECT_TRUE(fs::exists((*opened)->report().damaged_path));
  }
  int kept = 0;
  for (const auto& file : fs::directory_iterator{dir_}) {
    kept += file.path().filename().string().starts_with("data.mdb.damaged") ? 1 : 0;
  }
  EXPECT_EQ(kept, 2);
}

TEST_F(LmdbRecovery, AnotherWordSizeIsRefusedAndLeftAlone) {
  constexpr std::size_t other = lmdb::layout::kWordBytes == 8 ? 4 : 8;
  std::vector<std::byte> foreign(64 * KiB);
  store(&foreign[other + 2], std::uint16_t{lmdb::layout::kMeta});
  store(&foreign[other + 8], lmdb::layout::kMagic);
  write_file(data_, foreign);
  const auto opened = open_store(dir_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::unsupported);
  EXPECT_EQ(read_file(data_), foreign);
}

TEST_F(LmdbRecovery, AQuotaBelowTheFileStillOpensItAndAQuotaTooSmallForAnythingDoesNot) {
  const std::uint64_t page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  {
    auto opened = open_store(dir_, 32 * page_bytes);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ((*opened)->use().quota_bytes, 32 * page_bytes);
    EXPECT_GT((*opened)->use().used_bytes, 32 * page_bytes);
    EXPECT_EQ(compare(**opened, content_).right, content_.size());
    auto txn = (*opened)->begin_write();
    ASSERT_TRUE(txn.ok());
    EXPECT_TRUE((*txn)->erase(as_bytes(content_.begin()->first)).ok());
    EXPECT_TRUE((*txn)->commit().ok());
  }
  EXPECT_EQ(open_store(dir_, 31 * page_bytes).error().code, Errc::invalid_input);
  const auto unmappable = lmdb::LmdbStore::open({dir_, kFaultQuota, 32 * page_bytes});
  ASSERT_FALSE(unmappable.ok());
  EXPECT_EQ(unmappable.error().code, Errc::unsupported);
}

TEST_F(LmdbRecovery, ADamagedStoreIsNotReopened) {
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  damage_leaf_header();
  const auto done = (*opened)->reopen();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::storage_corrupt);
  EXPECT_EQ((*opened)->begin_read().error().code, Errc::unavailable);
  EXPECT_EQ((*opened)->begin_write().error().code, Errc::unavailable);
}

TEST_F(LmdbRecovery, ATornNoteIsTheOldOneAndNeverADamagedOne) {
  const std::string note = dir_ + "/note";
  std::array<std::byte, port::kNoteBytesMax> out{};
  {
    auto opened = open_store(dir_);
    ASSERT_TRUE((*opened)->put_note(as_bytes("first")).ok());
    ASSERT_TRUE((*opened)->put_note(as_bytes("second")).ok());
  }
  const auto whole = read_file(note);
  for (std::size_t at = 0; at < whole.size(); at += at % 4096 < 512 ? 1 : 512) {
    auto torn = whole;
    torn[at] ^= std::byte{0x40};
    write_file(note, torn);
    auto opened = open_store(dir_);
    const auto size = (*opened)->get_note(out);
    ASSERT_TRUE(size.ok());
    const auto text = as_text(Bytes{out}.first(*size));
    EXPECT_TRUE(text == "first" || text == "second") << at << ": " << text;
  }
  write_file(note, as_bytes("nothing of this is a note"));
  auto opened = open_store(dir_);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)->get_note(out).value_or(99), 0U);
  EXPECT_TRUE((*opened)->put_note(as_bytes("third")).ok());
  EXPECT_EQ((*opened)->get_note(out).value_or(99), 5U);
}

}  // namespace
}  // namespace tocsin::test
