// SPDX-License-Identifier: Apache-2.0
// The inflate port's contract, for zlib and for the simulated one; then what only zlib can be asked.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "platform/sim/inflate.hpp"
#include "platform/zlib/inflater.hpp"

namespace tocsin {
namespace {

using port::Coding;
using port::InflateFault;
using sim::stored_stream;

enum class World { zlib, sim };

class InflateContract : public ::testing::TestWithParam<std::tuple<World, Coding>> {
 protected:
  InflateContract() {
    if (std::get<0>(GetParam()) == World::zlib) {
      inflater = std::make_unique<zlib::Inflater>();
    } else {
      inflater = std::make_unique<sim::StoredInflater>();
    }
  }
  ~InflateContract() override { EXPECT_EQ(memory.used_bytes(), 0U) << "working memory was kept"; }

  InflateFault measure(std::string_view in, std::size_t bytes_max = 1 * MiB) {
    return inflater->measure(coding, as_bytes(in), bytes_max, memory).fault;
  }
  /// Both steps.
  std::string text_of(std::string_view in) {
    const auto size = inflater->measure(coding, as_bytes(in), 1 * MiB, memory);
    EXPECT_EQ(size.fault, InflateFault::none);
    std::string out(size.bytes, '?');
    Budget rest{"inflate", port::kInflateBytesMax};
    const auto done = inflater->inflate(coding, as_bytes(in), std::as_writable_bytes(std::span(out)), rest);
    EXPECT_EQ(done.fault, InflateFault::none);
    EXPECT_EQ(done.bytes, size.bytes);
    return out;
  }

  Coding coding = std::get<1>(GetParam());
  Budget memory{"inflate", port::kMeasureBytesMax};
  std::unique_ptr<port::Inflater> inflater;
};

TEST_P(InflateContract, GivesBackWhatWasPutIn) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 8 * KiB, 8 * KiB + 1, 200 * KiB}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
    EXPECT_EQ(text_of(stored_stream(coding, text)), text) << size;
  }
}

TEST_P(InflateContract, TheLimitIsTakenAndOneMoreIsNot) {
  const std::string stream = stored_stream(coding, std::string(100'000, 'x'));
  EXPECT_EQ(measure(stream, 100'000), InflateFault::none);
  EXPECT_EQ(measure(stream, 99'999), InflateFault::too_large);
  std::string small(99'999, '?');
  EXPECT_EQ(inflater->inflate(coding, as_bytes(stream), std::as_writable_bytes(std::span(small)), memory).fault,
            InflateFault::too_large);
}

TEST_P(InflateContract, WhatIsTooLargeIsCutBeforeItsEndIsSeen) {
  const std::string stream = stored_stream(coding, std::string(200'000, 'x'));
  EXPECT_EQ(measure(std::string_view{stream}.substr(0, 150'000), 100'000), InflateFault::too_large);
}

TEST_P(InflateContract, EveryBeginningIsTruncated) {
  const std::string stream = stored_stream(coding, "the quick brown fox");
  for (std::size_t size = 0; size < stream.size(); ++size)
    EXPECT_EQ(measure(std::string_view{stream}.substr(0, size)), InflateFault::truncated) << size;
}

TEST_P(InflateContract, AFlippedBitInTextOrChecksumIsCorrupt) {
  const std::string good = stored_stream(coding, "the quick brown fox");
  const std::size_t text_at = good.find("the");
  for (std::size_t bit = text_at * 8; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(static_cast<unsigned char>(bad[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_EQ(measure(bad), InflateFault::corrupt) << bit;
  }
}

TEST_P(InflateContract, AnythingElseIsCorrupt) {
  const std::string good = stored_stream(coding, "text");
  const Coding other = coding == Coding::gzip ? Coding::deflate : Coding::gzip;
  for (const std::string& bad : {std::string("{\"data_id\":1}"), good + "xy", good + std::string(2, '\0'),
                                 stored_stream(other, "text"), "x" + good}) {
    EXPECT_EQ(measure(bad), InflateFault::corrupt);
  }
}

TEST_P(InflateContract, OnlyGzipHasMembers) {
  const std::string two = stored_stream(coding, "one ") + stored_stream(coding, "two");
  if (coding == Coding::gzip) {
    EXPECT_EQ(text_of(two), "one two");
    EXPECT_EQ(measure(two, 6), InflateFault::too_large);
    EXPECT_EQ(measure(std::string_view{two}.substr(0, two.size() - 1)), InflateFault::truncated);
  } else {
    EXPECT_EQ(measure(two), InflateFault::corrupt);
  }
}

TEST_P(InflateContract, WithoutMemoryItSaysSo) {
  const std::string stream = stored_stream(coding, "text");
  ASSERT_TRUE(memory.try_charge(memory.limit_bytes() - 1'000));
  EXPECT_EQ(measure(stream), InflateFault::no_memory);
  std::string out(4, '?');
  EXPECT_EQ(inflater->inflate(coding, as_bytes(stream), std::as_writable_bytes(std::span(out)), memory).fault,
            InflateFault::no_memory);
  memory.release(memory.limit_bytes() - 1'000);
  EXPECT_EQ(text_of(stream), "text");
}

INSTANTIATE_TEST_SUITE_P(Worlds, InflateContract,
                         ::testing::Combine(::testing::Values(World::zlib, World::sim),
                                            ::testing::Values(Coding::gzip, Coding::deflate)),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param) == World::zlib ? "Zlib" : "Sim") +
                                  (std::get<1>(row.param) == Coding::gzip ? "Gzip" : "Deflate");
                         });

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

/// Python's gzip of 20 times {"a":[1,2,3],"text":"the quick brown fox"}.
const std::string kCompressed = from_hex(
    "1f8b0800000000000203ab564a54b28a36d431d2318ed5512a49ad2851b2522ac94855282ccd4cce56482aca2fcf5348cbaf50aaad1e5539aa"
    "72"
    "54250e95006a81c0f848030000");
/// Python's zlib of 100,000 times "a": 861 times smaller.
const std::string kBomb =
    from_hex("78daedc13101000000c2a0aceb5fc21a1e4001") + std::string(96, '\0') + from_hex("af0679660b4d");

TEST(Inflater, InflatesCompressedBlocks) {
  zlib::Inflater inflater;
  Budget memory("inflate", port::kMeasureBytesMax);
  const auto size = inflater.measure(Coding::gzip, as_bytes(kCompressed), 1 * MiB, memory);
  ASSERT_EQ(size.bytes, 840U);
  std::string out(size.bytes, '?');
  ASSERT_EQ(inflater.inflate(Coding::gzip, as_bytes(kCompressed), std::as_writable_bytes(std::span(out)), memory).fault,
            InflateFault::none);
  EXPECT_TRUE(out.starts_with(R"({"a":[1,2,3],"text":"the quick brown fox"}{"a")"));
  for (std::size_t cut = 0; cut < kCompressed.size(); ++cut) {
    EXPECT_EQ(inflater.measure(Coding::gzip, as_bytes(kCompressed).first(cut), 1 * MiB, memory).fault,
              InflateFault::truncated);
  }
  EXPECT_EQ(memory.used_bytes(), 0U);
}

TEST(Inflater, ABombCostsNoMoreThanItsWorkingMemory) {
  zlib::Inflater inflater;
  Budget memory("inflate", port::kMeasureBytesMax);
  EXPECT_EQ(inflater.measure(Coding::deflate, as_bytes(kBomb), 100'000, memory).bytes, 100'000U);
  EXPECT_EQ(inflater.measure(Coding::deflate, as_bytes(kBomb), 99'999, memory).fault, InflateFault::too_large);
  EXPECT_LE(memory.used_bytes_peak(), port::kMeasureBytesMax);
  EXPECT_GT(memory.used_bytes_peak(), 32 * KiB) << "zlib's memory is counted";
}

TEST(Inflater, RandomDamageNeverBreaksOut) {
  zlib::Inflater inflater;
  Budget memory("inflate", port::kMeasureBytesMax);
  for (std::size_t bit = 0; bit < kCompressed.size() * 8; ++bit) {
    std::string bad = kCompressed;
    bad[bit / 8] = static_cast<char>(static_cast<unsigned char>(bad[bit / 8]) ^ (1U << (bit % 8)));
    const auto size = inflater.measure(Coding::gzip, as_bytes(bad), 4 * KiB, memory);
    std::string out(100, '?');
    const auto cut = inflater.inflate(Coding::gzip, as_bytes(bad), std::as_writable_bytes(std::span(out)), memory);
    EXPECT_NE(cut.fault, InflateFault::none);
    EXPECT_TRUE(size.fault != InflateFault::none || size.bytes == 840U) << bit;
  }
}

}  // namespace
}  // namespace tocsin
