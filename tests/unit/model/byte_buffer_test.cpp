// SPDX-License-Identifier: Apache-2.0
#include "src/model/byte_buffer.hpp"

#include <gtest/gtest.h>

#include <new>
#include <string>

#include "src/base/budget.hpp"

namespace tocsin::model {
namespace {

void append(ByteBuffer& buffer, std::string_view text) { buffer.append(text.data(), text.size()); }

TEST(ByteBuffer, HoldsWhatWasAppended) {
  ByteBuffer buffer{std::pmr::new_delete_resource()};
  EXPECT_TRUE(buffer.empty());
  std::string expected;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::string piece(i % 7, static_cast<char>('a' + i % 26));
    append(buffer, piece);
    expected += piece;
  }
  EXPECT_EQ(as_text(buffer.view()), expected);
  buffer.truncate(5);
  EXPECT_EQ(as_text(buffer.view()), expected.substr(0, 5));
  append(buffer, "new");
  EXPECT_EQ(as_text(buffer.view()), expected.substr(0, 5) + "new");
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
}

TEST(ByteBuffer, TakesExactlyWhatWasReserved) {
  Budget budget{"bytes", 1000};
  ByteBuffer buffer{&budget};
  buffer.reserve(100);
  EXPECT_EQ(budget.used_bytes(), 100U);
  append(buffer, std::string(100, 'x'));
  EXPECT_EQ(budget.used_bytes(), 100U);
  append(buffer, "y");
  EXPECT_EQ(buffer.capacity(), 200U);
  EXPECT_EQ(budget.used_bytes(), 200U);
}

TEST(ByteBuffer, IsAsBeforeWhenMemoryIsRefused) {
  Budget budget{"bytes", 100};
  ByteBuffer buffer{&budget};
  append(buffer, std::string(40, 'x'));
  EXPECT_THROW(append(buffer, std::string(100, 'y')), std::bad_alloc);
  EXPECT_THROW(buffer.reserve(500), std::bad_alloc);
  EXPECT_EQ(as_text(buffer.view()), std::string(40, 'x'));
  EXPECT_EQ(budget.used_bytes(), 40U);
}

TEST(ByteBuffer, MovesWithItsResource) {
  Budget first{"first", 1000};
  Budget second{"second", 1000};
  ByteBuffer from{&first};
  append(from, "abc");
  ByteBuffer to{&second};
  append(to, "to be dropped");
  to = std::move(from);
  EXPECT_EQ(as_text(to.view()), "abc");
  EXPECT_EQ(second.used_bytes(), 0U);
  append(to, std::string(50, 'x'));
  EXPECT_EQ(first.used_bytes(), to.capacity());
  {
    const ByteBuffer last{std::move(to)};
    EXPECT_EQ(last.size(), 53U);
  }
  EXPECT_EQ(first.used_bytes(), 0U);
}

}  // namespace
}  // namespace tocsin::model
