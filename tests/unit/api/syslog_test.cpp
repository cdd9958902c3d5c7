// SPDX-License-Identifier: Apache-2.0
#include "src/api/syslog.hpp"

#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

class SyslogTest : public ApiTest {
 protected:
  SyslogTest() { open("demo"); }
  void open(std::string plugin) {
    syslog = std::make_unique<SyslogIntake>(
        SyslogParts{daemon, crypto, random, &intake, api->rate(), api->total_rate()},
        SyslogSettings{.name = "site", .plugin = std::move(plugin), .own_host = "box", .reply_shape = 77});
  }
  void change(std::int32_t max_rate, bool is_enabled = true) {
    model::Instance one = instance(1500001, "demo", "demo-token");
    one.max_rate = max_rate;
    one.enabled = is_enabled;
    add(one);
  }
  void datagram(std::string_view text) { syslog->on_datagram(as_bytes(text), false, "10.0.0.7"); }
  std::size_t stream(std::string_view text, bool is_end = false) {
    return syslog->on_stream(0, as_bytes(text), is_end, "10.0.0.7");
  }
  /// The writer's answer to the batch that it got last.
  void answer(bool is_good = true) {
    core::Answer one{daemon.inputs.back().reply, {}, {}};
    if (!is_good) one.refused = Errc::unavailable;
    syslog->on_answer(one);
  }
  void pass(std::int64_t ms) { daemon.time.mono = daemon.time.mono.after_ms(ms); }
  auto on_time() { return syslog->on_time(daemon.time.mono); }
  const core::SyslogStatus& status() { return syslog->status(); }

  std::unique_ptr<SyslogIntake> syslog;
};

TEST_F(SyslogTest, MessagesOfATenthOfASecondAreOneInput) {
  datagram("<13>app: one");
  datagram("<13>app: two");
  EXPECT_EQ(stream("<13>app: three\n<13>app: fo"), 15U);
  ASSERT_TRUE(on_time());
  EXPECT_EQ(on_time()->ns, daemon.time.mono.after_ms(SyslogIntake::kDelayMs).ns);
  pass(SyslogIntake::kDelayMs - 1);
  static_cast<void>(on_time());
  EXPECT_TRUE(daemon.inputs.empty());
  pass(1);
  EXPECT_FALSE(on_time()) << "nothing waits";
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_EQ(daemon.inputs[0].reply.shape, 77U);
  const auto& batch = last<core::Push>().batch;
  EXPECT_EQ(batch.items.size(), 3U);
  EXPECT_EQ(batch.data_id, 1500001);
  EXPECT_EQ(batch.registry_generation, daemon.view().registry->generation());
  EXPECT_EQ(status().messages, 3U);
}

TEST_F(SyslogTest, AFullBatchLeavesAtOnceAndTheNextWaitsForItsAnswer) {
  change(0);
  std::string lines;
  for (std::size_t i = 0; i < 3 * SyslogIntake::kMessagesMax; ++i) lines += "<13>app: x\n";
  const std::size_t line = 11;
  // The box takes kTotalRate messages a second.
  EXPECT_EQ(stream(lines), kTotalRate * line);
  pass(1'000);
  std::size_t taken = kTotalRate * line;
  taken += stream(std::string_view(lines).substr(taken));
  pass(1'000);
  taken += stream(std::string_view(lines).substr(taken));
  EXPECT_EQ(taken, 2 * SyslogIntake::kMessagesMax * line) << "one batch is out and one is full";
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_EQ(last<core::Push>().batch.items.size(), SyslogIntake::kMessagesMax);
  EXPECT_FALSE(syslog->wants_more(daemon.time.mono));
  datagram("<13>app: no room");
  EXPECT_EQ(status().dropped_no_room, 1U);
  answer();
  EXPECT_TRUE(on_time());
  EXPECT_EQ(daemon.inputs.size(), 2U);
  EXPECT_TRUE(syslog->wants_more(daemon.time.mono));
  EXPECT_FALSE(syslog->wants_more(daemon.time.mono)) << "asked once";
}

TEST_F(SyslogTest, ABurstWaitsInTheKernelButNotForGood) {
  change(0);
  const std::string text(8'000, 'x');
  EXPECT_TRUE(syslog->has_room());
  for (int i = 0; i < 18; ++i) datagram(text);
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_FALSE(syslog->has_room()) << "one batch is out and one is full";
  pass(SyslogIntake::kDelayMs);
  static_cast<void>(on_time());
  EXPECT_TRUE(syslog->wants_more(daemon.time.mono));
  EXPECT_FALSE(syslog->has_room());
  pass(SyslogIntake::kPatienceMs);
  EXPECT_TRUE(syslog->has_room()) << "they are read and dropped";
  datagram(text);
  EXPECT_EQ(status().dropped_no_room, 1U);
  answer();
  EXPECT_TRUE(syslog->has_room());
  datagram(text);
  EXPECT_EQ(status().dropped_no_room, 1U);
  change(0, false);
  EXPECT_TRUE(syslog->has_room()) << "for counting them";
}

TEST_F(SyslogTest, ABatchIsBoundedInBytes) {
  change(0);
  const std::string text(8'000, 'x');
  for (int i = 0; i < 10; ++i) datagram(text);
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_GE(last<core::Push>().batch.bytes.size(), SyslogIntake::kBatchBytes);
  EXPECT_LT(last<core::Push>().batch.bytes.size(), SyslogIntake::kBatchBytes + 9'000);
  EXPECT_LT(intake.used_bytes_peak(), 300 * KiB);
}

TEST_F(SyslogTest, ABusyWriterKeepsTheBatchAndItIsTriedAgain) {
  daemon.is_full = true;
  datagram("<13>app: one");
  pass(SyslogIntake::kDelayMs);
  ASSERT_TRUE(on_time());
  EXPECT_EQ(on_time()->ns, daemon.time.mono.after_ms(SyslogIntake::kDelayMs).ns);
  daemon.is_full = false;
  pass(SyslogIntake::kDelayMs);
  EXPECT_FALSE(on_time());
  EXPECT_EQ(last<core::Push>().batch.items.size(), 1U);
}

TEST_F(SyslogTest, WhatTheWriterRefusesIsLostAndCounted) {
  datagram("<13>app: one");
  pass(SyslogIntake::kDelayMs);
  static_cast<void>(on_time());
  answer(false);
  EXPECT_EQ(status().lost, 1U);
  datagram("<13>app: two");
  pass(SyslogIntake::kDelayMs);
  EXPECT_FALSE(on_time());
  ASSERT_EQ(daemon.inputs.size(), 2U);
  // An answer that never comes does not stop the listener for good.
  datagram("<13>app: three");
  pass(SyslogIntake::kAnswerMs);
  EXPECT_FALSE(on_time());
  EXPECT_EQ(daemon.inputs.size(), 3U);
  EXPECT_EQ(status().lost, 2U);
}

TEST_F(SyslogTest, OverTheRateDatagramsAreDroppedAndStreamsWait) {
  change(60);
  for (int i = 0; i < 61; ++i) datagram("<13>app: x");
  EXPECT_EQ(status().messages, 60U);
  EXPECT_EQ(status().dropped_rate, 1U);
  EXPECT_EQ(stream("<13>app: x\n"), 0U);
  pass(999);
  static_cast<void>(on_time());
  EXPECT_FALSE(syslog->wants_more(daemon.time.mono));
  pass(1);
  EXPECT_TRUE(syslog->wants_more(daemon.time.mono));
  EXPECT_EQ(stream("<13>app: x\n"), 11U);
  EXPECT_EQ(status().dropped_rate, 1U);
}

TEST_F(SyslogTest, WithoutAnInstanceThatTakesThemMessagesAreDroppedAndCounted) {
  std::uint64_t dropped = 0;
  const auto expect_dropped = [&](std::string_view why) {
    datagram("<13>app: x");
    EXPECT_EQ(stream("<13>app: x\n"), 11U) << "a stream is not held up: " << why;
    EXPECT_EQ(status().dropped_no_instance, dropped += 2) << why;
  };
  change(0, false);
  expect_dropped("disabled");
  change(-2);
  expect_dropped("its rate refuses all");
  model::Instance series = instance(1500001, "demo", "demo-token");
  series.type = model::InstanceType::time_series;
  add(series);
  expect_dropped("metrics only");
  change(0);
  add(instance(1500002, "demo", "another"));
  expect_dropped("two of that plugin");
  open("nobody");
  dropped = 0;
  expect_dropped("unknown");
  open("1500002");
  datagram("<13>app: x");
  EXPECT_EQ(status().messages, 1U) << "a data id is never ambiguous";
}

TEST_F(SyslogTest, WithoutMemoryNothingIsChargedAndAStreamWaits) {
  change(1);
  ASSERT_TRUE(intake.try_charge(intake.limit_bytes()));
  datagram("<13>app: x");
  EXPECT_EQ(stream("<13>app: y\n"), 0U);
  EXPECT_EQ(status().dropped_no_room, 1U);
  intake.release(intake.limit_bytes());
  pass(SyslogIntake::kDelayMs);
  static_cast<void>(on_time());
  EXPECT_TRUE(syslog->wants_more(daemon.time.mono));
  EXPECT_EQ(stream("<13>app: y\n"), 11U) << "the one message of this minute";
}

TEST_F(SyslogTest, EmptyMessagesAreNothing) {
  datagram("");
  datagram("\r\n");
  EXPECT_EQ(stream("\n\r\n\n"), 4U);
  EXPECT_EQ(status().messages, 0U);
  EXPECT_FALSE(on_time());
}

TEST_F(SyslogTest, ANewRegistrySendsTheBatchThatWasCheckedAgainstTheOldOne) {
  datagram("<13>app: old");
  change(5);
  datagram("<13>app: new");
  ASSERT_EQ(daemon.inputs.size(), 1U);
  EXPECT_NE(last<core::Push>().batch.registry_generation, daemon.view().registry->generation());
}

TEST_F(SyslogTest, AtTheEndWhatWaitsIsSentAndNothingMoreTaken) {
  datagram("<13>app: one");
  syslog->finish();
  ASSERT_EQ(daemon.inputs.size(), 1U);
  datagram("<13>app: two");
  syslog->finish();
  EXPECT_EQ(daemon.inputs.size(), 1U);
}

}  // namespace
}  // namespace tocsin::api
