// SPDX-License-Identifier: Apache-2.0
#include "src/audit/chain.hpp"

#include <gtest/gtest.h>

#include "tests/unit/audit/log_in_memory.hpp"

namespace tocsin::audit {
namespace {

using model::AuditAction;
using model::kAuditRowsPerBlock;

TEST(AuditChain, CountsFromOneAndChainsEachRowToTheOneBefore) {
  LogInMemory log;
  log.add_rows(2);
  EXPECT_EQ(log.head.next_row, 3U);
  EXPECT_EQ(log.row(1).hash, hash_of(log.row(1), epoch_origin(1), log.crypto));
  EXPECT_EQ(log.row(2).hash, hash_of(log.row(2), log.row(1).hash, log.crypto));
  EXPECT_EQ(log.head.last_hash, log.row(2).hash);
  EXPECT_EQ(log.row(1).mono_ms, 1);
  EXPECT_EQ(log.row(1).boot, 1U);
}

TEST(AuditChain, SealsABlockWithItsLastRowAndNotBefore) {
  LogInMemory log;
  log.add_rows(kAuditRowsPerBlock - 1);
  EXPECT_EQ(log.table.count(block_key(1)), 0U);
  EXPECT_EQ(log.head.open_rows, kAuditRowsPerBlock - 1);
  log.add();
  ASSERT_EQ(log.table.count(block_key(1)), 1U);
  const auto block = log.block(1);
  EXPECT_EQ(block.first_row, 1U);
  EXPECT_EQ(block.rows, kAuditRowsPerBlock);
  EXPECT_EQ(block.rows_head, log.row(kAuditRowsPerBlock).hash);
  EXPECT_EQ(block.previous, port::Digest256{});
  EXPECT_EQ(log.head.open_rows, 0U);
  log.add_rows(kAuditRowsPerBlock);
  EXPECT_EQ(log.block(2).previous, block.hash);
  EXPECT_EQ(log.block(2).first_row, kAuditRowsPerBlock + 1);
}

TEST(AuditChain, SealsAnOverdueBlockBeforeTheNextRow) {
  LogInMemory log;
  log.add_rows(3);
  log.moment.now.wall.unix_ms += kBlockAgeMaxMs;
  log.moment.now.mono = log.moment.now.mono.after_ms(kBlockAgeMaxMs);
  log.add();
  EXPECT_EQ(log.block(1).rows, 3U);
  EXPECT_EQ(log.head.open_rows, 1U);
}

struct Age {
  const char* name;
  std::int64_t wall_step_ms;
  bool trusted_then, trusted_now;
  std::int64_t mono_step_ms;
  std::uint32_t boot;
  bool due;
};
class BlockAge : public ::testing::TestWithParam<Age> {};
TEST_P(BlockAge, DecidesWhetherABlockIsDue) {
  const Age& c = GetParam();
  LogInMemory log;
  log.moment.now.wall.trusted = c.trusted_then;
  log.add();
  log.moment.now.wall.unix_ms += c.wall_step_ms;
  log.moment.now.wall.trusted = c.trusted_now;
  log.moment.now.mono = log.moment.now.mono.after_ms(c.mono_step_ms);
  log.moment.boot = c.boot;
  EXPECT_EQ(seal_if_due(log.head, log.moment, log.crypto).has_value(), c.due);
}
constexpr std::int64_t kDay = kBlockAgeMaxMs;
INSTANTIATE_TEST_SUITE_P(Rows, BlockAge,
                         ::testing::Values(Age{"NotAMillisecondEarly", kDay - 1, true, true, kDay - 1, 1, false},
                                           Age{"AfterADayOfTrustedTime", kDay, true, true, 0, 1, true},
                                           Age{"AfterADayOfTrustedTimeInAnotherBoot", kDay, true, true, 0, 2, true},
                                           Age{"NotInAnotherBootTheSameDay", 1000, true, true, 0, 2, false},
                                           Age{"NotWhenAnUntrustedClockJumps", kDay, false, true, 1000, 1, false},
                                           Age{"AfterADayOfMonotonicTime", 0, false, false, kDay, 1, true},
                                           Age{"InAnotherBootOfUnknownAge", 0, false, true, 0, 2, true},
                                           Age{"NotWhenTheWallClockIsSetBack", -kDay, true, true, 1000, 1, false},
                                           Age{"AfterADayAlthoughTheWallClockWasSetBack", -kDay, true, true, kDay, 1,
                                               true}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(AuditChain, AnEmptyBlockIsNeverSealed) {
  LogInMemory log;
  log.seal_now();
  EXPECT_TRUE(log.table.empty());
}

TEST(AuditChain, IsResumedFromTheNewestBlockAndTheRowsBehindIt) {
  LogInMemory log;
  log.add_rows(kAuditRowsPerBlock + 5);
  Head head = head_after(log.block(1));
  for (std::uint64_t index = head.next_row; index < log.head.next_row; ++index) {
    ASSERT_TRUE(resume(head, log.row(index), log.crypto).ok());
  }
  EXPECT_EQ(head.next_row, log.head.next_row);
  EXPECT_EQ(head.last_hash, log.head.last_hash);
  EXPECT_EQ(head.next_block, log.head.next_block);
  EXPECT_EQ(head.last_block_hash, log.head.last_block_hash);
  EXPECT_EQ(head.open_rows, 5U);
  EXPECT_EQ(head.opened.now.wall.unix_ms, log.head.opened.now.wall.unix_ms);
  EXPECT_EQ(head.opened.boot, log.head.opened.boot);
}

TEST(AuditChain, IsNotResumedOverABrokenRow) {
  LogInMemory log;
  log.add_rows(3);
  Head head = begin();
  EXPECT_FALSE(resume(head, log.row(2), log.crypto).ok());
  EXPECT_TRUE(resume(head, log.row(1), log.crypto).ok());
  model::AuditRow row = log.row(2);
  row.actor = "user:mallory";
  const Status got = resume(head, row, log.crypto);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Errc::storage_corrupt);
  EXPECT_EQ(head.next_row, 2U);
}

TEST(AuditText, IsCutAtItsBoundBetweenCharacters) {
  EXPECT_EQ(clean_text(std::string(512, 'x')).size(), 512U);
  EXPECT_EQ(clean_text(std::string(513, 'x')).size(), 512U);
  EXPECT_EQ(clean_text(std::string(511, 'x') + "警"), std::string(511, 'x'));
}

TEST(AuditText, IsOneHonestLine) {
  EXPECT_EQ(clean_text("a\nb\r\tc\x1b[31m\x7f\0d"), "abc[31m");
  EXPECT_EQ(clean_text("a\xC2\x9B"
                       "b"),
            "ab");  // C1 control
  EXPECT_EQ(clean_text("a\xE2\x80\xAE"
                       "b\xE2\x81\xA6\xE2\x80\xA8"),
            "ab");  // direction marks, line separator
  EXPECT_EQ(clean_text("警告 ok"), "警告 ok");
}

TEST(AuditText, ShowsWhatIsNoUtf8) {
  EXPECT_EQ(clean_text("a\xFF"
                       "b"),
            "a?b");
  EXPECT_EQ(clean_text("\xC0\xAF"), "??");            // overlong
  EXPECT_EQ(clean_text("\xED\xA0\x80"), "???");       // surrogate
  EXPECT_EQ(clean_text("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(clean_text("x\xE8\xAD"), "x??");          // cut off
}

TEST(AuditText, OfARowIsCleanedWhenItIsAppended) {
  LogInMemory log;
  const std::string detail = "line\n" + std::string(600, 'x');
  const auto got =
      append(log.head, {.action = AuditAction::login_refused, .actor = "peer:\x01", .object = "", .detail = detail},
             log.moment, log.crypto);
  EXPECT_EQ(got.row.actor, "peer:");
  EXPECT_EQ(got.row.detail.size(), model::kAuditTextBytesMax);
  EXPECT_EQ(got.row.detail.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace tocsin::audit
