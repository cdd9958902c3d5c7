// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/gnutls/crypto.hpp"
#include "platform/lmdb/store.hpp"
#include "src/core/core.hpp"
#include "src/ingest/push.hpp"
#include "src/ingest/standard.hpp"
#include "src/json/parser.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin::test {

inline constexpr std::int32_t kGoldenPlain = 10000001;
inline constexpr std::int32_t kGoldenAlerting = 10000002;
inline constexpr std::int32_t kGoldenSource = 10000003;
inline constexpr const char* kGoldenToken = "golden-token";
inline constexpr const char* kGoldenApiToken = "golden-api-token";

/// A core on a real store, with chance and time from fixed numbers.
class GoldenBox {
 public:
  explicit GoldenBox(std::string dir) : dir_(std::move(dir)) { settings.upstreams = {{"centre", {true, true, true}}}; }

  [[nodiscard]] Status open() {
    auto opened = lmdb::LmdbStore::open({dir_, 4 * MiB, 4 * MiB});
    if (!opened.ok()) return opened.error();
    store = std::move(*opened);
    return {};
  }
  [[nodiscard]] Status start() {
    core = std::make_unique<core::Core>(core::Ports{*store, crypto, random}, settings);
    if (auto done = core->start(now()); !done.ok()) return done;
    while (core->background(now())) {
    }
    return {};
  }
  [[nodiscard]] Now now() const {
    return {{mono_ms * 1'000'000}, {(trusted ? 1'793'500'000'000 : 0) + mono_ms, trusted}};
  }

  /// True: done and durable.
  [[nodiscard]] bool turn(core::Input input) {
    std::vector<core::Input> one;
    one.push_back(std::move(input));
    core::Effects out;
    core->turn(one, now(), out);
    mono_ms += 1'500;
    return out.answers.size() == 1 && !out.answers[0].refused;
  }
  [[nodiscard]] core::ReplyTo reply() {
    core::ReplyTo out;
    out.ticket = ++tickets_;
    random.fill(out.request_id);
    return out;
  }
  [[nodiscard]] bool push(std::int32_t data_id, const std::string& data) {
    const std::string body = padded(R"({"data_id":1,"access_token":"t","data":)" + data + "}");
    ingest::PushReader reader(parser_, crypto);
    return send(data_id, reader, body, [&](const model::Instance& instance, const Id128&, model::EventBatch& out) {
      return reader.read_items(instance, now(), out).has_value();
    });
  }
  [[nodiscard]] bool event(std::int32_t data_id, const std::string& json) {
    const std::string body = padded(json);
    ingest::StandardReader reader(parser_, crypto, core->identity().secret);
    return send(data_id, reader, body,
                [&](const model::Instance& instance, const Id128& request, model::EventBatch& out) {
                  return reader.read_items(instance, now(), request, out).has_value();
                });
  }

  gnutls::Crypto crypto;
  SeededRandom random{20261121};
  std::unique_ptr<lmdb::LmdbStore> store;
  core::Settings settings;
  std::unique_ptr<core::Core> core;
  std::int64_t mono_ms = 1'000;
  bool trusted = true;

 private:
  static std::string padded(std::string body) {
    body.append(json::kPaddingBytes, '\0');
    return body;
  }
  template <class Reader, class Items>
  [[nodiscard]] bool send(std::int32_t data_id, Reader& reader, const std::string& body, Items items) {
    const auto registry = core->view().registry;
    const auto* instance = registry->instance(data_id);
    auto to = reply();
    core::Push push{model::EventBatch(std::pmr::new_delete_resource()), false};
    push.batch.received = now();
    push.batch.registry_generation = registry->generation();
    push.batch.request_id = to.request_id;
    if (instance == nullptr || !reader.read_envelope(as_bytes(body).first(body.size() - json::kPaddingBytes)))
      return false;
    if (!items(*instance, to.request_id, push.batch)) return false;
    return turn(core::Input{to, std::move(push)});
  }

  std::string dir_;
  json::Parser parser_;
  std::uint64_t tickets_ = 0;
};

}  // namespace tocsin::test
