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

std::optional<Pages> fetch_pages(Context& context, const std::string& path, const Query& query,
                                 const FollowUntil& until, std::string cursor) {
  Pages out;
  std::int64_t damaged = 0;
  for (std::size_t pages = 0; out.size() < until.limit && pages < until.pages_max; ++pages) {
    const std::size_t missing = until.limit - out.size();
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
    if (until.interrupts != nullptr && until.interrupts->wait(std::chrono::milliseconds(0))) {
      out.interrupted = out.size() < until.limit;
      break;
    }
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
  if (!data) return;
  const bool is_found = !entries_of(*data).empty();
  if (!is_found && data->member("cursor").kind() == json::Kind::null) return;
  context.err << "tocsinctl: " << pages.size() << (is_found ? " shown, more exist" : " shown, more may exist")
              << ": --limit N\n";
}

}  // namespace tocsin::ctl
