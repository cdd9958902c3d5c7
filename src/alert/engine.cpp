// SPDX-License-Identifier: Apache-2.0
#include "src/alert/engine.hpp"

#include <algorithm>

#include "src/model/instance.hpp"

namespace tocsin::alert {
namespace {

using model::Alert;
using model::AlertState;
using model::EventFacts;
using model::EventStatus;

bool is_older(std::int64_t a_ms, std::int64_t b_ms) noexcept { return a_ms / 1000 < b_ms / 1000; }

std::int64_t anomaly_ms(const EventFacts& facts) noexcept {
  return facts.anomaly_time_ms != 0 ? facts.anomaly_time_ms : facts.time_ms;
}

void keep(std::string& to, std::string_view text, std::size_t bytes_max) { to = model::cut_utf8(text, bytes_max); }

bool is_expired(const Alert* newest, const EventFacts& facts, Wall received) noexcept {
  if (!received.trusted) return false;
  std::int64_t oldest_ms = received.unix_ms - kEventAgeMaxMs;
  if (newest != nullptr && !model::is_open(newest->state)) {
    oldest_ms = std::max(oldest_ms, newest->end_ms - kEndGraceMs);
  }
  return is_older(facts.time_ms, oldest_ms);
}

Input input_of(const Alert* newest, const EventFacts& facts, const Arrival& arrival) noexcept {
  if (newest != nullptr && arrival.seq <= newest->last_event_seq) return Input::event_repeat;
  if (arrival.can_expire && is_expired(newest, facts, arrival.received)) return Input::event_expired;
  const bool is_open = newest != nullptr && model::is_open(newest->state);
  const bool less_severe = is_open && facts.severity > newest->severity;
  const bool outdated = is_open && arrival.received.trusted && is_older(facts.time_ms, newest->begin_ms);
  switch (facts.status) {
    case EventStatus::abnormal:
      if (less_severe) return Input::event_abnormal_less_severe;
      return is_open && facts.severity < newest->severity ? Input::event_abnormal_more_severe : Input::event_abnormal;
    case EventStatus::recovered:
      if (less_severe) return Input::event_recovered_less_severe;
      return outdated ? Input::event_end_outdated : Input::event_recovered;
    case EventStatus::closed:
      if (less_severe) return Input::event_closed_less_severe;
      return outdated ? Input::event_end_outdated : Input::event_closed;
  }
  return Input::event_abnormal;
}

Outcome outcome_of(Effect effect) noexcept {
  switch (effect) {
    case Effect::open:
    case Effect::close_and_open: return Outcome::opened;
    case Effect::fold: return Outcome::folded;
    case Effect::recover: return Outcome::recovered;
    case Effect::close: return Outcome::closed;
    case Effect::expire: return Outcome::expired;
    case Effect::repeat: return Outcome::repeat;
    default: return Outcome::ignored;
  }
}

void describe(Alert& alert, const EventFacts& facts) {
  keep(alert.description, facts.description, model::kDescriptionBytesMax);
  keep(alert.metric, facts.metric, model::kNameBytesMax);
  keep(alert.category, facts.category, model::kNameBytesMax);
  keep(alert.assignee, facts.assignee, model::kNameBytesMax);
  keep(alert.event_id, facts.event_id, model::kNameBytesMax);
}

void end_by_event(Alert& alert, AlertState to, const char* why, const EventFacts& facts, const Arrival& arrival) {
  alert.first_anomaly_ms = std::min(alert.first_anomaly_ms, anomaly_ms(facts));
  alert.latest_ms = std::max(alert.latest_ms, facts.time_ms);
  alert.end_ms = std::max(alert.begin_ms, facts.time_ms);
  alert.last_event_seq = std::max(alert.last_event_seq, arrival.seq);
  alert.update_ms = arrival.received.unix_ms;
  alert.state = to;
  alert.end_description = why;
}

}  // namespace

const char* to_text(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::opened: return "opened";
    case Outcome::folded: return "folded";
    case Outcome::recovered: return "recovered";
    case Outcome::closed: return "closed";
    case Outcome::stored: return "stored";
    case Outcome::ignored: return "ignored";
    case Outcome::expired: return "expired";
    case Outcome::repeat: return "repeat";
  }
  return "unknown";
}

Decision decide(const Alert* newest, const EventFacts& facts, const Arrival& arrival) noexcept {
  const Input input = input_of(newest, facts, arrival);
  const Cell cell = step(state_of(newest), input);
  return {input, cell.effect, cell.next, outcome_of(cell.effect)};
}

Alert open(const EventFacts& facts, const Arrival& arrival, std::uint64_t number) {
  Alert alert;
  alert.number = number;
  alert.state = AlertState::abnormal;
  alert.severity = facts.severity;
  alert.create_time_trusted = arrival.received.trusted;
  alert.data_id = arrival.data_id;
  alert.bk_biz_id = facts.bk_biz_id;
  alert.dedupe = facts.dedupe;
  alert.create_ms = arrival.received.unix_ms;
  alert.update_ms = arrival.received.unix_ms;
  alert.begin_ms = facts.time_ms;
  alert.first_anomaly_ms = anomaly_ms(facts);
  alert.latest_ms = facts.time_ms;
  alert.event_count = 1;
  alert.first_event_seq = arrival.seq;
  alert.last_event_seq = arrival.seq;
  keep(alert.plugin_id, arrival.plugin_id, model::kPluginIdBytesMax);
  keep(alert.alert_name, facts.alert_name, model::kNameBytesMax);
  keep(alert.target_type, facts.target_type, model::kNameBytesMax);
  keep(alert.target, facts.target, model::kTargetBytesMax);
  // Cut JSON is no JSON: one that does not fit is left out.
  alert.dimensions_json = facts.dimensions_json.size() <= model::kDimensionsBytesMax ? facts.dimensions_json : "{}";
  describe(alert, facts);
  return alert;
}

void fold(Alert& alert, const EventFacts& facts, const Arrival& arrival) {
  if (arrival.seq <= alert.last_event_seq) return;
  alert.last_event_seq = arrival.seq;
  alert.update_ms = arrival.received.unix_ms;
  // An outdated end is only noted: were begin_ms lowered to its time, the same end sent again would be believed.
  if (facts.status != EventStatus::abnormal) return;
  ++alert.event_count;
  alert.first_anomaly_ms = std::min(alert.first_anomaly_ms, anomaly_ms(facts));
  alert.begin_ms = std::min(alert.begin_ms, facts.time_ms);
  if (is_older(facts.time_ms, alert.latest_ms)) return;
  alert.latest_ms = std::max(alert.latest_ms, facts.time_ms);
  describe(alert, facts);
}

void recover(Alert& alert, const EventFacts& facts, const Arrival& arrival) {
  end_by_event(alert, AlertState::recovered, "recovered by an event", facts, arrival);
}

void close(Alert& alert, const EventFacts& facts, const Arrival& arrival) {
  end_by_event(alert, AlertState::closed, "closed by an event", facts, arrival);
}

void supersede(Alert& alert, const EventFacts& facts, const Arrival& arrival) {
  alert.end_ms = std::max(facts.time_ms, alert.latest_ms);
  alert.update_ms = arrival.received.unix_ms;
  alert.state = AlertState::closed;
  alert.end_description = "a more severe alert took its place";
}

void end(Alert& alert, AlertState to, std::string_view why, Wall now) {
  alert.end_ms = std::max(alert.begin_ms, now.unix_ms);
  alert.update_ms = now.unix_ms;
  alert.state = to;
  keep(alert.end_description, why, model::kNameBytesMax);
}

AckResult ack(Alert& alert, std::string_view who, std::string_view message, Wall now) {
  switch (step(state_of(&alert), Input::operator_ack).effect) {
    case Effect::ack: break;
    case Effect::refuse_already_acked: return AckResult::already_acked;
    default: return AckResult::not_abnormal;
  }
  alert.state = AlertState::acked;
  alert.ack_ms = std::max<std::int64_t>(1, now.unix_ms);  // 0 means never, also for a clock that stands at its origin
  alert.update_ms = now.unix_ms;
  keep(alert.ack_operator, who, model::kNameBytesMax);
  keep(alert.ack_message, message, model::kMessageBytesMax);
  return AckResult::acked;
}

bool refold(Alert& open, const EventFacts& facts, const Arrival& arrival) {
  if (decide(&open, facts, arrival).effect != Effect::fold) return false;
  fold(open, facts, arrival);
  return true;
}

}  // namespace tocsin::alert
