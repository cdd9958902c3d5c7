// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <ostream>
#include <system_error>

#include "platform/linux/random.hpp"
#include "src/base/hex.hpp"
#include "src/programs/tocsinctl_batch.hpp"
#include "src/programs/tocsinctl_bench_load.hpp"
#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_push_progress.hpp"
#include "src/programs/tocsinctl_push_url.hpp"
#include "src/programs/tocsinctl_status.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::int64_t kBenchRateMax = 50'000;
constexpr std::int64_t kBenchSecondsMax = 3'600;
constexpr std::int64_t kBenchConnectionsMax =
    128;                                         // half of what a box takes by default: others want to push meanwhile
constexpr std::int64_t kBenchStoredBytes = 400;  // of one of its events on flash, generously

constexpr std::array kBenchOptions = {
    Option{"--rate", Takes::integer, "N", "requests a second, 1 to 50000 (default: 100)"},
    Option{"--seconds", Takes::integer, "S", "how long, 1 to 3600 (default: 10)"},
    Option{"--connections", Takes::integer, "N", "on so many connections, 1 to 128 (default: 8)"},
    Option{"--batch", Takes::integer, "N", "events a request, 1 to 1000 (default: 1)"},
    Option{"--may-evict", Takes::nothing, "",
           "go on although the store has no room for all of it: others' events may go"},
    kUrlOption,
};

std::string ms_text(std::int64_t us) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), us < 10'000 ? "%.2f ms" : "%.0f ms", static_cast<double>(us) / 1000.0);
  return text.data();
}

std::string rate_text(double per_second) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f/s", per_second);
  return text.data();
}

/// The instance that takes the load. Whatever happens, it is deleted in the end.
class OwnInstance {
 public:
  explicit OwnInstance(Context& context) : context_(context) {}
  ~OwnInstance() {
    try {
      static_cast<void>(remove());
    } catch (const std::exception&) {  // the process ends for that reason already
    }
  }
  OwnInstance(const OwnInstance&) = delete;
  OwnInstance& operator=(const OwnInstance&) = delete;

  [[nodiscard]] bool make() {
    linux::Random random;
    std::array<std::byte, 4> bytes{};
    random.fill(bytes);
    plugin_id = "bench_" + to_hex(bytes);
    Body body;
    body.name("plugin_id").text(plugin_id);
    body.name("name").text("tocsinctl bench");
    body.name("alert").number(0);
    body.name("max_rate").number(0);  // the load has a rate of its own
    const auto data = context_.post("/api/v1/plugins", body.take());
    if (!data) return false;
    data_id = data->member("data_id").integer().value_or(0);
    token = data->member("token").text().value_or("");
    exists_ = true;
    return true;
  }
  /// False: it is still there, and said so on err.
  [[nodiscard]] bool remove() {
    if (!exists_) return true;
    exists_ = false;
    if (context_.post("/api/v1/plugins/" + std::to_string(data_id) + "/delete", "{}")) return true;
    context_.fail("the instance " + plugin_id + " is still there: tocsinctl plugin delete " + std::to_string(data_id));
    return false;
  }

  std::string plugin_id;
  std::int64_t data_id = 0;
  std::string token;

 private:
  Context& context_;
  bool exists_ = false;
};

struct Outcome {
  LoadResult result;
  bool deleted = false;
  std::size_t upstreams = 0;
};

class Bench {
 public:
  Bench(Context& context, const Args& args) : context_(context), args_(args) {}

  int run() {
    if (const int exit_code = read_options(); exit_code != kDone) return exit_code;
    auto url = find_push_url(context_, args_);
    if (!url) return kFailed;
    load_.url = *std::move(url);
    if (!look_at_the_box()) return kFailed;
    Interrupts interrupts;  // from here on an end leaves no instance behind
    OwnInstance instance(context_);
    if (!instance.make()) return kFailed;
    load_.body = body_for(instance);
    try {
      Progress progress(context_.err, err_is_a_terminal());
      out_.result = run_load(load_, interrupts, [&](std::chrono::milliseconds passed, std::uint64_t sent) {
        progress.show(static_cast<std::uint64_t>(passed.count()), static_cast<std::uint64_t>(load_.seconds) * 1000,
                      sent * static_cast<std::uint64_t>(events_));
      });
    } catch (const std::system_error&) {
      return context_.fail("the system has no threads for so many connections: --connections N");
    }
    out_.deleted = instance.remove();
    print(instance);
    return verdict();
  }

 private:
  int wrong(std::string_view why) {
    context_.fail(why);
    return kWrongUsage;
  }

  int read_options() {
    load_.per_second = args_.integer("--rate", 100);
    load_.seconds = args_.integer("--seconds", 10);
    load_.connections = args_.integer("--connections", 8);
    events_ = args_.integer("--batch", 1);
    const auto is_from_1_to = [](std::int64_t value, std::int64_t most) { return value >= 1 && value <= most; };
    if (!is_from_1_to(load_.per_second, kBenchRateMax)) return wrong("--rate is from 1 to 50000");
    if (!is_from_1_to(load_.seconds, kBenchSecondsMax)) return wrong("--seconds is from 1 to 3600");
    if (!is_from_1_to(load_.connections, kBenchConnectionsMax)) return wrong("--connections is from 1 to 128");
    if (!is_from_1_to(events_, std::int64_t{kBatchItemsMax})) return wrong("--batch is from 1 to 1000");
    return kDone;
  }

  /// What it would do to the box, before it does it. False: not to be done, and said so on err.
  bool look_at_the_box() {
    const auto status = context_.get("/api/v1/status");
    if (!status) return false;
    out_.upstreams = status->member("upstreams").elements().size();
    const std::int64_t wanted = load_.per_second * load_.seconds * events_ * kBenchStoredBytes;
    const auto used = status->member("store").member("used_bytes").integer();
    const auto quota = status->member("store").member("quota_bytes").integer();
    if (used && quota && wanted > *quota - *used && !args_.has("--may-evict")) {
      context_.fail("the events of this load need about " + bytes_text(wanted) + ", the store has " +
                    bytes_text(std::max<std::int64_t>(*quota - *used, 0)) +
                    " free: others' events would go (--may-evict: let them)");
      return false;
    }
    if (out_.upstreams > 0) {
      context_.fail("note: the events of this load go upstream as all others do");
    }
    return true;
  }

  std::string body_for(const OwnInstance& instance) const {
    const EventTemplate common{
        .event_name = "bench", .target = instance.plugin_id, .dimensions = {}, .timestamp_ms = {}};
    Batch batch(kBatchItemsMax);
    for (std::int64_t i = 0; i < events_; ++i) batch.add(item_of(common, "a load made by tocsinctl bench"));
    return batch.body(instance.data_id, instance.token);
  }

  [[nodiscard]] std::uint64_t events_stored() const noexcept {
    return out_.result.tally.taken * static_cast<std::uint64_t>(events_);
  }
  [[nodiscard]] double per_second(std::uint64_t count) const noexcept {
    return out_.result.seconds > 0 ? static_cast<double>(count) / out_.result.seconds : 0;
  }

  void print(const OwnInstance& instance) {
    if (args_.format == Format::json) return print_json(instance);
    const Tally& tally = out_.result.tally;
    const auto number = [](std::uint64_t n) { return std::to_string(n); };
    const Histogram& latency = tally.latency;
    std::string others = number(tally.other) + " other";
    if (tally.other > 0) others += " (" + std::to_string(tally.other_status) + ")";
    context_.out << list_of({
        {"requests", number(tally.sent()) + " in " + ms_text(seconds_us()) + ": " +
                         rate_text(per_second(tally.sent())) + " of " + std::to_string(load_.per_second) +
                         "/s asked for"},
        {"events", number(events_stored()) + " stored: " + rate_text(per_second(events_stored()))},
        {"latency", "p50 " + ms_text(latency.quantile_us(0.5)) + ", p95 " + ms_text(latency.quantile_us(0.95)) +
                        ", p99 " + ms_text(latency.quantile_us(0.99)) + ", max " + ms_text(latency.max_us()) +
                        " from when a request was due"},
        {"answers", number(tally.taken) + " of 200, " + number(tally.too_many) + " of 429, " + number(tally.busy) +
                        " of 503, " + others + ", " + number(tally.failed) + " without"},
        {"instance", instance.plugin_id + " (data id " + std::to_string(instance.data_id) + ")" +
                         (out_.deleted ? " deleted" : " NOT DELETED") +
                         "; its events stay until retention or the quota takes them" +
                         (out_.upstreams > 0 ? ", and go upstream" : "")},
    });
  }

  [[nodiscard]] std::int64_t seconds_us() const noexcept {
    return static_cast<std::int64_t>(out_.result.seconds * 1e6);
  }

  void print_json(const OwnInstance& instance) {
    const Tally& tally = out_.result.tally;
    const Histogram& latency = tally.latency;
    Body body;
    body.name("rate").number(load_.per_second);
    body.name("seconds").real(out_.result.seconds);
    body.name("interrupted").boolean(out_.result.interrupted);
    body.name("requests").number(tally.sent());
    body.name("requests_per_s").real(per_second(tally.sent()));
    body.name("events_stored").number(events_stored());
    body.name("events_per_s").real(per_second(events_stored()));
    auto& latencies = body.name("latency_us").object().name("p50").number(latency.quantile_us(0.5));
    latencies.name("p95").number(latency.quantile_us(0.95)).name("p99").number(latency.quantile_us(0.99));
    latencies.name("max").number(latency.max_us()).end_object();
    auto& answers = body.name("answers").object().name("200").number(tally.taken).name("429").number(tally.too_many);
    answers.name("503").number(tally.busy).name("other").number(tally.other).name("none").number(tally.failed);
    answers.end_object();
    body.name("plugin_id").text(instance.plugin_id);
    body.name("data_id").number(instance.data_id);
    body.name("instance_deleted").boolean(out_.deleted);
    context_.out << body.take() << "\n";
  }

  int verdict() {
    if (out_.result.interrupted) return context_.fail("interrupted: the figures are of what was done until then");
    if (out_.result.tally.taken == 0) return context_.fail("no request was taken");
    return out_.deleted ? kDone : kFailed;
  }

  Context& context_;
  const Args& args_;
  Load load_;
  std::int64_t events_ = 1;
  Outcome out_;
};

int bench(Context& context, const Args& args) { return Bench(context, args).run(); }

constexpr std::array kBenchCommands = {
    Command{"bench", "", 0, 0,
            "Load the box from outside with an instance of its own that is deleted afterwards; its events stay until "
            "retention takes them.",
            kBenchOptions, bench},
};

}  // namespace

std::span<const Command> bench_commands() noexcept { return kBenchCommands; }

}  // namespace tocsin::ctl
