// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <new>
#include <string>

#include "src/base/budget.hpp"
#include "src/base/crc32c.hpp"
#include "src/base/hex.hpp"
#include "src/base/result.hpp"

namespace tocsin {
namespace {

TEST(Crc32c, AgreesWithTheVectorsOfRfc3720) {
  const std::array<std::byte, 32> zeros{};
  std::array<std::byte, 32> ones{};
  ones.fill(std::byte{0xFF});
  std::array<std::byte, 32> rising{};
  for (std::size_t i = 0; i < 32; ++i) rising[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(zeros), 0x8A9136AAU);
  EXPECT_EQ(crc32c(ones), 0x62A8AB43U);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);
}

TEST(Crc32c, IsTheSameWholeAndByteByByte) {
  std::string text;
  for (int i = 0; i < 100; ++i) text.push_back(static_cast<char>(i * 37 + 11));
  for (std::size_t from = 0; from < 17; ++from) {
    std::uint32_t expected = 0;
    for (std::size_t size = 0; from + size < text.size(); ++size) {
      EXPECT_EQ(crc32c(as_bytes(std::string_view{text}.substr(from, size))), expected) << from << " " << size;
      expected = crc32c(as_bytes(std::string_view{text}.substr(from + size, 1)), expected);
    }
  }
}

TEST(Crc32c, ContinuesFromAnEarlierSum) {
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), crc32c(as_bytes("123456789")));
}

TEST(Budget, TakesTheLastByteAndRefusesTheNext) {
  Budget budget{"test", 64};
  void* p = budget.allocate(64);
  EXPECT_THROW(static_cast<void>(budget.allocate(1)), std::bad_alloc);
  EXPECT_FALSE(budget.try_charge(1));
  budget.deallocate(p, 64);
  EXPECT_EQ(budget.used_bytes(), 0U);
  EXPECT_EQ(budget.used_bytes_peak(), 64U);
}

TEST(Hex, ReadsBackWhatItWrote) {
  const Id128 id{std::byte{0xA7}, std::byte{0x5a}, std::byte{1}};
  Id128 back{};
  ASSERT_TRUE(from_hex(to_hex(id), back));
  EXPECT_EQ(back, id);
  EXPECT_EQ(to_uuid_text(id), "a75a0100-0000-0000-0000-000000000000");
}

TEST(Hex, RefusesWrongLengthAndWrongLetters) {
  Id128 out{};
  EXPECT_FALSE(from_hex("00", out));
  EXPECT_FALSE(from_hex("g0000000000000000000000000000000", out));
}

TEST(Error, KeepsTheFourInnermostContexts) {
  const Error e = error(Errc::io_failed, "a", 5).in("b").in("c").in("d").in("e");
  EXPECT_STREQ(e.context[0], "a");
  EXPECT_STREQ(e.context[3], "d");
  EXPECT_EQ(e.os_errno, 5);
}

}  // namespace
}  // namespace tocsin
