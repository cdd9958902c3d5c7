// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/clients.hpp"

#include <algorithm>

namespace tocsin::test {
namespace {

constexpr std::size_t kAgainMax = 16;
constexpr std::array<const char*, 3> kStatus{"ABNORMAL", "RECOVERED", "CLOSED"};

std::string padded(std::string body) {
  body.append(json::kPaddingBytes, '\0');
  return body;
}
std::span<const std::byte> unpadded(const std::string& body) {
  return as_bytes(body).first(body.size() - json::kPaddingBytes);
}

}  // namespace

core::ReplyTo Clients::reply() {
  core::ReplyTo out;
  out.ticket = ++tickets_;
  random_.fill(out.request_id);
  return out;
}

Clients::Waiting Clients::change(core::InstanceChange what, std::int32_t data_id, std::uint8_t alert) {
  core::ChangeInstance out;
  out.change = what;
  out.instance.data_id = data_id;
  out.instance.plugin_id = "plugin" + std::to_string(data_id % 10);
  out.instance.bk_biz_id = 2;
  out.instance.alert = alert;
  out.instance.type = data_id == kSource ? model::InstanceType::alert_source : model::InstanceType::event;
  out.instance.lane = data_id == kCritical ? model::Lane::critical : model::Lane::normal;
  out.actor = "user:sim";
  return {core::Input{reply(), std::move(out)}, {}};
}

std::vector<Clients::Waiting> Clients::first_inputs() {
  std::vector<Waiting> out;
  for (const std::int32_t id : {kPlain, kAlerting, kChanging, kSource, kGoing, kCritical}) {
    out.push_back(change(core::InstanceChange::create, id, id == kAlerting ? 2 : id == kChanging ? 1 : 0));
  }
  return out;
}

std::optional<Clients::Waiting> Clients::next(const core::View& view, const port::Digest256& secret, Now now,
                                              std::uint64_t items_max) {
  const std::uint64_t kind = dice_.below(100);
  if (kind < 30) return custom(view, kPlain, now, items_max);
  if (kind < 40) return custom(view, kCritical, now, 3);
  if (kind < 55) return custom(view, kAlerting, now, 4);
  if (kind < 67) return custom(view, kChanging, now, 3);
  if (kind < 72) return custom(view, kGoing, now, 3);
  if (kind < 90) return standard(view, secret, now);
  if (kind < 95) return ack();
  if (kind < 97) return change(core::InstanceChange::update, kChanging, static_cast<std::uint8_t>(dice_.below(4)));
  const bool is_there = view.registry->instance(kGoing) != nullptr;
  return change(is_there ? core::InstanceChange::remove : core::InstanceChange::create, kGoing, 0);
}

std::string Clients::custom_item(const model::Instance& instance, Now now, std::vector<std::uint64_t>& tags) {
  const bool is_alerting = instance.alert != 0;
  const bool is_recovery = is_alerting && dice_.once_in(6);
  const std::string name = "c" + std::to_string(instance.data_id % 10) + "-" + std::to_string(dice_.below(4));
  Sent sent;
  sent.facts = {name,
                is_alerting ? (is_recovery ? Says::recovered : Says::abnormal) : Says::nothing,
                instance.alert,
                std::max<std::int64_t>(now.wall.unix_ms, 1),
                now.wall.unix_ms,
                now.wall.trusted};
  tags.push_back(ledger_.add(sent));
  return R"({"event_name":")" + name + R"(","target":"host","event":{"content":")" + Ledger::tag_text(tags.back()) +
         std::string(dice_.below(200), 'x') + R"("},"dimension":{)" +
         (is_recovery ? R"("event_type":"recovery")" : "") + R"(},"timestamp":)" + std::to_string(sent.facts.time_ms) +
         "}";
}

std::optional<Clients::Waiting> Clients::custom(const core::View& view, std::int32_t data_id, Now now,
                                                std::uint64_t items_max) {
  const auto* instance = view.registry->instance(data_id);
  if (instance == nullptr) return std::nullopt;
  std::vector<std::uint64_t> tags;
  std::string list;
  const std::uint64_t items = dice_.once_in(4) ? 1 + dice_.below(items_max) : 1;
  for (std::uint64_t n = 0; n < items; ++n) list += (n > 0 ? "," : "") + custom_item(*instance, now, tags);
  return push(view, *instance, now, std::move(list), std::move(tags));
}

std::optional<Clients::Waiting> Clients::push(const core::View& view, const model::Instance& instance, Now now,
                                              std::string items, std::vector<std::uint64_t> tags) {
  Waiting out;
  out.tags = std::move(tags);
  const std::string body =
      padded(R"({"data_id":)" + std::to_string(instance.data_id) + R"(,"access_token":"t","data":[)" + items + "]}");
  ingest::PushReader reader(parser_, crypto_);
  core::Push push{model::EventBatch(std::pmr::new_delete_resource()), false};
  push.batch.received = now;
  push.batch.registry_generation = view.registry->generation();
  random_.fill(push.batch.request_id);
  if (!reader.read_envelope(unpadded(body)) || !reader.read_items(instance, now, push.batch)) return std::nullopt;
  out.input = {reply(), std::move(push)};
  return out;
}

std::optional<Clients::Record> Clients::record(const core::View& view, Now now) {
  const auto* instance = view.registry->instance(kPlain);
  if (instance == nullptr) return std::nullopt;
  std::vector<std::uint64_t> tags;
  std::string item = custom_item(*instance, now, tags);
  item.resize(item.rfind(R"(,"timestamp":)"));  // or it would be of the future after the clock was set
  item += '}';
  return Record{tags.front(), std::move(item)};
}

std::optional<Clients::Waiting> Clients::batch(const core::View& view, Now now, std::span<const Record> records) {
  const auto* instance = view.registry->instance(kPlain);
  if (instance == nullptr) return std::nullopt;
  std::string list;
  std::vector<std::uint64_t> tags;
  for (const Record& record : records) {
    list += (list.empty() ? "" : ",") + record.item;
    tags.push_back(record.tag);
  }
  return push(view, *instance, now, std::move(list), std::move(tags));
}

Clients::Standard Clients::standard_event(Now now) {
  if (!again_.empty() && dice_.once_in(4)) return again_[dice_.below(again_.size())];
  Standard out;
  out.name = "s" + std::to_string(dice_.below(4));
  out.status = dice_.once_in(2) ? 0 : static_cast<std::size_t>(dice_.below(kStatus.size()));
  out.severity = static_cast<int>(dice_.between(1, 3));
  out.time_s = std::max<std::int64_t>(now.wall.unix_ms / 1000, 1);
  if (dice_.once_in(4)) return out;
  out.id = "e" + std::to_string(ledger_.events() + 1);
  again_.push_back(out);
  if (again_.size() > kAgainMax) again_.pop_front();
  return out;
}

std::optional<Clients::Waiting> Clients::standard(const core::View& view, const port::Digest256& secret, Now now) {
  static constexpr std::array<Says, 3> kSays{Says::abnormal, Says::recovered, Says::closed};
  const auto* instance = view.registry->instance(kSource);
  if (instance == nullptr) return std::nullopt;
  Waiting out;
  const Standard event = standard_event(now);
  Sent sent;
  sent.facts = {event.name,          kSays[event.status], event.severity,
                event.time_s * 1000, now.wall.unix_ms,    now.wall.trusted};
  sent.id = event.id;
  out.tags.push_back(ledger_.add(sent));
  const std::string body =
      padded(R"({"alert_name":")" + event.name + R"(","target_type":"HOST","target":"host","severity":)" +
             std::to_string(event.severity) + R"(,"status":")" + kStatus[event.status] + R"(","time":)" +
             std::to_string(event.time_s) + (event.id.empty() ? "" : R"(,"event_id":")" + event.id + "\"") +
             R"(,"description":")" + Ledger::tag_text(out.tags.back()) + "\"}");
  ingest::StandardReader reader(parser_, crypto_, secret);
  core::Push push{model::EventBatch(std::pmr::new_delete_resource()), true};
  push.batch.received = now;
  push.batch.registry_generation = view.registry->generation();
  auto to = reply();
  push.batch.request_id = to.request_id;
  if (!reader.read_envelope(unpadded(body)) || !reader.read_items(*instance, now, to.request_id, push.batch))
    return std::nullopt;
  out.input = {to, std::move(push)};
  return out;
}

Clients::Waiting Clients::ack() {
  core::AckAlerts out;
  out.actor = "user:sim";
  out.message = "seen";
  for (const auto& id : ledger_.alert_ids()) {
    if (out.ids.size() < 3 && dice_.once_in(3)) out.ids.push_back(id);
  }
  if (out.ids.empty()) out.ids.emplace_back("17000000009999999");
  return {core::Input{reply(), std::move(out)}, {}};
}

}  // namespace tocsin::test
