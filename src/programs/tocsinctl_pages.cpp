// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_pages.hpp"

#include <algorithm>

namespace tocsin::ctl {

std::optional<std::size_t> limit_of(Context& context, const Args& args) {
  const std::int64_t limit = args.integer("--limit", 100);
  if (limit >= 1 && limit <= kLimitMax) return static_cast<std::size_t>(limit);
  context.fail("--limit is from 1 to " + std::to_string(kLimitMax));
  return std::nullopt;
}

std::optional<Pages> fetch_pages(Context& context, const std::string& path, const Query& query, std::size_t limit,
                                 std::string cursor) {
  Pages out;
  std::int64_t damaged = 0;
  while (out.size() < limit) {
    const std::size_t missing = limit - out.size();
    Query page = query;
    page.add("limit", std::to_string(std::min<std::size_t>(missing, kPageEntries)));
    if (!cursor.empty()) page.add("cursor", cursor);
    const auto data = context.get(path + page.text());
    if (!data) return std::nullopt;
    out.take(entries_of(*data), missing);
    damaged += data->member("damaged").integer().value_or(0);
    const Value next = data->member("cursor");
    std::string next_cursor = next.kind() == json::Kind::null ? "" : next.shown();
    out.cursor = next_cursor == cursor ? "" : next_cursor;
    if (out.cursor.empty()) break;
    cursor = std::move(next_cursor);
  }
  if (damaged > 0) context.fail(std::to_string(damaged) + " damaged records are left out");
  return out;
}

void say_when_cut(Context& context, const Args& args, const std::string& path, const Query& query, const Pages& pages) {
  if (args.has("--limit") || pages.cursor.empty()) return;
  Query next = query;
  next.add("limit", "1");
  next.add("cursor", pages.cursor);
  const auto data = context.get(path + next.text());
  if (!data || entries_of(*data).empty()) return;
  context.err << "tocsinctl: " << pages.size() << " shown, more exist: --limit N\n";
}

}  // namespace tocsin::ctl
