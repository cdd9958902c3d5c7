// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "src/core/turn.hpp"
#include "src/model/seal.hpp"
#include "tests/support/core_box.hpp"

namespace tocsin {
namespace {

using core::ChangeInstance;
using core::InstanceChange;
using test::CoreBox;

class Instances : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.start().ok());
    ChangeInstance first = change(InstanceChange::create);
    first.instance.plugin_id = "demo";
    first.instance.token_hash = hash("one");
    ASSERT_EQ(apply(first), "");
  }
  port::Digest256 hash(std::string_view token) {
    return registry::token_hash(token, box.crypto, box.core->identity().secret);
  }
  static ChangeInstance change(InstanceChange what, std::int32_t data_id = CoreBox::kDataId) {
    ChangeInstance out;
    out.change = what;
    out.instance.data_id = data_id;
    out.actor = "user:alice";
    return out;
  }
  /// Empty: done; else why not. What it answered is in `data`.
  std::string apply(ChangeInstance what) {
    auto out = box.turn(core::Input{box.next_reply(), std::move(what)});
    EXPECT_EQ(out.answers.size(), 1U);
    data = out.answers.at(0).data;
    return out.answers.at(0).refused ? data : "";
  }
  void rotate(std::string_view token, std::int64_t overlap_ms) {
    ChangeInstance what = change(InstanceChange::rotate);
    what.instance.token_hash = hash(token);
    what.shown_token = token;
    what.overlap_ms = overlap_ms;
    ASSERT_EQ(apply(what), "");
  }
  const model::Instance& instance() { return *box.core->view().registry->instance(CoreBox::kDataId); }
  bool opens(std::string_view token) {
    const auto registry = box.core->view().registry;
    return registry->authenticate(CoreBox::kDataId, token, box.crypto, box.core->identity().secret) != nullptr;
  }
  /// A turn without inputs when the core wants one.
  bool wake() {
    const auto due = box.core->next_deadline();
    if (!due) return false;
    box.mono_ms = std::max(box.mono_ms, due->ms());
    static_cast<void>(box.turn(std::vector<core::Input>{}));
    return true;
  }
  void restart() {
    box.power_cut();
    ASSERT_TRUE(box.start().ok());
  }
  /// Actions and details of the audit rows about the instance.
  std::vector<std::string> rows() {
    std::vector<std::string> out;
    auto txn = box.store.begin_read();
    std::string at(1, static_cast<char>(model::Table::audit_row));
    for (;;) {
      auto entry = (*txn)->at_or_after(as_bytes(at));
      if (!entry.ok() || !*entry || !model::is_in((*entry)->key, model::Table::audit_row)) return out;
      const auto row = model::open_sealed((*entry)->key, (*entry)->value, model::decode_audit_row);
      if (row.ok() && row->object.starts_with("plugin:"))
        out.push_back(std::string(to_text(row->action)) + " " + row->object + " by " + row->actor + ": " + row->detail);
      at = std::string(as_text((*entry)->key)) + '\0';
    }
  }
  CoreBox box;
  std::string data;
};

TEST_F(Instances, ARotatedTokenHoldsBesideTheOldOneForItsOverlap) {
  const std::int64_t begun_ms = box.now().wall.unix_ms;
  rotate("two", 90'000);
  EXPECT_EQ(instance().old_token_until_ms, begun_ms + 90'000);
  EXPECT_TRUE(opens("one") && opens("two"));
  restart();
  EXPECT_TRUE(opens("one") && opens("two")) << "both are on flash";
  ASSERT_TRUE(wake());
  EXPECT_TRUE(opens("one")) << "a look in between changes nothing";
  ASSERT_TRUE(wake());
  EXPECT_FALSE(opens("one"));
  EXPECT_TRUE(opens("two"));
  EXPECT_EQ(box.now().wall.unix_ms, begun_ms + 90'000) << "and ends it on time";
  EXPECT_FALSE(box.core->next_deadline()) << "nothing is left to wait for";
  restart();
  EXPECT_FALSE(opens("one"));
}

TEST_F(Instances, WithoutOverlapTheOldTokenEndsAtOnce) {
  rotate("two", 0);
  EXPECT_EQ(data,
            R"({"plugin_id":"demo","data_id":10000001,"token":"two","old_token_holds":false,"old_token_until":null})");
  EXPECT_FALSE(opens("one"));
  EXPECT_TRUE(opens("two"));
  EXPECT_FALSE(box.core->next_deadline());
}

TEST_F(Instances, OnlyTheTokenBeforeTheLastRotationHolds) {
  rotate("two", 90'000);
  rotate("three", 90'000);
  EXPECT_FALSE(opens("one"));
  EXPECT_TRUE(opens("two") && opens("three"));
}

TEST_F(Instances, AnOverlapCountsFromTheMomentTheClockIsKnown) {
  box.trusted = false;
  rotate("two", 90'000);
  EXPECT_EQ(instance().old_token_until_ms, -90'000);
  EXPECT_NE(data.find(R"("old_token_holds":true,"old_token_until":null)"), std::string::npos);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(wake());
  EXPECT_TRUE(opens("one")) << "a clock that cannot be believed ends nothing";
  box.trusted = true;
  ASSERT_TRUE(wake());
  EXPECT_EQ(instance().old_token_until_ms, box.now().wall.unix_ms + 90'000);
  box.advance(90'000);
  ASSERT_TRUE(wake());
  EXPECT_FALSE(opens("one"));
}

TEST_F(Instances, ALookWithoutAnythingToEndWritesNothing) {
  rotate("two", 3'600'000);
  const auto commits = box.store.commits();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(wake());
  EXPECT_EQ(box.store.commits(), commits);
}

TEST_F(Instances, AnUpdateOfWhatWasReadEarlierUndoesNeitherRotationNorDisabling) {
  ChangeInstance late = change(InstanceChange::update);
  late.instance = instance();
  late.instance.name = "renamed";
  rotate("two", 90'000);
  ASSERT_EQ(apply(change(InstanceChange::disable)), "");
  ASSERT_EQ(apply(late), "");
  EXPECT_EQ(instance().name, "renamed");
  EXPECT_FALSE(instance().enabled);
  EXPECT_EQ(instance().token_hash, hash("two"));
  EXPECT_EQ(instance().old_token_hash, hash("one"));
  EXPECT_FALSE(opens("two")) << "disabled";
  ASSERT_EQ(apply(change(InstanceChange::enable)), "");
  EXPECT_TRUE(opens("two"));
}

TEST_F(Instances, EveryChangeHasItsAuditRow) {
  rotate("two", 60'000);
  box.advance(60'000);
  static_cast<void>(box.turn(std::vector<core::Input>{}));
  ASSERT_EQ(apply(change(InstanceChange::disable)), "");
  ASSERT_EQ(apply(change(InstanceChange::enable)), "");
  ChangeInstance update = change(InstanceChange::update);
  update.instance = instance();
  update.enabled = false;
  ASSERT_EQ(apply(update), "");
  ASSERT_EQ(apply(change(InstanceChange::remove)), "");
  const std::string by = " plugin:10000001 by user:alice: demo";
  EXPECT_EQ(rows(), (std::vector<std::string>{
                        "plugin_created" + by,
                        "plugin_token_rotated" + by + ", the old token holds for 60 s",
                        "plugin_token_ended plugin:10000001 by system: demo",
                        "plugin_disabled" + by,
                        "plugin_enabled" + by,
                        "plugin_updated" + by,
                        "plugin_disabled" + by,
                        "plugin_deleted" + by,
                    }));
}

TEST_F(Instances, TheDataIdOfADeletedOneIsNeverGivenAgain) {
  ChangeInstance create = change(InstanceChange::create, 0);
  create.instance.plugin_id = "demo";
  ASSERT_EQ(apply(create), "");
  EXPECT_EQ(data, R"({"plugin_id":"demo","data_id":10000002})");
  ASSERT_EQ(apply(change(InstanceChange::remove, 10000002)), "");
  ASSERT_EQ(apply(create), "");
  EXPECT_EQ(data, R"({"plugin_id":"demo","data_id":10000003})");
  ASSERT_EQ(apply(change(InstanceChange::remove, 10000003)), "");
  restart();
  ASSERT_EQ(apply(create), "");
  EXPECT_EQ(data, R"({"plugin_id":"demo","data_id":10000004})") << "also over a start";
  ASSERT_EQ(apply(change(InstanceChange::create, 10000002)), "") << "a given one is the operator's choice";
}

TEST_F(Instances, AllocationEndsInsteadOfTakingADataIdThatIsTaken) {
  for (const std::int32_t id : {0x7FFF'FFFE, 0x7FFF'FFFF}) ASSERT_EQ(apply(change(InstanceChange::create, id)), "");
  EXPECT_EQ(apply(change(InstanceChange::create, 0)), "data_id: none is left to allocate; give one");
}

TEST_F(Instances, AProfileKeepsWhatIsNotSaidAndGoesWithItsInstance) {
  const auto say = [&](model::ProfilePart part, const std::string& text) {
    core::ProfileChange what;
    what.parts[static_cast<std::size_t>(part)] = text;
    ChangeInstance update = change(InstanceChange::update);
    update.instance = instance();
    update.profile = std::make_shared<const core::ProfileChange>(what);
    return apply(update);
  };
  const auto stored = [&] {
    auto txn = box.store.begin_read();
    return *registry::read_profile(**txn, CoreBox::kDataId);
  };
  EXPECT_EQ(instance().profile_revision, 0U);
  EXPECT_TRUE(stored().is_empty());
  ASSERT_EQ(say(model::ProfilePart::alert_config, "[1]"), "");
  const auto first = instance().profile_revision;
  ASSERT_EQ(say(model::ProfilePart::clean_configs, "[2]"), "");
  EXPECT_NE(instance().profile_revision, first);
  EXPECT_EQ(stored().part(model::ProfilePart::alert_config), "[1]");
  EXPECT_EQ(stored().part(model::ProfilePart::clean_configs), "[2]");
  const auto second = instance().profile_revision;
  ASSERT_EQ(apply(change(InstanceChange::disable)), "");
  EXPECT_EQ(instance().profile_revision, second) << "another change leaves it alone";

  const std::string large(model::kProfileBytesMax - 3, 'x');
  ASSERT_EQ(say(model::ProfilePart::config_params, large + "!!!").find("config_params, ingest_config"), 0U)
      << "with what is there it is too much";
  EXPECT_EQ(stored().part(model::ProfilePart::config_params), "") << "and nothing has changed";
  EXPECT_EQ(instance().profile_revision, second);
  ASSERT_EQ(say(model::ProfilePart::alert_config, ""), "");
  ASSERT_EQ(say(model::ProfilePart::config_params, large), "");
  restart();
  EXPECT_EQ(stored().part(model::ProfilePart::config_params), large);

  ASSERT_EQ(apply(change(InstanceChange::remove)), "");
  EXPECT_TRUE(stored().is_empty());
  ASSERT_EQ(apply(change(InstanceChange::create)), "");
  EXPECT_TRUE(stored().is_empty()) << "the next of that data id begins anew";
}

TEST_F(Instances, APullTypeIsNeverEnabled) {
  ChangeInstance update = change(InstanceChange::update);
  update.instance = instance();
  update.instance.plugin_type = model::PluginType::http_pull;
  ASSERT_EQ(apply(update), "");
  EXPECT_FALSE(instance().enabled);
  EXPECT_EQ(apply(change(InstanceChange::enable)), "enabled: a plugin of a pull type is not run on this box");
  update.enabled = true;
  EXPECT_EQ(apply(update), "enabled: a plugin of a pull type is not run on this box");
  update.instance.plugin_type = model::PluginType::http_push;
  ASSERT_EQ(apply(update), "");
  EXPECT_TRUE(instance().enabled);
}

TEST_F(Instances, AnImportIsDoneAsAWholeWithAllocatedIdsAboveTheGivenOnes) {
  core::ImportInstances import;
  import.changes.push_back(change(InstanceChange::create, 0));
  import.changes.push_back(change(InstanceChange::create, 10000002));
  import.changes.push_back(change(InstanceChange::update));
  import.changes.back().instance = instance();
  import.changes.back().instance.max_rate = 60;
  import.changes.back().instance.token_hash = hash("imported");
  import.changes.back().sets_token = true;
  import.changes.push_back(change(InstanceChange::create, 0));
  for (auto& one : import.changes) one.instance.plugin_id = "demo";
  const auto out = box.turn(core::Input{box.next_reply(), import});
  ASSERT_FALSE(out.answers.at(0).refused) << out.answers.at(0).data;
  EXPECT_EQ(out.answers.at(0).data,
            R"({"items":[{"plugin_id":"demo","data_id":10000003},{"plugin_id":"demo","data_id":10000002},)"
            R"({"plugin_id":"demo","data_id":10000001},{"plugin_id":"demo","data_id":10000004}]})");
  restart();
  EXPECT_EQ(box.core->view().registry->instances().size(), 4U);
  EXPECT_EQ(instance().max_rate, 60);
  EXPECT_TRUE(opens("imported"));
  EXPECT_FALSE(opens("one"));
}

TEST_F(Instances, ATokenThatAnImportSetsEndsTheOneBeforeTheLastRotationToo) {
  rotate("two", 90'000);
  core::ImportInstances import;
  import.changes.push_back(change(InstanceChange::update));
  import.changes.back().instance = instance();
  import.changes.back().instance.token_hash = hash("imported");
  import.changes.back().sets_token = true;
  const auto out = box.turn(core::Input{box.next_reply(), import});
  ASSERT_FALSE(out.answers.at(0).refused) << out.answers.at(0).data;
  EXPECT_TRUE(opens("imported"));
  EXPECT_FALSE(opens("one"));
  EXPECT_FALSE(opens("two"));
  restart();
  EXPECT_FALSE(opens("one"));
}

TEST_F(Instances, AnImportOfWhichOneIsRefusedDoesNothing) {
  const auto commits = box.store.commits();
  core::ImportInstances import;
  import.changes.push_back(change(InstanceChange::create, 7));
  import.changes.push_back(change(InstanceChange::create));  // is there
  const auto refused = box.turn(core::Input{box.next_reply(), import});
  EXPECT_EQ(refused.answers.at(0).refused, Errc::conflict);
  EXPECT_EQ(refused.answers.at(0).data, "instances[1]: data_id 10000001 is taken");
  import.changes.clear();
  for (std::size_t i = 0; i < model::kInstancesMax; ++i)
    import.changes.push_back(change(InstanceChange::create, static_cast<std::int32_t>(i + 1)));
  EXPECT_EQ(box.turn(core::Input{box.next_reply(), import}).answers.at(0).data,
            "instances: with them there would be more than 1024");
  import.changes.assign(2, change(InstanceChange::create, 0));
  import.changes.push_back(change(InstanceChange::create, 0x7FFF'FFFD));
  EXPECT_EQ(box.turn(core::Input{box.next_reply(), import}).answers.at(0).data,
            "data_id: too few are left to allocate; give them");
  EXPECT_EQ(box.core->view().registry->instances().size(), 1U);
  EXPECT_EQ(box.store.commits(), commits);
}

TEST_F(Instances, WhatIsNotThereIsRefused) {
  for (const auto what : {InstanceChange::update, InstanceChange::enable, InstanceChange::disable,
                          InstanceChange::rotate, InstanceChange::remove}) {
    EXPECT_EQ(apply(change(what, 99)), "no instance has that data_id");
  }
}

}  // namespace
}  // namespace tocsin
