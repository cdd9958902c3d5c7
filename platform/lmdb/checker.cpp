// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/checker.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "platform/lmdb/files.hpp"
#include "platform/lmdb/page_marks.hpp"
#include "platform/lmdb/page_rules.hpp"
#include "src/port/store.hpp"

namespace tocsin::lmdb {
namespace {

using layout::Meta;
using layout::Word;

enum class Which : std::uint8_t { main, free_list };

/// Pages that one transaction can have taken at the end of the file and given back before they were written.
constexpr std::uint64_t kPagesBeyondFileMax = 131'072;

int compare(Bytes a, Bytes b) {
  const int head = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  if (head != 0) return head;
  return a.size() < b.size() ? -1 : (a.size() > b.size() ? 1 : 0);
}

/// One walk over the newest snapshot. Each step returns nullptr or the fault; a read error ends the walk as well.
class Walk {
 public:
  Walk(int fd, const Meta& meta, std::uint32_t page_bytes, std::uint64_t file_pages, KeyRule is_key)
      : fd_(fd),
        meta_(meta),
        is_key_(is_key),
        page_bytes_(page_bytes),
        file_pages_(file_pages),
        marks_(meta.last_page + 1),
        rules_(page_bytes),
        stream_(page_bytes) {}

  const char* run();
  const char* run_free_list();
  [[nodiscard]] PageMarks take_marks() { return std::move(marks_); }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] std::uint64_t page() const { return page_; }
  [[nodiscard]] std::uint64_t free_pages() const { return free_pages_; }
  [[nodiscard]] std::uint64_t leaked() const { return marks_.pages() - marks_.marked_count(); }

 private:
  struct Counts {
    Word branch = 0, leaf = 0, overflow = 0, entries = 0;
  };

  const char* tree(Which which, const layout::Tree& claimed);
  const char* subtree(Which which, Word number, std::size_t level);
  const char* branch(Which which, Bytes page, std::size_t level);
  const char* leaf(Which which, Bytes page);
  const char* key_in_order(Which which, Bytes key, bool separator);
  const char* overflow_run(const layout::Node& node, Word& first);
  const char* free_record(const layout::Node& node, Bytes page);
  const char* load_bytes(std::span<std::byte> out, std::uint64_t offset);
  const char* beyond_the_file();

  int fd_;
  const Meta& meta_;
  KeyRule is_key_;
  std::size_t page_bytes_;
  std::uint64_t file_pages_;
  PageMarks marks_;
  PageRules rules_;
  std::vector<std::byte> stream_;               ///< a piece of a free list record
  std::vector<std::vector<std::byte>> levels_;  ///< one page a level
  Counts counts_;
  std::uint16_t depth_ = 0;
  std::array<std::byte, port::kKeyBytesMax> last_key_{};
  std::size_t last_key_bytes_ = 0;
  bool last_was_separator_ = false;
  std::uint64_t page_ = 0;
  std::uint64_t free_pages_ = 0;
  std::optional<Error> failure_;
};

const char* Walk::load_bytes(std::span<std::byte> out, std::uint64_t offset) {
  const auto got = read_at(fd_, out, offset);
  if (!got.ok()) {
    failure_ = got.error().in("checking the store");
    return "a page cannot be read";
  }
  return *got == out.size() ? nullptr : "a page lies beyond the end of the file";
}

const char* Walk::run() {
  if (!marks_.mark(0, 2)) return "no room for the meta pages";
  if (const char* bad = tree(Which::main, meta_.main); bad != nullptr) return bad;
  if (const char* bad = tree(Which::free_list, meta_.free_list); bad != nullptr) return bad;
  return beyond_the_file();
}

const char* Walk::run_free_list() {
  if (!marks_.mark(0, 2)) return "no room for the meta pages";
  return tree(Which::free_list, meta_.free_list);
}

const char* Walk::beyond_the_file() {
  for (page_ = file_pages_; page_ < marks_.pages(); ++page_) {
    if (!marks_.marked(page_)) return "the last page lies beyond the end of the file";
  }
  return nullptr;
}

const char* Walk::tree(Which which, const layout::Tree& claimed) {
  counts_ = {};
  last_key_bytes_ = 0;
  last_was_separator_ = false;
  depth_ = claimed.depth;
  if (claimed.root == layout::kNoPage) {
    if (claimed.depth != 0) return "an empty tree has a depth";
  } else {
    if (claimed.depth == 0 || claimed.depth > layout::kDepthMax) return "the depth of a tree is wrong";
    levels_.resize(std::max<std::size_t>(levels_.size(), claimed.depth));
    if (const char* bad = subtree(which, claimed.root, 0); bad != nullptr) return bad;
  }
  page_ = meta_.transaction & 1;
  if (claimed.branch_pages != counts_.branch || claimed.leaf_pages != counts_.leaf ||
      claimed.overflow_pages != counts_.overflow || claimed.entries != counts_.entries) {
    return "the counts of a tree are wrong";
  }
  return nullptr;
}

const char* Walk::subtree(Which which, Word number, std::size_t level) {
  page_ = number;
  if (!marks_.mark(number, 1)) return "a page is out of range or used twice";
  auto& buffer = levels_[level];
  if (buffer.empty()) buffer.resize(page_bytes_);
  if (const char* bad = load_bytes(buffer, std::uint64_t{number} * page_bytes_); bad != nullptr) return bad;
  const bool at_leaves = level + 1 == depth_;
  if (const char* bad = rules_.fault(buffer, number, at_leaves ? layout::kLeaf : layout::kBranch); bad != nullptr) {
    return bad;
  }
  return at_leaves ? leaf(which, buffer) : branch(which, buffer, level);
}

/// Recursion ends at the depth that the meta page claims, which is at most kDepthMax.
const char* Walk::branch(Which which, Bytes page, std::size_t level) {
  ++counts_.branch;
  const Word here = layout::header_of(page.data()).number;
  const std::size_t count = PageRules::nodes(page);
  if (which == Which::main && count < 2) return "a branch has a single child";
  for (std::size_t i = 0; i < count; ++i) {
    const auto node = PageRules::node(page, i);
    page_ = here;
    if (!node) return "a node leaves its page";
    if (i > 0) {  // the first key of a branch stands for everything smaller
      if (const char* bad = key_in_order(which, node->key, true); bad != nullptr) return bad;
    }
    if (const char* bad = subtree(which, node->child, level + 1); bad != nullptr) return bad;
  }
  return nullptr;
}

/// A leaf key may equal the separator before it; nothing else may repeat or go back.
const char* Walk::key_in_order(Which which, Bytes key, bool separator) {
  if (which == Which::main) {
    if (key.empty() || key.size() > port::kKeyBytesMax) return "a key has a wrong size";
  } else if (key.size() != layout::kWordBytes) {
    return "a free list key has a wrong size";
  }
  if (last_key_bytes_ != 0) {
    int order = 0;
    if (which == Which::main) {
      order = compare(Bytes{last_key_}.first(last_key_bytes_), key);
    } else {
      const Word before = load<Word>(last_key_.data());
      const Word now = load<Word>(key.data());
      order = before < now ? -1 : (before > now ? 1 : 0);
    }
    if (order > 0 || (order == 0 && (separator || !last_was_separator_))) return "keys are out of order";
  }
  std::copy(key.begin(), key.end(), last_key_.begin());
  last_key_bytes_ = key.size();
  last_was_separator_ = separator;
  return nullptr;
}

const char* Walk::leaf(Which which, Bytes page) {
  ++counts_.leaf;
  const Word here = layout::header_of(page.data()).number;
  const std::size_t count = PageRules::nodes(page);
  counts_.entries += count;
  for (std::size_t i = 0; i < count; ++i) {
    page_ = here;
    const auto node = PageRules::node(page, i);
    if (!node) return "a node leaves its page";
    if (const char* bad = key_in_order(which, node->key, false); bad != nullptr) return bad;
    if (which == Which::main && is_key_ != nullptr && !is_key_(node->key)) return "a key has not the form of its table";
    if (which == Which::free_list) {
      if (const char* bad = free_record(*node, page); bad != nullptr) return bad;
    } else if (node->flags == layout::kBigNode) {
      Word first = 0;
      if (const char* bad = overflow_run(*node, first); bad != nullptr) return bad;
    }
  }
  return nullptr;
}

const char* Walk::overflow_run(const layout::Node& node, Word& first) {
  first = load<Word>(node.value);
  page_ = first;
  if (first > meta_.last_page) return "a value lies out of range";
  std::array<std::byte, layout::kHeaderBytes> raw{};
  if (const char* bad = load_bytes(raw, std::uint64_t{first} * page_bytes_); bad != nullptr) return bad;
  const auto header = layout::header_of(raw.data());
  if (header.number != first) return "a page carries another page's number";
  if (header.flags != layout::kOverflow) return "a page is of the wrong kind";
  if (header.overflow_pages < layout::overflow_pages_for(node.value_bytes, page_bytes_)) {
    return "a value is longer than its pages";
  }
  if (!marks_.mark(first, header.overflow_pages)) return "a page is out of range or used twice";
  if (first + std::uint64_t{header.overflow_pages} > file_pages_) return "a page lies beyond the end of the file";
  counts_.overflow += header.overflow_pages;
  return nullptr;
}

const char* Walk::free_record(const layout::Node& node, Bytes page) {
  const Word transaction = load<Word>(node.key.data());
  if (transaction == 0 || transaction > meta_.transaction) return "a free list record is of no transaction";
  if (node.value_bytes < layout::kWordBytes || node.value_bytes % layout::kWordBytes != 0) {
    return "a free list record has a wrong size";
  }
  std::uint64_t at = 0;
  if (node.flags == layout::kBigNode) {
    Word first = 0;
    if (const char* bad = overflow_run(node, first); bad != nullptr) return bad;
    at = std::uint64_t{first} * page_bytes_ + layout::kHeaderBytes;
  } else {
    at = std::uint64_t{layout::header_of(page.data()).number} * page_bytes_ +
         static_cast<std::size_t>(node.value - page.data());
  }
  std::uint64_t words = node.value_bytes / layout::kWordBytes;
  std::uint64_t count = words;  // until the first word says how many are in use
  Word above = meta_.last_page + 1;
  for (std::uint64_t done = 0; done <= count && done < words;) {
    const std::size_t take =
        std::min<std::size_t>(stream_.size() / layout::kWordBytes, static_cast<std::size_t>(words - done));
    const std::span piece{stream_.data(), take * layout::kWordBytes};
    if (const char* bad = load_bytes(piece, at + done * layout::kWordBytes); bad != nullptr) return bad;
    for (std::size_t i = 0; i < take && done <= count; ++i, ++done) {
      const Word word = load<Word>(&piece[i * layout::kWordBytes]);
      if (done == 0) {
        if (word > words - 1) return "a free list record counts more than it holds";
        count = word;
        continue;
      }
      if (word < 2 || word >= above) return "a free list record is out of order";
      above = word;
      page_ = word;
      if (!marks_.mark(word, 1)) return "a free page is out of range or in use";
      ++free_pages_;
    }
  }
  return nullptr;
}

bool has_possible_end(const Meta& meta, std::uint64_t file_pages) {
  return meta.last_page >= 1 && meta.last_page < file_pages + kPagesBeyondFileMax;
}

const char* metas_fault(const Metas& metas, std::uint64_t file_pages) {
  if (!metas.usable[0] || !metas.usable[1]) return "a meta page is not one";
  for (std::size_t i = 0; i < 2; ++i) {
    const Meta& meta = metas.meta[i];
    if (meta.free_list.pad != metas.page_bytes) return "a meta page claims another page size";
    const auto options = static_cast<std::uint16_t>(meta.free_list.flags & ~layout::kFlagsOfNoMatter);
    if (options != layout::kFreeDbFlags || meta.main.flags != 0) return "a table has unknown options";
    if (meta.transaction % 2 != i && meta.transaction != 0) return "a meta page is in the other's place";
  }
  const Word a = metas.meta[0].transaction;
  const Word b = metas.meta[1].transaction;
  if (!(a == 0 && b == 0) && a + 1 != b && b + 1 != a) return "the meta pages are not neighbours";
  const Meta& newest = metas.meta[a < b];
  return has_possible_end(newest, file_pages) ? nullptr : "the last page lies beyond the end of the file";
}

bool is_foreign(int fd, const Metas& metas) {
  if (metas.usable[0] || metas.usable[1]) return false;
  std::array<std::byte, layout::kMetaBytes> raw{};
  const auto got = read_at(fd, raw, 0);
  if (!got.ok() || *got < raw.size()) return false;
  const bool newer = metas.meta[0].magic == layout::kMagic && metas.meta[0].version != layout::kVersion &&
                     layout::header_of(raw.data()).flags == layout::kMeta;
  return newer || layout::is_of_other_word_size(raw.data());
}

Result<CheckReport> checked(int fd, KeyRule is_key) {
  CheckReport report;
  const auto metas = find_metas(fd);
  if (!metas.ok()) return metas.error();
  const off_t end = ::lseek(fd, 0, SEEK_END);
  if (end < 0) return error(Errc::io_failed, "asking for the size of the store");
  if (is_foreign(fd, *metas)) {
    report.verdict = Verdict::foreign;
    report.fault = "the store was made by a machine of another word size or another library version";
    return report;
  }
  report.page_bytes = metas->page_bytes;
  const std::uint64_t file_pages = metas->page_bytes == 0 ? 0 : static_cast<std::uint64_t>(end) / metas->page_bytes;
  report.fault = metas_fault(*metas, file_pages);
  if (report.fault != nullptr) return report;

  const Meta& newest = metas->meta[metas->meta[0].transaction < metas->meta[1].transaction];
  Walk walk{fd, newest, report.page_bytes, file_pages, is_key};
  report.fault = walk.run();
  report.page = walk.page();
  if (walk.failure()) return *walk.failure();
  report.entries = newest.main.entries;
  report.pages = newest.last_page + 1;
  if (report.fault != nullptr) return report;
  report.free_pages = walk.free_pages();
  report.leaked_pages = walk.leaked();
  report.verdict = Verdict::sound;
  return report;
}

}  // namespace

std::optional<PageMarks> sound_free_list(int fd, const Meta& meta, std::uint32_t page_bytes, std::uint64_t file_pages) {
  if (!has_possible_end(meta, file_pages)) return {};
  Walk walk{fd, meta, page_bytes, file_pages, nullptr};
  if (walk.run_free_list() != nullptr) return {};
  return walk.take_marks();
}

Result<CheckReport> check_file(int fd, KeyRule is_key) {
  try {
    return checked(fd, is_key);
  } catch (const std::bad_alloc&) {
    return error(Errc::out_of_budget, "checking the store");
  }
}

}  // namespace tocsin::lmdb
