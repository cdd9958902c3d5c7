// SPDX-License-Identifier: Apache-2.0
// Makes the small store that a release leaves behind: golden_store DIR. Every later build must open it.
#include <cstdio>

#include "src/model/alert.hpp"
#include "tests/golden/box.hpp"

namespace tocsin {
namespace {

using test::GoldenBox;

core::Input instance(GoldenBox& box, std::int32_t data_id, const char* plugin_id, std::uint8_t alert,
                     model::InstanceType type) {
  core::ChangeInstance out;
  out.instance.data_id = data_id;
  out.instance.plugin_id = plugin_id;
  out.instance.bk_biz_id = 2;
  out.instance.alert = alert;
  out.instance.type = type;
  out.instance.token_hash = registry::token_hash(test::kGoldenToken, box.crypto, box.core->identity().secret);
  out.actor = "uid:0";
  return {box.reply(), std::move(out)};
}

core::Input user(GoldenBox& box) {
  core::ChangeUser out;
  out.must_be_new = true;
  out.user.name = "alice";
  out.user.role = model::Role::operator_;
  out.user.iterations = 1;
  out.user.password_hash = box.crypto.pbkdf2("golden-password", out.user.salt, 1);
  out.actor = "uid:0";
  return {box.reply(), std::move(out)};
}

core::Input api_token(GoldenBox& box) {
  core::ChangeApiToken out;
  out.token.name = "ci";
  out.token.role = model::Role::viewer;
  out.token.hash = registry::token_hash(test::kGoldenApiToken, box.crypto, box.core->identity().secret);
  out.actor = "uid:0";
  return {box.reply(), std::move(out)};
}

core::Input ack(GoldenBox& box) {
  auto txn = box.store->begin_read();
  auto entry = (*txn)->at_or_after(model::Key(model::Table::alert));
  const auto stored = model::decode_alert((*entry)->value.first((*entry)->value.size() - 4));
  return {box.reply(), core::AckAlerts{{model::alert_id(*stored)}, "on my way", "user:alice"}};
}

/// Two boots: the first does not know the time until its end.
bool fill(GoldenBox& box) {
  const std::string disk =
      R"([{"event_name":"disk full","target":"0:10.0.0.1","event":{"content":"95 %"},"dimension":{"device":"/dev/sda1"}}])";
  box.trusted = false;
  bool ok = box.start().ok();
  ok = ok && box.turn(instance(box, test::kGoldenPlain, "plain", 0, model::InstanceType::event));
  ok = ok && box.turn(instance(box, test::kGoldenAlerting, "alerting", 2, model::InstanceType::event));
  ok = ok && box.turn(instance(box, test::kGoldenSource, "source", 0, model::InstanceType::alert_source));
  ok = ok && box.turn(user(box)) && box.turn(api_token(box));
  ok = ok && box.push(test::kGoldenPlain,
                      R"([{"event_name":"early","target":"a","event":{"content":"1970"},"dimension":{}}])");
  box.trusted = true;
  ok = ok && box.push(test::kGoldenPlain,
                      R"([{"event_name":"first","target":"a","event":{"content":"one"},"dimension":{}},)"
                      R"({"event_name":"second","target":"b","event":{"content":"\u4e8c"},"dimension":{"n":"2"}}])");
  ok = ok && box.push(test::kGoldenAlerting, disk) && box.push(test::kGoldenAlerting, disk);
  ok = ok && box.turn(ack(box));
  ok =
      ok &&
      box.event(
          test::kGoldenSource,
          R"({"alert_name":"smoke","severity":1,"event_id":"e-1","target_type":"HOST","target":"10.0.0.9","time":1793500000})");
  core::Effects out;
  box.core->flush(box.now(), out);
  box.core.reset();
  box.mono_ms = 1'000;
  ok = ok && box.start().ok();
  ok = ok && box.push(test::kGoldenAlerting, disk);
  ok = ok && !box.turn({{}, core::Confirm{0, model::Lane::normal, 3, true}});
  box.core->flush(box.now(), out);
  box.core.reset();
  return ok;
}

}  // namespace
}  // namespace tocsin

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: golden_store DIR\n");
    return 2;
  }
  tocsin::test::GoldenBox box(argv[1]);
  return box.open().ok() && tocsin::fill(box) ? 0 : 1;
}
