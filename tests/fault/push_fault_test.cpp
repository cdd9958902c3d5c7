// SPDX-License-Identifier: Apache-2.0
// The k-th allocation and the k-th store operation fail on the push path, once and for good: no false answer, no half
// turn, and the core serves on.
#include <gtest/gtest.h>

#include <map>

#include "src/audit/verify.hpp"
#include "src/core/rejects.hpp"
#include "src/log/log.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"
#include "tests/fault/push_calm_store.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using test::CoreBox;
using test::FailNew;

constexpr std::int32_t kAlerting = 10000002;

/// A day in the life of the core: pushes of one and of many, alerting ones, an acknowledgement, a changed instance, a
/// confirmation. Everything is made before the fault is armed, so only the core meets it.
class Day {
 public:
  Day() : calm_(box_.store) {
    EXPECT_TRUE(box_.start().ok());
    static_cast<void>(box_.add_instance());
    static_cast<void>(box_.add_instance(2, kAlerting));
    start();
    push("alert", 1, kAlerting);  // the alert that will be folded into, and acknowledged
    run();
    ack_ = core::AckAlerts{{alert_id()}, "seen", "user:alice"};
    for (int i = 0; i < 20; ++i) {
      push(i % 3 == 0 ? "alert" : "plain", 1 + i % 4, i % 3 == 0 ? kAlerting : CoreBox::kDataId);
      if (i % 4 == 3) next_turn();  // some turns have one push, some have several
      if (i == 7) other(core::Input{box_.next_reply(), ack_});
      if (i == 10) other(core::Input{{}, core::Confirm{0, model::Lane::normal, 5, true}});
      if (i == 13) other(change());
      if (i == 5 || i == 15) other(rejects());
      if (i % 2 == 1) next_turn();
    }
  }

  /// Everything that was prepared, turn by turn.
  void run() {
    for (auto& turn : turns_) {
      core::Effects out;
      core_->turn(turn, box_.now(), out);
      const FailNew::Pause pause;
      for (const auto& answer : out.answers) {
        EXPECT_TRUE(answers_.emplace(answer.reply.ticket, answer.refused).second) << "two answers";
      }
      box_.advance(700);
    }
    turns_.clear();
    turns_.emplace_back();
  }

  /// One more push, after the fault.
  [[nodiscard]] bool serves() {
    push("late", 1, CoreBox::kDataId);
    const std::uint64_t ticket = turns_.back().back().reply.ticket;
    run();
    const auto found = answers_.find(ticket);
    return found != answers_.end() && !found->second;
  }

  /// After a crash: what was promised is there, whole.
  void check() {
    core_.reset();
    box_.power_cut();
    ASSERT_TRUE(box_.start().ok());
    read_log();
    for (const auto& [ticket, tags] : pushes_) {
      std::size_t found = 0;
      for (const auto& tag : tags) {
        EXPECT_LE(stored_[tag], 1) << tag << " is stored twice";
        if (stored_[tag] > 0) ++found;
      }
      const auto answer = answers_.find(ticket);
      EXPECT_TRUE(found == 0 || found == tags.size()) << "half a push";
      if (answer == answers_.end()) continue;  // nobody was told: both may be
      EXPECT_EQ(answer->second ? 0U : tags.size(), found) << "a false answer";
    }
    check_alert();
  }

  [[nodiscard]] bool all_done() const {
    for (const auto& [ticket, tags] : pushes_) {
      const auto answer = answers_.find(ticket);
      if (answer == answers_.end() || answer->second) return false;
    }
    return true;
  }
  [[nodiscard]] sim::SimStore& store() { return box_.store; }

 private:
  void start() {
    box_.core.reset();
    core_ = std::make_unique<core::Core>(core::Ports{calm_, box_.crypto, box_.random}, box_.settings);
    EXPECT_TRUE(core_->start(box_.now()).ok());
    while (core_->background(box_.now())) {
    }
  }
  void next_turn() {
    if (!turns_.back().empty()) turns_.emplace_back();
  }
  void other(core::Input input) { turns_.back().push_back(std::move(input)); }
  core::Input change() {
    core::ChangeInstance out;
    out.change = core::InstanceChange::create;
    out.instance.data_id = 10000009;
    out.instance.plugin_id = "late";
    out.actor = "user:alice";
    return {box_.next_reply(), std::move(out)};
  }
  /// A refusal and the alert about it, then the same and its end.
  core::Input rejects() {
    core::TakeRejects out(std::pmr::new_delete_resource());
    core::Refused& one = out.refused.emplace_back(std::pmr::new_delete_resource());
    one.data_id = CoreBox::kDataId;
    one.code = "data_empty";
    one.body = std::string(model::kRejectBodyBytesMax, 'b');
    one.count = 1;
    out.alarms.push_back({CoreBox::kDataId, ++reject_inputs_ == 1, 20, 10});
    return {{}, std::move(out)};
  }
  void push(const std::string& name, int items, std::int32_t data_id) {
    std::string json = "[";
    std::vector<std::string> tags;
    for (int i = 0; i < items; ++i) {
      tags.push_back("tag" + std::to_string(++tags_) + ";");
      json += (i > 0 ? "," : "") + std::string(R"({"event_name":")") + name + R"(","target":"t","event":{"content":")" +
              tags.back() + R"("},"dimension":{}})";
    }
    std::swap(box_.core, core_);  // the box makes pushes from its core's view
    auto input = box_.push(json + "]", data_id);
    std::swap(box_.core, core_);
    pushes_.emplace_back(input.reply.ticket, std::move(tags));
    turns_.back().push_back(std::move(input));
  }

  [[nodiscard]] model::Alert alert() {
    auto txn = box_.store.begin_read();
    const auto entry = (*txn)->at_or_after(model::Key(model::Table::alert));
    EXPECT_TRUE(entry.ok() && *entry);
    const auto payload = model::unseal((*entry)->key, (*entry)->value);
    EXPECT_TRUE(payload.ok());
    auto alert = model::decode_alert(*payload);
    EXPECT_TRUE(alert.ok());
    return *alert;
  }
  /// The one about rejects, which only the writes under the fault can open.
  [[nodiscard]] std::optional<model::Alert> own_alert() {
    auto txn = box_.store.begin_read();
    const auto key = model::Key(model::Table::alert).u64(alert().number + 1);
    const auto value = (*txn)->get(key);
    EXPECT_TRUE(value.ok());
    if (!value.ok() || !*value) return std::nullopt;
    auto own = model::open_sealed(key, **value, model::decode_alert);
    EXPECT_TRUE(own.ok() && own->alert_name == core::kRejectAlertName);
    return *own;
  }
  [[nodiscard]] std::string alert_id() { return model::alert_id(alert()); }

  void read_log() {
    auto txn = box_.store.begin_read();
    for (const auto lane : {model::Lane::alert, model::Lane::critical, model::Lane::normal}) {
      const auto walked =
          log::walk(**txn, lane, 0, 100'000, [&](const model::SegmentHeader&, const model::Record& record) {
            const std::string json(record.json);
            if (record.kind == model::RecordKind::alert_transition) {
              ++transitions_[json.substr(0, json.find(','))];
              return true;
            }
            if (json.find("\"alert\"") != std::string::npos) ++alerting_;
            const std::size_t at = json.find("tag");
            ++stored_[json.substr(at, json.find(';', at) + 1 - at)];
            return true;
          });
      ASSERT_TRUE(walked.ok());
      EXPECT_EQ(walked->damaged, 0U);
    }
  }

  /// Alert, transitions and audit rows tell one story.
  void check_alert() {
    const auto own = own_alert();
    const int is_own_there = own ? 1 : 0;
    const int is_own_open = own && model::is_open(own->state) ? 1 : 0;
    EXPECT_EQ(transitions_[R"({"transition":"opened")"], 1 + is_own_there);
    EXPECT_EQ(transitions_[R"({"transition":"recovered")"], is_own_there - is_own_open);
    EXPECT_EQ(box_.core->gauges().alerts_open, 1U + static_cast<std::uint64_t>(is_own_open));
    EXPECT_EQ(box_.core->view().reject_alarms->size(), static_cast<std::size_t>(is_own_open));
    core::Effects out;
    box_.core->flush(box_.now(), out);
    const auto stored = alert();
    EXPECT_EQ(stored.event_count, alerting_);
    EXPECT_EQ(transitions_[R"({"transition":"acked")"], stored.state == model::AlertState::acked ? 1 : 0);
    auto txn = box_.store.begin_read();
    audit::Verifier verifier(box_.crypto, audit::begin(), std::nullopt);
    for (bool done = false; !done;) {
      const auto slice = audit::verify_slice(verifier, **txn, 1'000);
      ASSERT_TRUE(slice.ok());
      done = *slice;
    }
    const auto report = verifier.finish(audit::Tail::is_exact);
    EXPECT_TRUE(report.ok()) << audit::to_text(report);
    EXPECT_EQ(rows(**txn, model::AuditAction::alert_opened), 1 + is_own_there);
    EXPECT_EQ(rows(**txn, model::AuditAction::alert_acked), transitions_[R"({"transition":"acked")"]);
    const bool is_there = box_.core->view().registry->instance(10000009) != nullptr;
    EXPECT_EQ(rows(**txn, model::AuditAction::plugin_created), is_there ? 3 : 2);
  }
  static int rows(port::ReadTxn& txn, model::AuditAction action) {
    int count = 0;
    for (std::uint64_t index = 1;; ++index) {
      const auto key = model::Key(model::Table::audit_row).u64(index);
      const auto value = txn.get(key);
      if (!value.ok() || !*value) return count;
      const auto row = model::decode_audit_row(*model::unseal(key, **value));
      if (row.ok() && row->action == action) ++count;
    }
  }

  CoreBox box_;
  test::CalmStore calm_;
  std::unique_ptr<core::Core> core_;
  std::vector<std::vector<core::Input>> turns_{1};
  core::AckAlerts ack_;
  int tags_ = 0;
  int reject_inputs_ = 0;
  std::vector<std::pair<std::uint64_t, std::vector<std::string>>> pushes_;
  std::map<std::uint64_t, std::optional<Errc>> answers_;
  std::map<std::string, int> stored_;
  std::map<std::string, int> transitions_;
  std::uint64_t alerting_ = 0;
};

void fail_each_allocation(FailNew::Times times) {
  for (std::uint64_t k = 1;; ++k) {
    SCOPED_TRACE(::testing::Message() << "allocation " << k);
    Day day;
    {
      const FailNew fault(k, times);
      day.run();
    }
    const bool has_failed = FailNew::has_failed();
    ASSERT_TRUE(day.serves());
    day.check();
    ASSERT_FALSE(::testing::Test::HasFailure());
    if (!has_failed) {
      EXPECT_TRUE(day.all_done());
      std::printf("%llu allocations\n", static_cast<unsigned long long>(k - 1));
      return;
    }
  }
}

TEST(PushFault, AnySingleAllocationMayFail) { fail_each_allocation(FailNew::Times::once); }
TEST(PushFault, MemoryMayEndAtAnyAllocation) { fail_each_allocation(FailNew::Times::for_good); }

void fail_each_operation(sim::Repeat repeat, Errc code) {
  for (std::uint64_t k = 1;; ++k) {
    SCOPED_TRACE(::testing::Message() << "operation " << k);
    Day day;
    const std::uint64_t before = day.store().operations();
    day.store().fail_operation(k, repeat, code);
    day.run();
    const bool has_failed = day.store().operations() - before >= k;
    if (repeat == sim::Repeat::once && has_failed) {
      ASSERT_TRUE(day.serves());
    }
    day.store().fail_operation(0, repeat);
    ASSERT_TRUE(day.serves());
    day.check();
    ASSERT_FALSE(::testing::Test::HasFailure());
    if (!has_failed) {
      EXPECT_TRUE(day.all_done());
      std::printf("%llu operations\n", static_cast<unsigned long long>(k - 1));
      return;
    }
  }
}

TEST(PushFault, AnySingleStoreOperationMayFail) { fail_each_operation(sim::Repeat::once, Errc::io_failed); }
TEST(PushFault, TheStoreMayFailForGoodAtAnyOperation) { fail_each_operation(sim::Repeat::for_good, Errc::io_failed); }
TEST(PushFault, AnySingleStoreOperationMayFindNoRoom) { fail_each_operation(sim::Repeat::once, Errc::storage_full); }
TEST(PushFault, AnySingleStoreOperationMayFindNoMemory) { fail_each_operation(sim::Repeat::once, Errc::out_of_budget); }
TEST(PushFault, TheStoreMayStayFullFromAnyOperationOn) {
  fail_each_operation(sim::Repeat::for_good, Errc::storage_full);
}

}  // namespace
}  // namespace tocsin
