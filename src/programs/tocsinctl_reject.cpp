// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <ostream>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_pages.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::array kRejectListOptions = {
    Option{"--plugin", Takes::text, "INSTANCE", "only what this source was refused"},
    Option{"--limit", Takes::integer, "N", "at most so many (default: 100)"},
};

int list_rejects(Context& context, const Args& args) {
  Query query;
  const auto limit = limit_of(context, args);
  if (!limit) return kWrongUsage;
  if (args.has("--plugin")) {
    const auto data_id = find_instance(context, std::string(args.get("--plugin")));
    if (!data_id) return kFailed;
    query.add("plugin", *data_id);
  }
  const auto pages = fetch_pages(context, "/api/v1/rejects", query, {.limit = *limit});
  if (!pages) return kFailed;
  print_entries(context, args.format, pages->entries(),
                {{"ID", {"id"}},
                 {"PLUGIN", {"plugin_id"}},
                 {"STATUS", {"http_status"}},
                 {"COUNT", {"count"}},
                 {"LAST", {"last"}},
                 {"REPLAY", {"can_replay"}},
                 {"MESSAGE", {"message"}}});
  say_when_cut(context, args, "/api/v1/rejects", query, *pages);
  return kDone;
}

int show_reject(Context& context, const Args& args) {
  const auto data = context.get("/api/v1/rejects/" + percent_encoded(args.arguments[0]));
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  return kDone;
}

int replay_reject(Context& context, const Args& args) {
  const auto data = context.post("/api/v1/rejects/" + percent_encoded(args.arguments[0]) + "/replay", "{}");
  if (!data) return kFailed;
  if (args.format == Format::json) {
    context.out << data->written() << "\n";
  } else {
    context.out << "taken: " << args.arguments[0] << "\n";
  }
  return kDone;
}

constexpr std::array kRejectCommands = {
    Command{"reject list", "", 0, 0, "What known sources were refused, and why; the latest first.", kRejectListOptions,
            list_rejects},
    Command{"reject show", "ID", 1, 1, "One of them, with the beginning of a refused body.", {}, show_reject},
    Command{"reject replay",
            "ID",
            1,
            1,
            "Send its body again as the same source; possible when all of it was kept.",
            {},
            replay_reject},
};

}  // namespace

std::span<const Command> reject_commands() noexcept { return kRejectCommands; }

}  // namespace tocsin::ctl
