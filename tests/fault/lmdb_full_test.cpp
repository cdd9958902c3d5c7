// SPDX-License-Identifier: Apache-2.0
// The medium is full before the quota is.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "tests/fault/lmdb_support.hpp"

namespace tocsin::test {
namespace {

constexpr std::uint64_t kMediumBytes = std::uint64_t{3} * MiB;

std::string key_of(int number) { return "F" + std::to_string(100'000 + number); }

/// Commits until the medium is full; answers how many entries there are.
int fill(port::Store& store, int first) {
  for (int i = first; i < first + 100'000; ++i) {
    auto txn = store.begin_write();
    if (!txn.ok()) {
      ADD_FAILURE() << "no transaction after " << i;
      return i;
    }
    const std::string key = key_of(i);
    Status done = (*txn)->put(as_bytes(key), as_bytes(sealed(key, std::string(30'000, 'f'))));
    if (done.ok()) done = (*txn)->commit();
    if (done.ok()) continue;
    EXPECT_EQ(done.error().code, Errc::storage_full) << done.error().os_errno;
    return i;
  }
  return 0;
}

/// The store on a medium that is full keeps what it had, can be read, drained and used again, without reopening.
void use_until_full(const std::string& dir) {
  auto opened = open_store(dir, std::uint64_t{64} * MiB);
  ASSERT_TRUE(opened.ok()) << opened.error().os_errno;
  port::Store& store = **opened;
  const int count = fill(store, 0);
  ASSERT_GT(count, 40);
  std::printf("  full after %d entries, %llu bytes in use of %llu\n", count,
              static_cast<unsigned long long>(store.use().used_bytes), static_cast<unsigned long long>(kMediumBytes));
  Content content;
  for (int i = 0; i < count; ++i) content[key_of(i)] = sealed(key_of(i), std::string(30'000, 'f'));
  EXPECT_EQ(compare(store, content).right, content.size());
  EXPECT_EQ(fill(store, count), count);  // full stays full

  for (int i = 0; i < 20; ++i) {
    auto txn = store.begin_write();
    ASSERT_TRUE(txn.ok());
    ASSERT_TRUE((*txn)->erase(as_bytes(key_of(i))).ok());
    ASSERT_TRUE((*txn)->commit().ok()) << i;
    content.erase(key_of(i));
  }
  EXPECT_GT(fill(store, 200'000), 200'010);
  ASSERT_TRUE(store.reopen().ok());
  opened->reset();
  opened = open_store(dir, std::uint64_t{64} * MiB);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE((*opened)->report().salvaged) << (*opened)->report().fault;
  auto txn = (*opened)->begin_read();
  ASSERT_TRUE(txn.ok());
  for (const auto& [key, value] : content) {
    const auto got = (*txn)->get(as_bytes(key));
    ASSERT_TRUE(got.ok() && *got);
    EXPECT_EQ(as_text(**got), value);
  }
}

TEST(LmdbFull, ASmallMediumRunsOutCleanly) {
  const TempDir home;
  const bool own_mounts =
      ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  const std::string size = "size=" + std::to_string(kMediumBytes);
  if (!own_mounts || ::mount("tmpfs", home.path().c_str(), "tmpfs", 0, size.c_str()) != 0) {
    GTEST_SKIP()
        << "needs the right to mount (root in a container may lack it); ALimitOnFileSizeRunsOutCleanly stands for it";
  }
  use_until_full(home.file("store"));
  ::umount2(home.path().c_str(), MNT_DETACH);
}

TEST(LmdbFull, ALimitOnFileSizeRunsOutCleanly) {
  const TempDir home;
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit limited = before;
  limited.rlim_cur = kMediumBytes;
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
  use_until_full(home.file("store"));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
}

}  // namespace
}  // namespace tocsin::test
