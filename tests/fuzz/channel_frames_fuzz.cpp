// SPDX-License-Identifier: Apache-2.0
// The channel between tocsind and a worker, from either end, and the messages that a worker makes of it. The first byte
// says who sends, the second into what pieces the rest is cut: pieces must not matter, and what is read must be written
// again byte for byte.
#include "src/channel/feed.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "src/channel/reader.hpp"
#include "src/channel/writer.hpp"
#include "src/deliver/envelope.hpp"
#include "src/json/parser.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin {
namespace {

using channel::FrameType;
using channel::Sender;
using fuzz::require;

struct Frame {
  FrameType type;
  std::string body;
  bool operator==(const Frame&) const = default;
};
struct Frames {
  std::vector<Frame> all;
  bool broken = false;
  bool operator==(const Frames&) const = default;
};

Frames cut(Sender sender, Bytes stream, std::size_t piece_bytes) {
  Frames out;
  channel::FrameReader reader{sender};
  while (!stream.empty() && !out.broken) {
    Bytes piece = stream.first(std::min(piece_bytes, stream.size()));
    stream = stream.subspan(piece.size());
    for (;;) {
      const auto complete = reader.next(piece);
      if (!complete.ok()) {
        out.broken = true;
        break;
      }
      if (!*complete) break;
      require(reader.frame_bytes() <= channel::kDataFrameBytesMax, "a frame has a bound");
      out.all.push_back({reader.type(), std::string(as_text(reader.body()))});
    }
    require(out.broken || piece.empty(), "a piece is used up");
  }
  return out;
}

std::string whole(const Frame& frame) {
  std::string out(channel::kFrameHeadBytes, '\0');
  store(reinterpret_cast<std::byte*>(out.data()), static_cast<std::uint32_t>(frame.body.size() + 1));
  out[4] = static_cast<char>(frame.type);
  return out + frame.body;
}

bool is_json_object(std::string_view text) {
  static json::Parser parser;
  const json::Padded padded{text};
  const auto checked = parser.check(padded.text());
  return checked.has_value() && checked->kind == json::Kind::object && checked->text.size() == text.size();
}

bool is_json(std::string_view text) {
  static json::Parser parser{{.bytes_max = 4 * MiB, .elements_max = 1'000'000}};
  const json::Padded padded{text};
  return parser.check(padded.text()).has_value();
}

/// The messages of a data frame: nothing is lost, and they are JSON when the items are.
void pack(const Frame& frame, const channel::DataFrame& data, std::size_t payload_bytes_max) {
  auto packer = deliver::Packer::make(frame.body);
  if (!packer.ok()) return require(!channel::is_events(data.head().kind), "events are always packed");
  // tocsind lets nothing but letters, digits and '_' into a plugin id; of others U+0000 is no text of ours.
  const std::string_view plugin = data.head().plugin_id;
  bool all_json = std::ranges::all_of(plugin, [](char c) { return c != '\0' && static_cast<unsigned char>(c) < 0x80; });
  auto items = data;
  while (const auto item = items.next()) all_json = all_json && is_json_object(item->json);
  const deliver::Origin origin{"00ff", "11ee", "ho\"st\n", "10.0.0.1"};
  items.rewind();
  auto expected = items.next();
  while (!packer->done()) {
    const auto message = packer->next(origin, payload_bytes_max);
    require(expected && message.first_seq == expected->seq, "a message begins where the last one ended");
    while (expected && expected->seq <= message.last_seq) {
      const std::string_view json = expected->json;
      const bool is_whole = data.head().kind == channel::DataKind::events;
      const bool is_standard = data.head().kind == channel::DataKind::standard_events;  // its front may have grown
      const std::string_view kept = is_whole ? json : is_standard ? json.substr(1) : json.substr(0, json.size() - 1);
      require(message.payload.find(kept) != std::string::npos, "an item is in its message");
      expected = items.next();
    }
    require(message.seqs.size() <= deliver::kSeqPropertyBytesMax, "the list of sequences has a bound");
    if (all_json) require(is_json(message.payload), "a message is JSON");
  }
  require(!expected, "every item is in a message");
}

void check_data(const Frame& frame) {
  const auto data = channel::DataFrame::read(as_bytes(frame.body));
  if (!data.ok()) return;
  require(data->count() > 0 && data->first_seq() <= data->last_seq(), "a data frame has items");
  if (data->head().plugin_id.size() > 255) return;  // longer than what the writer takes
  channel::DataWriter writer{data->head()};
  auto items = *data;
  std::uint32_t count = 0;
  while (const auto item = items.next()) {
    require(writer.add(*item), "an item that was read can be written");
    ++count;
  }
  require(count == data->count() && writer.last_seq() == data->last_seq(), "the head counts the items");
  require(writer.take() == whole(frame), "a data frame is written as it was read");
  pack(frame, *data, 0);
  pack(frame, *data, 1 + frame.body.size() / 3);
}

/// Decodes what that type holds; what is good must be written as it came.
void check(const Frame& frame) {
  const Bytes body = as_bytes(frame.body);
  const auto same = [&](const std::string& again) { require(again == whole(frame), "written as it was read"); };
  switch (frame.type) {
    case FrameType::configure:
      if (const auto got = channel::read_configure(body); got.ok()) {
        const auto again = channel::write_configure(*got);
        require(again.ok(), "settings that were read can be written");
        same(*again);
      }
      break;
    case FrameType::data: check_data(frame); break;
    case FrameType::ping:
      if (const auto got = channel::read_ping(body); got.ok()) same(channel::write_ping(*got));
      break;
    case FrameType::stop:
      if (channel::read_stop(body).ok()) same(channel::write_stop());
      break;
    case FrameType::hello:
      if (const auto got = channel::read_hello(body); got.ok()) same(channel::write_hello(*got));
      break;
    case FrameType::state:
      if (const auto got = channel::read_state(body); got.ok()) same(channel::write_state(*got));
      break;
    case FrameType::credit:
      if (const auto got = channel::read_credit(body); got.ok()) same(channel::write_credit(*got));
      break;
    case FrameType::confirm:
      if (const auto got = channel::read_confirm(body); got.ok()) same(channel::write_confirm(*got));
      break;
    case FrameType::pong:
      if (const auto got = channel::read_ping(body); got.ok()) same(channel::write_pong(*got));
      break;
    case FrameType::log:
      if (const auto got = channel::read_log(body); got.ok()) same(channel::write_log(*got));
      break;
    case FrameType::source:
      if (const auto got = channel::read_source(body); got.ok()) {
        const auto again = channel::write_source(*got);
        require(again.ok(), "settings that were read can be written");
        same(*again);
      }
      break;
    case FrameType::position:
      if (const auto got = channel::read_position(body); got.ok()) same(channel::write_position(*got));
      break;
    case FrameType::settle:
      if (const auto got = channel::read_settle(body); got.ok()) same(channel::write_settle(*got));
      break;
    case FrameType::assigned:
      if (const auto got = channel::read_assigned(body); got.ok()) same(channel::write_assigned(*got));
      break;
    case FrameType::record:
      if (const auto got = channel::read_record(body); got.ok()) same(channel::write_record(*got));
      break;
  }
}

void run(Bytes input) {
  if (input.size() < 2) return;
  const Sender sender = (std::to_integer<unsigned>(input[0]) & 1U) == 0 ? Sender::core : Sender::worker;
  const auto piece_bytes = std::max<std::size_t>(1, std::to_integer<std::size_t>(input[1]));
  const Bytes stream = input.subspan(2);
  const Frames frames = cut(sender, stream, std::max<std::size_t>(1, stream.size()));
  require(cut(sender, stream, piece_bytes) == frames, "pieces do not matter");
  for (const Frame& frame : frames.all) {
    require(channel::frame_bytes_max(sender, static_cast<std::uint8_t>(frame.type)) != 0, "a type its sender sends");
    check(frame);
  }
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
