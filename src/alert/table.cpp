// SPDX-License-Identifier: Apache-2.0
#include "src/alert/table.hpp"

namespace tocsin::alert {

const char* to_text(State state) noexcept {
  switch (state) {
    case State::none: return "none";
    case State::abnormal: return "ABNORMAL";
    case State::acked: return "ACK";
    case State::recovered: return "RECOVERED";
    case State::closed: return "CLOSED";
  }
  return "unknown";
}

const char* to_text(Input input) noexcept {
  switch (input) {
    case Input::event_abnormal: return "event ABNORMAL, same severity";
    case Input::event_abnormal_more_severe: return "event ABNORMAL, more severe";
    case Input::event_abnormal_less_severe: return "event ABNORMAL, less severe";
    case Input::event_recovered: return "event RECOVERED";
    case Input::event_recovered_less_severe: return "event RECOVERED, less severe";
    case Input::event_closed: return "event CLOSED";
    case Input::event_closed_less_severe: return "event CLOSED, less severe";
    case Input::event_end_outdated: return "event RECOVERED or CLOSED from before the alert began";
    case Input::event_repeat: return "event counted already";
    case Input::event_expired: return "standard event expired";
    case Input::operator_ack: return "operator acknowledges";
    case Input::operator_unack: return "operator takes the acknowledgement back";
    case Input::operator_close: return "operator closes";
    case Input::timer_recover: return "timer recovers";
    case Input::timer_close: return "timer closes";
  }
  return "unknown";
}

const char* to_text(Effect effect) noexcept {
  switch (effect) {
    case Effect::none: return "nothing";
    case Effect::open: return "open";
    case Effect::fold: return "fold";
    case Effect::recover: return "recover";
    case Effect::close: return "close";
    case Effect::close_and_open: return "close, open a new one";
    case Effect::drop: return "drop";
    case Effect::ignore: return "ignore";
    case Effect::repeat: return "repeat";
    case Effect::expire: return "expired";
    case Effect::ack: return "acknowledge";
    case Effect::unack: return "take back";
    case Effect::refuse_no_alert: return "refuse: no alert";
    case Effect::refuse_not_abnormal: return "refuse: not abnormal";
    case Effect::refuse_already_acked: return "refuse: acknowledged already";
    case Effect::refuse_not_acked: return "refuse: not acknowledged";
    case Effect::refuse_acked: return "refuse: acknowledged";
  }
  return "unknown";
}

std::string table_markdown() {
  std::string out =
      "# What happens to an alert\n\n"
      "Columns: the state of the newest alert of a dedupe identity. Cells: what is done → the state afterwards\n"
      "(of the new alert where one is opened; no arrow: unchanged). Printed from `src/alert/table.hpp`; a test\n"
      "keeps the two equal.\n\n| input |";
  for (std::size_t s = 0; s < kStates; ++s) out.append(" ").append(to_text(static_cast<State>(s))).append(" |");
  out += "\n| --- |";
  for (std::size_t s = 0; s < kStates; ++s) out += " --- |";
  out += '\n';
  for (std::size_t i = 0; i < kInputs; ++i) {
    out.append("| ").append(to_text(static_cast<Input>(i))).append(" |");
    for (std::size_t s = 0; s < kStates; ++s) {
      const Cell cell = step(static_cast<State>(s), static_cast<Input>(i));
      out.append(" ").append(to_text(cell.effect));
      if (cell.next != static_cast<State>(s)) out.append(" → ").append(to_text(cell.next));
      out += " |";
    }
    out += '\n';
  }
  return out;
}

}  // namespace tocsin::alert
