// SPDX-License-Identifier: Apache-2.0
#include <istream>
#include <ostream>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::size_t kSampleBytesMax = 128 * 1024;

std::optional<std::string> read_sample(Context& context, const std::string& path) {
  if (path != "-") return read_file(path, kSampleBytesMax);
  std::string out(kSampleBytesMax + 1, '\0');
  context.in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(context.in.gcount()));
  return out;
}

void print_event(Context& context, const Value& event, std::size_t index) {
  context.out << "event " << index << ": " << plain_line(event.member("event").written()) << "\n";
  const auto dedupe = event.member("dedupe_md5").text();
  if (!dedupe) {
    context.out << "  stored; it touches no alert\n";
    return;
  }
  const auto alert = event.member("alert_id").text();
  context.out << "  dedupe_md5 " << plain_line(*dedupe) << ", severity " << plain_line(event.member("severity").shown())
              << ": " << plain_line(event.member("outcome").shown())
              << (alert ? ", open alert " + plain_line(*alert) : "") << "\n";
}

/// Whether the sample would be taken.
bool print_explanation(Context& context, const Args& args, const Value& data) {
  const Value refused = data.member("refused");
  const bool is_taken = refused.kind() != json::Kind::object;
  if (args.format == Format::json) {
    print_object(context, args.format, data);
    return is_taken;
  }
  print_entries(context, args.format, data.member("steps").elements(),
                {{"EVENT", {"event"}},
                 {"STEP", {"what"}},
                 {"PLACE", {"place"}},
                 {"VALUE", {"value"}},
                 {"MATCHED", {"matched"}},
                 {"REASON", {"reason"}}});
  if (data.member("steps_cut").is_true()) context.out << "(more steps than are shown)\n";
  std::size_t index = 0;
  for (const Value& event : data.member("events").elements()) print_event(context, event, index++);
  if (!is_taken) {
    context.out << "refused: " << plain_line(refused.member("status").shown()) << " "
                << plain_line(refused.member("code").shown()) << ": " << plain_line(refused.member("message").shown())
                << "\n";
  }
  return is_taken;
}

}  // namespace

int explain_sample(Context& context, const Args& args) {
  const auto data_id = find_instance(context, args.arguments[0]);
  if (!data_id) return kFailed;
  auto sample = read_sample(context, args.arguments[1]);
  if (!sample) return context.fail(args.arguments[1] + ": cannot be read");
  if (sample->size() > kSampleBytesMax) return context.fail(args.arguments[1] + ": larger than 128 KiB");
  const auto data = context.post("/api/v1/explain/" + *data_id, std::move(*sample));
  if (!data) return kFailed;
  return print_explanation(context, args, *data) ? kDone : kFailed;
}

}  // namespace tocsin::ctl
