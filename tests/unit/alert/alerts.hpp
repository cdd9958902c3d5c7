// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/alert/engine.hpp"

namespace tocsin::alert {

inline constexpr std::int64_t kT = 1'700'000'000'000;  ///< a moment in 2023, on a whole second

inline Wall at(std::int64_t ms) { return {ms, true}; }
inline Arrival arrival(std::uint64_t seq, std::int64_t received_ms = kT) {
  return {.seq = seq, .received = at(received_ms), .data_id = 10000001, .plugin_id = "demo"};
}

/// An event of the identity that every test here uses unless it says otherwise.
inline model::EventFacts event(model::EventStatus status, std::uint8_t severity = 2, std::int64_t time_ms = kT) {
  model::EventFacts f;
  f.dedupe[0] = std::byte{1};
  f.status = status;
  f.severity = severity;
  f.bk_biz_id = 2;
  f.time_ms = time_ms;
  f.alert_name = "disk full";
  f.target_type = "HOST";
  f.target = "10.0.0.7";
  f.description = "at 97 %";
  f.event_id = "e-1";
  f.dimensions_json = R"({"disk":"/dev/sda"})";
  return f;
}
inline model::EventFacts abnormal(std::uint8_t severity = 2, std::int64_t time_ms = kT) {
  return event(model::EventStatus::abnormal, severity, time_ms);
}
inline model::Alert opened(std::uint8_t severity = 2, std::uint64_t seq = 10) {
  return open(abnormal(severity), arrival(seq), 1);
}

}  // namespace tocsin::alert
