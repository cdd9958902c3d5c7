// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <ostream>

#include "src/programs/tocsinctl_batch.hpp"
#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_push_input.hpp"
#include "src/programs/tocsinctl_push_report.hpp"
#include "src/programs/tocsinctl_push_sender.hpp"
#include "src/programs/tocsinctl_push_url.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::int64_t kGiveUpAfterS = 120;
constexpr std::int64_t kGiveUpAfterMaxS = 7 * 86'400;
constexpr std::size_t kKeyBytesMax = 200;  // a server takes 255, and the requests are numbered behind it

constexpr std::size_t kEventOptions = 9;  // the first ones say what is sent: with -report its own options do
constexpr std::array kOwnOptions = {
    Option{"--data-id", Takes::integer, "N", "data id of the source"},
    Option{"--token", Takes::text, "TEXT", "its token (default: $TOCSIN_TOKEN, which other users cannot see)"},
    Option{"--event-name", Takes::text, "TEXT", "name of the event, or of each line's event"},
    Option{"--target", Takes::text, "TEXT", "what the event is about"},
    Option{"--content", Takes::text, "TEXT", "content of one event; FILE is then not read"},
    Option{"--metric", Takes::text, "NAME=N", "one metric item with these values; FILE is then not read", {}, true},
    Option{"--dimension", Takes::text, "k=v", "a dimension of the event", {}, true},
    Option{"--timestamp", Takes::integer, "MS", "time of the event, epoch milliseconds (default: when it is received)"},
    Option{"--json", Takes::nothing, "", "FILE is one JSON document: an item, a list of items, or {\"data\": [...]}"},
    Option{"--batch", Takes::integer, "N", "items a request at most (default: 100)"},
    Option{"--gzip", Takes::nothing, "", "compress what is sent"},
    Option{"--give-up-after", Takes::integer, "S",
           "seconds that a request is tried again when the server is busy or away (default: 120); 0: not at all"},
    Option{"--idempotency-key", Takes::text, "TEXT",
           "the same input pushed again under this key is stored once (default: a random key a request)"},
    kUrlOption,
};

constexpr auto kOptions = [] {
  std::array<Option, kOwnOptions.size() + kReportOptions.size()> all{};
  std::copy(kReportOptions.begin(), kReportOptions.end(),
            std::copy(kOwnOptions.begin(), kOwnOptions.end(), all.begin()));
  return all;
}();

std::string environment_token() {
  const char* token = std::getenv("TOCSIN_TOKEN");
  return token == nullptr ? "" : token;
}

class Push {
 public:
  Push(Context& context, const Args& args) : context_(context), args_(args) {}

  int run() {
    if (const int exit_code = read_common(); exit_code != kDone) return exit_code;
    return is_report() ? run_report() : run_own();
  }

 private:
  int wrong(std::string_view why) {
    context_.fail(why);
    return kWrongUsage;
  }

  bool is_report() const {
    return std::any_of(kReportOptions.begin(), kReportOptions.end(),
                       [&](const Option& option) { return args_.has(option.name); });
  }

  /// What both ways of saying it have.
  int read_common() {
    const std::int64_t items_max = args_.integer("--batch", kBatchItemsDefault);
    if (items_max < 1 || items_max > std::int64_t{kBatchItemsMax}) return wrong("--batch is from 1 to 1000");
    batch_ = Batch(static_cast<std::size_t>(items_max));
    const std::int64_t give_up_after_s = args_.integer("--give-up-after", kGiveUpAfterS);
    if (give_up_after_s < 0 || give_up_after_s > kGiveUpAfterMaxS) {
      return wrong("--give-up-after is from 0 to 604800");
    }
    sending_.give_up_after_ms = give_up_after_s * 1000;
    sending_.with_gzip = args_.has("--gzip");
    sending_.key = args_.get("--idempotency-key");
    const bool is_visible =
        std::all_of(sending_.key.begin(), sending_.key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (sending_.key.size() > kKeyBytesMax || !is_visible || (args_.has("--idempotency-key") && sending_.key.empty())) {
      return wrong("--idempotency-key takes 1 to 200 visible ASCII characters");
    }
    return kDone;
  }

  /// As bkmonitorbeat: silent when it is done.
  int run_report() {
    const bool has_own = std::any_of(kOwnOptions.begin(), kOwnOptions.begin() + kEventOptions,
                                     [&](const Option& option) { return args_.has(option.name); });
    if (has_own || !args_.arguments.empty()) {
      return wrong("-report takes bkmonitorbeat's options, not FILE or the options of an event");
    }
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    const auto report = read_report(context_.parser(), args_, environment_token(), now.count());
    if (!report) return context_.fail(report.error());
    data_id_ = report->data_id;
    token_ = report->token;
    if (!report->url.empty()) {
      sending_.url = push_url(report->url);
    } else if (!find_url()) {
      return kFailed;
    }
    open_sender();
    for (const std::string& item : report->items) {
      if (!add(item)) return kFailed;
    }
    return send() ? kDone : kFailed;
  }

  int run_own() {
    if (const int exit_code = read_options(); exit_code != kDone) return exit_code;
    if (!find_url()) return kFailed;
    open_sender();
    if (args_.has("--content")) {
      batch_.add(item_of(input_.common, args_.get("--content")));
    } else if (!metrics_.empty()) {
      batch_.add(metric_item_of(input_.common, metrics_));
    } else if (!push_input()) {
      return report(kFailed);
    }
    return report(send() ? kDone : kFailed);
  }

  int read_options() {
    if (!args_.has("--data-id")) return wrong("push needs --data-id N (tocsinctl push --help)");
    data_id_ = args_.integer("--data-id", 0);
    if (data_id_ < 1 || data_id_ > std::numeric_limits<std::int32_t>::max()) {
      return wrong("--data-id is from 1 to 2147483647");
    }
    token_ = args_.has("--token") ? std::string(args_.get("--token")) : environment_token();
    if (token_.empty()) return wrong("push needs --token TEXT, or TOCSIN_TOKEN in the environment");
    const int ways = (args_.has("--content") ? 1 : 0) + (args_.has("--metric") ? 1 : 0);
    if (ways + (args_.arguments.empty() ? 0 : 1) != 1) {
      return wrong("push takes one of --content, --metric and FILE, which is - for standard input");
    }
    input_.data_id = data_id_;
    input_.is_document = args_.has("--json");
    return read_template();
  }

  int read_template() {
    EventTemplate& common = input_.common;
    common.event_name = args_.get("--event-name");
    common.target = args_.get("--target");
    if (args_.has("--timestamp")) common.timestamp_ms = args_.integer("--timestamp", 0);
    for (const std::string& dimension : args_.all("--dimension")) {
      const std::size_t equals = dimension.find('=');
      if (equals == std::string::npos || equals == 0) return wrong("--dimension takes k=v");
      common.dimensions.emplace_back(dimension.substr(0, equals), dimension.substr(equals + 1));
    }
    for (const std::string& text : args_.all("--metric")) {
      auto metric = metric_of(context_.parser(), text);
      if (!metric) return wrong("--metric takes NAME=N, a number: " + text);
      metrics_.push_back(*std::move(metric));
    }
    if (args_.has("--content") && (common.event_name.empty() || common.target.empty())) {
      return wrong("--content needs --event-name and --target");
    }
    return kDone;
  }

  bool find_url() {
    const auto url = find_push_url(context_, args_);
    if (url) sending_.url = *url;
    return url.has_value();
  }

  void open_sender() { sender_.emplace(context_, progress_, sending_); }

  bool push_input() {
    const std::string& name = args_.arguments[0];
    input_.name = name == "-" ? "standard input" : name;
    if (name == "-") return push_stream(context_.in);
    std::ifstream file(name, std::ios::binary);
    if (!file) {
      context_.fail("cannot read " + name);
      return false;
    }
    std::error_code failure;
    const auto size = std::filesystem::file_size(name, failure);
    if (!failure) file_bytes_ = size;
    return push_stream(file);
  }

  bool push_stream(std::istream& in) {
    bool is_sent = true;
    const auto fault = read_items(context_.parser(), in, input_, [&](std::string_view item, const Place& place) {
      is_sent = add(item);
      progress_.show(place.done, place.total == 0 ? file_bytes_ : place.total, events_);
      return is_sent;
    });
    if (!fault) return is_sent;
    progress_.hide();
    context_.fail(*fault);
    static_cast<void>(send());  // what came before is good
    return false;
  }

  bool add(std::string_view item) {
    if (!batch_.has_room_for(item) && !send()) return false;
    batch_.add(item);
    return true;
  }

  /// Sends what has gathered. False: it was not taken, and said so on err.
  bool send() {
    if (batch_.count() == 0) return true;
    const std::string what =
        " (events " + std::to_string(events_ + 1) + " to " + std::to_string(events_ + batch_.count()) + ")";
    if (!sender_->send(batch_.body(data_id_, token_), events_ == 0 ? "" : what)) return false;
    events_ += batch_.count();
    batch_.clear();
    return true;
  }

  int report(int exit_code) {
    progress_.hide();
    const std::uint64_t requests = sender_->requests();
    if (args_.format == Format::json) {
      context_.out << "{\"events\":" << events_ << ",\"requests\":" << requests << "}\n";
    } else {
      context_.out << events_ << (events_ == 1 ? " event" : " events") << " stored, " << requests
                   << (requests == 1 ? " request\n" : " requests\n");
    }
    return exit_code;
  }

  Context& context_;
  const Args& args_;
  std::int64_t data_id_ = 0;
  std::string token_;
  InputOptions input_;
  std::vector<Metric> metrics_;
  SenderOptions sending_;
  Batch batch_;
  Progress progress_{context_.err, err_is_a_terminal()};
  std::optional<Sender> sender_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t events_ = 0;
};

int push(Context& context, const Args& args) { return Push(context, args).run(); }

constexpr std::array kPushCommands = {
    Command{
        "push", "[FILE|-]", 0, 1,
        "Send events or metrics as a device would: one from options, or those of a file: lines of text or JSON, or a "
        "JSON document.",
        kOptions, push},
};

}  // namespace

std::span<const Command> push_commands() noexcept { return kPushCommands; }

}  // namespace tocsin::ctl
