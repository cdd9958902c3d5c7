// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <unordered_map>
#include <vector>

#include "src/base/budget.hpp"
#include "src/model/alert.hpp"

namespace tocsin::alert {

/// Open alerts by dedupe identity, the most recently used ones, within `limit_bytes`.
///
/// Memory: what it reports as bytes() is every byte it holds (entries, index, texts); at most the limit plus one alert
/// (the newest always stays). No allocation before the first put().
/// An alert is *dirty* while the store lacks folds it has counted; a clean one can always be read again from there.
/// bad_alloc: nothing was changed. Threads: one owner.
class AlertCache {
 public:
  /// `salt`: any number that senders cannot guess, so that they cannot choose identities that share a bucket.
  AlertCache(std::size_t limit_bytes, std::uint64_t salt) noexcept;
  AlertCache(const AlertCache&) = delete;
  AlertCache& operator=(const AlertCache&) = delete;

  /// Valid until the next call that is not const. Counts as a use. Null: not here (it may be in the store).
  [[nodiscard]] const model::Alert* find(const Id128& dedupe) noexcept;

  /// The store lacks folds of it. False also when it is not here.
  [[nodiscard]] bool is_dirty(const Id128& dedupe) const noexcept;

  /// Adds or replaces. `unwritten_from_seq`: the first fold that the stored alert lacks, 0 when it lacks none; of a
  /// dirty alert that is replaced by a dirty one the smaller number stays.
  /// Answers the dirty alerts that had to make room: the caller writes them. Clean ones go first, so there are none
  /// while dirty_bytes() stays below half the limit.
  [[nodiscard]] std::vector<model::Alert> put(model::Alert alert, std::uint64_t unwritten_from_seq);

  /// Forgets one, dirty or not: it has ended and was written. Unknown: nothing happens.
  void erase(const Id128& dedupe) noexcept;

  /// Up to `max` dirty alerts, least recently used first; they count as clean from here on.
  [[nodiscard]] std::vector<model::Alert> take_dirty(std::size_t max);

  /// Shows up to `max` dirty alerts, most recently used first.
  template <class Visit>
  void for_each_dirty(std::size_t max, Visit visit) const {
    for (const Node* node = newest_; node != nullptr && max > 0; node = node->older) {
      if (node->unwritten_from_seq == 0) continue;
      visit(node->alert);
      --max;
    }
  }

  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] std::size_t limit_bytes() const noexcept { return limit_bytes_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return memory_.used_bytes() + text_bytes_; }
  [[nodiscard]] std::size_t dirty() const noexcept { return dirty_; }
  [[nodiscard]] std::size_t dirty_bytes() const noexcept { return dirty_bytes_; }
  /// The smallest sequence of a fold that the store lacks; 0: it lacks none. Cost: a walk over all.
  [[nodiscard]] std::uint64_t unwritten_from_seq() const noexcept;

 private:
  struct Node {
    model::Alert alert;
    std::uint64_t unwritten_from_seq = 0;
    std::size_t text_bytes = 0;
    Node* newer = nullptr;
    Node* older = nullptr;
  };
  struct Hash {
    std::uint64_t salt;
    [[nodiscard]] std::size_t operator()(const Id128& id) const noexcept;
  };
  using Nodes = std::pmr::unordered_map<Id128, Node, Hash>;

  void link_newest(Node& node) noexcept;
  void unlink(Node& node) noexcept;
  void count_in(const Node& node) noexcept;
  void count_out(const Node& node) noexcept;
  void remove(Nodes::iterator at) noexcept;
  /// Removes least recently used entries other than `keep` until the limit holds; only clean ones, or any.
  enum class Victims : std::uint8_t { clean, any };
  void evict(const Node& keep, Victims victims, std::vector<model::Alert>& dirty_out) noexcept;

  std::size_t limit_bytes_;
  Budget memory_;  ///< counts entries and index; the cap is ours to keep, not its
  std::size_t text_bytes_ = 0;
  std::size_t dirty_ = 0;
  std::size_t dirty_bytes_ = 0;
  Node* newest_ = nullptr;
  Node* oldest_ = nullptr;
  Nodes nodes_;
};

}  // namespace tocsin::alert
