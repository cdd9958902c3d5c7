// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_plugin_hops.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <thread>
#include <utility>

#include "platform/linux/random.hpp"
#include "src/base/hex.hpp"
#include "src/json/writer.hpp"
#include "src/programs/tocsinctl_batch.hpp"
#include "src/programs/tocsinctl_context.hpp"
#include "src/programs/tocsinctl_pages.hpp"
#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(25);
constexpr std::size_t kAlertsLookedAt = 1000;

struct Hop {
  std::string name;
  std::string detail;
  std::optional<std::int64_t> us;  ///< after the event was sent; nothing: not reached
};

std::string standard_event(std::string_view mark, std::string_view status) {
  std::string out;
  json::Writer writer(out);
  writer.object().member("event_id", std::string(mark).append("-").append(status)).member("alert_name", kTestEventName);
  writer.member("status", status).name("severity").number(3).member("target_type", "HOST");
  writer.member("target", kTestTarget).member("description", "made by tocsinctl plugin test " + std::string(mark));
  writer.end_object();
  return out;
}

class PluginTest {
 public:
  PluginTest(Context& context, const Args& args)
      : context_(context),
        args_(args),
        client_(curl::Options{.unix_socket = {}, .response_bytes_max = kTestAnswerBytesMax}) {}

  int run() {
    if (const int exit_code = read_options(); exit_code != kDone) return exit_code;
    if (!find_out()) return kFailed;
    begun_ = std::chrono::steady_clock::now();
    if (!send()) return finish();
    while (!look() && passed_us() < timeout_us_) std::this_thread::sleep_for(kLookEvery);
    recover();
    return finish();
  }

 private:
  static constexpr std::size_t kTestAnswerBytesMax = 64 * 1024;

  int wrong(std::string_view why) {
    context_.fail(why);
    return kWrongUsage;
  }

  int read_options() {
    const std::int64_t timeout_s = args_.integer("--timeout-s", 10);
    if (timeout_s < 1 || timeout_s > 600) return wrong("--timeout-s is from 1 to 600");
    timeout_us_ = timeout_s * 1'000'000;
    const char* environment = std::getenv("TOCSIN_TOKEN");
    token_ = args_.has("--token") ? std::string(args_.get("--token")) : environment == nullptr ? "" : environment;
    if (token_.empty()) {
      return wrong("plugin test needs --token TEXT or TOCSIN_TOKEN: the box has only the token's hash");
    }
    return kDone;
  }

  /// Everything that has to be known before the event leaves. False: said so on err.
  bool find_out() {
    const auto instance = find_instance(context_, args_.arguments[0]);
    if (!instance) return false;
    data_id_ = to_integer(*instance).value_or(0);
    const auto data = context_.get("/api/v1/plugins/" + percent_encoded(*instance));
    if (!data) return false;
    type_ = data->member("type").text().value_or("");
    opens_alerts_ = type_ == "event" && data->member("alert").integer().value_or(0) > 0;
    auto url = find_push_url(context_, args_);
    if (!url) return false;
    url_ = *std::move(url);
    if (type_ == "alert_source") url_.replace(url_.size() - kPushPath.size(), kPushPath.size(), "api/v1/events");
    std::array<std::byte, 8> bytes{};
    linux::Random().fill(bytes);
    mark_ = to_hex(bytes);
    return !opens_alerts_ || find_alert(alert_before_);
  }

  [[nodiscard]] std::int64_t passed_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun_).count();
  }

  [[nodiscard]] Result<curl::Response> post(std::string body) {
    curl::Request request;
    request.is_post = true;
    request.url = url_;
    request.headers = {"Content-Type: application/json", "X-BK-TOKEN: " + token_};
    request.body = std::move(body);
    request.timeout_ms = timeout_us_ / 1000;
    return client_.request(request);
  }

  /// False: not taken, and there is nothing to follow.
  bool send() {
    const auto response = post(test_body(type_, data_id_, token_, mark_));
    const std::int64_t us = passed_us();
    if (!response.ok()) {
      hops_.push_back({"received", url_ + ": " + response.error().context[0], {}});
      return false;
    }
    Document answer;
    const bool is_json = answer.parse(context_.parser(), response->body);
    if (response->status != 200) {
      const auto message = is_json ? answer.root().member("message").text().value_or("") : "";
      hops_.push_back({"received", "refused with " + std::to_string(response->status) + ": " + message, {}});
      return false;
    }
    hops_.push_back({"received", "200 from " + url_, us});
    hops_.push_back({"on flash", "no 200 is sent before", us});
    if (type_ == "alert_source" && is_json) {
      const auto items = answer.root().member("data").member("items").elements();
      const Value first = items.empty() ? Value() : items.front();
      const auto alert = first.member("alert_id").text().value_or("");
      hops_.push_back({"alert", first.member("outcome").shown() + " " + alert, us});
      if (alert.empty()) hops_.back().us.reset();
    } else if (opens_alerts_) {
      hops_.push_back({"alert", "none seen", {}});
    } else {
      notes_.emplace_back("the source opens no alerts by its setting");
    }
    return true;
  }

  bool find_alert(std::optional<TestAlert>& out) {
    const auto pages = fetch_pages(context_, "/api/v1/alerts", Query(), {.limit = kAlertsLookedAt});
    if (pages) out = open_test_alert(pages->entries(), data_id_);
    return pages.has_value();
  }

  Hop* hop_named(std::string_view name) {
    const auto found = std::find_if(hops_.begin(), hops_.end(), [&](const Hop& hop) { return hop.name == name; });
    return found == hops_.end() ? nullptr : &*found;
  }

  /// True: there is nothing more to wait for.
  bool look() {
    if (Hop* alert = hop_named("alert"); alert != nullptr && !alert->us && !look_for_alert(*alert)) return true;
    if (seq_ == 0 && !look_for_seq()) return true;
    if (seq_ != 0 && !look_at_upstreams()) return true;
    return seq_ != 0 && std::all_of(hops_.begin(), hops_.end(), [](const Hop& hop) { return hop.us.has_value(); });
  }

  bool look_for_alert(Hop& hop) {
    std::optional<TestAlert> now;
    if (!find_alert(now)) return false;
    const bool is_news = now && (!alert_before_ || now->id != alert_before_->id || now->events > alert_before_->events);
    if (!is_news) return true;
    hop.us = passed_us();
    hop.detail = (alert_before_ && now->id == alert_before_->id ? "folded into " : "opened ") + now->id +
                 ", severity " + now->severity;
    notes_.push_back("alert " + now->id + " stays open: tocsinctl alert ack " + now->id + " --message TEXT");
    return true;
  }

  /// Which sequence the box gave the event: what upstreams confirm.
  bool look_for_seq() {
    Query query;
    query.add("plugin", std::to_string(data_id_));
    query.add("text", mark_);
    query.add("limit", "1");
    const auto data = context_.get("/api/v1/events" + query.text());
    if (!data) return false;
    const auto events = entries_of(*data);
    if (events.empty()) return true;
    seq_ = events.front().member("seq").integer().value_or(0);
    lane_ = events.front().member("lane").text().value_or("");
    return true;
  }

  bool look_at_upstreams() {
    const auto status = context_.get("/api/v1/status");
    if (!status) return false;
    const auto upstreams = status->member("upstreams").elements();
    if (upstreams.empty() && std::exchange(has_upstreams_, false)) notes_.emplace_back("no upstream is configured");
    for (const Value& upstream : upstreams) {
      const std::string name = "upstream " + upstream.member("name").shown();
      Hop* hop = hop_named(name);
      if (hop == nullptr) hop = &hops_.emplace_back(Hop{name, {}, {}});
      if (hop->us) continue;
      const bool is_confirmed = has_confirmed(upstream, lane_, seq_);
      hop->detail = upstream.member("state").shown() + ": " + upstream.member("detail").shown();
      if (is_confirmed) {
        hop->us = passed_us();
        hop->detail = "confirmed, sequence " + std::to_string(seq_);
      }
    }
    return true;
  }

  /// Whose events can say that it is over says so.
  void recover() {
    if (type_ == "alert_source") static_cast<void>(post(standard_event(mark_, "RECOVERED")));
  }

  int finish() {
    std::string missing;
    for (const Hop& hop : hops_) {
      if (!hop.us) missing.append(missing.empty() ? "" : ", ").append(hop.name);
    }
    print();
    if (missing.empty() && seq_ == 0) missing = "the stored event";
    return missing.empty() ? kDone : context_.fail("not reached: " + missing);
  }

  void print() {
    if (args_.format == Format::json) {
      std::string text;
      json::Writer writer(text);
      writer.array();
      for (const Hop& hop : hops_) {
        writer.object().member("hop", hop.name).name("reached").boolean(hop.us.has_value()).name("ms");
        if (hop.us) {
          writer.real(static_cast<double>(*hop.us) / 1000.0);
        } else {
          writer.null();
        }
        writer.member("detail", to_utf8(hop.detail)).end_object();
      }
      writer.end_array();
      context_.out << text << "\n";
      return;
    }
    std::vector<std::vector<std::string>> rows;
    for (const Hop& hop : hops_) {
      std::array<char, 32> time{"-"};
      if (hop.us) std::snprintf(time.data(), time.size(), "%.1f ms", static_cast<double>(*hop.us) / 1000.0);
      rows.push_back({hop.name, time.data(), hop.detail});
    }
    context_.out << table_of({"HOP", "AFTER", "DETAIL"}, rows);
    for (const std::string& note : notes_) context_.out << plain_line(note) << "\n";
  }

  static constexpr std::string_view kPushPath = "v2/push/";
  Context& context_;
  const Args& args_;
  curl::Client client_;
  std::int64_t timeout_us_ = 0;
  std::string token_;
  std::int64_t data_id_ = 0;
  std::string type_;
  bool opens_alerts_ = false;
  bool has_upstreams_ = true;  ///< until the opposite was seen
  std::string url_;
  std::string mark_;
  std::optional<TestAlert> alert_before_;
  std::chrono::steady_clock::time_point begun_;
  std::int64_t seq_ = 0;  ///< 0: not known yet
  std::string lane_;
  std::vector<Hop> hops_;
  std::vector<std::string> notes_;
};

}  // namespace

std::string test_body(std::string_view type, std::int64_t data_id, std::string_view token, std::string_view mark) {
  if (type == "alert_source") return standard_event(mark, "ABNORMAL");
  EventTemplate common{.event_name = std::string(kTestEventName),
                       .target = std::string(kTestTarget),
                       .dimensions = {},
                       .timestamp_ms = {}};
  Batch batch;
  if (type == "time_series") {
    common.dimensions = {{"mark", std::string(mark)}};
    batch.add(metric_item_of(common, {{std::string(kTestEventName), "1"}}));
  } else {
    // The mark is in no dimension, so that the alerts of all tests are one.
    batch.add(item_of(common, "made by tocsinctl plugin test " + std::string(mark)));
  }
  return batch.body(data_id, token);
}

std::optional<TestAlert> open_test_alert(const std::vector<Value>& alerts, std::int64_t data_id) {
  for (const Value& alert : alerts) {
    const auto state = alert.member("state").text().value_or("");
    if ((state != "ABNORMAL" && state != "ACK") || alert.member("bk_data_id").integer() != data_id ||
        alert.member("alert_name").text() != kTestEventName || alert.member("target").text() != kTestTarget) {
      continue;
    }
    return TestAlert{alert.member("id").shown(), alert.member("event_count").integer().value_or(0),
                     alert.member("severity").shown()};
  }
  return std::nullopt;
}

bool has_confirmed(const Value& upstream, std::string_view lane, std::int64_t seq) {
  for (const Value& one : upstream.member("lanes").elements()) {
    if (one.member("lane").text() == lane) return one.member("confirmed_seq").integer().value_or(0) >= seq;
  }
  return false;
}

int test_plugin(Context& context, const Args& args) { return PluginTest(context, args).run(); }

}  // namespace tocsin::ctl
