// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <ostream>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_pages.hpp"
#include "src/programs/tocsinctl_status.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::array kStatusOptions = {
    Option{"--all", Takes::nothing, "", "every figure there is, by its name in JSON"}};
constexpr std::array kAuditTailOptions = {Option{"--limit", Takes::integer, "N", "at most so many (default: 100)"}};

int get_object(Context& context, const Args& args, const std::string& path) {
  const auto data = context.get(path);
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  return kDone;
}

int status(Context& context, const Args& args) {
  const auto data = context.get("/api/v1/status");
  if (!data) return kFailed;
  if (args.format == Format::json || args.has("--all")) {
    print_object(context, args.format, *data);
  } else {
    context.out << list_of(status_lines(*data));
  }
  return kDone;
}

int clock_show(Context& context, const Args& args) { return get_object(context, args, "/api/v1/clock"); }

int clock_set(Context& context, const Args& args) {
  Body body;
  if (!args.arguments.empty()) body.name("time").text(to_utf8(args.arguments[0]));
  const auto data = context.post("/api/v1/clock", body.take());
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  return kDone;
}

int audit_verify(Context& context, const Args& args) {
  const auto data = context.get("/api/v1/audit/verify");
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  return data->member("intact").is_true() ? kDone : context.fail("the audit log is damaged");
}

int audit_tail(Context& context, const Args& args) {
  const auto limit = limit_of(context, args);
  if (!limit) return kWrongUsage;
  const auto pages = fetch_pages(context, "/api/v1/audit", Query(), {.limit = *limit});
  if (!pages) return kFailed;
  print_entries(context, args.format, pages->entries(),
                {{"ROW", {"index"}},
                 {"TIME", {"time_text"}},
                 {"WHO", {"actor"}},
                 {"DID", {"action"}},
                 {"TO", {"object"}},
                 {"DETAIL", {"detail"}}});
  say_when_cut(context, args, "/api/v1/audit", Query(), *pages);
  return kDone;
}

constexpr std::array kSystemCommands = {
    Command{"status", "", 0, 0, "How the appliance is: store, alerts, upstreams, memory, clock.", kStatusOptions,
            status},
    Command{
        "audit verify", "", 0, 0, "Check every block of the audit log and the chain between them.", {}, audit_verify},
    Command{"audit tail", "", 0, 0, "The newest rows of the audit log.", kAuditTailOptions, audit_tail},
    Command{"audit export", "", 0, 0, ""},
    Command{"audit prune", "", 0, 0, ""},
    Command{"clock show", "", 0, 0, "The clock, and whether it is trusted.", {}, clock_show},
    Command{"clock set",
            "[TIME]",
            0,
            1,
            "Set the clock (RFC 3339 or epoch milliseconds); without TIME: say that it is right.",
            {},
            clock_set},
    Command{"upstream list", "", 0, 0, ""},
    Command{"upstream test", "", 0, 0, ""},
    Command{"upstream pause", "", 0, 0, ""},
    Command{"upstream resume", "", 0, 0, ""},
    Command{"upstream drain", "", 0, 0, ""},
    Command{"upstream remove", "", 0, 0, ""},
    Command{"export", "", 0, 0, ""},
    Command{"import", "", 0, 0, ""},
    Command{"doctor", "", 0, 0, ""},
    Command{"top", "", 0, 0, ""},
    Command{"backup", "", 0, 0, ""},
    Command{"restore", "", 0, 0, ""},
    Command{"support-bundle", "", 0, 0, ""},
    Command{"factory-reset", "", 0, 0, ""},
};

}  // namespace

std::span<const Command> system_commands() noexcept { return kSystemCommands; }

}  // namespace tocsin::ctl
