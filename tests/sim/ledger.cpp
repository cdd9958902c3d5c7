// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/ledger.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tocsin::test {
namespace {

constexpr std::size_t kAlertIdsMax = 8;

std::uint64_t hash_of(model::Lane lane, bool is_gap, std::string_view json) {
  std::uint64_t h = 0xCBF2'9CE4'8422'2325ULL + static_cast<std::uint64_t>(lane) * 2 + (is_gap ? 1 : 0);
  for (const char c : json) h = (h ^ static_cast<unsigned char>(c)) * 0x100'0000'01B3ULL;
  return h;
}

std::uint64_t tag_in(std::string_view json) {
  const std::size_t at = json.find("\"#");
  std::uint64_t tag = 0;
  if (at != std::string_view::npos) std::from_chars(json.data() + at + 2, json.data() + json.size(), tag);
  return tag;
}

std::string member(std::string_view json, std::string_view name) {
  const std::string wanted = "\"" + std::string(name) + "\":\"";
  const std::size_t at = json.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + wanted.size();
  return std::string(json.substr(from, json.find('"', from) - from));
}

bool is_in_log(port::ReadTxn& txn, model::Lane lane, std::uint64_t seq) {
  bool found = false;
  const auto walked = log::walk(txn, lane, seq, 1, [&](const model::SegmentHeader&, const model::Record& record) {
    found = record.seq == seq && record.kind != model::RecordKind::gap;
    return false;
  });
  return walked.ok() && found;
}

std::string name(std::uint64_t seq) { return "sequence " + std::to_string(seq); }

}  // namespace

std::uint64_t Ledger::add(Sent sent) {
  sent_[++tags_] = std::move(sent);
  return tags_;
}

void Ledger::answered_as_repeat(std::uint64_t tag) { said_repeat_.push_back(sent_[tag].id); }

void Ledger::read_news(port::ReadTxn& txn) {
  std::vector<New> news;
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = static_cast<model::Lane>(i);
    auto walked =
        log::walk(txn, lane, read_to_[i] + 1, 1'000'000, [&](const model::SegmentHeader&, const model::Record& record) {
          news.push_back({record.seq, lane, record.kind, std::string(record.json)});
          return true;
        });
    if (!walked.ok() || walked->damaged != 0) return wrong_.emplace_back("the log cannot be walked"), void();
  }
  std::sort(news.begin(), news.end(), [](const New& a, const New& b) { return a.seq < b.seq; });
  for (const New& one : news) {
    take(one);
    auto& to = read_to_[static_cast<std::size_t>(one.lane)];
    to = std::max(to, one.seq);
  }
  for (const auto& [lane, seq] : twice_) {
    // What has left the log may be forgotten when the window of ids is built again.
    if (is_in_log(txn, lane, seq)) wrong_.push_back("the event id of " + name(seq) + " is stored twice");
  }
  twice_.clear();
  alerts_.expect_none_missing(wrong_);
  for (const std::uint64_t tag : fresh_) {
    const Sent& sent = sent_[tag];
    if (sent.seq == 0) wrong_.push_back("event " + std::to_string(tag) + " was answered and is not in the log");
  }
  fresh_.clear();
  for (const auto& id : said_repeat_) {
    if (!ids_.contains(id)) wrong_.push_back("event id " + id + " was called a repeat and is not stored");
  }
  said_repeat_.clear();
}

void Ledger::take(const New& record) {
  if (record.kind == model::RecordKind::gap) return take_gap(record.lane, record.json, record.seq);
  const auto [at, is_new] = seen_.try_emplace(record.seq);
  if (!is_new) wrong_.push_back(name(record.seq) + " was given twice");
  at->second = {hash_of(record.lane, false, record.json), record.lane, false, false};
  if (record.kind == model::RecordKind::alert_transition) {
    const bool for_room = record.json.find("for want of room") != std::string::npos;
    alert_ids_.push_back(member(record.json, "id"));
    if (alert_ids_.size() > kAlertIdsMax) alert_ids_.erase(alert_ids_.begin());
    alerts_.on_transition(member(record.json, "alert_name"), member(record.json, "transition"), for_room, wrong_);
    return;
  }
  take_event(record);
}

void Ledger::take_event(const New& record) {
  const auto found = sent_.find(tag_in(record.json));
  if (found == sent_.end()) return wrong_.push_back(name(record.seq) + " was never sent"), void();
  Sent& sent = found->second;
  if (sent.seq != 0) wrong_.push_back("event " + std::to_string(found->first) + " is stored twice");
  if (!sent.answered && !sent.may_be_stored)
    wrong_.push_back("event " + std::to_string(found->first) + " was refused and is stored");
  sent.seq = record.seq;
  sent.lane = record.lane;
  if (!sent.id.empty()) {
    const auto [at, is_new] = ids_.emplace(sent.id, record.seq);
    if (!is_new) twice_.emplace_back(record.lane, std::exchange(at->second, record.seq));
  }
  alerts_.on_event(sent.facts);
}

void Ledger::take_gap(model::Lane lane, std::string_view json, std::uint64_t seq) {
  const auto gap = log::parse_gap(json);
  if (!gap) return wrong_.push_back(name(seq) + " is no gap record"), void();
  if (gap->last_seq != seq) wrong_.push_back(name(seq) + " is a gap record under another sequence");
  auto& gaps = gap_of_[static_cast<std::size_t>(lane)];
  const bool is_new = gaps.insert_or_assign(seq, *gap).second;
  if (!is_new) return;
  ++gaps_;
  std::uint64_t events = 0;
  for (auto at = seen_.lower_bound(gap->first_seq); at != seen_.end() && at->first <= gap->last_seq; ++at) {
    if (at->second.lane == lane) ++events;
  }
  if (events != gap->events) {
    wrong_.push_back("the gap up to " + std::to_string(seq) + " counts " + std::to_string(gap->events) + " of " +
                     std::to_string(events));
  }
}

bool Ledger::is_in_gap(model::Lane lane, std::uint64_t seq) const {
  const auto& gaps = gap_of_[static_cast<std::size_t>(lane)];
  return std::any_of(gaps.begin(), gaps.end(),
                     [seq](const auto& one) { return one.second.first_seq <= seq && seq <= one.second.last_seq; });
}

void Ledger::check_all(port::ReadTxn& txn) {
  std::set<std::uint64_t> stored;
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = static_cast<model::Lane>(i);
    auto walked = log::walk(txn, lane, 0, 1'000'000, [&](const model::SegmentHeader&, const model::Record& record) {
      if (record.kind == model::RecordKind::gap) {
        take_gap(lane, record.json, record.seq);
        return true;
      }
      stored.insert(record.seq);
      const auto known = seen_.find(record.seq);
      if (known == seen_.end() || known->second.hash != hash_of(lane, false, record.json))
        wrong_.push_back(name(record.seq) + " changed in the log");
      return true;
    });
    if (!walked.ok() || walked->damaged != 0) wrong_.emplace_back("the log cannot be walked");
  }
  removed_ = 0;
  for (const auto& [tag, sent] : sent_) {
    if (!sent.answered || stored.contains(sent.seq) || is_in_gap(sent.lane, sent.seq)) continue;
    if (seen_[sent.seq].arrived) {
      ++removed_;
      continue;
    }
    wrong_.push_back("event " + std::to_string(tag) + " was answered and is lost, " + name(sent.seq));
  }
}

void Ledger::check_delivered(port::ReadTxn& txn) {
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    auto walked = log::walk(txn, static_cast<model::Lane>(i), 0, 1'000'000,
                            [&](const model::SegmentHeader&, const model::Record& record) {
                              const bool is_gap = record.kind == model::RecordKind::gap;
                              if (!is_gap && !seen_[record.seq].arrived)
                                wrong_.push_back(name(record.seq) + " never arrived");
                              return true;
                            });
    if (!walked.ok()) wrong_.emplace_back("the log cannot be walked");
  }
}

void Ledger::on_run(const log::Ends& ends) {
  for (std::size_t i = 0; i < model::kLanes; ++i) start_end_[i] = ends[i].last_seq;
}

void Ledger::on_offered(const sim::Batch& batch) {
  for (const auto& item : batch.items) {
    bool was_offered = false;
    if (batch.kind == 2) {
      const auto gap = log::parse_gap(item.json);
      was_offered = gap && !gap_offered_.emplace(gap->last_seq, gap->first_seq).second;
    } else {
      Seen& seen = seen_[item.seq];
      was_offered = std::exchange(seen.offered, true);
      if (seen.hash != 0 && seen.hash != hash_of(static_cast<model::Lane>(batch.lane), false, item.json))
        wrong_.push_back(name(item.seq) + " leaves with another payload");
    }
    if (was_offered && !batch.repeat) wrong_.push_back(name(item.seq) + " leaves again and is not marked");
    const bool is_from_before = item.seq <= start_end_[batch.lane];
    if (batch.repeat && !was_offered && !is_from_before && batch.kind != 2)
      wrong_.push_back(name(item.seq) + " is marked and cannot be a repeat");
    if (batch.repeat) ++repeats_;
  }
}

void Ledger::on_arrived(const sim::Batch& batch) {
  auto& to = arrived_to_[batch.lane];
  for (const auto& item : batch.items) {
    ++arrivals_;
    if (!batch.repeat && item.seq <= to) wrong_.push_back(name(item.seq) + " arrives behind " + std::to_string(to));
    to = std::max(to, item.seq);
    if (batch.kind == 2) {
      take_gap(static_cast<model::Lane>(batch.lane), item.json, item.seq);
    } else {
      seen_[item.seq].arrived = true;
    }
  }
}

}  // namespace tocsin::test
