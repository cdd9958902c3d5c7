// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/model/alert.hpp"

namespace tocsin::alert {

/// What made a document be written.
enum class Transition : std::uint8_t { none, opened, acked, recovered, closed };
[[nodiscard]] const char* to_text(Transition transition) noexcept;  ///< "" for none

/// Moves the times that a box noted before it knew what time it was. A device's own timestamps lie elsewhere and stay.
struct Redate {
  std::int64_t from_ms = 0;
  std::int64_t end_ms = 0;  ///< not after from_ms: nothing is moved
  std::int64_t shift_ms = 0;
  [[nodiscard]] std::int64_t operator()(std::int64_t ms) const noexcept {
    return ms >= from_ms && ms < end_ms ? ms + shift_ms : ms;
  }
};

/// Appends the alert as one JSON object, the same for the API, the command line and upstream.
///
/// Names and types are those of BlueKing's alert document as far as Tocsin has the fields, so `begin_time` and its
/// kin are epoch seconds; each has a `…_ms` (epoch milliseconds) and a `…_text` (RFC 3339, UTC) beside it. `end_time`
/// and `ack_time` are null while there is none. `state` tells ACK apart, `status` does not; `is_ack` outlives the
/// open state. `event` is the representative event. `transition` is left out for none.
/// Precondition: texts are valid UTF-8. Size: at most about 40 KiB (every text escaped and shown twice).
/// Times are shown as `dates` says; the id stays what it was when it was given.
void append_document(const model::Alert& alert, Transition transition, std::string& out, const Redate& dates = {});

/// Seconds from the first anomaly to the latest event; never less than BlueKing's minute.
[[nodiscard]] std::int64_t duration_s(const model::Alert& alert) noexcept;

}  // namespace tocsin::alert
