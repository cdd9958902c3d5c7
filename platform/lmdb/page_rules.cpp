// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/page_rules.hpp"

namespace tocsin::lmdb {

using layout::header_of;
using layout::kHeaderBytes;
using layout::node_at;

std::size_t PageRules::nodes(Bytes page) noexcept { return (header_of(page.data()).lower - kHeaderBytes) / 2; }

std::optional<layout::Node> PageRules::node(Bytes page, std::size_t index) noexcept {
  const auto header = header_of(page.data());
  const auto offset = load<std::uint16_t>(page.data() + kHeaderBytes + 2 * index);
  return node_at(page, offset, header.lower, header.flags);
}

const char* PageRules::header_fault(Bytes page, layout::Word number, std::uint16_t kind) const noexcept {
  const auto header = header_of(page.data());
  if (header.number != number) return "a page carries another page's number";
  if (header.flags != kind) return "a page is of the wrong kind";
  if (header.lower < kHeaderBytes || (header.lower & 1) != 0 || header.lower > header.upper ||
      header.upper > page_bytes_ || (header.upper & 1) != 0) {
    return "the bounds of a page are wrong";
  }
  if (header.lower == kHeaderBytes) return "a page has no nodes";
  return nullptr;
}

const char* PageRules::fault(Bytes page, layout::Word number, std::uint16_t kind) noexcept {
  if (const char* bad = header_fault(page, number, kind); bad != nullptr) return bad;
  const auto header = header_of(page.data());
  const std::size_t count = nodes(page);
  starts_.reset();
  std::size_t walked = 0;
  for (std::size_t at = header.upper; at < page_bytes_; ++walked) {
    const auto node = node_at(page, at, header.lower, header.flags);
    if (!node) return "a node leaves its page";
    if (kind == layout::kLeaf && node->flags > layout::kBigNode) return "a node is of an unknown kind";
    starts_.set(at / 2);
    at += node->size;
  }
  if (walked != count) return "the nodes of a page do not fill it";
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = load<std::uint16_t>(page.data() + kHeaderBytes + 2 * i);
    if (at >= page_bytes_ || (at & 1) != 0 || !starts_.test(at / 2)) return "an offset points beside its node";
    starts_.reset(at / 2);
  }
  return nullptr;
}

}  // namespace tocsin::lmdb
