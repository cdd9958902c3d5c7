// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/envelope.hpp"

#include <utility>

namespace tocsin::deliver {
namespace {

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

/// Sequences as ranges, in both spellings.
struct Ranges {
  std::string json;  ///< "[1,3],[5,5]"
  std::string text;  ///< "1-3,5"
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  void add(std::uint64_t seq) {
    if (first != 0 && seq == last + 1) {
      last = seq;
      return;
    }
    close();
    first = last = seq;
  }
  void close() {
    if (first == 0) return;
    const std::string from = std::to_string(first);
    const std::string to = std::to_string(last);
    if (!json.empty()) json += ',';
    json.append("[").append(from).append(",").append(to).append("]");
    if (text.size() <= kSeqPropertyBytesMax) {
      if (!text.empty()) text += ',';
      text += from;
      if (first != last) text.append("-").append(to);
    }
  }
  [[nodiscard]] std::size_t bytes_at_most() const noexcept { return json.size() + 44; }
};

void append_tocsin(std::string& out, const Origin& origin, const channel::DataHead& head, std::string_view ranges) {
  out += R"("tocsin":{"appliance":)";
  append_string(out, origin.appliance);
  out += R"(,"store":)";
  append_string(out, origin.store);
  out.append(R"(,"boot":)").append(std::to_string(head.boot));
  out.append(R"(,"lane":")").append(lane_name(head.lane));
  out.append(R"(","seq":[)").append(ranges).append(R"(],"repeat":)").append(head.repeat ? "true}" : "false}");
}

std::string events_front(const Origin& origin, const channel::DataHead& head, std::int64_t unix_s) {
  const std::string data_id = std::to_string(head.data_id);
  const std::string time = std::to_string(unix_s);
  std::string out =
      R"({"dataid":)" + data_id + R"(,"bk_data_id":)" + data_id + R"(,"bk_biz_id":)" + std::to_string(head.bk_biz_id);
  if (head.kind == channel::DataKind::standard_events) {
    out += R"(,"bk_plugin_id":)";
    append_string(out, head.plugin_id);
    out.append(R"(,"bk_ingest_time":)").append(time);
  }
  out.append(R"(,"version":"","time":)").append(time).append(R"(,"timestamp":)").append(time).append(R"(,"hostname":)");
  append_string(out, origin.hostname);
  out += R"(,"ip":)";
  append_string(out, origin.ip);
  out += R"(,"data":[)";
  return out;
}

/// One item of `data`: as stored, of a standard event with its id once more under the name that BlueKing's pipeline
/// takes it from. (Stored events have an event_id behind their name, and quotes inside of texts are escaped.)
struct DataItemText {
  std::string_view id = {};  ///< as written between its quotes; empty: nothing is added
  std::string_view json;

  DataItemText(channel::DataKind kind, std::string_view stored) : json(stored) {
    constexpr std::string_view kName = R"(,"event_id":")";
    const std::size_t at = kind == channel::DataKind::standard_events ? stored.find(kName) : std::string_view::npos;
    if (at == std::string_view::npos || stored.front() != '{' || stored.find(kBkEventId) != std::string_view::npos)
      return;
    const std::size_t from = at + kName.size();
    std::size_t end = from;
    while (end < stored.size() && stored[end] != '"') end += stored[end] == '\\' ? 2U : 1U;
    if (end < stored.size()) id = stored.substr(from, end - from);
  }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return json.size() + (id.empty() ? 0 : kFront.size() + id.size() + 1);
  }
  void append_to(std::string& out) const {
    if (id.empty()) {
      out += json;
      return;
    }
    out.append(kFront).append(id).append("\",").append(json.substr(1));
  }

 private:
  static constexpr std::string_view kBkEventId = R"("__bk_event_id__":)";  // a sender's own stays
  static constexpr std::string_view kFront = R"({"__bk_event_id__":")";
};

/// The text of `ranges` once they are closed.
Message finish(Message message, Ranges& ranges) {
  message.last_seq = ranges.last;
  if (ranges.text.size() <= kSeqPropertyBytesMax) message.seqs = std::move(ranges.text);
  return message;
}

bool is_object(std::string_view json) { return json.size() >= 2 && json.front() == '{' && json.back() == '}'; }

}  // namespace

const char* lane_name(std::uint8_t lane) noexcept { return lane == 0 ? "alert" : lane == 1 ? "critical" : "normal"; }

Result<Packer> Packer::make(std::string body) {
  Packer out;
  out.body_ = std::make_unique<std::string>(std::move(body));
  auto frame = channel::DataFrame::read(as_bytes(*out.body_));
  if (!frame.ok()) return frame.error();
  if (!channel::is_events(frame->head().kind)) {
    while (const auto item = frame->next())
      if (!is_object(item->json)) return error(Errc::invalid_input, "data frame: an item is no object");
    frame->rewind();
  }
  out.items_left_ = frame->count();
  out.frame_ = *frame;
  return out;
}

Message Packer::next(const Origin& origin, std::size_t payload_bytes_max) {
  Message out = channel::is_events(frame_->head().kind) ? next_events(origin, payload_bytes_max) : next_object(origin);
  if (done()) body_.reset();
  return out;
}

Message Packer::next_events(const Origin& origin, std::size_t payload_bytes_max) {
  auto scan = *frame_;
  auto item = scan.next();
  Message out;
  out.first_seq = item->seq;
  const std::string front = events_front(origin, frame_->head(), item->wall_ms / 1000);
  std::string empty_tail = "],";
  append_tocsin(empty_tail, origin, frame_->head(), {});
  std::size_t bytes = front.size() + empty_tail.size() + 1;
  std::uint32_t count = 0;
  Ranges ranges;
  for (; item && count < kMessageItemsMax; item = scan.next()) {
    const std::size_t more = DataItemText(frame_->head().kind, item->json).bytes() + 1;
    if (count > 0 && payload_bytes_max != 0 && bytes + more + ranges.bytes_at_most() * 2 > payload_bytes_max) break;
    bytes += more;
    ranges.add(item->seq);
    ++count;
  }
  ranges.close();

  out.payload.reserve(bytes + ranges.json.size());
  out.payload += front;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i > 0) out.payload += ',';
    DataItemText(frame_->head().kind, frame_->next()->json).append_to(out.payload);
  }
  items_left_ -= count;
  out.payload += "],";
  append_tocsin(out.payload, origin, frame_->head(), ranges.json);
  out.payload += '}';
  return finish(std::move(out), ranges);
}

Message Packer::next_object(const Origin& origin) {
  const auto item = frame_->next();
  --items_left_;
  Ranges ranges;
  ranges.add(item->seq);
  ranges.close();
  std::string tail;
  append_tocsin(tail, origin, frame_->head(), ranges.json);
  Message out;
  out.first_seq = item->seq;
  out.payload.reserve(item->json.size() + tail.size() + 2);
  out.payload.append(item->json.substr(0, item->json.size() - 1));
  if (item->json.find_first_not_of(" \t\r\n", 1) != item->json.size() - 1) out.payload += ',';
  out.payload.append(tail).append("}");
  return finish(std::move(out), ranges);
}

}  // namespace tocsin::deliver
