// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <new>

#include "src/base/budget.hpp"

#include "tests/support/emulated.hpp"
#include "tests/unit/ingest/world.hpp"

namespace tocsin::ingest {
namespace {

/// Throws at the k-th allocation, once.
class FailNth final : public std::pmr::memory_resource {
 public:
  explicit FailNth(int k) : left_(k) {}
  [[nodiscard]] bool failed() const { return left_ <= 0; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override {
    if (--left_ == 0) throw std::bad_alloc{};
    return std::pmr::new_delete_resource()->allocate(bytes, align);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t align) override {
    std::pmr::new_delete_resource()->deallocate(p, bytes, align);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
  int left_;
};

const std::string& push_request() {
  static const std::string kBody =
      R"({"data_id":1,"access_token":"t","data":[{"event_name":"n","target":"t","event":{"content":"c"}},)"
      R"({"event_name":"m","target":"u","event":{"content":")" +
      std::string(3000, 'x') + R"("},"dimension":{"a":"\u0041","b":1}}]})";
  return kBody;
}

/// A list whose tags grow when they are normalised, beyond what was reserved.
const std::string& standard_request() {
  static const std::string kBody = [] {
    std::string tags;
    for (int i = 0; i < 200; ++i) tags += (i != 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
    return R"([{"alert_name":"n","tags":{)" + tags + R"(}},{"alert_name":"m"}])";
  }();
  return kBody;
}

template <class Take>
void fail_every_allocation(Take take) {
  bool done = false;
  for (int k = 1; !done && k < 100; ++k) {
    FailNth memory{k};
    model::EventBatch batch{&memory};
    World world;
    try {
      ASSERT_TRUE(take(world, batch));
      done = !memory.failed();
      EXPECT_EQ(batch.items.size(), 2U);
      EXPECT_GE(k, 3) << "nothing was allocated";
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(batch.items.empty()) << "allocation " << k;
      EXPECT_TRUE(batch.bytes.empty()) << "allocation " << k;
      ASSERT_TRUE(take(world, batch)) << "the reader serves on after allocation " << k;
      EXPECT_EQ(batch.items.size(), 2U);
    }
  }
  EXPECT_TRUE(done);
}

TEST(IngestFault, PushSurvivesTheFailureOfAnySingleAllocation) {
  const json::Padded padded{push_request()};
  fail_every_allocation([&](World& world, model::EventBatch& batch) {
    return world.push.read_envelope(padded.bytes()).has_value() &&
           world.push.read_items(event_instance(1), trusted_now(), batch).has_value();
  });
}

TEST(IngestFault, StandardSurvivesTheFailureOfAnySingleAllocation) {
  const json::Padded padded{standard_request()};
  fail_every_allocation([&](World& world, model::EventBatch& batch) {
    return world.standard.read_envelope(padded.bytes()).has_value() &&
           world.standard.read_items(source_instance(), trusted_now(), world.request_id, batch).has_value();
  });
}

TEST(IngestFault, ABudgetThatIsTooSmallTakesNothing) {
  Budget budget{"batch", 256};
  model::EventBatch batch{&budget};
  World world;
  const json::Padded padded{push_request()};
  ASSERT_TRUE(world.push.read_envelope(padded.bytes()).has_value());
  EXPECT_THROW(static_cast<void>(world.push.read_items(event_instance(), trusted_now(), batch)), std::bad_alloc);
  EXPECT_EQ(budget.used_bytes(), batch.bytes.capacity() + batch.items.capacity() * sizeof(model::Item));
  EXPECT_TRUE(batch.bytes.empty());
}

std::string mutated(std::string text, std::mt19937_64& random) {
  constexpr std::string_view kLetters = "[]{}:,\"\\u0d19.e- \nnt\xC3\xED\x80";
  for (std::uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
    const std::size_t where = random() % (text.size() + 1);
    switch (random() % 4) {
      case 0: text.insert(where, 1, kLetters[random() % kLetters.size()]); break;
      case 1: text.erase(where, random() % 8); break;
      case 2: text.insert(where, text.substr(random() % text.size(), random() % 40)); break;
      default:
        if (where < text.size()) text[where] = kLetters[random() % kLetters.size()];
    }
    if (text.empty()) text = " ";
  }
  return text;
}

TEST(IngestFault, MutatedRequestsAreTakenWholeOrRefusedInWords) {
  const std::uint64_t seed = seed_from_env();
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  World world;
  int taken = 0;
  for (int round = 0; round < test::rounds(20'000); ++round) {
    const bool custom = round % 2 == 0;
    static const std::string kEvent =
        R"({"alert_name":"\u4e2d","event_id":"e","time":1.5,"tags":[{"key":"a","value":[1,{}]}],"dedupe_keys":["tags.a"],"x":[null]})";
    static const std::string kPush =
        R"({"data_id":1,"access_token":"t\n","data":[{"event_name":"\ud83d\ude00","target":"t","event":{"content":[1,"\""]},)"
        R"("dimension":{"a":null,"b":true,"event_type":"recovery"},"timestamp":1}]})";
    const std::string body = mutated(custom ? kPush : kEvent, random);
    world.batch.bytes.clear();
    world.batch.items.clear();
    const std::string answer = custom ? world.push_body(body, event_instance(2)) : world.send(body);
    if (!answer.empty()) {
      EXPECT_TRUE(world.batch.bytes.empty());
      EXPECT_GT(answer.size(), 10U);
      continue;
    }
    ++taken;
    const auto items = take_apart(world.batch);
    ASSERT_FALSE(items.empty()) << body;
    for (const Stored& item : items) {
      const json::Padded stored{item.json};
      ASSERT_TRUE(world.parser.check(stored.text()).has_value()) << body << " -> " << item.json;
      ASSERT_TRUE(model::decode_facts(as_bytes(item.facts)).ok());
    }
  }
  EXPECT_GT(taken, test::rounds(500));
}

/// A stored item can be damaged only where a checksum was passed by chance; still nothing may be read outside of it.
TEST(IngestFault, FactsOfDamagedItemsStayInsideThem) {
  const std::uint64_t seed = seed_from_env();
  SCOPED_TRACE(::testing::Message() << "TOCSIN_SEED=" << seed);
  std::mt19937_64 random{seed};
  World world;
  std::string scratch;
  ASSERT_EQ(world.push_item(R"({"event_name":"n\u4e2d","target":"t","event":{"content":"c\n"},"dimension":{"a":"b"}})"),
            "");
  const std::string custom = world.last();
  ASSERT_EQ(
      world.send(R"({"alert_name":"n","tags":{"a":"\ud83d\ude00"},"metric":"m","dedupe_keys":["tags.a","metric"]})"),
      "");
  const std::string standard = world.last();
  for (int round = 0; round < test::rounds(20'000); ++round) {
    const bool is_custom = round % 2 == 0;
    const std::string text = mutated(is_custom ? custom : standard, random);
    const std::vector<char> exact(text.begin(), text.end());
    static_cast<void>(facts_of(world.crypto,
                               is_custom ? model::RecordKind::custom_event : model::RecordKind::standard_event,
                               event_instance(1), {exact.data(), exact.size()}, scratch));
  }
}

}  // namespace
}  // namespace tocsin::ingest
