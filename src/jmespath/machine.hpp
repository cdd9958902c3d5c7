// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "src/jmespath/functions.hpp"
#include "src/jmespath/search.hpp"

namespace tocsin::jmespath {

/// One evaluation: the program, what it may use, and why it stopped. Whatever answers false has noted the reason.
/// All memory comes from the arena and is not given back.
class Machine {
 public:
  Machine(const Program& program, const Means& means) noexcept
      : program_(program), means_(means), steps_(means.steps_max) {}

  /// Recursion: the nesting of the expression.
  [[nodiscard]] bool evaluate(NodeId node, const json::Value& in, json::Value& out);

  /// Takes `steps` from the budget.
  [[nodiscard]] bool charge(std::size_t steps) noexcept;
  [[nodiscard]] bool charge_bytes(std::size_t bytes) noexcept { return charge(1 + bytes / kBytesPerStep); }
  /// Answers false, for `return fail(...)`.
  bool fail(SearchError::What what, const char* reason) noexcept;

  /// Deep equality; numbers by value. Counts what it compares.
  [[nodiscard]] bool equal(const json::Value& a, const json::Value& b, bool& out, std::uint32_t depth = 0);
  /// Order of two numbers or two strings (by code points), as memcmp.
  [[nodiscard]] bool compare(const json::Value& a, const json::Value& b, int& out);
  /// Counts the JSON of a value, whatever its parts share, and its levels; adds its bytes, or a few more, to `bytes`.
  [[nodiscard]] bool count(const json::Value& value, std::size_t& bytes, std::uint32_t depth = 0);

  template <class T>
  [[nodiscard]] std::span<T> room(std::size_t count) {
    if (count == 0) return {};
    auto* const begin = static_cast<T*>(means_.arena.allocate(count * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < count; ++i) std::construct_at(begin + i);
    return {begin, count};
  }
  /// A computed number; not finite: an error.
  [[nodiscard]] bool number(double value, json::Value& out) noexcept;
  [[nodiscard]] json::Value integer(std::int64_t value);

  [[nodiscard]] const Means& means() const noexcept { return means_; }
  [[nodiscard]] std::uint32_t steps_left() const noexcept { return static_cast<std::uint32_t>(steps_); }
  [[nodiscard]] const SearchError& failure() const noexcept { return failure_; }

 private:
  [[nodiscard]] const Node& at(NodeId node) const noexcept { return program_.nodes[node]; }
  bool chain(const Node& node, const json::Value& in, json::Value& out);
  bool element(const Node& node, const json::Value& in, json::Value& out) const noexcept;
  bool slice(const Node& node, const json::Value& in, json::Value& out);
  bool flatten(const Node& node, const json::Value& in, json::Value& out);
  bool project(const Node& node, const json::Value& in, json::Value& out);
  bool list(const Node& node, const json::Value& in, json::Value& out);
  bool hash(const Node& node, const json::Value& in, json::Value& out);
  bool logic(const Node& node, const json::Value& in, json::Value& out);
  bool comparison(const Node& node, const json::Value& in, json::Value& out);
  bool call(const Node& node, const json::Value& in, json::Value& out);
  bool check_types(const Function& function, std::span<const Argument> arguments);
  bool all_are(json::Kind kind, std::span<const json::Value> elements);

  const Program& program_;
  const Means& means_;
  std::size_t steps_;
  const Node* calling_ = nullptr;  ///< the innermost function that runs
  SearchError failure_;
};

/// A stable sort of `order` by `less(a, b, out)`, which answers false to stop it; true: it was not stopped.
/// `spare` has as many elements. About n log2 n comparisons.
template <class T, class Less>
[[nodiscard]] bool merge_sort(std::span<T> order, std::span<T> spare, const Less& less) {
  for (std::size_t width = 1; width < order.size(); width *= 2) {
    for (std::size_t from = 0; from < order.size(); from += 2 * width) {
      const std::size_t middle = std::min(from + width, order.size());
      const std::size_t end = std::min(from + 2 * width, order.size());
      std::size_t left = from;
      std::size_t right = middle;
      for (std::size_t to = from; to < end; ++to) {
        bool takes_right = left == middle;
        if (!takes_right && right < end && !less(order[right], order[left], takes_right)) return false;
        spare[to] = takes_right ? order[right++] : order[left++];
      }
    }
    std::copy(spare.begin(), spare.end(), order.begin());
  }
  return true;
}

}  // namespace tocsin::jmespath
