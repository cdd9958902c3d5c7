// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <utility>

#include "src/api/body.hpp"
#include "src/api/events_filter.hpp"
#include "src/api/look_limit.hpp"
#include "src/api/resources.hpp"
#include "src/json/writer.hpp"
#include "src/log/log.hpp"

namespace tocsin::api {
namespace {

using model::Lane;

constexpr std::uint64_t kSeqMax = ~0ULL - 1;

enum class Order : std::uint8_t { newest_first, oldest_first };

const char* to_text(model::RecordKind kind) noexcept {
  switch (kind) {
    case model::RecordKind::custom_event: return "custom_event";
    case model::RecordKind::standard_event: return "standard_event";
    case model::RecordKind::alert_transition: return "alert_transition";
    case model::RecordKind::gap: return "gap";
    case model::RecordKind::custom_metric: return "custom_metric";
  }
  return "unknown";
}

struct EventsQuery {
  EventsFilter filter;
  Order order = Order::newest_first;
  std::uint64_t from = kSeqMax;  ///< the first sequence to look at
  std::uint64_t limit = kPageEntriesDefault;
};

std::string item_json(const EventsFilter& filter, Lane lane, const model::SegmentHeader& header,
                      const model::Record& record) {
  const Wall received = filter.received(header, record);
  std::string out;
  out.reserve(record.json.size() + 256);
  json::Writer w(out);
  w.object().name("seq").number(record.seq).member("lane", model::to_text(lane)).name("data_id").number(record.data_id);
  w.member("kind", to_text(record.kind)).name("received").time(received.unix_ms);
  w.name("received_ms").number(received.unix_ms).name("clock_trusted").boolean(received.trusted);
  w.member("request_id", to_uuid_text(record.request_id)).name("event").raw(record.json).end_object();
  return out;
}

/// Reads one lane segment by segment, in one direction, and keeps what it found of the last one.
class LaneWalk {
 public:
  LaneWalk(Lane lane, const EventsQuery& query) : lane_(lane), next_(query.from) {}
  [[nodiscard]] bool is_done() const noexcept { return is_done_ && found_.empty(); }
  [[nodiscard]] bool wants_more() const noexcept { return !is_done_ && found_.empty(); }
  /// Everything before it (in the order of the query) was handed out or does not match.
  [[nodiscard]] std::uint64_t position() const noexcept { return found_.empty() ? next_ : found_.front().seq; }
  [[nodiscard]] std::string pop() {
    std::string out = std::move(found_.front().json);
    found_.pop_front();
    return out;
  }

  Status read_segment(port::ReadTxn& txn, const EventsQuery& query, LookLimit& limit) {
    const bool is_down = query.order == Order::newest_first;
    if (is_down && query.filter.may_leap() && !std::exchange(has_leapt_, true)) {
      if (auto done = leap(txn, query, limit); !done.ok()) return done;
    }
    limit.count(LookLimit::kSegmentBytes);
    auto entry = is_down ? txn.before(model::segment_key(lane_, next_ + 1)) : log::segment_at(txn, lane_, next_);
    if (!entry.ok()) return entry.error().in("events: read");
    if (!*entry || !is_mine((*entry)->key)) {
      is_done_ = true;
      return {};
    }
    const std::uint64_t first_seq = load_be64((*entry)->key.data() + 2);
    auto segment = model::SegmentReader::open((*entry)->key, (*entry)->value);
    std::uint64_t last_seq = first_seq;  // of one whose header cannot be believed nothing more is known
    bool is_out_of_time = false;
    if (segment.ok()) {
      last_seq = segment->last_seq();
      is_out_of_time = is_down ? query.filter.is_before(*segment) : query.filter.is_behind(*segment).value_or(false);
      if (query.filter.may_hold(*segment)) collect(*segment, query, limit);
      damaged_ += segment->damaged();
    } else {
      ++damaged_;
    }
    if (is_down) {
      is_done_ = is_out_of_time || first_seq <= 1;  // sequences begin at 1
      next_ = is_done_ ? 0 : first_seq - 1;
    } else {
      is_done_ = is_out_of_time;
      next_ = std::max(next_, last_seq) + 1;
    }
    return {};
  }
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

 private:
  struct Found {
    std::uint64_t seq;
    std::string json;
  };
  [[nodiscard]] bool is_mine(Bytes key) const noexcept {
    return key.size() == 10 && model::is_in(key, model::Table::lane) && key[1] == static_cast<std::byte>(lane_);
  }
  /// Passes by what came long after `until`, by halving: 64 looks instead of one at each segment. Where a segment has
  /// no date it stays where it is.
  Status leap(port::ReadTxn& txn, const EventsQuery& query, LookLimit& limit) {
    std::uint64_t low = 0;
    std::uint64_t high = next_;  // what begins behind it is later, or was not asked for
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      limit.count(LookLimit::kSegmentBytes);
      auto entry = log::segment_at(txn, lane_, middle);
      if (!entry.ok()) return entry.error().in("events: leap");
      if (!*entry) {
        high = middle;
        continue;
      }
      const auto segment = model::SegmentReader::open((*entry)->key, (*entry)->value);
      const auto is_behind = segment.ok() ? query.filter.is_behind(*segment) : std::nullopt;
      if (!is_behind) return {};
      if (*is_behind) {
        high = middle;
      } else {
        low = std::max(middle, segment->last_seq()) + 1;
      }
    }
    next_ = std::min(next_, high);
    return {};
  }
  /// A page takes at most `limit` records of a segment; those that come first in the order of the query are kept.
  void collect(model::SegmentReader& segment, const EventsQuery& query, LookLimit& limit) {
    const bool is_down = query.order == Order::newest_first;
    while (const auto data_id = segment.peek()) {
      limit.count(LookLimit::kRecordBytes);
      if (query.filter.data_id && *data_id != *query.filter.data_id) {
        segment.skip();
        continue;
      }
      const auto record = segment.next(is_down ? 0 : next_);
      if (!record || (is_down && record->seq > next_)) break;
      limit.count(record->json.size());
      if (!query.filter.matches(segment.header(), *record)) continue;
      Found found{record->seq, item_json(query.filter, lane_, segment.header(), *record)};
      if (is_down) {
        found_.push_front(std::move(found));
      } else {
        found_.push_back(std::move(found));
      }
    }
  }

  Lane lane_;
  std::uint64_t next_;
  std::deque<Found> found_;
  std::uint64_t damaged_ = 0;
  bool is_done_ = false;
  bool has_leapt_ = false;
};

/// One page: `limit` entries, or what was found when the job has looked at as much as one answer may.
/// Memory: the page, and the records found in one segment of each lane.
class EventsJob final : public core::Job {
 public:
  EventsJob(const Services& services, const Call& call, EventsQuery query)
      : services_(services),
        call_(call),
        query_(std::move(query)),
        lanes_{LaneWalk(kEventLanes[0], query_), LaneWalk(kEventLanes[1], query_)},
        limit_(services.parts.daemon) {}

  Result<bool> step(port::ReadTxn& txn) override {
    limit_.begin_slice();
    while (!limit_.is_slice_over()) {
      LaneWalk* const lane = next_lane();
      if (lane == nullptr || count_ >= query_.limit || items_.size() >= kPageBytesMax) return true;
      if (lane->wants_more()) {
        if (auto read = lane->read_segment(txn, query_, limit_); !read.ok()) return read.error();
      } else {
        hand_out(*lane);
      }
    }
    return limit_.is_over();
  }

  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      std::string data;
      data.reserve(items_.size() + 80);
      data.append(R"({"items":[)").append(items_).append(R"(],"damaged":)");
      data += std::to_string(lanes_[0].damaged() + lanes_[1].damaged());
      const std::string cursor = cursor_json();
      data += R"(,"complete":)";
      data += cursor == "null" ? "true" : "false";
      data += R"(,"cursor":)";
      data += cursor;
      data += '}';
      return data;
    });
  }

 private:
  [[nodiscard]] bool is_first(std::uint64_t a, std::uint64_t b) const noexcept {
    return query_.order == Order::newest_first ? a > b : a < b;
  }
  /// The one whose next entry, or next segment, comes first in the order of the query.
  [[nodiscard]] LaneWalk* next_lane() noexcept {
    LaneWalk* out = nullptr;
    for (LaneWalk& lane : lanes_) {
      if (!lane.is_done() && (out == nullptr || is_first(lane.position(), out->position()))) out = &lane;
    }
    return out;
  }
  void hand_out(LaneWalk& lane) {
    if (count_++ > 0) items_.push_back(',');
    last_seq_ = lane.position();
    items_ += lane.pop();
  }
  [[nodiscard]] std::string cursor_json() {
    const LaneWalk* lane = next_lane();
    if (lane == nullptr) return "null";
    const bool is_down = query_.order == Order::newest_first;
    std::uint64_t at = lane->position();
    // The lanes share one counter: where a lane was read to an end may be the number of another lane's last entry here.
    if (count_ > 0) at = is_down ? std::min(at, last_seq_ - 1) : std::max(at, last_seq_ + 1);
    return (is_down ? "\"b" : "\"f") + std::to_string(at) + '"';
  }

  const Services& services_;
  Call call_;
  EventsQuery query_;
  std::array<LaneWalk, 2> lanes_;
  LookLimit limit_;
  std::string items_;
  std::uint64_t count_ = 0;
  std::uint64_t last_seq_ = 0;  ///< of the last entry of the page
};

bool read_number(std::string_view text, std::uint64_t& out) noexcept {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && out <= kSeqMax;
}

/// What is wrong with the query; empty: nothing.
std::string read_place(const Call& call, EventsQuery& query) {
  const auto limit = query_number(call, "limit", kPageEntriesDefault, 1, kPageEntriesMax);
  if (!limit) return "limit: must be a whole number from 1 to 500";
  query.limit = *limit;
  if (const std::string* after = call.query("after_seq"); after != nullptr) {
    std::uint64_t seq = 0;
    if (!read_number(*after, seq)) return "after_seq: must be a sequence, a whole number";
    query.order = Order::oldest_first;
    query.from = seq + 1;
  }
  if (const std::string* cursor = call.query("cursor"); cursor != nullptr) {
    const bool is_down = cursor->starts_with('b');
    if ((!is_down && !cursor->starts_with('f')) || !read_number(std::string_view(*cursor).substr(1), query.from)) {
      return "cursor: must be one that an earlier answer gave";
    }
    query.order = is_down ? Order::newest_first : Order::oldest_first;
  }
  return {};
}

/// Who types +08:00 into an address asks for a blank: a time has none before digits at its end.
std::optional<std::int64_t> parse_query_time(std::string text) {
  const auto time = parse_time(text);
  const std::size_t blank = text.rfind(' ');
  if (time || blank == std::string::npos) return time;
  text[blank] = '+';
  return parse_time(text);
}

std::string read_dimensions(const Call& call, EventsFilter& filter) {
  for (const std::string& text : call.query_all("dimension")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) return "dimension: must be name=value";
    if (filter.dimensions.size() == kDimensionFiltersMax)
      return "dimension: at most " + std::to_string(kDimensionFiltersMax) + " of them";
    std::string value = text.substr(equals + 1);
    filter.dimensions.push_back({text.substr(0, equals), value, json::Needle(value)});
  }
  return {};
}

std::string read_filter(const Services& services, const Call& call, EventsFilter& filter) {
  for (const std::string_view name : {"plugin", "data_id"}) {
    const std::string* plugin = call.query(name);
    if (plugin == nullptr) continue;
    std::uint64_t number = 0;
    if (read_number(*plugin, number) && number <= 0x7FFF'FFFF) {
      filter.data_id = static_cast<std::int32_t>(number);
      continue;
    }
    const auto& instances = services.parts.daemon.view().registry->instances();
    const auto is_meant = [&](const model::Instance& i) { return i.plugin_id == *plugin; };
    if (std::ranges::count_if(instances, is_meant) != 1) {
      return std::string(name) + ": must be a data id, or a plugin id that exactly one instance has";
    }
    filter.data_id = std::ranges::find_if(instances, is_meant)->data_id;
  }
  for (const auto& [name, to] : {std::pair{"since", &filter.since_ms}, std::pair{"until", &filter.until_ms}}) {
    const std::string* text = call.query(name);
    if (text == nullptr) continue;
    *to = parse_query_time(*text);
    if (!*to)
      return std::string(name) + ": must be an RFC 3339 time such as 2026-01-31T08:00:00Z or epoch milliseconds";
  }
  if (const std::string* text = call.query("text"); text != nullptr) filter.text = json::Needle(*text);
  filter.clocks = services.parts.daemon.view().clocks;
  return read_dimensions(call, filter);
}

}  // namespace

Reply get_events(const Services& services, Call& call) {
  EventsQuery query;
  std::string problem = read_place(call, query);
  if (problem.empty()) problem = read_filter(services, call, query.filter);
  if (!problem.empty()) return call.fail(400, problem);
  return post_job(services, call, std::make_unique<EventsJob>(services, call, std::move(query)));
}

}  // namespace tocsin::api
