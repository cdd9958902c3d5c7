// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "src/model/alert.hpp"

namespace tocsin::alert {

/// State of the newest alert of one dedupe identity; `none`: it has none.
enum class State : std::uint8_t { none, abnormal, acked, recovered, closed };
inline constexpr std::size_t kStates = 5;

/// What can happen to an alert. Severity is compared with the alert's; without an open alert it makes no difference,
/// and those cells say so.
enum class Input : std::uint8_t {
  event_abnormal,
  event_abnormal_more_severe,
  event_abnormal_less_severe,
  event_recovered,
  event_recovered_less_severe,
  event_closed,
  event_closed_less_severe,
  event_end_outdated,  ///< RECOVERED or CLOSED from before the alert began
  event_repeat,        ///< its sequence is counted in the alert already
  event_expired,
  operator_ack,
  operator_unack,
  operator_close,
  timer_recover,
  timer_close,
};
inline constexpr std::size_t kInputs = 15;

enum class Effect : std::uint8_t {
  none,
  open,  ///< a new alert; an older one that has ended stays as it is
  fold,  ///< into the open alert
  recover,
  close,
  close_and_open,  ///< the open alert is closed, a new one takes its place
  drop,            ///< less severe than the open alert: noted, nothing changes
  ignore,          ///< an end without an open alert
  repeat,
  expire,
  ack,
  unack,
  refuse_no_alert,
  refuse_not_abnormal,
  refuse_already_acked,
  refuse_not_acked,
  refuse_acked,
};

[[nodiscard]] const char* to_text(State state) noexcept;
[[nodiscard]] const char* to_text(Input input) noexcept;
[[nodiscard]] const char* to_text(Effect effect) noexcept;

/// `next` is the state of the newest alert afterwards: of the new one for open and close_and_open.
struct Cell {
  State next{};
  Effect effect{};
  bool written = false;
};

namespace detail {
using enum State;
using E = Effect;
constexpr Cell to(State next, Effect effect) { return {next, effect, true}; }
constexpr std::array<Cell, kStates> ended_opens(Cell on_abnormal, Cell on_acked) {
  const Cell opens = to(abnormal, E::open);
  return {opens, on_abnormal, on_acked, opens, opens};
}
/// Inputs that do nothing without an open alert, for the reason given.
constexpr std::array<Cell, kStates> open_only(Cell on_abnormal, Cell on_acked, Effect on_none, Effect on_ended) {
  return {to(none, on_none), on_abnormal, on_acked, to(recovered, on_ended), to(closed, on_ended)};
}
}  // namespace detail

/// Rows: Input. Columns: State. TABLE.md is this table in print.
inline constexpr std::array<std::array<Cell, kStates>, kInputs> kTable = [] {
  using namespace detail;
  return std::array<std::array<Cell, kStates>, kInputs>{
      /* event_abnormal              */ ended_opens(to(abnormal, E::fold), to(acked, E::fold)),
      /* event_abnormal_more_severe  */ ended_opens(to(abnormal, E::close_and_open), to(abnormal, E::close_and_open)),
      /* event_abnormal_less_severe  */ ended_opens(to(abnormal, E::drop), to(acked, E::drop)),
      /* event_recovered             */
      open_only(to(recovered, E::recover), to(recovered, E::recover), E::ignore, E::ignore),
      /* event_recovered_less_severe */ open_only(to(abnormal, E::drop), to(acked, E::drop), E::ignore, E::ignore),
      /* event_closed                */
      open_only(to(closed, E::close), to(closed, E::close), E::ignore, E::ignore),
      /* event_closed_less_severe    */ open_only(to(abnormal, E::drop), to(acked, E::drop), E::ignore, E::ignore),
      /* event_end_outdated          */ open_only(to(abnormal, E::fold), to(acked, E::fold), E::ignore, E::ignore),
      /* event_repeat                */ open_only(to(abnormal, E::repeat), to(acked, E::repeat), E::repeat, E::repeat),
      /* event_expired               */ open_only(to(abnormal, E::expire), to(acked, E::expire), E::expire, E::expire),
      /* operator_ack                */
      open_only(to(acked, E::ack), to(acked, E::refuse_already_acked), E::refuse_no_alert, E::refuse_not_abnormal),
      /* operator_unack              */
      open_only(to(abnormal, E::refuse_not_acked), to(abnormal, E::unack), E::refuse_no_alert, E::refuse_not_abnormal),
      /* operator_close              */
      open_only(to(closed, E::close), to(acked, E::refuse_acked), E::refuse_no_alert, E::refuse_not_abnormal),
      /* timer_recover               */
      open_only(to(recovered, E::recover), to(recovered, E::recover), E::none, E::none),
      /* timer_close                 */ open_only(to(closed, E::close), to(closed, E::close), E::none, E::none),
  };
}();

constexpr bool every_cell_written() {
  for (const auto& row : kTable) {
    for (const Cell& cell : row) {
      if (!cell.written) return false;
    }
  }
  return true;
}
static_assert(every_cell_written(), "a new state or input needs an explicit decision in every cell");

/// Pure: the caller performs the returned effect.
[[nodiscard]] constexpr Cell step(State state, Input input) noexcept {
  return kTable[static_cast<std::size_t>(input)][static_cast<std::size_t>(state)];
}

[[nodiscard]] constexpr State state_of(const model::Alert* newest) noexcept {
  return newest == nullptr ? State::none : static_cast<State>(newest->state);
}
static_assert(static_cast<int>(model::AlertState::abnormal) == static_cast<int>(State::abnormal) &&
              static_cast<int>(model::AlertState::acked) == static_cast<int>(State::acked) &&
              static_cast<int>(model::AlertState::recovered) == static_cast<int>(State::recovered) &&
              static_cast<int>(model::AlertState::closed) == static_cast<int>(State::closed));

/// The table for people, in Markdown; src/alert/TABLE.md holds exactly this.
[[nodiscard]] std::string table_markdown();

}  // namespace tocsin::alert
