// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "src/alert/table.hpp"
#include "src/base/time.hpp"
#include "src/model/alert.hpp"
#include "src/model/facts.hpp"

/// From event to alert. Pure: nothing here reads a clock or the store. Event times are compared by whole seconds, the
/// grain in which most senders tell them.
namespace tocsin::alert {

inline constexpr std::int64_t kEventAgeMaxMs = 24 * 3'600'000LL;
/// Events may be older than the end of the alert before by this much and still open a new one.
inline constexpr std::int64_t kEndGraceMs = 60'000;

/// What the sender is told of one event. Texts: interfaces of /api/v1/events.
enum class Outcome : std::uint8_t { opened, folded, recovered, closed, stored, ignored, expired, repeat };
[[nodiscard]] const char* to_text(Outcome outcome) noexcept;

/// How one event came in. `received` is the time noted in its log record, not the time of the call: decided again
/// from the log at any later time, an event gets the same decision.
struct Arrival {
  std::uint64_t seq = 0;
  Wall received;
  std::int32_t data_id = 0;
  std::string_view plugin_id;
  bool can_expire = true;  ///< a standard event; a custom event opens or folds an alert however old its timestamp is
};

struct Decision {
  Input input{};
  Effect effect{};
  State next{};
  Outcome outcome{};
};

/// What one event does to the newest alert of its dedupe identity. `newest`: null when there is none; one that has
/// ended may be given (its end then decides whether the event is too old) or left out.
/// Expiry (of what can_expire) and outdated ends are looked for only when the wall clock was trusted at reception.
[[nodiscard]] Decision decide(const model::Alert* newest, const model::EventFacts& facts,
                              const Arrival& arrival) noexcept;

// Appliers. They change the alert in memory and nothing else; texts are cut at the bounds of the model.

/// The alert that this ABNORMAL event opens.
[[nodiscard]] model::Alert open(const model::EventFacts& facts, const Arrival& arrival, std::uint64_t number);
/// Effect::fold. An event that is counted already (seq <= last_event_seq) changes nothing.
void fold(model::Alert& alert, const model::EventFacts& facts, const Arrival& arrival);
/// Effect::recover by an event. Precondition: the alert is open.
void recover(model::Alert& alert, const model::EventFacts& facts, const Arrival& arrival);
/// Effect::close by an event. Precondition: the alert is open.
void close(model::Alert& alert, const model::EventFacts& facts, const Arrival& arrival);
/// The closing half of Effect::close_and_open: a more severe event takes this alert's place. Precondition: open.
void supersede(model::Alert& alert, const model::EventFacts& facts, const Arrival& arrival);
/// Effect::recover or Effect::close by an operator or a timer. `to`: recovered or closed. Precondition: open.
void end(model::Alert& alert, model::AlertState to, std::string_view why, Wall now);

enum class AckResult : std::uint8_t { acked, already_acked, not_abnormal };
/// Only an ABNORMAL alert that is not acknowledged yet changes.
AckResult ack(model::Alert& alert, std::string_view who, std::string_view message, Wall now);

/// After a crash: does to a stored alert what one event of the log did to it if that was a fold. Everything else was
/// durable in the turn of its event and must not be done again. `open`: the open alert of that identity.
/// True: the alert changed.
bool refold(model::Alert& open, const model::EventFacts& facts, const Arrival& arrival);

}  // namespace tocsin::alert
