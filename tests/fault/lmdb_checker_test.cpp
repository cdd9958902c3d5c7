// SPDX-License-Identifier: Apache-2.0
// The checker reads files that anything may have happened to. Run it under ASan: it must never touch a byte too many.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <random>

#include "platform/lmdb/checker.hpp"
#include "platform/lmdb/files.hpp"
#include "platform/lmdb/salvage.hpp"
#include "tests/fault/lmdb_support.hpp"
#include "tests/support/emulated.hpp"

namespace tocsin::test {
namespace {

using lmdb::CheckReport;
using lmdb::Verdict;

/// A file in memory with these bytes.
lmdb::Fd file_of(Bytes bytes) {
  lmdb::Fd fd{::memfd_create("store", MFD_CLOEXEC)};
  EXPECT_TRUE(lmdb::write_at(fd.get(), bytes, 0).ok());
  return fd;
}

CheckReport check(Bytes bytes) {
  const auto fd = file_of(bytes);
  const auto report = lmdb::check_file(fd.get());
  EXPECT_TRUE(report.ok());
  return report.value_or(CheckReport{});
}

class LmdbChecker : public ::testing::Test {
 protected:
  void SetUp() override {
    content_ = populate(home_.file("store"));
    file_ = read_file(home_.file("store") + "/data.mdb");
    ASSERT_GT(file_.size(), 100'000U);
  }
  [[nodiscard]] std::size_t newest_meta() const {
    const auto first = lmdb::layout::meta_of(file_.data()).transaction;
    const auto second = lmdb::layout::meta_of(&file_[page_bytes_]).transaction;
    return first < second ? page_bytes_ : 0;
  }
  TempDir home_;
  Content content_;
  std::vector<std::byte> file_;
  std::size_t page_bytes_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
};

TEST_F(LmdbChecker, FindsAHealthyStoreSoundAndCountsIt) {
  const auto report = check(file_);
  EXPECT_EQ(report.verdict, Verdict::sound) << report.fault;
  EXPECT_EQ(report.entries, content_.size());
  EXPECT_EQ(report.leaked_pages, 0U);
  EXPECT_GT(report.free_pages, 0U);
  EXPECT_EQ(report.page_bytes, page_bytes_);
}

TEST_F(LmdbChecker, FindsEveryTruncationDamaged) {
  for (std::size_t pages = 0; pages * page_bytes_ + 7 < file_.size(); ++pages) {
    auto cut = file_;
    cut.resize(pages * page_bytes_ + 7);
    const auto report = check(cut);
    // The last pages may be free ones; a store without them is whole.
    if (report.verdict == Verdict::sound) {
      EXPECT_GT(pages, file_.size() / page_bytes_ / 2);
    }
    if (pages < 3) {
      EXPECT_EQ(report.verdict, Verdict::damaged);
    }
  }
}

TEST_F(LmdbChecker, FindsEachFieldOfTheNewestMetaPageThatMatters) {
  const std::size_t trees = newest_meta() + lmdb::layout::kTreesAt;
  const std::size_t main = trees + lmdb::layout::kTreeBytes;
  const std::size_t words = 8;
  const std::size_t w = lmdb::layout::kWordBytes;
  const std::size_t magic = newest_meta() + lmdb::layout::kHeaderBytes;
  const std::array<std::size_t, 14> fields{magic,
                                           magic + 4,
                                           trees,
                                           trees + 4,
                                           trees + 6,
                                           trees + words,
                                           trees + words + 3 * w,
                                           trees + words + 4 * w,
                                           main + 4,
                                           main + 6,
                                           main + words,
                                           main + words + w,
                                           main + words + 2 * w,
                                           main + words + 3 * w};
  for (const std::size_t at : fields) {
    for (int bit = 0; bit < 8; ++bit) {
      auto file = file_;
      file[at] ^= std::byte{1} << bit;
      EXPECT_EQ(check(file).verdict, Verdict::damaged) << "bit " << bit << " at " << at;
    }
  }
}

TEST_F(LmdbChecker, KnowsAStoreOfTheOtherWordSizeAndOfAnotherFormat) {
  constexpr std::size_t other = lmdb::layout::kWordBytes == 8 ? 4 : 8;
  std::vector<std::byte> foreign(2 * page_bytes_);
  for (const std::size_t page : {std::size_t{0}, page_bytes_}) {
    store(&foreign[page + other + 2], std::uint16_t{lmdb::layout::kMeta});
    store(&foreign[page + other + 8], lmdb::layout::kMagic);
    store(&foreign[page + other + 12], lmdb::layout::kVersion);
  }
  EXPECT_EQ(check(foreign).verdict, Verdict::foreign);
  auto newer = file_;
  for (const std::size_t page : {std::size_t{0}, page_bytes_}) {
    store(&newer[page + lmdb::layout::kHeaderBytes + 4], std::uint32_t{2});
  }
  EXPECT_EQ(check(newer).verdict, Verdict::foreign);
  EXPECT_EQ(check({}).verdict, Verdict::damaged);
}

/// Each round changes a few places in ways that a flipped bit does not: whole words, pages copied over others.
std::vector<std::byte> mangled(std::vector<std::byte> file, std::size_t page_bytes, std::mt19937_64& random) {
  const std::size_t pages = file.size() / page_bytes;
  for (std::uint64_t change = 1 + random() % 4; change > 0; --change) {
    const std::size_t page = random() % 4 == 0 ? random() % 2 : random() % pages;
    const std::size_t inside = random() % (random() % 2 == 0 ? 160 : page_bytes);
    const std::size_t at = std::min(page * page_bytes + inside, file.size() - 8);
    switch (random() % 6) {
      case 0: store(&file[at], static_cast<std::uint64_t>(random())); break;
      case 1: store(&file[at], static_cast<std::uint64_t>(random() % (2 * pages))); break;
      case 2: store(&file[at & ~std::size_t{1}], static_cast<std::uint16_t>(random())); break;
      case 3: store(&file[at], ~std::uint64_t{0}); break;
      case 4: std::copy_n(&file[(random() % pages) * page_bytes], page_bytes, &file[page * page_bytes]); break;
      default: file.resize(std::max<std::size_t>(file.size() - random() % (2 * page_bytes), 16)); return file;
    }
  }
  return file;
}

TEST_F(LmdbChecker, SurvivesAnyContent) {
  const std::uint64_t seed = seed_or(20261121);
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  std::array<int, 3> verdicts{};
  for (int i = 0; i < rounds(4000); ++i)
    ++verdicts[static_cast<std::size_t>(check(mangled(file_, page_bytes_, random)).verdict)];
  for (int i = 0; i < rounds(200); ++i) {
    std::vector<std::byte> noise(random() % (3 * page_bytes_));
    for (auto& byte : noise) byte = static_cast<std::byte>(random());
    EXPECT_EQ(check(noise).verdict, Verdict::damaged);
  }
  std::printf("  mangled files: %d sound, %d damaged, %d foreign\n", verdicts[0], verdicts[1], verdicts[2]);
  EXPECT_GT(verdicts[1], rounds(1500));
}

TEST_F(LmdbChecker, SalvageSurvivesAnyContentAndMakesASoundStore) {
  const std::uint64_t seed = seed_or(20261122);
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  std::uint64_t kept = 0;
  const std::string path = home_.file("salvaged.mdb");
  for (int i = 0; i < 100; ++i) {
    const auto damaged = file_of(mangled(file_, page_bytes_, random));
    const auto report = lmdb::salvage(damaged.get(), path, kFaultQuota);
    ASSERT_TRUE(report.ok()) << i;
    kept += report->entries_kept;
    const auto checked = check(read_file(path));
    ASSERT_EQ(checked.verdict, Verdict::sound) << i << ": " << checked.fault;
    ASSERT_EQ(checked.entries, report->entries_kept);
  }
  std::printf("  100 mangled files: %llu of %llu entries salvaged\n", static_cast<unsigned long long>(kept),
              static_cast<unsigned long long>(100 * content_.size()));
}

}  // namespace
}  // namespace tocsin::test
