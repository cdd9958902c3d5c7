// SPDX-License-Identifier: Apache-2.0
// A body of /v2/push/: refused in words with nothing kept, or stored as JSON that comes out the same when it is sent
// again, by the short way and by the long one.
#include "platform/gnutls/crypto.hpp"
#include "src/ingest/push.hpp"
#include "tests/fuzz/stored_items.hpp"

namespace tocsin {
namespace {

using fuzz::require;

struct PushBodyWorld {
  json::Parser parser;
  gnutls::Crypto crypto;
  ingest::PushReader reader{parser, crypto};

  /// The items as stored; empty: refused.
  std::vector<std::string> send(std::string_view body, const model::Instance& instance, Now now) {
    const json::Padded padded{body};
    model::EventBatch batch{std::pmr::new_delete_resource()};
    const auto envelope = reader.read_envelope(padded.bytes());
    if (!envelope) {
      fuzz::check_refusal(parser, envelope.error(), batch);
      return {};
    }
    require(envelope->access_token.size() <= model::kTokenBytesMax, "a token has a bound");
    const auto taken = reader.read_items(instance, now, batch);
    if (!taken) {
      fuzz::check_refusal(parser, taken.error(), batch);
      return {};
    }
    return fuzz::check_batch(parser, crypto, instance, batch);
  }
};

void run(std::string_view body) {
  static PushBodyWorld world;
  model::Instance plain;
  plain.data_id = 1'500'006;
  plain.bk_biz_id = 2;
  model::Instance alerting = plain;
  alerting.alert = 2;
  const auto stored = world.send(body, plain, fuzz::kTrusted);
  require(world.send(body, alerting, fuzz::kTrusted) == stored, "facts change nothing of what is stored");
  const bool is_taken_untrusted = !world.send(body, plain, fuzz::kUntrusted).empty();
  require(stored.empty() || is_taken_untrusted, "without a trusted clock no more is refused");
  for (const std::string& item : stored) {
    const std::vector<std::string> same{item};
    require(world.send(R"({"data":[)" + item + "]}", plain, fuzz::kTrusted) == same, "a stored item is its own form");
    require(world.send(R"({"data":[{ )" + item.substr(1) + "]}", plain, fuzz::kTrusted) == same,
            "both ways of reading store the same");
  }
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run(tocsin::fuzz::text_of(data, size));
  return 0;
}
