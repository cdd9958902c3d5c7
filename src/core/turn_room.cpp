// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/core/note.hpp"
#include "src/core/turn.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Lane;
using model::Table;

// Shares of the quota (design: log 70 %, alerts, registry and notices 10 %, audit 8 %, reject box 2 %, reserve 10 %).
constexpr std::uint64_t kLogShare = 70;
constexpr std::uint64_t kAlertShare = 10;
constexpr std::uint64_t kAllShares = 88;
/// What one stored alert and one audit row cost in pages, generously: their tables are counted by number.
constexpr std::uint64_t kAlertBytes = 1'024;
constexpr std::uint64_t kAuditRowBytes = 320;
/// Segments that one turn removes at most: for their age, and when the log is over its share. Then it goes on until it
/// is below again and has freed what this turn adds, so that small segments cannot fill the store while large ones
/// come.
constexpr int kAgedDropsPerTurn = 24;
constexpr int kDropsPerTurn = 1'024;
/// Alerts that a turn looks at for room, and as many again for each one that it opens: while a walk over all of them
/// ends, an eighth more may come.
constexpr std::uint64_t kAlertLooks = 8;
/// Open alerts that a turn closes for want of room, besides one for each that it opens.
constexpr std::uint64_t kAlertClosings = 16;
/// Of a closed alert that was dated by a clock without battery (1970 and after) the age is not known: it goes when room
/// is needed. 2020-01-01.
constexpr std::int64_t kOldestRealTimeMs = 1'577'836'800'000;

}  // namespace

std::uint64_t Core::Turn::others_bytes() const noexcept {
  return std::min(alerts_stored_ * kAlertBytes + audit_.next_row * kAuditRowBytes, ports_.store.use().used_bytes);
}

/// The audit log is never cut in this release. When it has outgrown its share the log of events gives way, so that an
/// old box goes on taking events.
std::uint64_t Core::Turn::log_share_bytes() const noexcept {
  const std::uint64_t quota = ports_.store.use().quota_bytes;
  const std::uint64_t all = quota * kAllShares / 100;
  const std::uint64_t others = others_bytes();
  return std::min(quota * kLogShare / 100, all > others ? all - others : 0);
}

std::uint64_t Core::Turn::log_used_bytes() const noexcept {
  const std::uint64_t others = others_bytes();
  const std::uint64_t used = ports_.store.use().used_bytes;
  return used > others ? used - others : 0;
}

std::uint64_t Core::Turn::delivered_to(Lane lane) const noexcept {
  std::uint64_t seq = ~0ULL;
  bool wanted = false;
  for (std::size_t i = 0; i < settings_.upstreams.size(); ++i) {
    if (!settings_.upstreams[i].wants[static_cast<std::size_t>(lane)]) continue;
    wanted = true;
    seq = std::min(seq, durable_[i][static_cast<std::size_t>(lane)]);
  }
  return wanted ? seq : ~0ULL;
}

bool Core::Turn::is_expired(const log::Oldest& what) const noexcept {
  if (what.damaged) return true;  // it has no date, and nobody can read it
  if (what.boot == state_.boot) return now_.mono.ms() - what.newest_mono_ms > settings_.retention_ms;
  const Wall received = clocks_->date(what.boot, what.wall_trusted, what.newest_wall_ms, what.newest_mono_ms);
  return now_.wall.trusted && received.trusted && now_.wall.unix_ms - received.unix_ms > settings_.retention_ms;
}

/// Events that leave the log cannot be counted again from it.
Status Core::Turn::keep_folds_of(std::uint64_t last_seq) {
  const std::uint64_t from = record_.folds_from_seq != 0 ? record_.folds_from_seq : folds_floor_;
  return last_seq >= from ? flush_folds() : Status{};
}

Result<bool> Core::Turn::trim_lane(Lane lane, bool is_over_share) {
  auto& known = oldest_[static_cast<std::size_t>(lane)];
  if (!known) {
    if (auto done = need_txn(); !done.ok()) return done.error();
    auto found = log::oldest(*txn_, lane);
    if (!found.ok()) return found.error();
    if (!*found) return false;
    known = **found;
  }
  // The next start finds the end of the lane in its newest segment. It goes only into a gap before it, which then ends
  // at the same sequence (decision 0009).
  const auto& end = state_.ends[static_cast<std::size_t>(lane)];
  if (known->last_seq >= end.last_seq) return false;
  const std::uint64_t delivered = delivered_to(lane);
  const bool is_delivered = known->last_seq <= delivered;
  if (!is_over_share && !(is_delivered && is_expired(*known))) return false;
  if (auto done = need_txn(); !done.ok()) return done.error();
  const bool is_wanted = delivered != ~0ULL;
  if (is_delivered && (is_wanted || is_expired(*known))) {
    if (auto done = log::drop_oldest(*txn_, lane, *known); !done.ok()) return done.error().in("removal");
    if (auto done = keep_folds_of(known->last_seq); !done.ok()) return done.error();
  } else {
    auto gap = log::replace_by_gap(*txn_, lane, *known, is_wanted ? delivered : 0, state_.boot, now_);
    if (!gap.ok()) {
      if (gap.error().code == Errc::not_found) return false;
      return gap.error().in("eviction");
    }
    if (auto done = keep_folds_of(gap->last_seq); !done.ok()) return done.error();
    const std::uint64_t before = known->is_gap ? known->count : 0;
    record_.evicted_events += known->is_gap ? std::max<std::uint64_t>(gap->events, before) - before : gap->events;
    record_changed_ = true;
    log::Oldest gap_segment = *known;
    gap_segment.first_seq = gap_segment.last_seq = gap->last_seq;
    gap_segment.is_gap = true;
    gap_segment.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(gap->events, 0xFFFF'FFFFU));
    known = gap_segment;
    return true;
  }
  known.reset();
  return true;
}

Status Core::Turn::trim_log() {
  const std::uint64_t share = log_share_bytes();
  const std::uint64_t used = log_used_bytes();
  std::uint64_t over = used > share ? used - share + (appender_ ? appender_->bytes() : 0) : 0;
  int drops = over > 0 ? kDropsPerTurn : kAgedDropsPerTurn;
  // Least important lane first; within it the oldest.
  for (std::size_t i = model::kLanes; i-- > 0 && drops > 0;) {
    while (drops-- > 0) {
      const std::size_t bytes = oldest_[i] ? oldest_[i]->value_bytes : 0;
      const bool was_gap = oldest_[i] && oldest_[i]->is_gap;
      auto more = trim_lane(static_cast<Lane>(i), over > 0);
      if (!more.ok()) return more.error();
      if (!*more) break;
      const std::uint64_t freed = was_gap || bytes == 0 ? 4096 : bytes;
      over = over > freed ? over - freed : 0;
    }
  }
  return {};
}

bool Core::Turn::is_expired(const model::Alert& alert) const noexcept {
  const std::int64_t updated_ms = clocks_->dates_of(alert)(alert.update_ms);
  return updated_ms >= kOldestRealTimeMs && now_.wall.unix_ms - updated_ms > settings_.retention_ms;
}

/// Walks over the alerts from the oldest on, some in each turn: what is open is passed, so that it keeps none of the
/// closed ones behind it. Open ones go only when there is no room and none is closed.
Status Core::Turn::trim_alerts() {
  const std::uint64_t most =
      std::max<std::uint64_t>(ports_.store.use().quota_bytes * kAlertShare / 100 / kAlertBytes, 64);
  if (alerts_stored_ <= most && !now_.wall.trusted) return {};
  const std::uint64_t looks = (alerts_stored_ > most ? kAlertLooks : 1) * (1 + opened_);
  std::uint64_t closings = kAlertClosings + opened_;
  for (std::uint64_t i = 0; i < looks && alerts_stored_ > 0; ++i) {
    if (auto done = need_txn(); !done.ok()) return done;
    if (alerts_stored_ > most && alerts_open_ >= alerts_stored_) {
      if (closings-- == 0) return {};
      if (auto done = close_oldest_alert(); !done.ok()) return done;
      continue;
    }
    const bool is_first = trim_walk_.next <= oldest_alert_;
    if (is_first) trim_walk_ = {.next = oldest_alert_};
    auto entry = txn_->at_or_after(Key(Table::alert).u64(trim_walk_.next));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::alert)) {
      record_changed_ = record_changed_ || alerts_stored_ != trim_walk_.kept;
      alerts_stored_ = trim_walk_.kept;  // whatever was lost or found again meanwhile: these are all
      const bool all_are_open = !trim_walk_.met_closed;
      trim_walk_ = {};
      if (alerts_stored_ <= most || !all_are_open) return {};
      if (auto done = close_oldest_alert(); !done.ok()) return done;
      continue;
    }
    const std::uint64_t number = load_be64((*entry)->key.data() + 1);
    trim_walk_.next = number + 1;
    if (is_first) oldest_alert_ = number;
    const auto stored = model::open_sealed((*entry)->key, (*entry)->value, model::decode_alert);
    const bool is_closed = stored.ok() && !model::is_open(stored->state);
    trim_walk_.met_closed = trim_walk_.met_closed || is_closed;
    const bool may_go = alerts_stored_ > most ? is_closed || !stored.ok() : is_closed && is_expired(*stored);
    if (!may_go) {
      ++trim_walk_.kept;
      continue;
    }
    if (auto done = drop_alert(number); !done.ok()) return done;
  }
  return {};
}

Status Core::Turn::drop_alert(std::uint64_t number) {
  if (auto done = txn_->erase(Key(Table::alert).u64(number)); !done.ok() && done.error().code != Errc::not_found)
    return done;
  --alerts_stored_;
  record_changed_ = true;
  if (number == oldest_alert_) oldest_alert_ = number + 1;
  return {};
}

/// For want of room, and that is said.
Status Core::Turn::close_oldest_alert() {
  trim_walk_ = {};
  auto entry = txn_->at_or_after(Key(Table::alert).u64(oldest_alert_));
  if (!entry.ok()) return entry.error();
  if (!*entry || !model::is_in((*entry)->key, Table::alert)) {
    alerts_stored_ = 0;
    return {};
  }
  const std::uint64_t number = load_be64((*entry)->key.data() + 1);
  const auto stored = model::open_sealed((*entry)->key, (*entry)->value, model::decode_alert);
  if (stored.ok()) {
    // The newest word on it may be in the cache.
    auto found = find_open(stored->dedupe);
    if (!found.ok()) return found.error();
    if (*found != nullptr && (*found)->alert.number == number) {
      auto ended = end_alert(**found, model::AlertState::closed, "closed for want of room");
      if (!ended.ok()) return ended;
    }
  }
  return drop_alert(number);
}

Status Core::Turn::record_cursors() {
  const auto is_behind = [this] {
    for (std::size_t u = 0; u < settings_.upstreams.size(); ++u) {
      if (durable_[u] != state_.confirmed[u]) return true;
    }
    return false;
  };
  // A cursor that moves with every commit would cost a page each time: it rides at most once a second.
  const bool is_due =
      state_.unrecorded_since && (state_.must_record || now_.mono >= state_.unrecorded_since->after_ms(1'000));
  if (!is_due || !is_behind()) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  for (std::size_t u = 0; u < settings_.upstreams.size(); ++u) {
    if (durable_[u] == state_.confirmed[u]) continue;
    if (auto done = put_cursor(*txn_, settings_.upstreams[u].name, state_.confirmed[u]); !done.ok()) return done;
    durable_[u] = state_.confirmed[u];
  }
  cursors_recorded_ = true;
  return {};
}

/// Inputs that io had dated before it heard that the clock is known now: the alerts they opened are of that time too.
Status Core::Turn::extend_clock() {
  if (!state_.began_untrusted) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  const Key key = Key(Table::boot).u32(state_.boot);
  auto value = txn_->get(key);
  if (!value.ok()) return value.error();
  if (!*value) return {};
  auto clock = model::open_sealed(key, **value, model::decode_boot_clock);
  if (!clock.ok()) return {};
  const Now& began = *state_.began_untrusted;
  clock->before.end_alert = next_alert_;
  clock->before.end_ms = std::max(clock->before.end_ms, began.wall.unix_ms - began.mono.ms() + now_.mono.ms() + 1);
  if (auto done = model::put_sealed(*txn_, key, *clock); !done.ok()) return done.error().in("clock of this boot");
  auto next = std::make_shared<BootClocks>(*clocks_);
  next->add(state_.boot, *clock);
  clocks_ = std::move(next);
  return {};
}

Status Core::Turn::learn_clock() {
  const bool known = std::any_of(clocks_->offsets.begin(), clocks_->offsets.end(),
                                 [this](const auto& one) { return one.first == state_.boot; });
  if (known) return wrote_untrusted_ ? extend_clock() : Status{};
  // Who set the clock in this turn sees it in the next answer.
  const Wall wall = trust_clock_ ? Wall{set_clock_ms_.value_or(now_.wall.unix_ms), true} : now_.wall;
  if (!wall.trusted || !(state_.wrote_untrusted || wrote_untrusted_)) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  model::BootClock clock{wall.unix_ms - now_.mono.ms(), {}};
  if (const auto& began = state_.began_untrusted) {
    const std::int64_t offset_before_ms = began->wall.unix_ms - began->mono.ms();
    clock.before = {began->wall.unix_ms, offset_before_ms + now_.mono.ms() + 1, clock.wall_offset_ms - offset_before_ms,
                    state_.first_alert, next_alert_};
  }
  const Key key = Key(Table::boot).u32(state_.boot);
  if (auto done = model::put_sealed(*txn_, key, clock); !done.ok()) return done.error().in("clock of this boot");
  auto next = std::make_shared<BootClocks>(*clocks_);
  if (next->offsets.size() >= kBootClocksMax) {
    const Key oldest = Key(Table::boot).u32(next->offsets.front().first);
    if (auto done = txn_->erase(oldest); !done.ok() && done.error().code != Errc::not_found) return done;
  }
  next->add(state_.boot, clock);
  clocks_ = std::move(next);
  return audit(model::AuditAction::clock_trusted, "system", "clock", "earlier records of this boot are dated by it");
}

Status Core::Turn::sync_upstreams() {
  if (auto done = need_txn(); !done.ok()) return done;
  return drop_unknown_cursors(*txn_, settings_.upstreams, [this](std::string_view name) {
    return audit(model::AuditAction::upstream_removed, "system", "upstream:" + std::string(name),
                 "its cursor is forgotten");
  });
}

}  // namespace tocsin::core
