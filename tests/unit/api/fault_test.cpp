// SPDX-License-Identifier: Apache-2.0
#include <memory_resource>
#include <stdexcept>

#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

/// The k-th allocation fails, once.
class FailNth final : public std::pmr::memory_resource {
 public:
  int fail_at = 0;
  int count = 0;
  std::size_t held = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override {
    if (++count == fail_at) throw std::bad_alloc{};
    void* const p = std::pmr::new_delete_resource()->allocate(bytes, align);
    held += bytes;
    return p;
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t align) override {
    held -= bytes;
    std::pmr::new_delete_resource()->deallocate(p, bytes, align);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
};

class IntakeFault : public ApiTest {
 protected:
  ~IntakeFault() override { daemon.inputs.clear(); }  // their batches live in `memory`
  IntakeFault() {
    api = std::make_unique<Api>(Parts{.daemon = daemon,
                                      .answers = answers,
                                      .crypto = crypto,
                                      .random = random,
                                      .secret = secret,
                                      .intake = &failing,
                                      .profiles = &profiles,
                                      .password_iterations = kTestIterations});
  }
  /// Sends until no allocation is left to fail; every failure is one 503 and leaves nothing behind.
  void enumerate(const FakeRequest& request, const std::string& body, const std::string& shape) {
    for (int k = 1; k < 1000; ++k) {
      SCOPED_TRACE("allocation " + std::to_string(k));
      memory.count = 0;
      memory.fail_at = k;
      const auto reply = send(request, body);
      if (!reply) {
        EXPECT_EQ(daemon.inputs.size(), 1U);
        EXPECT_GT(k, 1) << "something was allocated";
        return;
      }
      EXPECT_EQ(reply->status, 503);
      EXPECT_EQ(reply->retry_after_s, 1);
      EXPECT_EQ(without_id(std::string(body_of(*reply))), shape);
      EXPECT_NE(body_of(*reply).find(R"("request_id":")"), std::string_view::npos);
      EXPECT_EQ(body_of(*reply).find(R"("request_id":"")"), std::string_view::npos) << "the request has an id";
      EXPECT_TRUE(daemon.inputs.empty());
      EXPECT_EQ(memory.held, 0U);
    }
    FAIL() << "never ran out of allocations to fail";
  }
  FailNth memory;
  Budget failing{"intake", 1 * MiB, memory};
};

TEST_F(IntakeFault, APushSurvivesTheFailureOfAnyAllocation) {
  std::string items;
  for (int i = 0; i < 20; ++i) {
    items += std::string(i > 0 ? "," : "") +
             R"({"event_name":"e","target":"t","event":{"content":"c"},"dimension":{"k":"v"}})";
  }
  enumerate({port::Listener::push, port::Method::post, "/v2/push/"},
            R"({"data_id":1500001,"access_token":"demo-token","data":[)" + items + "]}",
            R"({"code":"503","message":"out of memory for now","request_id":"ID","result":"false"})");
}

TEST_F(IntakeFault, AStandardEventSurvivesTheFailureOfAnyAllocation) {
  enumerate(FakeRequest(port::Listener::push, port::Method::post, "/api/v1/events").with("X-BK-TOKEN", "demo-token"),
            R"({"alert_name":"cpu","target":"10.0.0.1","description":"d","tags":[{"key":"k","value":"v"}]})",
            R"({"result":false,"code":503,"message":"out of memory for now","request_id":"ID","data":{"items":[]}})");
}

TEST_F(IntakeFault, AnEventOfAnAlertSourceSurvivesTheFailureOfAnyAllocation) {
  model::Profile profile;
  profile.parts[static_cast<std::size_t>(model::ProfilePart::ingest_config)] = R"({"source_format":"yaml"})";
  profile.parts[static_cast<std::size_t>(model::ProfilePart::normalization_config)] =
      R"j([{"field":"alert_name","expr":"join('-', keys(labels))"},{"field":"tags","expr":"labels"}])j";
  auto txn = daemon.store.begin_write();
  ASSERT_TRUE(registry::put_profile(**txn, 1500002, profile).ok());
  ASSERT_TRUE((*txn)->commit().ok());
  auto source = instance(1500002, "pump", "pump-token");
  const auto request =
      FakeRequest(port::Listener::push, port::Method::post, "/event/pump").with("X-BK-TOKEN", "pump-token");
  const std::string body = "labels: {a: 1, b: 2}\n";
  // With the profile from the store each time, then with the one that is kept.
  for (const bool is_kept : {false, true}) {
    int refused = 0;
    for (int k = 1; k < 1000; ++k) {
      SCOPED_TRACE("allocation " + std::to_string(k));
      if (!is_kept) ++source.profile_revision;
      add(source);
      memory.count = 0;
      memory.fail_at = k;
      const auto reply = call(request, body);
      if (!daemon.inputs.empty()) break;
      ++refused;
      EXPECT_EQ(reply.status, 503) << "only what the budget refuses will never fit";
      EXPECT_EQ(memory.held, 0U);
    }
    EXPECT_GT(refused, 3);
    EXPECT_EQ(daemon.inputs.size(), 1U);
    daemon.inputs.clear();
  }
}

TEST_F(IntakeFault, AnAnswerWithoutMemoryNeedsOnlyItsRoom) {
  Id128 id{};
  id.fill(std::byte{0xAB});
  std::string none;
  EXPECT_EQ(emergency_reply(Shape::items, 503, id, none).static_body,
            R"({"result":false,"code":503,"message":"out of memory for now","request_id":"","data":{"items":[]}})");
  std::string room;
  room.reserve(kRoomBytes);
  const char* const block = room.data();
  const auto reply = emergency_reply(Shape::admin, 500, id, room);
  EXPECT_EQ(reply.body.data(), block);
  EXPECT_EQ(reply.body, R"({"result":false,"code":500,"message":"internal error",)"
                        R"("request_id":"abababab-abab-abab-abab-abababababab","data":null})");
}

TEST_F(IntakeFault, AHandlerThatThrowsIsA500AndCounted) {
  struct Throwing final : Daemon {
    Now now() const noexcept override { return {}; }
    bool post(core::Input&&) noexcept override { return false; }
    bool post(std::unique_ptr<core::Job>) noexcept override { return false; }
    const core::View& view() const noexcept override { return view_; }
    core::Gauges gauges() const noexcept override { return {}; }
    core::ProcessStatus process_status() const override { throw std::runtime_error("a bug"); }
    bool is_ready(const char*&) const noexcept override { return true; }
    std::string config_json() const override { return "[]"; }
    core::View view_;
  } throwing;
  Api on_it(Parts{.daemon = throwing,
                  .answers = answers,
                  .crypto = crypto,
                  .random = random,
                  .secret = secret,
                  .intake = &failing,
                  .profiles = &profiles});
  FakeRequest request(port::Listener::control, port::Method::get, "/api/v1/status");
  const auto reply = on_it.on_request(request.as_admin(true), {1, 1}, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 500);
  EXPECT_EQ(on_it.counters().internal_errors, 1U);
  EXPECT_EQ(without_id(std::string(body_of(*reply))),
            R"({"result":false,"code":500,"message":"internal error","request_id":"ID","data":null})");
}

}  // namespace
}  // namespace tocsin::api
