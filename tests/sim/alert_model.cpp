// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/alert_model.hpp"

#include <algorithm>

namespace tocsin::test {
namespace {

constexpr std::int64_t kDayMs = 24 * 3'600'000LL;

bool is_older(std::int64_t a_ms, std::int64_t b_ms) { return a_ms / 1000 < b_ms / 1000; }

}  // namespace

void AlertModel::on_event(const AlertFacts& event) {
  if (event.says == Says::nothing) return;
  if (event.received_trusted && is_older(event.time_ms, event.received_ms - kDayMs)) return;
  auto& expected = expected_[event.name];
  const auto begin = [&] {
    open_[event.name] = {event.severity, 1, event.time_ms, false};
    expected.emplace_back("opened");
  };
  const auto found = open_.find(event.name);
  if (found == open_.end()) {
    if (event.says == Says::abnormal) begin();
    return;
  }
  Open& alert = found->second;
  if (event.severity > alert.severity) return;
  if (event.says != Says::abnormal) {
    if (event.received_trusted && is_older(event.time_ms, alert.begin_ms)) return;
    expected.emplace_back(event.says == Says::recovered ? "recovered" : "closed");
    open_.erase(found);
    return;
  }
  if (event.severity < alert.severity) {
    expected.emplace_back("closed");
    begin();
    return;
  }
  ++alert.count;
  alert.begin_ms = std::min(alert.begin_ms, event.time_ms);
}

void AlertModel::on_transition(const std::string& name, const std::string& what, bool for_room,
                               std::vector<std::string>& wrong) {
  if (what == "acked") {
    const auto found = open_.find(name);
    if (found == open_.end() || found->second.acked) {
      wrong.push_back("an acknowledgement of " + name + " that is not open and unacknowledged");
    } else {
      found->second.acked = true;
    }
    return;
  }
  if (for_room) {
    if (open_.erase(name) == 0) wrong.push_back(name + " was closed for room and is not open");
    return;
  }
  auto& expected = expected_[name];
  if (expected.empty() || expected.front() != what) {
    wrong.push_back(name + ": transition " + what + " where " + (expected.empty() ? "none" : expected.front()) +
                    " is due");
    return;
  }
  expected.pop_front();
}

void AlertModel::expect_none_missing(std::vector<std::string>& wrong) {
  for (const auto& [name, due] : expected_) {
    if (!due.empty()) wrong.push_back(name + ": no transition " + due.front() + " in the log");
  }
}

}  // namespace tocsin::test
