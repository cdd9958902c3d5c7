// SPDX-License-Identifier: Apache-2.0
#include "src/core/turn.hpp"

#include <algorithm>
#include <new>

#include "src/model/seal.hpp"

namespace tocsin::core {

using model::Key;
using model::Table;

Core::Turn::Turn(Ports& ports, const Settings& settings, State& state, Now now)
    : ports_(ports),
      settings_(settings),
      state_(state),
      now_(now),
      next_seq_(state.next_seq),
      next_alert_(state.next_alert),
      record_(state.record),
      audit_(state.audit),
      registry_(state.registry),
      clocks_(state.clocks),
      reject_alarms_(state.reject_alarms),
      durable_(state.durable),
      oldest_(state.oldest),
      oldest_alert_(state.oldest_alert),
      alerts_stored_(state.alerts_stored),
      trim_walk_(state.trim_walk),
      alerts_open_(state.alerts_open),
      folds_floor_(state.next_seq) {}

Status Core::Turn::need_txn() {
  if (txn_ != nullptr) return {};
  auto txn = ports_.store.begin_write();
  if (!txn.ok()) return txn.error().in("turn: begin");
  txn_ = std::move(*txn);
  appender_.emplace(*txn_, state_.boot, state_.buffers);
  return {};
}

void Core::Turn::answer(Input& input, std::string data) {
  if (input.reply.ticket != 0) answers_.push_back({input.reply, std::nullopt, std::move(data)});
}

void Core::Turn::refuse(Input& input, Errc code, std::string_view why) {
  if (input.reply.ticket == 0) return;
  const auto* push = std::get_if<Push>(&input.what);
  answers_.push_back({input.reply, code, std::string(why), push != nullptr ? push->batch.data_id : 0});
}

Status Core::Turn::apply(Input& input) {
  if (auto* push = std::get_if<Push>(&input.what)) return apply_push(input, *push);
  if (std::holds_alternative<Confirm>(input.what)) return {};  // noted before the turn began
  if (auto* ack = std::get_if<AckAlerts>(&input.what)) return apply_ack(input, *ack);
  if (auto* change = std::get_if<ChangeInstance>(&input.what)) return apply_change(input, *change);
  if (auto* import = std::get_if<ImportInstances>(&input.what)) return apply_change(input, *import);
  if (auto* user = std::get_if<ChangeUser>(&input.what)) return apply_change(input, *user);
  if (auto* token = std::get_if<ChangeApiToken>(&input.what)) return apply_change(input, *token);
  if (auto* clock = std::get_if<SetClock>(&input.what)) return apply_clock(input, *clock);
  if (const auto* rejects = std::get_if<TakeRejects>(&input.what)) return apply_rejects(*rejects);
  const auto& note = std::get<Note>(input.what);
  if (auto done = audit(note.action, note.actor, note.object, note.detail); !done.ok()) return done;
  answer(input);
  return {};
}

Status Core::Turn::audit(model::AuditAction action, std::string_view actor, std::string_view object,
                         std::string_view detail) {
  if (auto done = need_txn(); !done.ok()) return done;
  const audit::Appended appended =
      audit::append(audit_, {action, actor, object, detail}, {now_, state_.boot}, ports_.crypto);
  const Key key = Key(Table::audit_row).u64(appended.row.index);
  if (auto done = model::put_sealed(*txn_, key, appended.row); !done.ok()) return done.error().in("audit row");
  return appended.sealed ? put_block(*appended.sealed) : Status{};
}

Status Core::Turn::put_block(const model::AuditBlock& block) {
  if (auto done = need_txn(); !done.ok()) return done;
  auto done = model::put_sealed(*txn_, Key(Table::audit_block).u64(block.index), block);
  return done.ok() ? done : Status{done.error().in("audit block")};
}

Status Core::Turn::begin_audit_epoch(std::string_view object, std::string_view detail) {
  const audit::Moment moment{now_, state_.boot};
  if (const auto block = audit::begin_epoch(audit_, moment, ports_.crypto)) {
    if (auto done = put_block(*block); !done.ok()) return done;
  }
  if (auto done = audit(model::AuditAction::store_salvaged, "system", object, detail); !done.ok()) return done;
  return put_block(audit::seal_open(audit_, moment, ports_.crypto));
}

Status Core::Turn::ride_along() {
  const bool folds_due = state_.folds_since && now_.mono >= state_.folds_since->after_ms(kFoldFlushMs);
  const bool folds_many = state_.folds_waiting >= kFoldFlushEvents || dirty_bytes() >= state_.cache.limit_bytes() / 3;
  if (folds_due || folds_many) {
    if (auto done = flush_folds(); !done.ok()) return done;
  }
  if (auto done = learn_clock(); !done.ok()) return done;
  if (auto done = end_old_tokens(); !done.ok()) return done;
  if (const auto block = audit::seal_if_due(audit_, {now_, state_.boot}, ports_.crypto)) {
    if (auto done = put_block(*block); !done.ok()) return done;
  }
  const bool is_over = log_used_bytes() > log_share_bytes();
  if (!has_writes() && !is_over) return {};
  if (auto done = trim_log(); !done.ok()) return done;
  if (auto done = trim_alerts(); !done.ok()) return done;
  return record_cursors();
}

/// About what the cache would hold unwritten after this turn; generous.
std::size_t Core::Turn::dirty_bytes() const noexcept {
  std::size_t bytes = state_.cache.dirty_bytes();
  for (const auto& staged : alerts_) {
    if (!staged->is_dirty) continue;
    const model::Alert& a = staged->alert;
    bytes += 2 * sizeof(a) + a.description.size() + a.dimensions_json.size() + a.target.size() + a.ack_message.size();
  }
  return bytes;
}

void Core::Turn::make_room_for_answers(Effects& out) { out.answers.reserve(out.answers.size() + answers_.size()); }

Status Core::Turn::commit() {
  mark_folds();
  if (appender_) {
    if (auto done = appender_->finish(); !done.ok()) return done;
  }
  if (record_changed_) {
    if (auto done = need_txn(); !done.ok()) return done;
    record_.next_seq = next_seq_;
    record_.next_alert = next_alert_;
    record_.alerts_stored = alerts_stored_;
    auto done = model::put_sealed(*txn_, Key(Table::state), record_);
    if (!done.ok()) return done.error().in("state record");
  }
  if (!ids_.empty() || !keys_.empty()) state_.ids.reserve();
  if (txn_ == nullptr) return {};
  appender_.reset();
  auto done = txn_->commit();
  txn_.reset();
  return done;
}

void Core::Turn::adopt(Effects& out) noexcept {
  for (auto& one : answers_) out.answers.push_back(std::move(one));  // there is room: make_room_for_answers()
  state_.next_seq = next_seq_;
  state_.next_alert = next_alert_;
  state_.record = record_;
  state_.audit = audit_;
  state_.registry = std::move(registry_);
  state_.old_tokens_at.reset();
  if (const std::int64_t ends_ms = state_.registry->old_token_ends_ms(); ends_ms != 0) {
    // By short steps: the wall clock may be set, or become known, in between.
    const std::int64_t wait_ms = now_.wall.trusted ? ends_ms - now_.wall.unix_ms : kOldTokenLookMs;
    state_.old_tokens_at = now_.mono.after_ms(std::clamp<std::int64_t>(wait_ms, 0, kOldTokenLookMs));
  }
  state_.clocks = std::move(clocks_);
  state_.reject_alarms = std::move(reject_alarms_);
  state_.durable = durable_;
  if (cursors_recorded_) {
    state_.unrecorded_since.reset();
    state_.must_record = false;
  }
  if (folds_flushed_) {
    state_.folds_since.reset();
    state_.folds_waiting = 0;
  }
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    if (lane_last_[i] == 0) continue;
    if (state_.ends[i].first_seq == 0) state_.ends[i].first_seq = lane_last_[i];
    state_.ends[i].last_seq = lane_last_[i];
  }
  state_.oldest = oldest_;
  state_.oldest_alert = oldest_alert_;
  state_.alerts_stored = alerts_stored_;
  state_.trim_walk = trim_walk_;
  state_.alerts_open = alerts_open_;
  state_.wrote_untrusted = state_.wrote_untrusted || wrote_untrusted_;
  for (const std::uint64_t id : ids_) state_.ids.insert(id);
  for (const RequestMark& key : keys_) state_.ids.insert(key.bucket, key.id_hash);
  adopt_alerts();
  auto& g = state_.gauges;
  g.events_accepted += accepted_;
  g.events_repeated += repeated_;
  g.alerts_opened += opened_;
  g.damaged_records += damaged_;
  ++g.turns;
  if (set_clock_ms_) out.set_clock_ms = set_clock_ms_;
  out.trust_clock = out.trust_clock || trust_clock_;
}

void Core::Turn::adopt_alerts() noexcept try {
  for (auto& staged : alerts_) {
    if (!model::is_open(staged->alert.state)) {
      state_.cache.erase(staged->alert.dedupe);
      continue;
    }
    if (staged->is_dirty) {
      if (!state_.folds_since) state_.folds_since = now_.mono;
      ++state_.folds_waiting;
    }
    const std::uint64_t unwritten = staged->is_dirty ? staged->alert.last_event_seq : 0;
    // A dirty alert that had to make room is counted again from the log, like after a crash.
    if (!state_.cache.put(std::move(staged->alert), unwritten).empty()) state_.is_loaded = false;
  }
  if (!alerts_.empty() || folds_flushed_) state_.show_folds();
} catch (const std::bad_alloc&) {
  // What is on flash is right and was answered; the cache is filled again from there.
  state_.is_loaded = false;
}

void Core::State::show_folds() {
  auto news = std::make_shared<std::vector<FoldNews>>();
  news->reserve(std::min(cache.dirty(), kFoldNewsMax));
  cache.for_each_dirty(kFoldNewsMax, [&](const model::Alert& alert) {
    news->push_back({alert.number, alert.event_count, alert.latest_ms, alert.update_ms});
  });
  folds = std::move(news);
}

}  // namespace tocsin::core
