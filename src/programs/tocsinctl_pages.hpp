// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/programs/tocsinctl_bench_load.hpp"
#include "src/programs/tocsinctl_context.hpp"

namespace tocsin::ctl {

inline constexpr std::int64_t kLimitMax = 100'000;  ///< entries of one command
inline constexpr std::int64_t kPageEntries = 100;   ///< asked for at a time

/// Entries of several answers, kept: an answer itself lives only until the next call.
class Pages {
 public:
  /// Copies at most `most` of them.
  void take(const std::vector<Value>& entries, std::size_t most) {
    for (std::size_t i = 0; i < entries.size() && i < most; ++i)
      kept_.push_back(std::make_unique<std::string>(entries[i].written()));
  }
  [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }
  std::string cursor;        ///< where the next entry would be; empty: there is none
  bool interrupted = false;  ///< by a signal, before `limit` entries were there or the end
  [[nodiscard]] std::vector<Value> entries() const {
    std::vector<Value> out;
    for (const auto& one : kept_) out.emplace_back(*one);
    return out;
  }

 private:
  std::vector<std::unique_ptr<std::string>> kept_;  // views point into them
};

/// --limit, 100 when absent. nullopt: not from 1 to kLimitMax, and said so on err.
[[nodiscard]] std::optional<std::size_t> limit_of(Context& context, const Args& args);

/// When to stop following a cursor, besides.
struct FollowUntil {
  std::size_t limit = 0;             ///< entries
  std::size_t pages_max = SIZE_MAX;  ///< a page may be empty and not the last
  Interrupts* interrupts = nullptr;  ///< asked after each page; null: a signal ends the program
};
/// Follows the cursor of {"items", "cursor"} until there is none. nullopt: said so on err.
[[nodiscard]] std::optional<Pages> fetch_pages(Context& context, const std::string& path, const Query& query,
                                               const FollowUntil& until, std::string cursor = {});

/// One line on err when the default limit has cut the list, so that nobody takes a part for the whole; who gave --limit
/// knows. May ask the daemon once more, for one page.
void say_when_cut(Context& context, const Args& args, const std::string& path, const Query& query, const Pages& pages);

}  // namespace tocsin::ctl
