// SPDX-License-Identifier: Apache-2.0
// Every request that is legal fits the intake of a box with nothing else to do, or is refused for good in words.
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "src/base/budget.hpp"
#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::size_t kBodyBytes = 512'000;
constexpr std::size_t kIntakeBytes = 1 * MiB;  // as on every board

/// The largest body of `count` items; `item` writes one around that many bytes of text.
std::string largest(std::size_t count, const std::function<std::string(std::size_t, const std::string&)>& item) {
  const std::string head = R"({"data_id":1,"access_token":"t","data":[)";
  const std::size_t bare = item(count, "").size() + 1;
  const std::size_t room = (kBodyBytes - head.size() - 2) / count;
  const std::string text(room > bare ? room - bare : 0, 'x');
  std::string body = head;
  for (std::size_t i = 0; i < count; ++i) body += (i > 0 ? "," : "") + item(i, text);
  return body += "]}";
}

std::string custom(std::size_t i, const std::string& text) {
  return R"({"event_name":"e","target":"t)" + std::to_string(i) + R"(","event":{"content":")" + text + R"("}})";
}
std::string custom_with_long_facts(std::size_t i, const std::string& text) {
  const std::size_t third = text.size() / 3;
  return R"({"event_name":"e","target":"t)" + std::to_string(i) + text.substr(0, third) + R"(","event":{"content":")" +
         text.substr(0, third) + R"("},"dimension":{"k":")" + text.substr(0, third) +
         R"("},"timestamp":1700000000000})";
}
std::string custom_with_numbers(std::size_t i, const std::string& text) {
  std::string out =
      R"({"event_name":"e","target":"t)" + std::to_string(i) + R"(","event":{"content":"c"},"dimension":{)";
  for (std::size_t n = 0; n < std::min<std::size_t>(text.size() / 28, kDimensionsMax); ++n) {
    out += (n > 0 ? ",\"a-dimension-of-name-" : "\"a-dimension-of-name-") + std::to_string(100 + n) + "\":1";
  }
  return out + "}}";
}
std::string standard(std::size_t i, const std::string& text) {
  return R"({"alert_name":"a","target":"t)" + std::to_string(i) + R"(","description":")" + text + R"("})";
}
std::string standard_with_tags(std::size_t i, const std::string& text) {
  std::string out = R"({"alert_name":"a","target":"t)" + std::to_string(i) + R"(","tags":{)";
  for (std::size_t n = 0; n < std::min<std::size_t>(text.size() / 10, kDimensionsMax); ++n) {
    out += (n > 0 ? ",\"" : "\"") + std::to_string(100 + n) + R"(":"")";
  }
  return out + "}}";
}

class Room : public ::testing::Test {
 protected:
  /// "" and the batch, or the refusal. Throws nothing: the intake is empty before.
  std::string read(const std::string& body, bool is_standard, std::uint8_t alert = 1) {
    batch.reset();
    EXPECT_EQ(intake.used_bytes(), 0U);
    batch.emplace(&intake);
    const json::Padded padded{body};
    const auto note = [this](const Refusal& why) {
      status = why.http_status;
      return std::string{why.code.text()};
    };
    if (is_standard) {
      const auto envelope = world.standard.read_envelope(padded.bytes());
      if (!envelope) return note(envelope.error());
      const auto taken = world.standard.read_items(source_instance(), trusted_now(), {}, *batch);
      return taken ? "" : note(taken.error());
    }
    const auto envelope = world.push.read_envelope(padded.bytes());
    if (!envelope) return note(envelope.error());
    const auto taken = world.push.read_items(event_instance(alert), trusted_now(), *batch);
    return taken ? "" : note(taken.error());
  }
  /// Facts that came along are those of their item.
  void expect_right_facts(const model::Instance& instance) {
    std::string scratch;
    std::string again;
    for (const Stored& item : take_apart(*batch)) {
      if (item.facts.empty()) continue;
      const auto facts = facts_of(world.crypto, batch->kind, instance, item.json, scratch);
      ASSERT_TRUE(facts.ok());
      again.clear();
      model::encode(*facts, again);
      ASSERT_EQ(again, item.facts);
    }
  }

  World world;
  Budget intake{"intake", kIntakeBytes};
  std::optional<model::EventBatch> batch;
  int status = 0;
};

TEST_F(Room, HoldsEveryLargestRequestOfCustomEvents) {
  for (const std::uint8_t alert : std::array<std::uint8_t, 3>{0, 1, 3}) {
    for (const std::size_t count : {1U, 2U, 100U, 200U, 1'000U, 2'000U, 3'000U}) {
      for (const auto& item : {custom, custom_with_long_facts, custom_with_numbers}) {
        SCOPED_TRACE(std::to_string(count) + " items, alert " + std::to_string(alert));
        const std::string body = largest(count, item);
        ASSERT_LE(body.size(), kBodyBytes);
        ASSERT_EQ(read(body, false, alert), "");
        EXPECT_EQ(batch->items.size(), count);
        EXPECT_EQ(batch->is_alerting, alert != 0);
        EXPECT_LE(intake.used_bytes(), model::kBatchBytesMax);
        if (count <= 200) expect_right_facts(event_instance(alert));
      }
    }
  }
}

TEST_F(Room, HoldsEveryLargestRequestOfStandardEvents) {
  for (const std::size_t count : {1U, 2U, 100U, 1'000U, 2'000U}) {
    SCOPED_TRACE(std::to_string(count) + " events");
    ASSERT_EQ(read(largest(count, standard), true), "");
    EXPECT_EQ(batch->items.size(), count);
    EXPECT_LE(intake.used_bytes(), model::kBatchBytesMax);
    if (count <= 100) expect_right_facts(source_instance());
  }
}

TEST_F(Room, CarriesTheFactsOfEventsOfUsualSize) {
  for (const std::size_t count : {1U, 20U, 500U}) {
    std::string body = R"({"data_id":1,"access_token":"t","data":[)";
    for (std::size_t i = 0; i < count; ++i) body += (i > 0 ? "," : "") + custom(i, "disk full");
    ASSERT_EQ(read(body + "]}", false), "");
    for (const Stored& item : take_apart(*batch)) ASSERT_FALSE(item.facts.empty());
  }
  ASSERT_EQ(read(largest(1, custom_with_long_facts), false), "");
  EXPECT_FALSE(take_apart(*batch).front().facts.empty()) << "one event's always fit";
}

TEST_F(Room, RefusesInWordsWhatGrowsBeyondIt) {
  EXPECT_EQ(read(largest(180, standard_with_tags), true), "items_too_large");
  EXPECT_EQ(status, 413);
  EXPECT_TRUE(batch->items.empty());
  EXPECT_EQ(read(largest(8'600, custom), false), "items_too_large");
  EXPECT_EQ(status, 413);
}

TEST_F(Room, RefusesAWrongItemOfAHugeListAsWrong) {
  std::string body = R"({"data_id":1,"access_token":"t","data":[1)";
  for (int i = 0; i < 90'000; ++i) body += ",1";
  EXPECT_EQ(read(body + "]}", false), "item_type");
  EXPECT_EQ(status, 400);
}

TEST_F(Room, ThrowsWhenOthersHoldTheIntakeAndTakesItLater) {
  const std::string body = largest(100, custom_with_long_facts);
  ASSERT_TRUE(intake.try_charge(600 * KiB));
  {
    model::EventBatch other{&intake};
    const json::Padded padded{body};
    ASSERT_TRUE(world.push.read_envelope(padded.bytes()).has_value());
    EXPECT_THROW(static_cast<void>(world.push.read_items(event_instance(1), trusted_now(), other)), std::bad_alloc);
    EXPECT_TRUE(other.items.empty());
  }
  intake.release(600 * KiB);
  EXPECT_EQ(read(body, false), "");
}

}  // namespace
}  // namespace tocsin::ingest
