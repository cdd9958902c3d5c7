// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "platform/lmdb/checker.hpp"
#include "platform/lmdb/files.hpp"

namespace tocsin::lmdb {
namespace {

using MetaPage = std::array<std::byte, layout::kPageBytesMin>;

bool is_page_size(std::uint32_t bytes) {
  return std::has_single_bit(bytes) && bytes >= layout::kPageBytesMin && bytes <= layout::kPageBytesMax;
}

/// Reads one meta page; a file that is too short gives zeros, which are no meta page.
Result<MetaPage> read_meta(int fd, std::uint64_t offset) {
  MetaPage page{};
  const auto got = read_at(fd, page, offset);
  if (!got.ok()) return got.error().in("reading a meta page");
  if (*got < layout::kMetaBytes) page.fill(std::byte{0});
  return page;
}

bool is_meta(const MetaPage& page) {
  return layout::header_of(page.data()).flags == layout::kMeta &&
         layout::meta_of(page.data()).magic == layout::kMagic &&
         layout::meta_of(page.data()).version == layout::kVersion;
}

}  // namespace

Result<Metas> find_metas(int fd) {
  Metas found;
  const auto first = read_meta(fd, 0);
  if (!first.ok()) return first.error();
  found.usable[0] = is_meta(*first);
  found.meta[0] = layout::meta_of(first->data());
  const std::uint32_t claimed = found.meta[0].free_list.pad;
  if (found.usable[0] && is_page_size(claimed)) found.page_bytes = claimed;
  for (std::uint32_t bytes = layout::kPageBytesMin; bytes <= layout::kPageBytesMax; bytes *= 2) {
    const auto second = read_meta(fd, bytes);
    if (!second.ok()) return second.error();
    if (!is_meta(*second)) continue;
    if (found.page_bytes != 0 && found.page_bytes != bytes) continue;
    found.usable[1] = true;
    found.meta[1] = layout::meta_of(second->data());
    found.page_bytes = bytes;
    break;
  }
  return found;
}

}  // namespace tocsin::lmdb
