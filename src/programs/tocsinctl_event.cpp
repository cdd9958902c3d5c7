// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <ostream>
#include <thread>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_pages.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr auto kPollEvery = std::chrono::seconds(1);
constexpr std::size_t kShownAtFirst = 10;
constexpr std::size_t kPagesAtFirst = 5;  // who waits for what comes does not wait for a look through a long log
constexpr std::size_t kReadAtOnce = 1000;

constexpr Option kPlugin{"--plugin", Takes::text, "INSTANCE", "only events of this source"};
constexpr Option kText{"--text", Takes::text, "TEXT", "only events that contain this text"};
constexpr Option kDimension{
    "--dimension", Takes::text, "k=v", "only events with this dimension; given again: and this one, at most 8", {},
    true};

constexpr std::array kTailOptions = {
    kPlugin, kText, kDimension, Option{"--limit", Takes::integer, "N", "end after so many events (default: never)"}};
constexpr std::array kQueryOptions = {
    kPlugin,
    Option{"--since", Takes::text, "TIME", "received at or after this time (RFC 3339 or epoch milliseconds)"},
    Option{"--until", Takes::text, "TIME", "received before this time"},
    kText,
    kDimension,
    Option{"--limit", Takes::integer, "N", "at most so many, of the whole log if need be (default: 100)"},
    Option{"--cursor", Takes::text, "C", "go on where an earlier query ended"},
};

std::vector<Column> columns() {
  return {
      {"SEQ", {"seq"}},
      {"RECEIVED", {"received"}},
      {"DATA ID", {"data_id"}},
      {"EVENT", {"event.event_name", "event.alert_name", "kind"}},
      {"TARGET", {"event.target"}},
      {"CONTENT", {"event.event.content", "event.description"}},
  };
}

/// False: the usage is wrong, or INSTANCE names none; `exit_code` says which.
bool add_filters(Context& context, const Args& args, Query& query, int& exit_code) {
  for (const std::string& dimension : args.all("--dimension")) {
    if (dimension.find('=') != std::string::npos) continue;
    context.fail("--dimension takes k=v");
    exit_code = kWrongUsage;
    return false;
  }
  if (args.has("--plugin")) {
    const auto data_id = find_instance(context, std::string(args.get("--plugin")));
    if (!data_id) {
      exit_code = kFailed;
      return false;
    }
    query.add("plugin", *data_id);
  }
  for (const char* name : {"since", "until", "text"}) {
    const std::string option = std::string("--") + name;
    if (args.has(option)) query.add(name, to_utf8(args.get(option)));
  }
  for (const std::string& dimension : args.all("--dimension")) query.add("dimension", to_utf8(dimension));
  return true;
}

int query(Context& context, const Args& args) {
  Query filters;
  int exit_code = kDone;
  const auto limit = limit_of(context, args);
  if (!limit) return kWrongUsage;
  if (!add_filters(context, args, filters, exit_code)) return exit_code;
  Interrupts interrupts;  // a look through a long log can be cut short, and what was found is shown
  const auto pages = fetch_pages(context, "/api/v1/events", filters, {.limit = *limit, .interrupts = &interrupts},
                                 std::string(args.get("--cursor")));
  if (!pages) return kFailed;
  print_entries(context, args.format, pages->entries(), columns());
  if (pages->interrupted) {
    return context.fail("interrupted: these are not all; go on with --cursor " + pages->cursor);
  }
  say_when_cut(context, args, "/api/v1/events", filters, *pages);
  return kDone;
}

/// Prints events as they come: a line each, in the order of their sequences.
class Tail {
 public:
  Tail(Context& context, const Args& args) : context_(context), args_(args) {}

  int run() {
    Query filters;
    int exit_code = kDone;
    std::size_t most = SIZE_MAX;
    if (args_.has("--limit")) {
      const auto limit = limit_of(context_, args_);
      if (!limit) return kWrongUsage;
      most = *limit;
    }
    if (!add_filters(context_, args_, filters, exit_code)) return exit_code;
    const auto begin = newest_seq();
    if (!begin) return kFailed;
    auto printed = print_new(filters, {.limit = std::min(most, kShownAtFirst), .pages_max = kPagesAtFirst}, most);
    seen_seq_ = std::max(seen_seq_, *begin);
    while (printed && *printed < most) {
      const auto newest = newest_seq();
      if (!newest) return kFailed;
      if (*newest <= seen_seq_) {
        std::this_thread::sleep_for(kPollEvery);
        continue;
      }
      Query next = filters;
      next.add("after_seq", std::to_string(seen_seq_));
      const auto more = print_new(next, {.limit = kReadAtOnce}, most - *printed);
      if (!more) return kFailed;
      *printed += *more;
      // What the filters refused is not looked at again.
      if (*more < kReadAtOnce) seen_seq_ = std::max(seen_seq_, *newest);
    }
    return printed ? kDone : kFailed;
  }

 private:
  std::optional<std::int64_t> newest_seq() {
    const auto data = context_.get("/api/v1/events?limit=1");
    if (!data) return std::nullopt;
    const auto entries = entries_of(*data);
    return entries.empty() ? 0 : seq_of(entries.front());
  }

  std::optional<std::size_t> print_new(const Query& query, const FollowUntil& until, std::size_t most) {
    const auto pages = fetch_pages(context_, "/api/v1/events", query, until);
    if (!pages) return std::nullopt;
    auto entries = pages->entries();
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Value& a, const Value& b) { return seq_of(a) < seq_of(b); });
    std::size_t printed = 0;
    for (const Value& entry : entries) {
      if (seq_of(entry) <= seen_seq_) continue;
      if (printed == most) break;
      print(entry);
      seen_seq_ = seq_of(entry);
      ++printed;
    }
    context_.out.flush();
    return printed;
  }

  static std::int64_t seq_of(const Value& entry) { return entry.member("seq").integer().value_or(0); }

  void print(const Value& entry) {
    std::string line;
    if (args_.format == Format::json) {
      line = entry.written();
    } else {
      for (const Column& column : columns()) {
        line.append(line.empty() ? "" : "  ").append(plain_line(cell_of(entry, column)));
      }
    }
    context_.out << line << "\n";
  }

  Context& context_;
  const Args& args_;
  std::int64_t seen_seq_ = 0;  ///< everything up to here was printed or does not match
};

int tail(Context& context, const Args& args) { return Tail(context, args).run(); }

constexpr std::array kEventCommands = {
    Command{"events tail", "", 0, 0, "The newest events, then each as it comes; JSON: one object a line.", kTailOptions,
            tail},
    Command{"events query", "", 0, 0, "Stored events, newest first; Ctrl-C ends a long look and shows what was found.",
            kQueryOptions, query},
    Command{"explain",
            "INSTANCE FILE",
            2,
            2,
            "What a source makes of a sample (FILE, or - for standard input), step by step; nothing is stored.",
            {},
            explain_sample},
};

}  // namespace

std::span<const Command> event_commands() noexcept { return kEventCommands; }

}  // namespace tocsin::ctl
