// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "src/model/codec.hpp"
#include "src/model/facts.hpp"
#include "src/model/seal.hpp"
#include "src/model/tables.hpp"

namespace tocsin::model {
namespace {

TEST(Codec, WritesLittleEndianAndCountedText) {
  std::string out;
  Encoder(out).put(std::uint16_t{0x0102}).text("ab");
  EXPECT_EQ(out, std::string("\x02\x01\x02\0\0\0ab", 8));
}

TEST(Codec, StaysFailedAfterTheFirstFieldThatDoesNotFit) {
  const std::string in("\x05\0\0\0abc\x01", 8);
  Decoder from(as_bytes(in));
  EXPECT_EQ(from.text(), "");
  EXPECT_FALSE(from.ok());
  EXPECT_EQ(from.get<std::uint8_t>(), 0);
  EXPECT_FALSE(from.at_end());
}

TEST(Codec, TextMayReachTheLastByteAndNotOneFurther) {
  const std::string exact("\x03\0\0\0abc", 7);
  Decoder fits(as_bytes(exact));
  EXPECT_EQ(fits.text(), "abc");
  EXPECT_TRUE(fits.at_end());
  Decoder lacks(as_bytes(exact).first(6));
  EXPECT_EQ(lacks.text(), "");
  EXPECT_FALSE(lacks.ok());
}

TEST(Utf8, IsCutBeforeTheCharacterThatDoesNotFit) {
  EXPECT_EQ(cut_utf8("abc", 3), "abc");
  EXPECT_EQ(cut_utf8("abc", 2), "ab");
  EXPECT_EQ(cut_utf8("a警b", 4), "a警");
  EXPECT_EQ(cut_utf8("a警b", 3), "a");
  EXPECT_EQ(cut_utf8("a警b", 2), "a");
  EXPECT_EQ(cut_utf8("警", 2), "");
  EXPECT_EQ(cut_utf8("\xF0\x9F\x94\x94", 3), "");
  EXPECT_EQ(cut_utf8("abc", 0), "");
}

TEST(Utf8, BytesThatAreNoCharactersAreCutAtTheBound) {
  const std::string garbage(20, '\x80');
  EXPECT_LE(cut_utf8(garbage, 10).size(), 10U);
}

TEST(Seal, OpensUnderItsOwnKeyOnly) {
  const Key key = Key(Table::instance).u32(7);
  const Key other = Key(Table::instance).u32(8);
  std::string value = "payload";
  seal(key, value);
  const auto opened = unseal(key, as_bytes(value));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(as_text(*opened), "payload");
  const auto moved = unseal(other, as_bytes(value));
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, Errc::storage_corrupt);
}

TEST(Seal, EveryFlippedBitAndEveryCutIsFound) {
  const Key key = Key(Table::state);
  std::string value = "a payload of some length";
  seal(key, value);
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string flipped = value;
    flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_FALSE(unseal(key, as_bytes(flipped)).ok()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(unseal(key, as_bytes(value).first(size)).ok()) << "cut at " << size;
  }
}

TEST(Key, OrdersSegmentsByLaneThenSequence) {
  const auto text = [](const Key& key) { return std::string(as_text(key)); };
  EXPECT_LT(text(segment_key(Lane::alert, ~0ULL)), text(segment_key(Lane::critical, 0)));
  EXPECT_LT(text(segment_key(Lane::normal, 255)), text(segment_key(Lane::normal, 256)));
  EXPECT_TRUE(is_in(segment_key(Lane::normal, 1), Table::lane));
  EXPECT_FALSE(is_in({}, Table::lane));
}

TEST(Key, TakesSixtyFourBytesOfNameAndIsCutAboveItsRoom) {
  const std::string name(64, 'n');
  EXPECT_EQ(Bytes(Key(Table::user).raw(as_bytes(name))).size(), 65U);
  const std::string longer(600, 'n');
  EXPECT_LE(Bytes(Key(Table::user).raw(as_bytes(longer))).size(), 72U);
}

TEST(Lane, HasAName) {
  EXPECT_STREQ(to_text(Lane::alert), "alert");
  EXPECT_STREQ(to_text(Lane::normal), "normal");
}

}  // namespace
}  // namespace tocsin::model
