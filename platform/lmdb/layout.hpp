// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "src/base/bytes.hpp"

/// How LMDB 0.9 lays its file out (data format version 1), as facts for code that must not trust the file.
/// Every number is as wide as the word of the machine that made the file; only our own width is read.
///   page      number (word) | pad u16 | flags u16 | lower u16, upper u16 (or, overflow: pages u32) | offsets u16[]
///   meta      pages 0 and 1; transaction N is written to page N % 2
///   node      low u16, high u16 (bytes of the value, or 32 bits of the child) | flags u16 (branch: bits 32-47 of the
///   child)
///             | bytes of the key u16 | key | value, or the number (word) of the first overflow page
///   free list a tree from transaction number (word) to: count (word), page numbers (words, descending)
namespace tocsin::lmdb::layout {

using Word = std::size_t;

inline constexpr std::size_t kWordBytes = sizeof(Word);
inline constexpr std::size_t kHeaderBytes = kWordBytes + 8;
inline constexpr std::size_t kNodeBytes = 8;
inline constexpr std::uint32_t kMagic = 0xBEEFC0DE;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr Word kNoPage = ~Word{0};
inline constexpr std::size_t kPageBytesMin = 512;
inline constexpr std::size_t kPageBytesMax = 32 * KiB;
inline constexpr std::uint16_t kDepthMax = 32;  ///< the library's cursor stack

enum PageFlags : std::uint16_t { kBranch = 1, kLeaf = 2, kOverflow = 4, kMeta = 8 };
inline constexpr std::uint16_t kBigNode = 1;               ///< the value lives in overflow pages
inline constexpr std::uint16_t kFreeDbFlags = 8;           ///< the free list is keyed by integers
inline constexpr std::uint16_t kFlagsOfNoMatter = 0x4000;  ///< made as a file or as a directory: kept there, never read

struct Header {
  Word number;
  std::uint16_t flags;
  std::uint16_t lower;
  std::uint16_t upper;
  std::uint32_t overflow_pages;
};

/// Precondition for all of these: the page (or its first kHeaderBytes) is in memory.
[[nodiscard]] inline Header header_of(const std::byte* page) noexcept {
  const std::byte* after = page + kWordBytes;
  return {load<Word>(page), load<std::uint16_t>(after + 2), load<std::uint16_t>(after + 4),
          load<std::uint16_t>(after + 6), load<std::uint32_t>(after + 4)};
}

struct Tree {
  std::uint32_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  Word branch_pages = 0;
  Word leaf_pages = 0;
  Word overflow_pages = 0;
  Word entries = 0;
  Word root = kNoPage;
};

struct Meta {
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  Tree free_list;  ///< its pad is the page size
  Tree main;
  Word last_page = 0;
  Word transaction = 0;
};

inline constexpr std::size_t kTreeBytes = 8 + 5 * kWordBytes;
inline constexpr std::size_t kTreesAt = kHeaderBytes + 8 + 2 * kWordBytes;
inline constexpr std::size_t kMetaBytes = kTreesAt + 2 * kTreeBytes + 2 * kWordBytes;
static_assert(kMetaBytes <= kPageBytesMin);

[[nodiscard]] inline Tree tree_of(const std::byte* at) noexcept {
  const std::byte* words = at + 8;
  return {load<std::uint32_t>(at),
          load<std::uint16_t>(at + 4),
          load<std::uint16_t>(at + 6),
          load<Word>(words),
          load<Word>(words + kWordBytes),
          load<Word>(words + 2 * kWordBytes),
          load<Word>(words + 3 * kWordBytes),
          load<Word>(words + 4 * kWordBytes)};
}

/// `page` holds at least kMetaBytes.
[[nodiscard]] inline Meta meta_of(const std::byte* page) noexcept {
  const std::byte* tail = page + kTreesAt + 2 * kTreeBytes;
  return {load<std::uint32_t>(page + kHeaderBytes),
          load<std::uint32_t>(page + kHeaderBytes + 4),
          tree_of(page + kTreesAt),
          tree_of(page + kTreesAt + kTreeBytes),
          load<Word>(tail),
          load<Word>(tail + kWordBytes)};
}

/// True when the first page is a meta page as a machine of the other word size writes it.
[[nodiscard]] inline bool is_of_other_word_size(const std::byte* page) noexcept {
  constexpr std::size_t other = kWordBytes == 8 ? 4 : 8;
  return load<std::uint16_t>(page + other + 2) == kMeta && load<std::uint32_t>(page + other + 8) == kMagic;
}

struct Node {
  Bytes key;
  std::uint16_t flags = 0;
  Word child = 0;                 ///< branch pages
  std::uint32_t value_bytes = 0;  ///< leaf pages
  std::size_t size = 0;           ///< bytes on the page, rounded to even as the library does
  const std::byte* value = nullptr;
};

/// The node at byte `offset`, or nothing when any part of it lies outside [lower, page.size()).
[[nodiscard]] inline std::optional<Node> node_at(Bytes page, std::size_t offset, std::size_t lower,
                                                 std::uint16_t page_flags) noexcept {
  if (offset < lower || (offset & 1) != 0 || offset + kNodeBytes > page.size()) return {};
  const std::byte* at = page.data() + offset;
  const std::uint32_t low = load<std::uint32_t>(at);
  const std::size_t key_bytes = load<std::uint16_t>(at + 6);
  Node node;
  node.flags = load<std::uint16_t>(at + 4);
  std::size_t value_here = 0;
  if (page_flags == kBranch) {
    node.child = low;
    if constexpr (kWordBytes == 8) node.child |= Word{node.flags} << 16 << 16;
  } else {
    node.value_bytes = low;
    value_here = node.flags == kBigNode ? kWordBytes : low;
  }
  const std::size_t room = page.size() - offset - kNodeBytes;
  if (key_bytes > room || value_here > room - key_bytes) return {};
  node.key = {at + kNodeBytes, key_bytes};
  node.value = at + kNodeBytes + key_bytes;
  node.size = (kNodeBytes + key_bytes + value_here + 1) & ~std::size_t{1};
  if (offset + node.size > page.size()) return {};
  return node;
}

/// Overflow pages that a value of this size takes.
[[nodiscard]] constexpr std::uint64_t overflow_pages_for(std::uint32_t value_bytes, std::size_t page_bytes) noexcept {
  return (kHeaderBytes - 1 + std::uint64_t{value_bytes}) / page_bytes + 1;
}

}  // namespace tocsin::lmdb::layout
