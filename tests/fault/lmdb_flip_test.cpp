// SPDX-License-Identifier: Apache-2.0
// One bit of a closed store is flipped; the store is opened, read and changed in a child process, so that a crash is
// seen as one. Nothing false may be shown: a value carries a checksum over its key and itself.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "platform/lmdb/layout.hpp"
#include "tests/fault/lmdb_support.hpp"
#include "tests/support/emulated.hpp"

namespace tocsin::test {
namespace {

constexpr int kFlips = 1050;

struct Outcome {
  bool opened = false;
  bool salvaged = false;
  bool rolled_back = false;
  bool reopened_sound = false;
  Found found;
  std::uint64_t changed = 0;
};

/// What a daemon does with a store: open, read all, change some, and start again.
Outcome use_store(const std::string& dir, const Content& newest, const Content& before) {
  Outcome out;
  {
    auto opened = open_store(dir);
    if (!opened.ok()) return out;
    out.opened = true;
    out.salvaged = (*opened)->report().salvaged;
    out.rolled_back = (*opened)->report().rolled_back;
    out.found = compare(**opened, newest);
    if (out.rolled_back && out.found.wrong > 0) out.found = compare(**opened, before);
    int step = 0;
    for (const auto& [key, value] : newest) {
      if (++step % 40 != 0) continue;
      auto txn = (*opened)->begin_write();
      if (!txn.ok()) return out;
      Status done = (*txn)->erase(as_bytes(key));
      if (!done.ok() && done.error().code != Errc::not_found) return out;
      done = (*txn)->put(as_bytes(key + "x"), as_bytes(value));
      if (!done.ok() || !(*txn)->commit().ok()) return out;
      ++out.changed;
    }
  }
  auto again = open_store(dir);
  out.reopened_sound = again.ok() && !(*again)->report().salvaged;
  return out;
}

/// Runs use_store in a child; an end by signal is returned as its number.
int in_child(const std::string& dir, const Content& newest, const Content& before, Outcome& out) {
  std::array<int, 2> pipe_ends{};
  if (::pipe(pipe_ends.data()) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const Outcome mine = use_store(dir, newest, before);
    const bool told = ::write(pipe_ends[1], &mine, sizeof(mine)) == static_cast<ssize_t>(sizeof(mine));
    ::_exit(told ? 0 : 1);
  }
  ::close(pipe_ends[1]);
  const bool heard = ::read(pipe_ends[0], &out, sizeof(out)) == static_cast<ssize_t>(sizeof(out));
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status);
  return heard && status == 0 ? 0 : -1;
}

/// Offsets of the pages that hold structure: the meta pages, and whatever says that it is a branch or a leaf.
std::vector<std::size_t> structure_of(Bytes file, std::size_t page_bytes) {
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at + page_bytes <= file.size(); at += page_bytes) {
    const auto header = lmdb::layout::header_of(&file[at]);
    if (header.number == at / page_bytes && header.flags != lmdb::layout::kOverflow) out.push_back(at);
  }
  return out;
}

TEST(LmdbFlip, NoFlippedBitCrashesOrShowsAWrongValue) {
  const std::uint64_t seed = seed_or(20261121);
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  const TempDir home;
  const std::string dir = home.file("store");
  Content before;
  const Content content = populate(dir, &before);
  ASSERT_GT(content.size(), 700U);
  const auto healthy = read_file(dir + "/data.mdb");
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto structure = structure_of(healthy, page_bytes);
  int harmless = 0;
  int salvaged = 0;
  int rolled_back = 0;
  int caught = 0;
  std::uint64_t lost = 0;
  const int flips = rounds(kFlips);
  for (int i = 0; i < flips; ++i) {
    // A third anywhere, a third in pages of structure, a third in their headers, offsets and the meta pages' fields.
    std::size_t at = random() % healthy.size();
    if (i % 3 == 1) at = structure[random() % structure.size()] + random() % page_bytes;
    if (i % 3 == 2) at = structure[random() % structure.size()] + random() % 160;
    const auto bit = static_cast<unsigned>(random() % 8);
    auto file = healthy;
    file[at] ^= std::byte{1} << bit;
    write_file(dir + "/data.mdb", file);
    Outcome out;
    const int died = in_child(dir, content, before, out);
    ASSERT_EQ(died, 0) << "flip " << i << " of bit " << bit << " of byte " << at;
    ASSERT_TRUE(out.opened) << "flip " << i << " of bit " << bit << " of byte " << at;
    EXPECT_EQ(out.found.wrong, 0U) << "flip " << i << " of bit " << bit << " of byte " << at;
    EXPECT_EQ(out.found.errors, 0U) << "flip " << i << " of bit " << bit << " of byte " << at;
    EXPECT_TRUE(out.reopened_sound) << "flip " << i << " of bit " << bit << " of byte " << at;
    EXPECT_GT(out.changed, 10U);
    if (!out.salvaged) {
      EXPECT_LE(out.found.missing, out.found.caught) << "flip " << i << " of bit " << bit << " of byte " << at;
    }
    rolled_back += out.rolled_back ? 1 : 0;
    salvaged += out.salvaged ? 1 : 0;
    caught += !out.salvaged && out.found.caught > 0 ? 1 : 0;
    harmless += !out.salvaged && out.found.caught == 0 ? 1 : 0;
    lost += out.salvaged ? out.found.missing : 0;
    for (const char* name : {"/data.mdb.damaged-0", "/data.mdb.damaged-1", "/salvaged"}) ::unlink((dir + name).c_str());
  }
  std::printf(
      "  %d flips of %zu bytes: %d salvaged at open (%llu of %llu entries lost in all, %d one commit back), %d caught "
      "by a value's "
      "checksum, %d harmless, 0 crashes, 0 wrong values\n",
      flips, healthy.size(), salvaged, static_cast<unsigned long long>(lost),
      static_cast<unsigned long long>(content.size()) * static_cast<unsigned long long>(salvaged), rolled_back, caught,
      harmless);
  EXPECT_GT(
      salvaged,
      flips /
          (is_emulated() ? 20 : 12));  // a tenth on the machine; pages of 32-bit targets hold a little less structure
}

}  // namespace
}  // namespace tocsin::test
