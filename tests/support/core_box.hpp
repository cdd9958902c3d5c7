// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "platform/gnutls/crypto.hpp"
#include "platform/sim/store.hpp"
#include "src/core/core.hpp"
#include "src/ingest/push.hpp"
#include "src/ingest/standard.hpp"
#include "src/json/parser.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::test {

/// Numbers from a seed, so that a run can be had again.
class SeededRandom final : public port::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) noexcept override {
    for (auto& b : out) b = static_cast<std::byte>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

/// A core on a simulated store, with time in hand and one instance registered.
class CoreBox {
 public:
  static constexpr std::int32_t kDataId = 10000001;
  static constexpr std::int64_t kWallStart = 1'793'500'000'000;

  explicit CoreBox(std::uint64_t seed = 1, std::uint64_t quota_bytes = 64 * MiB) : store(quota_bytes), random(seed) {
    settings.upstreams = {{"centre", {true, true, true}}};
  }

  /// A start of the daemon. The store keeps what it has.
  Status start() {
    core = std::make_unique<core::Core>(core::Ports{store, crypto, random}, settings);
    auto done = core->start(now());
    while (done.ok() && core->background(now())) {
    }
    return done;
  }
  void power_cut() {
    core.reset();
    store.crash();
  }
  [[nodiscard]] Now now() const { return {{mono_ms * 1'000'000}, {kWallStart + mono_ms + wall_off_ms, trusted}}; }
  void advance(std::int64_t ms) { mono_ms += ms; }

  core::Effects turn(std::vector<core::Input> inputs) {
    core::Effects out;
    core->turn(inputs, now(), out);
    return out;
  }
  core::Effects turn(core::Input input) {
    std::vector<core::Input> one;
    one.push_back(std::move(input));
    return turn(std::move(one));
  }

  core::Effects add_instance(std::uint8_t alert = 0, std::int32_t data_id = kDataId,
                             model::InstanceType type = model::InstanceType::event) {
    core::ChangeInstance change;
    change.instance.data_id = data_id;
    change.instance.plugin_id = "demo";
    change.instance.bk_biz_id = 2;
    change.instance.alert = alert;
    change.instance.type = type;
    change.actor = "test";
    return turn(core::Input{next_reply(), std::move(change)});
  }

  core::ReplyTo next_reply() {
    core::ReplyTo reply;
    reply.ticket = ++tickets;
    random.fill(reply.request_id);
    return reply;
  }

  /// A push as io makes it. `items`: the JSON of `data`.
  core::Input push(const std::string& items, std::int32_t data_id = kDataId) {
    std::string body = R"({"data_id":)" + std::to_string(data_id) + R"(,"access_token":"t","data":)" + items + "}";
    const std::size_t size = body.size();
    body.append(json::kPaddingBytes, '\0');
    ingest::PushReader reader(parser, crypto);
    auto envelope = reader.read_envelope(as_bytes(body).first(size));
    EXPECT_TRUE(envelope.has_value());
    core::Push out{model::EventBatch(std::pmr::new_delete_resource()), false};
    out.batch.received = now();
    random.fill(out.batch.request_id);
    const auto* instance = core->view().registry->instance(data_id);
    EXPECT_NE(instance, nullptr);
    auto read = reader.read_items(*instance, now(), out.batch);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().message);
    return core::Input{next_reply(), std::move(out)};
  }
  /// Standard events, as JSON texts with a comma between them, of an instance of alert sources.
  core::Input push_standard(const std::string& events, std::int32_t data_id) {
    const json::Padded padded("[" + events + "]");
    ingest::StandardReader reader(parser, crypto, {}, {480});
    EXPECT_TRUE(reader.read_envelope(padded.bytes()).has_value());
    core::Push out{model::EventBatch(std::pmr::new_delete_resource()), false};
    out.batch.received = now();
    random.fill(out.batch.request_id);
    const auto* instance = core->view().registry->instance(data_id);
    EXPECT_NE(instance, nullptr);
    const auto read = reader.read_items(*instance, now(), out.batch.request_id, out.batch);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().message);
    return core::Input{next_reply(), std::move(out)};
  }
  static std::string event(const std::string& name, const char* status = "ABNORMAL") {
    return R"({"alert_name":")" + name + R"(","status":")" + status + R"("})";
  }
  static std::string item(const std::string& name, const std::string& target = "0:10.0.0.1",
                          const std::string& extra = {}) {
    return R"({"event_name":")" + name + R"(","target":")" + target + R"(","event":{"content":"c"},"dimension":{)" +
           extra + "}}";
  }

  gnutls::Crypto crypto;
  sim::SimStore store;
  SeededRandom random;
  json::Parser parser;
  core::Settings settings;
  std::unique_ptr<core::Core> core;
  std::int64_t mono_ms = 1'000;
  bool trusted = true;
  std::int64_t wall_off_ms = 0;  ///< by which the wall clock is wrong
  std::uint64_t tickets = 0;
};

}  // namespace tocsin::test
