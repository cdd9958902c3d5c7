// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/alert/document.hpp"
#include "src/core/turn.hpp"
#include "src/json/writer.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

Key open_key(const Id128& dedupe) { return Key(Table::open_alert).raw(dedupe); }

}  // namespace

Result<std::optional<model::Alert>> Core::Turn::read_alert(std::uint64_t number) {
  const Key key = Key(Table::alert).u64(number);
  auto value = txn_->get(key);
  if (!value.ok()) return value.error().in("reading an alert");
  if (!*value) return std::optional<model::Alert>{};
  auto alert = model::open_sealed(key, **value, model::decode_alert);
  if (!alert.ok()) {
    // A damaged alert must not stop the events of its target: it counts as absent and the next event opens a new one.
    ++damaged_;
    return std::optional<model::Alert>{};
  }
  return std::optional<model::Alert>{std::move(*alert)};
}

Result<Core::Turn::Staged*> Core::Turn::find_open(const Id128& dedupe) {
  if (const auto at = newest_.find(dedupe); at != newest_.end()) {
    Staged& staged = *at->second;
    return model::is_open(staged.alert.state) ? &staged : nullptr;
  }
  if (const model::Alert* cached = state_.cache.find(dedupe)) {
    return &stage(Staged{*cached, state_.cache.is_dirty(dedupe)});
  }
  const Key key = open_key(dedupe);
  auto value = txn_->get(key);
  if (!value.ok()) return value.error().in("looking up an alert");
  if (!*value) return nullptr;
  const auto payload = model::unseal(key, **value);
  if (!payload.ok() || payload->size() != sizeof(std::uint64_t)) {
    ++damaged_;
    return nullptr;
  }
  auto alert = read_alert(load<std::uint64_t>(payload->data()));
  if (!alert.ok()) return alert.error();
  if (!*alert || !model::is_open((*alert)->state) || (*alert)->dedupe != dedupe) return nullptr;
  return &stage(Staged{std::move(**alert)});
}

Core::Turn::Staged& Core::Turn::stage(Staged staged) {
  alerts_.push_back(std::make_unique<Staged>(std::move(staged)));
  newest_[alerts_.back()->alert.dedupe] = alerts_.back().get();
  return *alerts_.back();
}

Status Core::Turn::put_alert(const model::Alert& alert) {
  auto done = model::put_sealed(*txn_, Key(Table::alert).u64(alert.number), alert);
  return done.ok() ? done : Status{done.error().in("put alert")};
}

Status Core::Turn::transition(model::Alert& alert, alert::Transition what, model::AuditAction action,
                              std::string_view actor, const Id128& request_id) {
  if (auto done = put_alert(alert); !done.ok()) return done;
  std::string document;
  alert::append_document(alert, what, document, clocks_->dates_of(alert));
  if (auto done = append(model::Lane::alert, {next_seq_++, alert.data_id, model::RecordKind::alert_transition, now_,
                                              &request_id, 0, document});
      !done.ok()) {
    return done;
  }
  record_changed_ = true;
  return audit(action, actor, "alert:" + model::alert_id(alert), alert.alert_name);
}

Result<Core::Turn::Outcome> Core::Turn::touch_alert(const model::EventFacts& facts, const alert::Arrival& arrival,
                                                    const Id128& request_id) {
  auto found = find_open(facts.dedupe);
  if (!found.ok()) return found.error();
  Staged* current = *found;
  const alert::Decision decision = alert::decide(current != nullptr ? &current->alert : nullptr, facts, arrival);
  Outcome out{decision.outcome, current != nullptr ? current->alert.number : 0,
              current != nullptr ? current->alert.create_ms : 0};
  const std::string actor = "data_id:" + std::to_string(arrival.data_id);

  const auto end = [&](alert::Transition what, model::AuditAction action) -> Status {
    current->is_dirty = false;
    --alerts_open_;
    if (auto done = txn_->erase(open_key(facts.dedupe)); !done.ok() && done.error().code != Errc::not_found)
      return done;
    return transition(current->alert, what, action, actor, request_id);
  };
  Status done;
  switch (decision.effect) {
    case alert::Effect::fold:
      alert::fold(current->alert, facts, arrival);
      current->is_dirty = true;
      break;
    case alert::Effect::recover:
      alert::recover(current->alert, facts, arrival);
      done = end(alert::Transition::recovered, model::AuditAction::alert_recovered);
      break;
    case alert::Effect::close:
      alert::close(current->alert, facts, arrival);
      done = end(alert::Transition::closed, model::AuditAction::alert_closed);
      break;
    case alert::Effect::close_and_open:
      alert::supersede(current->alert, facts, arrival);
      done = end(alert::Transition::closed, model::AuditAction::alert_closed);
      if (!done.ok()) break;
      [[fallthrough]];
    case alert::Effect::open: {
      model::Alert& opened = stage(Staged{alert::open(facts, arrival, next_alert_++)}).alert;
      std::string value(sizeof(std::uint64_t), '\0');
      std::memcpy(value.data(), &opened.number, sizeof(opened.number));
      model::seal(open_key(facts.dedupe), value);
      const auto orphan = txn_->get(open_key(facts.dedupe));  // of an alert that is lost: it counts already
      if (!orphan.ok()) return orphan.error();
      if (!*orphan) ++alerts_open_;
      done = txn_->put(open_key(facts.dedupe), as_bytes(value));
      ++alerts_stored_;
      ++opened_;
      out.alert_number = opened.number;
      out.alert_create_ms = opened.create_ms;
      if (done.ok())
        done = transition(opened, alert::Transition::opened, model::AuditAction::alert_opened, actor, request_id);
      break;
    }
    default: break;  // the table said that nothing changes
  }
  if (!done.ok()) return done.error().in("alert");
  return out;
}

Status Core::Turn::apply_ack(Input& input, AckAlerts& ack) {
  if (auto done = need_txn(); !done.ok()) return done;
  std::array<std::vector<std::string>, 4> lists;  // success, not exist, already ack, not abnormal
  for (const std::string& id : ack.ids) {
    auto stored = read_alert(model::alert_number(id));
    if (!stored.ok()) return stored.error();
    if (!*stored || model::alert_id(**stored) != id) {
      lists[1].push_back(id);
      continue;
    }
    Staged* staged = nullptr;
    if (model::is_open((*stored)->state)) {
      auto found = find_open((*stored)->dedupe);
      if (!found.ok()) return found.error();
      staged = *found;
    }
    if (staged == nullptr || staged->alert.number != (*stored)->number) {
      lists[3].push_back(id);
      continue;
    }
    const auto result = alert::ack(staged->alert, ack.actor, ack.message, now_.wall);
    if (result == alert::AckResult::already_acked) {
      lists[2].push_back(id);
      continue;
    }
    if (result == alert::AckResult::not_abnormal) {
      lists[3].push_back(id);
      continue;
    }
    staged->is_dirty = false;
    if (auto done = transition(staged->alert, alert::Transition::acked, model::AuditAction::alert_acked, ack.actor,
                               input.reply.request_id);
        !done.ok()) {
      return done;
    }
    lists[0].push_back(id);
  }
  constexpr std::array names{"alerts_ack_success", "alerts_not_exist", "alerts_already_ack", "alerts_not_abnormal"};
  std::string data;
  json::Writer w(data);
  w.object();
  for (std::size_t i = 0; i < names.size(); ++i) {
    w.name(names[i]).array();
    for (const std::string& id : lists[i]) w.text(id);
    w.end_array();
  }
  w.end_object();
  answer(input, std::move(data));
  return {};
}

Status Core::Turn::flush_folds() {
  // All of them go, so that nothing is left to be counted again after a crash.
  if (auto done = need_txn(); !done.ok()) return done;
  folds_flushed_ = true;
  folds_floor_ = next_seq_;
  while (state_.cache.dirty() > 0) {
    for (const model::Alert& alert : state_.cache.take_dirty(64)) {
      if (newest_.contains(alert.dedupe)) continue;  // the staged one is newer
      if (auto done = put_alert(alert); !done.ok()) return done;
    }
  }
  for (const auto& staged : alerts_) {
    if (!staged->is_dirty) continue;
    if (auto done = put_alert(staged->alert); !done.ok()) return done;
    staged->is_dirty = false;
  }
  if (record_.folds_from_seq != 0) {
    record_.folds_from_seq = 0;
    record_changed_ = true;
  }
  return {};
}

/// The first fold that is left unwritten says on flash where a recount would have to begin.
void Core::Turn::mark_folds() noexcept {
  const bool waits = std::any_of(alerts_.begin(), alerts_.end(), [](const auto& staged) { return staged->is_dirty; });
  if (!waits || record_.folds_from_seq != 0) return;
  record_.folds_from_seq = folds_floor_;
  record_changed_ = true;
}

Id128 Core::Turn::own_dedupe(const OwnAlert& what) const {
  std::string identity(what.name);
  identity.append("/tocsin/").append(to_hex(state_.identity.appliance));
  if (what.about_data_id != 0) identity.append("/").append(std::to_string(what.about_data_id));
  return ports_.crypto.md5(as_bytes(identity));
}

Status Core::Turn::raise_own(const OwnAlert& what) {
  if (auto done = need_txn(); !done.ok()) return done;
  model::EventFacts facts;
  facts.alert_name = what.name;
  facts.target_type = "TOCSIN";
  const std::string target = to_hex(state_.identity.appliance);
  facts.target = target;
  facts.description = what.description;
  facts.severity = what.severity;
  facts.time_ms = facts.anomaly_time_ms = now_.wall.unix_ms;
  std::string dimensions = "{}";
  if (what.about_data_id != 0) dimensions = R"({"data_id":")" + std::to_string(what.about_data_id) + R"("})";
  facts.dimensions_json = dimensions;
  const model::Instance* instance = registry_->instance(what.about_data_id);
  if (instance != nullptr) facts.bk_biz_id = instance->bk_biz_id;
  facts.dedupe = own_dedupe(what);
  auto touched = touch_alert(facts, {next_seq_, now_.wall, 0, "tocsin"}, Id128{});
  return touched.ok() ? Status{} : Status{touched.error()};
}

Status Core::Turn::recover_own(const OwnAlert& what) {
  if (auto done = need_txn(); !done.ok()) return done;
  auto found = find_open(own_dedupe(what));
  if (!found.ok()) return found.error();
  return *found != nullptr ? end_alert(**found, model::AlertState::recovered, what.description) : Status{};
}

Status Core::Turn::end_alert(Staged& staged, model::AlertState to, std::string_view why) {
  const bool is_recovered = to == model::AlertState::recovered;
  alert::end(staged.alert, to, why, now_.wall);
  staged.is_dirty = false;
  --alerts_open_;
  auto told = transition(staged.alert, is_recovered ? alert::Transition::recovered : alert::Transition::closed,
                         is_recovered ? model::AuditAction::alert_recovered : model::AuditAction::alert_closed,
                         "system", Id128{});
  if (!told.ok()) return told;
  auto erased = txn_->erase(open_key(staged.alert.dedupe));
  return erased.ok() || erased.error().code == Errc::not_found ? Status{} : erased;
}

}  // namespace tocsin::core
