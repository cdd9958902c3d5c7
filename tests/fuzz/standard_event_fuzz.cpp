// SPDX-License-Identifier: Apache-2.0
// A body of /api/v1/events: refused in words with nothing kept, or normalised to JSON that is a normal form.
#include "platform/gnutls/crypto.hpp"
#include "src/ingest/standard.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"
#include "tests/fuzz/stored_items.hpp"

namespace tocsin {
namespace {

using fuzz::require;

struct StandardWorld {
  json::Parser parser;
  gnutls::Crypto crypto;
  ingest::StandardReader reader{parser, crypto, port::Digest256{std::byte{7}}, {480}};
  Id128 request_id{std::byte{0xAB}};

  std::vector<std::string> send(std::string_view body, const model::Instance& instance) {
    const json::Padded padded{body};
    model::EventBatch batch{std::pmr::new_delete_resource()};
    const auto envelope = reader.read_envelope(padded.bytes());
    if (!envelope) {
      fuzz::check_refusal(parser, envelope.error(), batch);
      return {};
    }
    require(!envelope->access_token || envelope->access_token->size() <= model::kTokenBytesMax, "a token has a bound");
    const auto taken = reader.read_items(instance, fuzz::kTrusted, request_id, batch);
    if (!taken) {
      fuzz::check_refusal(parser, taken.error(), batch);
      return {};
    }
    return fuzz::check_batch(parser, crypto, instance, batch);
  }
};

/// The members that a stored event always has, each once.
void check_members(std::string_view item) {
  constexpr std::array<std::string_view, 10> kAlways{"alert_name", "event_id",  "category", "target_type",  "target",
                                                     "severity",   "bk_biz_id", "time",     "anomaly_time", "status"};
  std::array<int, kAlways.size()> seen{};
  json::Cursor at{item};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    require(name != "data_id" && name != "access_token", "who sends is not stored");
    if (name == "severity") require(value == "1" || value == "2" || value == "3", "severity is 1 to 3");
    if (name == "status")
      require(value == "\"ABNORMAL\"" || value == "\"RECOVERED\"" || value == "\"CLOSED\"", "status is a known word");
    for (std::size_t i = 0; i < kAlways.size(); ++i) seen[i] += name == kAlways[i] ? 1 : 0;
  }
  for (const int count : seen) require(count == 1, "every member is there once");
}

/// From the year 5138 on, seconds read back as milliseconds: such an event is stored, and is no form of its own.
bool has_far_time(std::string_view item) {
  json::Cursor at{item};
  std::string_view name;
  bool is_far = false;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (name == "time" || name == "anomaly_time") is_far = is_far || json::to_double(value) >= 1e11;
  }
  return is_far;
}

void run(std::string_view body) {
  static StandardWorld world;
  model::Instance instance;
  instance.type = model::InstanceType::alert_source;
  instance.data_id = 1'500'007;
  instance.bk_biz_id = 2;
  for (const std::string& item : world.send(body, instance)) {
    check_members(item);
    if (has_far_time(item)) continue;
    require(world.send(item, instance) == std::vector<std::string>{item}, "a stored event is its own form");
  }
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run(tocsin::fuzz::text_of(data, size));
  return 0;
}
