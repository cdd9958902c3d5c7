// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/salvage.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "platform/lmdb/checker.hpp"
#include "platform/lmdb/env.hpp"
#include "platform/lmdb/errors.hpp"
#include "platform/lmdb/files.hpp"
#include "platform/lmdb/page_marks.hpp"
#include "platform/lmdb/page_rules.hpp"
#include "src/port/store.hpp"

namespace tocsin::lmdb {
namespace {

using layout::Word;

constexpr std::uint64_t kBatchBytes = 1 * MiB;

bool less(Bytes a, Bytes b) { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); }

/// The new store, filled in small transactions. It is made beside the old one and renamed when complete, so nothing
/// needs to be durable before close().
class Copy {
 public:
  [[nodiscard]] Status open(const std::string& path, std::uint64_t map_bytes) {
    ::unlink(path.c_str());
    auto env = Env::open(path, {map_bytes, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 1});
    if (!env.ok()) return env.error().in("making the salvaged store");
    env_ = std::move(*env);
    return {};
  }
  ~Copy() { mdb_txn_abort(txn_); }
  Copy() = default;
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  /// Room for one value, filled by the caller before the next call. conflict: the key was seen before.
  [[nodiscard]] Result<std::span<std::byte>> reserve(Bytes key, std::size_t bytes) {
    if (auto done = begin(); !done.ok()) return done.error();
    MDB_val name = val_of(key);
    MDB_val room{bytes, nullptr};
    if (const int rc = mdb_put(txn_, kMainTable, &name, &room, MDB_RESERVE | MDB_NOOVERWRITE); rc != 0) {
      return from_lmdb(rc, "copying into the salvaged store");
    }
    pending_bytes_ += key.size() + bytes;
    return std::span{static_cast<std::byte*>(room.mv_data), bytes};
  }
  [[nodiscard]] Status flush_when_large() { return pending_bytes_ < kBatchBytes ? Status{} : commit(); }
  [[nodiscard]] Status erase(Bytes key) {
    MDB_val name = val_of(key);
    if (const int rc = mdb_del(txn_, kMainTable, &name, nullptr); rc != 0) return from_lmdb(rc, "copying");
    return {};
  }
  [[nodiscard]] Status close() {
    if (auto done = commit(); !done.ok()) return done;
    if (const int rc = mdb_env_sync(env_.get(), 1); rc != 0) return from_lmdb(rc, "syncing the salvaged store");
    env_.close();
    return {};
  }

 private:
  [[nodiscard]] Status begin() {
    if (txn_ != nullptr) return {};
    if (const int rc = mdb_txn_begin(env_.get(), nullptr, 0, &txn_); rc != 0) return from_lmdb(rc, "copying");
    return {};
  }
  [[nodiscard]] Status commit() {
    pending_bytes_ = 0;
    if (txn_ == nullptr) return {};
    if (const int rc = mdb_txn_commit(std::exchange(txn_, nullptr)); rc != 0) return from_lmdb(rc, "copying");
    return {};
  }

  Env env_;
  MDB_txn* txn_ = nullptr;
  std::uint64_t pending_bytes_ = 0;
};

/// Walks the damaged tree; whatever cannot be believed is counted and left out. Only trouble with the new store ends
/// it.
class SalvageWalk {
 public:
  /// `taken`: pages that are certainly not part of the tree.
  SalvageWalk(int fd, std::uint32_t page_bytes, PageMarks taken, Copy& copy)
      : fd_(fd), page_bytes_(page_bytes), marks_(std::move(taken)), rules_(page_bytes), copy_(copy) {}

  [[nodiscard]] Status subtree(Word number, std::size_t level, std::optional<Bytes> upper);
  [[nodiscard]] bool looks_like_a_tree(Word root);
  [[nodiscard]] const SalvageReport& report() const { return report_; }

 private:
  [[nodiscard]] Status branch(Bytes page, std::size_t level, std::optional<Bytes> upper);
  [[nodiscard]] Status leaf(Bytes page, std::optional<Bytes> upper, bool sound);
  [[nodiscard]] Status keep(const layout::Node& node);
  [[nodiscard]] bool read_value(const layout::Node& node, std::span<std::byte> out);
  [[nodiscard]] bool has_value(const layout::Node& node, Word& first);
  [[nodiscard]] bool read_page(std::size_t level, Word number);

  int fd_;
  std::size_t page_bytes_;
  PageMarks marks_;
  PageRules rules_;
  Copy& copy_;
  std::vector<std::vector<std::byte>> levels_;
  SalvageReport report_;
};

bool SalvageWalk::read_page(std::size_t level, Word number) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  auto& buffer = levels_[level];
  buffer.resize(page_bytes_);
  const auto got = read_at(fd_, buffer, std::uint64_t{number} * page_bytes_);
  return got.ok() && *got == page_bytes_;
}

bool SalvageWalk::looks_like_a_tree(Word root) {
  if (root == layout::kNoPage) return true;
  if (root < 2 || root >= marks_.pages() || !read_page(0, root)) return false;
  return rules_.header_fault(levels_[0], root, layout::kBranch) == nullptr ||
         rules_.header_fault(levels_[0], root, layout::kLeaf) == nullptr;
}

/// Each page is visited once, so a loop in the damaged file ends; the depth is bounded as the library's own.
Status SalvageWalk::subtree(Word number, std::size_t level, std::optional<Bytes> upper) {
  if (level < layout::kDepthMax && number >= 2 && marks_.mark(number, 1) && read_page(level, number)) {
    const Bytes page{levels_[level]};
    if (rules_.header_fault(page, number, layout::kLeaf) == nullptr) {
      return leaf(page, upper, rules_.fault(page, number, layout::kLeaf) == nullptr);
    }
    if (rules_.header_fault(page, number, layout::kBranch) == nullptr) return branch(page, level, upper);
  }
  ++report_.subtrees_lost;
  return {};
}

Status SalvageWalk::branch(Bytes page, std::size_t level, std::optional<Bytes> upper) {
  const std::size_t count = PageRules::nodes(page);
  for (std::size_t i = 0; i < count; ++i) {
    const auto node = PageRules::node(page, i);
    if (!node) {
      ++report_.subtrees_lost;
      continue;
    }
    std::optional<Bytes> end = upper;
    std::array<std::byte, port::kKeyBytesMax> end_key{};
    if (const auto next = i + 1 < count ? PageRules::node(page, i + 1) : std::nullopt;
        next && next->key.size() <= end_key.size() && !next->key.empty()) {
      std::copy(next->key.begin(), next->key.end(), end_key.begin());
      end = Bytes{end_key}.first(next->key.size());
    }
    if (auto done = subtree(node->child, level + 1, end); !done.ok()) return done;
  }
  return {};
}

Status SalvageWalk::leaf(Bytes page, std::optional<Bytes> upper, bool sound) {
  const std::size_t count = PageRules::nodes(page);
  for (std::size_t i = 0; i < count; ++i) {
    const auto node = PageRules::node(page, i);
    const bool shaped = node && !node->key.empty() && node->key.size() <= port::kKeyBytesMax &&
                        node->flags <= layout::kBigNode && node->value_bytes <= kSalvageValueBytesMax;
    // Order is not asked for: one damaged key would cost all that stand behind it. Whether a value belongs to its key
    // is for those who sealed it to say.
    if (!shaped || !(sound || !upper || less(node->key, *upper))) {
      ++report_.entries_lost;
      continue;
    }
    if (auto done = keep(*node); !done.ok()) return done;
  }
  return {};
}

bool SalvageWalk::has_value(const layout::Node& node, Word& first) {
  if (node.flags != layout::kBigNode) return true;
  first = load<Word>(node.value);
  if (first < 2 || first >= marks_.pages()) return false;
  std::array<std::byte, layout::kHeaderBytes> raw{};
  const auto got = read_at(fd_, raw, std::uint64_t{first} * page_bytes_);
  if (!got.ok() || *got != raw.size()) return false;
  const auto header = layout::header_of(raw.data());
  const std::uint64_t needed = layout::overflow_pages_for(node.value_bytes, page_bytes_);
  return header.number == first && header.flags == layout::kOverflow && marks_.mark(first, needed);
}

bool SalvageWalk::read_value(const layout::Node& node, std::span<std::byte> out) {
  if (node.flags != layout::kBigNode) {
    std::copy_n(node.value, out.size(), out.begin());
    return true;
  }
  const auto first = load<Word>(node.value);
  const auto got = read_at(fd_, out, std::uint64_t{first} * page_bytes_ + layout::kHeaderBytes);
  return got.ok() && *got == out.size();
}

Status SalvageWalk::keep(const layout::Node& node) {
  Word first = 0;
  if (!has_value(node, first)) {
    ++report_.entries_lost;
    return {};
  }
  auto room = copy_.reserve(node.key, node.value_bytes);
  if (!room.ok() && room.error().code == Errc::conflict) {
    ++report_.entries_lost;
    return {};
  }
  if (!room.ok()) return room.error();
  if (!read_value(node, *room)) {
    ++report_.entries_lost;
    return copy_.erase(node.key);
  }
  ++report_.entries_kept;
  return copy_.flush_when_large();
}

Result<SalvageReport> salvaged(int damaged, const std::string& path, std::uint64_t map_bytes) {
  Copy copy;
  if (auto done = copy.open(path, map_bytes); !done.ok()) return done.error();
  const auto metas = find_metas(damaged);
  const off_t end = ::lseek(damaged, 0, SEEK_END);
  SalvageReport report;
  const bool newest_is_one =
      metas.ok() && metas->usable[1] && (!metas->usable[0] || metas->meta[0].transaction < metas->meta[1].transaction);
  const std::array<std::size_t, 2> order{newest_is_one ? std::size_t{1} : 0, newest_is_one ? std::size_t{0} : 1};
  bool walked = false;
  for (const std::size_t i : order) {
    if (!metas.ok() || !metas->usable[i] || metas->page_bytes == 0 || end < 0) continue;
    const std::uint64_t file_pages = static_cast<std::uint64_t>(end) / metas->page_bytes;
    // A damaged page number must not lead to a page of the past, where erased entries would come back.
    auto taken = sound_free_list(damaged, metas->meta[i], metas->page_bytes, file_pages);
    SalvageWalk walk{damaged, metas->page_bytes, taken ? std::move(*taken) : PageMarks{file_pages}, copy};
    const Word root = metas->meta[i].main.root;
    if (!walk.looks_like_a_tree(root)) continue;
    walked = true;
    if (root != layout::kNoPage) {
      if (auto done = walk.subtree(root, 0, {}); !done.ok()) return done.error();
    }
    report = walk.report();
    report.rolled_back = i != order[0] || !metas->usable[1 - i];
    break;
  }
  if (!walked) report.subtrees_lost = 1;
  if (auto done = copy.close(); !done.ok()) return done.error();
  return report;
}

}  // namespace

Result<SalvageReport> salvage(int damaged, const std::string& path, std::uint64_t map_bytes) {
  try {
    return salvaged(damaged, path, map_bytes);
  } catch (const std::bad_alloc&) {
    return error(Errc::out_of_budget, "salvaging the store");
  }
}

}  // namespace tocsin::lmdb
