// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <fstream>
#include <limits>
#include <ostream>
#include <thread>

#include "src/programs/tocsinctl_batch.hpp"
#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:10205";

constexpr std::array kOptions = {
    Option{"--data-id", Takes::integer, "N", "data id of the source", {}, false, true},
    Option{"--token", Takes::text, "TEXT", "token of the source", {}, false, true},
    Option{"--event-name", Takes::text, "TEXT", "name of the event, or of each line's event"},
    Option{"--target", Takes::text, "TEXT", "what the event is about"},
    Option{"--content", Takes::text, "TEXT", "content of one event; FILE is then not read"},
    Option{"--dimension", Takes::text, "k=v", "a dimension of the event", {}, true},
    Option{"--timestamp", Takes::integer, "MS", "time of the event, epoch milliseconds (default: when it is received)"},
    Option{"--url", Takes::text, "URL",
           "push listener (default: the daemon's own, asked for on its control socket; without a daemon on the default "
           "socket http://127.0.0.1:10205)"},
};

class Push {
 public:
  Push(Context& context, const Args& args) : context_(context), args_(args), client_(curl::Options{}) {}

  int run() {
    if (!read_options()) return kWrongUsage;
    if (!find_url()) return kFailed;
    if (args_.has("--content")) {
      if (common_.event_name.empty() || common_.target.empty())
        return wrong("--content needs --event-name and --target");
      batch_.add(item_of(common_, args_.get("--content")));
    } else if (!take_lines()) {
      return report(kFailed);
    }
    return report(send() ? kDone : kFailed);
  }

 private:
  int wrong(std::string_view why) {
    context_.fail(why);
    return kWrongUsage;
  }

  bool read_options() {
    data_id_ = args_.integer("--data-id", 0);
    if (data_id_ < 1 || data_id_ > std::numeric_limits<std::int32_t>::max()) {
      wrong("--data-id is from 1 to 2147483647");
      return false;
    }
    if (args_.has("--content") == !args_.arguments.empty()) {
      wrong("push takes either --content or FILE, - for standard input");
      return false;
    }
    common_.event_name = args_.get("--event-name");
    common_.target = args_.get("--target");
    if (args_.has("--timestamp")) common_.timestamp_ms = args_.integer("--timestamp", 0);
    for (const std::string& dimension : args_.all("--dimension")) {
      const std::size_t equals = dimension.find('=');
      if (equals == std::string::npos || equals == 0) {
        wrong("--dimension takes k=v");
        return false;
      }
      common_.dimensions.emplace_back(dimension.substr(0, equals), dimension.substr(equals + 1));
    }
    return true;
  }

  bool find_url() {
    if (args_.has("--url")) {
      url_ = args_.get("--url");
    } else if (context_.socket() == kDefaultSocket && !context_.daemon_is_there()) {
      url_ = kDefaultUrl;  // who may not use the control socket may push all the same
    } else if (!ask_for_url()) {
      return false;
    }
    while (url_.ends_with('/')) url_.pop_back();
    if (!url_.ends_with("/v2/push")) url_ += "/v2/push";
    url_ += "/";
    return true;
  }

  /// The daemon behind the control socket is the one that is meant, wherever it listens.
  bool ask_for_url() {
    const auto data = context_.get("/api/v1/config");
    if (!data) return false;
    for (const Value& entry : entries_of(*data)) {
      if (entry.member("key").text() != "http.push.listen") continue;
      for (const Value& address : entry.member("value").elements()) {
        url_ = url_of_listener(address.text().value_or(""));
        if (!url_.empty()) return true;
      }
    }
    context_.fail("the daemon on " + context_.socket() +
                  " does not tell where it takes events: name it with --url URL");
    return false;
  }

  bool take_lines() {
    const std::string& name = args_.arguments[0];
    if (name == "-") return take_lines_of(context_.in, "standard input");
    std::ifstream file(name, std::ios::binary);
    if (!file) {
      context_.fail("cannot read " + name);
      return false;
    }
    return take_lines_of(file, name);
  }

  bool take_lines_of(std::istream& in, const std::string& name) {
    for (std::uint64_t number = 1;; ++number) {
      auto line = read_line(in);
      if (line.ok() && !line->has_value()) return true;
      if (line.ok() && (*line)->ends_with('\r')) (*line)->pop_back();
      if (line.ok() && (*line)->empty()) continue;
      auto item = line.ok() ? item_of_line(context_.parser(), common_, **line) : Result<std::string>(line.error());
      if (!item.ok()) {
        context_.fail(name + ":" + std::to_string(number) + ": " + item.error().context[0]);
        static_cast<void>(send());  // what came before is good
        return false;
      }
      if (!batch_.has_room_for(*item) && !send()) return false;
      batch_.add(*item);
    }
  }

  /// Sends what has gathered; 429 and 503 are tried again. False: refused, and said so on err.
  bool send() {
    if (batch_.count() == 0) return true;
    curl::Request request;
    request.is_post = true;
    request.url = url_;
    request.headers = {"Content-Type: application/json"};
    request.body = batch_.body(data_id_, args_.get("--token"));
    for (int tries = 1;; ++tries) {
      const auto response = client_.request(request);
      ++requests_;
      if (!response.ok()) {
        // Whether it was stored is unknown, so it is not sent again: the caller decides.
        context_.fail("pushing to " + url_ + ": " + response.error().context[0]);
        return false;
      }
      if (response->status == 200) {
        events_ += batch_.count();
        batch_.clear();
        return true;
      }
      const auto wait = wait_s(response->status, response->retry_after_s, tries);
      if (!wait) {
        Document answer;
        const bool is_json = answer.parse(context_.parser(), response->body);
        const std::string message = is_json ? answer.root().member("message").text().value_or("") : "";
        context_.fail("refused with " + std::to_string(response->status) + (message.empty() ? "" : ": " + message));
        return false;
      }
      std::this_thread::sleep_for(std::chrono::seconds(*wait));
    }
  }

  int report(int exit_code) {
    if (args_.format == Format::json) {
      context_.out << "{\"events\":" << events_ << ",\"requests\":" << requests_ << "}\n";
    } else {
      context_.out << events_ << (events_ == 1 ? " event" : " events") << " stored, " << requests_
                   << (requests_ == 1 ? " request\n" : " requests\n");
    }
    return exit_code;
  }

  Context& context_;
  const Args& args_;
  curl::Client client_;
  std::int64_t data_id_ = 0;
  EventTemplate common_;
  std::string url_;
  Batch batch_;
  std::uint64_t events_ = 0;
  std::uint64_t requests_ = 0;
};

int push(Context& context, const Args& args) { return Push(context, args).run(); }

constexpr std::array kPushCommands = {
    Command{"push", "[FILE|-]", 0, 1, "Send events as a device would: one from options, or one a line of text or JSON.",
            kOptions, push},
};

}  // namespace

std::span<const Command> push_commands() noexcept { return kPushCommands; }

}  // namespace tocsin::ctl
