// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <ostream>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_pages.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kAckIdsMax = 200;
constexpr std::array kStates = {"ABNORMAL"sv, "ACK"sv, "RECOVERED"sv, "CLOSED"sv};
constexpr std::array kListOptions = {
    Option{"--state", Takes::word, "", "only alerts in this state", kStates},
    Option{"--limit", Takes::integer, "N", "at most so many (default: 100)"},
};
constexpr std::array kAckOptions = {
    Option{"--message", Takes::text, "TEXT", "what is being done about it", {}, false, true}};

int list(Context& context, const Args& args) {
  Query query;
  if (args.has("--state")) query.add("state", args.get("--state"));
  const auto limit = limit_of(context, args);
  if (!limit) return kWrongUsage;
  const auto pages = fetch_pages(context, "/api/v1/alerts", query, {.limit = *limit});
  if (!pages) return kFailed;
  print_entries(context, args.format, pages->entries(),
                {{"ID", {"id"}},
                 {"STATE", {"state"}},
                 {"SEVERITY", {"severity"}},
                 {"NAME", {"alert_name"}},
                 {"TARGET", {"target", "event.target"}},
                 {"BEGIN", {"begin_time_text", "begin_time"}},
                 {"EVENTS", {"event_count"}}});
  say_when_cut(context, args, "/api/v1/alerts", query, *pages);
  return kDone;
}

int show(Context& context, const Args& args) {
  const auto data = context.get("/api/v1/alerts/" + percent_encoded(args.arguments[0]));
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  return kDone;
}

void print_outcome(Context& context, const Value& data) {
  struct Outcome {
    std::string_view member;
    const char* before;
    const char* after;
  };
  for (const Outcome& one : {Outcome{"alerts_ack_success", "acknowledged: ", ""},
                             Outcome{"alerts_already_ack", "not acknowledged: ", " (already acknowledged)"},
                             Outcome{"alerts_not_exist", "not acknowledged: ", " (no such alert)"},
                             Outcome{"alerts_not_abnormal", "not acknowledged: ", " (not abnormal)"}}) {
    for (const Value& id : data.member(one.member).elements())
      context.out << one.before << plain_line(id.shown()) << one.after << "\n";
  }
}

int ack(Context& context, const Args& args) {
  Body body;
  auto& writer = body.name("ids").array();
  for (const std::string& id : args.arguments) writer.text(to_utf8(id));
  writer.end_array();
  body.name("message").text(to_utf8(args.get("--message")));
  const auto data = context.post("/api/v1/alerts/ack", body.take());
  if (!data) return kFailed;
  if (args.format == Format::json) {
    print_object(context, args.format, *data);
  } else {
    print_outcome(context, *data);
  }
  const bool all_acknowledged =
      data->member("alerts_not_exist").elements().empty() && data->member("alerts_not_abnormal").elements().empty();
  return all_acknowledged ? kDone : context.fail("not every alert could be acknowledged");
}

constexpr std::array kAlertCommands = {
    Command{"alert list", "", 0, 0, "Alerts, newest first.", kListOptions, list},
    Command{"alert show", "ID", 1, 1, "Everything about one alert.", {}, show},
    Command{"alert ack", "ID...", 1, kAckIdsMax, "Say that somebody takes care of it.", kAckOptions, ack},
    Command{"alert log", "", 0, 0, ""},
    Command{"alert close", "", 0, 0, ""},
    Command{"alert assign", "", 0, 0, ""},
    Command{"alert upgrade", "", 0, 0, ""},
    Command{"alert snooze", "", 0, 0, ""},
    Command{"alert unack", "", 0, 0, ""},
    Command{"alert comment", "", 0, 0, ""},
};

}  // namespace

std::span<const Command> alert_commands() noexcept { return kAlertCommands; }

}  // namespace tocsin::ctl
