// SPDX-License-Identifier: Apache-2.0
// A process that commits without pause is killed; every commit that it reported is there. (A kill leaves the page
// cache, so this proves the order of the answers and the recovery of locks, not the flushes.)
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>

#include "tests/fault/lmdb_support.hpp"

namespace tocsin::test {
namespace {

std::array<std::byte, 9> name_of(std::uint64_t number) {
  std::array<std::byte, 9> out{std::byte{'K'}};
  store_be64(&out[1], number);
  return out;
}

std::string value_of(std::uint64_t number) {
  const auto name = name_of(number);
  return sealed(std::string{as_text(name)}, std::string(number % 5 == 0 ? 12'000 : 200, 'k'));
}

/// Never returns. Reports each number after its commit; drops what is 100 behind, so that pages are reused.
[[noreturn]] void commit_for_ever(const std::string& dir, int report, std::uint64_t next) {
  auto opened = open_store(dir, std::uint64_t{32} * MiB);
  if (!opened.ok()) ::_exit(2);
  for (;; ++next) {
    auto txn = (*opened)->begin_write();
    if (!txn.ok() || !(*txn)->put(name_of(next), as_bytes(value_of(next))).ok()) ::_exit(3);
    if (next >= 100 && !(*txn)->erase(name_of(next - 100)).ok()) ::_exit(4);
    if (!(*txn)->commit().ok()) ::_exit(5);
    if (::write(report, &next, sizeof(next)) != static_cast<ssize_t>(sizeof(next))) ::_exit(6);
  }
}

TEST(LmdbKill, EveryReportedCommitSurvivesKills) {
  const std::uint64_t seed = seed_or(20261121);
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  const TempDir home;
  const std::string dir = home.file("store");
  std::uint64_t next = 0;  // the first number that may be missing
  for (int round = 0; round < 40; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) commit_for_ever(dir, ends[1], next);
    ::close(ends[1]);
    const std::uint64_t wait_for = next + 1 + random() % 120;
    std::uint64_t reported = 0;
    while (::read(ends[0], &reported, sizeof(reported)) == static_cast<ssize_t>(sizeof(reported))) {
      next = reported + 1;
      if (next == wait_for) ::kill(child, SIGKILL);  // the reports that are on their way still count
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status << " in round " << round;

    auto opened = open_store(dir, std::uint64_t{32} * MiB);
    ASSERT_TRUE(opened.ok());
    EXPECT_FALSE((*opened)->report().salvaged) << (*opened)->report().fault;
    auto txn = (*opened)->begin_read();
    ASSERT_TRUE(txn.ok());
    for (std::uint64_t i = next > 99 ? next - 99 : 0; i < next; ++i) {
      const auto got = (*txn)->get(name_of(i));
      ASSERT_TRUE(got.ok() && *got) << i << " of " << next << " in round " << round;
      ASSERT_EQ(as_text(**got), value_of(i));
    }
    const auto unreported = (*txn)->get(name_of(next));
    ASSERT_TRUE(unreported.ok());
    if (*unreported) ++next;  // committed, but killed before it could say so
    const auto beyond = (*txn)->get(name_of(next));
    EXPECT_TRUE(beyond.ok() && !*beyond);
  }
}

}  // namespace
}  // namespace tocsin::test
