// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <optional>

#include "platform/lmdb/layout.hpp"
#include "src/base/bytes.hpp"

namespace tocsin::lmdb {

/// What can be said about one page without looking at another. Holds its scratch space; reuse it.
class PageRules {
 public:
  explicit PageRules(std::size_t page_bytes) noexcept : page_bytes_(page_bytes) {}

  /// nullptr when sound, else what is wrong: the page's own number, its kind, the bounds, and that its nodes tile the
  /// used part without a gap or an overlap (the library relies on that when it moves nodes). `page` is a whole page.
  [[nodiscard]] const char* fault(Bytes page, layout::Word number, std::uint16_t kind) noexcept;

  /// Header and bounds of the offset table alone: enough to look at nodes one by one.
  [[nodiscard]] const char* header_fault(Bytes page, layout::Word number, std::uint16_t kind) const noexcept;

  /// Nodes on a page whose header is sound.
  [[nodiscard]] static std::size_t nodes(Bytes page) noexcept;
  /// Precondition: the header is sound and index < nodes(page). Nothing when the node leaves the page.
  [[nodiscard]] static std::optional<layout::Node> node(Bytes page, std::size_t index) noexcept;

 private:
  std::size_t page_bytes_;
  std::bitset<layout::kPageBytesMax / 2> starts_;
};

}  // namespace tocsin::lmdb
