// SPDX-License-Identifier: Apache-2.0
// Bytes of a syslog sender: as one datagram and as a stream in pieces. Whatever they are, a message comes out of them,
// and an event that is JSON.
#include "platform/gnutls/crypto.hpp"
#include "src/ingest/syslog.hpp"
#include "src/ingest/syslog_write.hpp"
#include "tests/fuzz/stored_items.hpp"

namespace tocsin {
namespace {

using fuzz::require;

struct SyslogFuzzWorld {
  json::Parser parser;
  gnutls::Crypto crypto;
  ingest::SyslogWriter writer{crypto};
};

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_message(const ingest::SyslogMessage& message, std::string_view text) {
  require(message.facility <= 23 && message.severity <= 7, "a priority is known");
  for (const std::string_view part :
       {message.hostname, message.app, message.procid, message.msgid, message.structured_data, message.text}) {
    require(is_inside(part, text), "parts lie in the text");
  }
  require(message.hostname.size() <= ingest::kSyslogHostBytesMax && message.app.size() <= ingest::kSyslogAppBytesMax &&
              message.procid.size() <= ingest::kSyslogProcBytesMax &&
              message.msgid.size() <= ingest::kSyslogMsgIdBytesMax,
          "header fields have bounds");
  std::size_t parts = message.hostname.size() + message.app.size() + message.procid.size() + message.msgid.size() +
                      message.structured_data.size() + message.text.size();
  require(parts <= text.size(), "no byte is there twice");
  ingest::SyslogParams params{message.structured_data};
  std::size_t count = 0;
  std::string plain;
  for (auto one = params.next(); one; one = params.next()) {
    require(!one->id.empty() && !one->name.empty(), "a parameter has a name");
    require(is_inside(one->value, message.structured_data), "a value lies in the text");
    ingest::SyslogParams::append_plain(one->value, plain);
    require(++count <= text.size(), "parameters come to an end");
  }
  require(plain.size() <= text.size(), "resolved escapes are no longer");
}

void check_event(SyslogFuzzWorld& world, std::string_view text, model::InstanceType type) {
  model::Instance instance;
  instance.data_id = 7;
  instance.alert = 2;
  instance.type = type;
  model::EventBatch batch{std::pmr::new_delete_resource()};
  batch.received = text.size() % 2 == 0 ? fuzz::kTrusted : fuzz::kUntrusted;
  const ingest::SyslogOrigin origin{.event_name = "syslog",
                                    .address = text.size() % 3 == 0 ? "" : "10.0.0.7",
                                    .own_host = "box",
                                    .prefers_hostname = text.size() % 5 == 0,
                                    .is_cut = text.size() % 7 == 0};
  const auto message = ingest::parse_syslog(text);
  require(world.writer.add(message, origin, instance, batch).has_value(), "no message is refused");
  require(batch.items.size() == 1, "a message is one event");
  static_cast<void>(fuzz::check_batch(world.parser, world.crypto, instance, batch));
}

/// The messages of a stream that arrives in pieces.
std::vector<std::string> messages_of(std::string_view stream, std::size_t piece) {
  ingest::SyslogFrames frames;
  std::vector<std::string> out;
  std::size_t taken = 0;
  for (std::size_t arrived = 0; arrived < stream.size();) {
    arrived = std::min(arrived + piece, stream.size());
    while (taken < arrived) {
      const auto waiting = stream.substr(taken, std::min(arrived - taken, ingest::SyslogFrames::kWindowBytes));
      const bool is_end = taken + waiting.size() == stream.size();
      const auto step = frames.next(waiting, is_end);
      require(step.bytes <= waiting.size() && is_inside(step.message, waiting), "a step stays inside of what arrived");
      require(step.message.size() <= ingest::kSyslogBytesMax, "a message has a bound");
      require(step.bytes != 0 || (!is_end && waiting.size() < ingest::SyslogFrames::kWindowBytes),
              "a full window and the end make progress");
      if (step.bytes == 0) break;
      if (!step.message.empty()) out.push_back(std::string(step.message) + (step.is_cut ? "+" : ""));
      frames.take(step);
      taken += step.bytes;
    }
  }
  require(taken == stream.size(), "nothing is left at the end");
  return out;
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tocsin::SyslogFuzzWorld world;
  const std::string_view text = tocsin::fuzz::text_of(data, size);
  tocsin::check_message(tocsin::ingest::parse_syslog(text), text);
  const std::string_view kept = text.substr(0, tocsin::ingest::kSyslogBytesMax);
  tocsin::check_event(world, kept, tocsin::model::InstanceType::event);
  tocsin::check_event(world, kept, tocsin::model::InstanceType::alert_source);
  const auto whole = tocsin::messages_of(text, 1 << 20);
  tocsin::fuzz::require(whole == tocsin::messages_of(text, 1 + size % 97), "pieces do not change what arrives");
  return 0;
}
