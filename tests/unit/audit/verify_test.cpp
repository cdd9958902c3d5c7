// SPDX-License-Identifier: Apache-2.0
#include "src/audit/verify.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/audit/log_in_memory.hpp"

namespace tocsin::audit {
namespace {

using model::AuditAction;
using model::kAuditRowsPerBlock;

/// 64 rows: a block of 40, a block of 20, and 4 open ones.
LogInMemory sixty_four_rows() {
  LogInMemory log;
  log.add_rows(40);
  log.seal_now();
  log.add_rows(20);
  log.seal_now();
  log.add_rows(4);
  return log;
}

TEST(AuditVerify, FindsAnIntactLogIntact) {
  const LogInMemory log = sixty_four_rows();
  const Report report = log.verify(checkpoint_of(log.head), Tail::is_exact);
  EXPECT_EQ(report.fault, Fault::none) << to_text(report);
  EXPECT_EQ(report.rows, 64U);
  EXPECT_EQ(report.blocks, 2U);
  EXPECT_EQ(report.open_rows, 4U);
  EXPECT_EQ(report.end.row, 64U);
  EXPECT_EQ(report.end.hash, log.head.last_hash);
}

TEST(AuditVerify, OfAnEmptyLogIsIntact) {
  const LogInMemory log;
  const Report report = log.verify(checkpoint_of(log.head), Tail::is_exact);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(to_text(report).substr(0, 16), "intact: no rows\n");
}

TEST(AuditVerify, GivesTheSameReportInSlicesOfAnySize) {
  LogInMemory log;
  log.add_rows(2 * kAuditRowsPerBlock + 255);
  for (const std::uint32_t slice : {1U, 7U, 256U, 257U}) {
    const Report report = log.verify(checkpoint_of(log.head), Tail::is_exact, slice);
    EXPECT_TRUE(report.ok()) << to_text(report);
    EXPECT_EQ(report.rows, 2U * kAuditRowsPerBlock + 255U);
    EXPECT_EQ(report.open_rows, 255U);
  }
}

struct StoredEntry {
  std::string key;
  std::string value;
  bool is_block = false;
};

/// The entries in the order in which a verifier wants them.
std::vector<StoredEntry> in_feeding_order(const LogInMemory& log) {
  std::vector<StoredEntry> out;
  std::uint64_t block = 1;
  for (std::uint64_t row = 1, block_ends = 1; row < log.head.next_row; ++row) {
    if (row == block_ends && block < log.head.next_block) {
      out.push_back({block_key(block), log.table.at(block_key(block)), true});
      block_ends = row + log.block(block++).rows;
    }
    out.push_back({row_key(row), log.table.at(row_key(row)), false});
  }
  return out;
}

void feed(Verifier& verifier, const StoredEntry& entry, std::string_view value) {
  if (entry.is_block) {
    verifier.block(as_bytes(entry.key), as_bytes(value));
  } else {
    verifier.row(as_bytes(entry.key), as_bytes(value));
  }
}

/// Flips every bit of every stored value, without its last `spared` bytes, gives what is left to `mend`, and counts
/// the flips after which the whole log, fed to its end, still passes for intact.
template <class Mend>
std::uint64_t flips_not_found(const LogInMemory& log, std::size_t spared, Mend mend, std::uint64_t& flips) {
  const auto entries = in_feeding_order(log);
  Verifier before(log.crypto, begin(), std::nullopt);
  std::uint64_t missed = 0;
  for (std::size_t at = 0; at < entries.size(); ++at) {
    const StoredEntry& entry = entries[at];
    for (std::size_t bit = 0; bit < (entry.value.size() - spared) * 8; ++bit, ++flips) {
      std::string value = entry.value.substr(0, entry.value.size() - spared);
      value[bit / 8] = static_cast<char>(static_cast<unsigned char>(value[bit / 8]) ^ (1U << (bit % 8)));
      mend(entry.key, value);
      Verifier verifier = before;  // what came before the flip is the same each time
      feed(verifier, entry, value);
      for (std::size_t rest = at + 1; rest < entries.size() && !verifier.is_broken(); ++rest) {
        feed(verifier, entries[rest], entries[rest].value);
      }
      if (verifier.finish(Tail::may_have_grown).ok()) ++missed;
    }
    feed(before, entry, entry.value);
  }
  EXPECT_TRUE(before.finish(Tail::may_have_grown).ok());
  return missed;
}

TEST(AuditVerify, FindsEveryFlippedBitOfTheStoredLog) {
  std::uint64_t flips = 0;
  EXPECT_EQ(flips_not_found(
                sixty_four_rows(), 0, [](const std::string&, std::string&) {}, flips),
            0U);
  EXPECT_GT(flips, 64U * 8U * 100U);
}

// The same, by somebody who knows how to compute the checksum: the hashes have to find it.
TEST(AuditVerify, FindsEveryFlippedBitUnderAValidChecksum) {
  const auto seal_anew = [](const std::string& key, std::string& value) { model::seal(as_bytes(key), value); };
  std::uint64_t flips = 0;
  EXPECT_EQ(flips_not_found(sixty_four_rows(), sizeof(std::uint32_t), seal_anew, flips), 0U);
}

TEST(AuditVerify, FindsEveryRowThatIsCutOut) {
  const LogInMemory whole = sixty_four_rows();
  for (std::uint64_t index = 1; index <= 63; ++index) {
    LogInMemory log = whole;
    log.table.erase(row_key(index));
    const Report report = log.verify();
    EXPECT_EQ(report.fault, Fault::row_missing);
    EXPECT_EQ(report.fault_row, index);
  }
}

TEST(AuditVerify, FindsABlockThatIsCutOut) {
  LogInMemory log = sixty_four_rows();
  log.table.erase(block_key(1));
  EXPECT_EQ(log.verify().fault, Fault::block_missing);
}

TEST(AuditVerify, FindsTheLastBlockCutOutWhenTheRowsWouldFillIt) {
  LogInMemory log;
  log.add_rows(kAuditRowsPerBlock);
  log.table.erase(block_key(1));
  EXPECT_EQ(log.verify().fault, Fault::block_missing);
}

TEST(AuditVerify, FindsSwappedRowsAlsoWhenTheyAreSealedAnew) {
  LogInMemory log = sixty_four_rows();
  std::swap(log.table[row_key(10)], log.table[row_key(11)]);
  EXPECT_EQ(log.verify().fault, Fault::unreadable);
  log = sixty_four_rows();
  model::AuditRow ten = log.row(10);
  model::AuditRow eleven = log.row(11);
  std::swap(ten.index, eleven.index);
  log.put(ten);
  log.put(eleven);
  const Report report = log.verify();
  EXPECT_EQ(report.fault, Fault::row_hash);
  EXPECT_EQ(report.fault_row, 10U);
}

TEST(AuditVerify, FindsADuplicateInThePlaceOfTheNextRow) {
  LogInMemory log = sixty_four_rows();
  log.table[row_key(11)] = log.table[row_key(10)];
  EXPECT_EQ(log.verify().fault, Fault::unreadable);
  model::AuditRow copy = log.row(10);
  copy.index = 11;
  log.put(copy);
  EXPECT_EQ(log.verify().fault, Fault::row_hash);
}

TEST(AuditVerify, FindsARowFedTwice) {
  const LogInMemory log = sixty_four_rows();
  Verifier verifier(log.crypto, begin(), std::nullopt);
  verifier.block(as_bytes(block_key(1)), as_bytes(log.table.at(block_key(1))));
  for (const std::uint64_t index : {1U, 2U, 2U}) {
    verifier.row(as_bytes(row_key(index)), as_bytes(log.table.at(row_key(index))));
  }
  EXPECT_EQ(verifier.finish(Tail::may_have_grown).fault, Fault::row_out_of_order);
}

TEST(AuditVerify, FindsARowRewrittenWithItsOwnNewHash) {
  LogInMemory log = sixty_four_rows();
  model::AuditRow row = log.row(20);
  row.actor = "user:mallory";
  row.hash = hash_of(row, log.row(19).hash, log.crypto);
  log.put(row);
  const Report report = log.verify();
  EXPECT_EQ(report.fault, Fault::row_hash);
  EXPECT_EQ(report.fault_row, 21U);
}

/// Rewrites row `from` and gives every later row of the table a hash that fits.
void forge_from(LogInMemory& log, std::uint64_t from) {
  for (std::uint64_t index = from; index < log.head.next_row; ++index) {
    model::AuditRow row = log.row(index);
    if (index == from) row.actor = "user:mallory";
    row.hash = hash_of(row, index == 1 ? epoch_origin(1) : log.row(index - 1).hash, log.crypto);
    log.put(row);
  }
}

TEST(AuditVerify, FindsRowsRewrittenUnderASealedBlock) {
  LogInMemory log = sixty_four_rows();
  forge_from(log, 20);
  const Report report = log.verify();
  EXPECT_EQ(report.fault, Fault::block_rows);
  EXPECT_EQ(report.fault_block, 1U);
}

TEST(AuditVerify, FindsABlockRewrittenWithItsOwnNewHash) {
  LogInMemory log = sixty_four_rows();
  forge_from(log, 1);
  model::AuditBlock block = log.block(1);
  block.rows_head = log.row(40).hash;
  block.hash = hash_of(block, log.crypto);
  log.put(block);
  EXPECT_EQ(log.verify().fault, Fault::block_previous);
}

TEST(AuditVerify, FindsATailSplicedOnFromAnotherLog) {
  LogInMemory log = sixty_four_rows();
  LogInMemory other;
  other.add(AuditAction::store_created);
  other.add_rows(63);
  for (std::uint64_t index = 61; index <= 64; ++index) log.table[row_key(index)] = other.table[row_key(index)];
  const Report report = log.verify();
  EXPECT_EQ(report.fault, Fault::row_hash);
  EXPECT_EQ(report.fault_row, 61U);
}

TEST(AuditVerify, FindsATailCutOffOnlyWithAHeadFromElsewhereAndSaysSo) {
  LogInMemory log = sixty_four_rows();
  const Checkpoint head = checkpoint_of(log.head);
  log.table.erase(row_key(64));
  const Report blind = log.verify();
  EXPECT_TRUE(blind.ok());
  EXPECT_NE(to_text(blind).find("not proven: that no rows were cut off after row 63"), std::string::npos);
  const Report report = log.verify(head);
  EXPECT_EQ(report.fault, Fault::tail_missing);
  EXPECT_EQ(report.fault_row, 64U);
}

TEST(AuditVerify, FindsAWholeChainMadeAnewWithAHeadFromElsewhere) {
  LogInMemory log;
  log.add_rows(5);
  const Checkpoint head = checkpoint_of(log.head);
  forge_from(log, 2);
  EXPECT_TRUE(log.verify().ok());
  const Report report = log.verify(head);
  EXPECT_EQ(report.fault, Fault::head_differs);
  EXPECT_EQ(report.fault_row, 5U);
}

TEST(AuditVerify, FindsALastBlockTakenAwayWithAHeadFromElsewhere) {
  LogInMemory log;
  log.add_rows(5);
  log.seal_now();
  const Checkpoint head = checkpoint_of(log.head);
  log.table.erase(block_key(1));
  EXPECT_EQ(log.verify(head).fault, Fault::tail_missing);
}

TEST(AuditVerify, TakesLaterRowsUnlessTheHeadIsSaidToBeTheEnd) {
  LogInMemory log = sixty_four_rows();
  const Checkpoint head = checkpoint_of(log.head);
  log.add();
  EXPECT_TRUE(log.verify(head, Tail::may_have_grown).ok());
  const Report report = log.verify(head, Tail::is_exact);
  EXPECT_EQ(report.fault, Fault::rows_beyond_head);
  EXPECT_EQ(report.fault_row, 65U);
}

TEST(AuditVerify, BeginsAtAnAnchorAndSaysWhatWasPruned) {
  LogInMemory log = sixty_four_rows();
  const Head anchor = head_after(log.block(1));
  for (std::uint64_t index = 1; index <= 40; ++index) log.table.erase(row_key(index));
  log.table.erase(block_key(1));
  EXPECT_FALSE(log.verify().ok());
  const Report report = log.verify(checkpoint_of(log.head), Tail::is_exact, 1'000, anchor);
  EXPECT_TRUE(report.ok()) << to_text(report);
  EXPECT_EQ(report.first_row, 41U);
  EXPECT_EQ(report.rows, 24U);
  EXPECT_NE(to_text(report).find("rows before 41"), std::string::npos);
  Head wrong = anchor;
  wrong.last_hash[0] ^= std::byte{1};
  EXPECT_EQ(log.verify(std::nullopt, Tail::may_have_grown, 1'000, wrong).fault, Fault::row_hash);
}

TEST(AuditVerify, FollowsAChainThatASalvageBeganAnew) {
  LogInMemory log;
  log.add_rows(10);
  const auto sealed = begin_epoch(log.head, log.moment, log.crypto);
  ASSERT_TRUE(sealed);
  log.put(*sealed);
  EXPECT_TRUE(log.verify(checkpoint_of(log.head), Tail::is_exact).ok());
  log.add(AuditAction::store_salvaged);
  Report report = log.verify(checkpoint_of(log.head), Tail::is_exact);
  EXPECT_TRUE(report.ok()) << to_text(report);
  log.add_rows(5);
  log.seal_now();
  log.add_rows(3);
  report = log.verify(checkpoint_of(log.head), Tail::is_exact);
  EXPECT_TRUE(report.ok()) << to_text(report);
  EXPECT_EQ(report.epochs_begun, 1U);
  EXPECT_EQ(report.rows, 19U);
  EXPECT_NE(to_text(report).find("begun anew 1 times"), std::string::npos);

  Head head = head_after(log.block(1));
  ASSERT_TRUE(resume(head, log.row(11), log.crypto).ok());
  EXPECT_EQ(head.epoch, 2U);
}

TEST(AuditVerify, FindsAnEpochThatBeginsWithoutASalvage) {
  LogInMemory log;
  log.add_rows(10);
  log.put(*begin_epoch(log.head, log.moment, log.crypto));
  log.add_rows(5);
  EXPECT_EQ(log.verify().fault, Fault::row_hash);
  log.seal_now();
  EXPECT_EQ(log.verify().fault, Fault::epoch);
  model::AuditBlock block = log.block(1);
  block.epoch = 3;
  block.hash = hash_of(block, log.crypto);
  log.put(block);
  EXPECT_EQ(log.verify().fault, Fault::epoch);
}

TEST(AuditVerify, SaysInWordsWhereALogIsBroken) {
  LogInMemory log = sixty_four_rows();
  log.table.erase(row_key(12));
  EXPECT_EQ(to_text(log.verify()).substr(0, 51), "NOT intact: a row is missing, row 12, block 1; rows");
}

}  // namespace
}  // namespace tocsin::audit
