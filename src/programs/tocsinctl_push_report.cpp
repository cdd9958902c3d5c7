// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_push_report.hpp"

#include <limits>
#include <optional>
#include <utility>

#include "src/json/writer.hpp"

namespace tocsin::ctl {
namespace {

using Why = tl::unexpected<std::string>;

/// An object with some members put in place of those it has, or behind them.
class Changed {
 public:
  explicit Changed(const Value& object) : object_(object) {}
  void set(std::string name, std::string json) { changes_.emplace_back(std::move(name), std::move(json)); }
  void set_text(std::string name, std::string_view plain) {
    std::string json;
    json::append_quoted(to_utf8(plain), json);
    set(std::move(name), std::move(json));
  }
  [[nodiscard]] std::string written() const {
    std::string out;
    json::Writer writer(out);
    writer.object();
    for (const auto& [name, value] : object_.members()) {
      if (change_of(name) == nullptr) writer.name(name).raw(value.written());
    }
    for (const auto& [name, json] : changes_) writer.name(name).raw(json);
    writer.end_object();
    return out;
  }

 private:
  [[nodiscard]] const std::string* change_of(std::string_view name) const noexcept {
    for (const auto& change : changes_) {
      if (change.first == name) return &change.second;
    }
    return nullptr;
  }
  const Value object_;
  std::vector<std::pair<std::string, std::string>> changes_;
};

std::string first_event(const Args& args, const Value& body_item, std::int64_t now_ms) {
  Changed item(body_item);
  if (const auto name = args.get("-report.event.name"); !name.empty()) item.set_text("event_name", name);
  if (const auto target = args.get("-report.event.target"); !target.empty()) item.set_text("target", target);
  if (const auto content = args.get("-report.event.content"); !content.empty()) {
    Changed event(body_item.member("event"));
    event.set_text("content", content);
    item.set("event", event.written());
  }
  const std::int64_t timestamp = args.integer("-report.event.timestamp", 0);
  if (timestamp != 0) {
    item.set("timestamp", std::to_string(timestamp));
  } else if (const Value own = body_item.member("timestamp"); !own.exists() || own.integer() == 0) {
    item.set("timestamp", std::to_string(now_ms));
  }
  if (!body_item.member("dimension").exists()) item.set("dimension", "{}");
  return item.written();
}

/// What bkmonitorbeat demands of the first item, before anything is sent. Empty: nothing is missing.
std::string missing_of(const Value& item, bool is_event) {
  const auto is_text = [](const Value& value) { return !value.text().value_or("").empty(); };
  if (is_event && !is_text(item.member("event_name"))) return "event_name is required (-report.event.name)";
  if (is_event && !is_text(item.member("event").member("content")))
    return "event.content is required (-report.event.content)";
  if (!is_event && item.member("metrics").kind() != json::Kind::object) return "metrics is required";
  if (!is_text(item.member("target"))) return "target is required (-report.event.target)";
  if (item.member("dimension").kind() != json::Kind::object) return "dimension is required";
  if (!item.member("timestamp").integer()) return "timestamp is required";
  return {};
}

tl::expected<std::string, std::string> url_of(const Args& args) {
  const std::string_view type = args.get("-report.type");
  if (type == "agent") return std::string{};
  if (type != "http") return Why("invalid sender name: " + std::string(type) + " (-report.type http|agent)");
  const std::string server(args.get("-report.http.server"));
  if (server.empty()) return Why("-report.http.server is required for -report.type http");
  return server.find("://") == std::string::npos ? "http://" + server : server;
}

std::string token_of(const Args& args, const Value& body, bool is_event, const std::string& environment_token) {
  std::string flag(args.get("-report.http.token"));
  std::string own = body.member("access_token").text().value_or("");
  if (is_event && !flag.empty()) return flag;
  if (!own.empty()) return own;  // of a time series it wins over the flag
  return flag.empty() ? environment_token : flag;
}

}  // namespace

tl::expected<Report, std::string> read_report(json::Parser& parser, const Args& args,
                                              const std::string& environment_token, std::int64_t now_ms) {
  const std::string_view kind = args.get("-report.message.kind");
  const bool is_event = kind == "event";
  if (!is_event && kind != "timeseries") {
    return Why("unexpected message kind: " + std::string(kind) + " (-report.message.kind event|timeseries)");
  }
  Document document;
  std::string_view text = args.get("-report.message.body");
  if (text.empty() && is_event) text = R"({"data":[{"event":{},"dimension":{}}]})";
  if (!document.parse(parser, text) || document.root().kind() != json::Kind::object) {
    return Why("-report.message.body is not a JSON object");
  }
  const Value& body = document.root();
  Report out;
  out.data_id = args.integer("-report.bk_data_id", 0);
  if (out.data_id == 0) out.data_id = body.member("data_id").integer().value_or(0);
  if (out.data_id < 1 || out.data_id > std::numeric_limits<std::int32_t>::max()) {
    return Why("data_id is required, from 1 to 2147483647 (-report.bk_data_id)");
  }
  const auto items = body.member("data").elements();
  for (const Value& item : items) {
    if (item.kind() != json::Kind::object) return Why("data has something that is no object");
    out.items.emplace_back(item.written());
  }
  if (items.empty()) return Why("data is required: a list that is not empty");
  if (is_event) out.items[0] = first_event(args, items[0], now_ms);
  Document first;
  if (!first.parse(parser, out.items[0])) return Why("the first item is too long");
  if (std::string missing = missing_of(first.root(), is_event); !missing.empty()) return Why(std::move(missing));
  out.token = token_of(args, body, is_event, environment_token);
  if (out.token.empty()) return Why("no token: -report.http.token, access_token in the body, or TOCSIN_TOKEN");
  auto url = url_of(args);
  if (!url) return Why(url.error());
  out.url = *std::move(url);
  return out;
}

}  // namespace tocsin::ctl
