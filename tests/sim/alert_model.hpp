// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace tocsin::test {

enum class Says : std::uint8_t { nothing, abnormal, recovered, closed };

/// What an event of the world means for alerts. In this world the alert's name alone tells its identity.
struct AlertFacts {
  std::string name;
  Says says = Says::nothing;
  int severity = 3;
  std::int64_t time_ms = 0;
  std::int64_t received_ms = 0;
  bool received_trusted = false;
};

/// Alerts as they should be, from the events in the order of the log: the simplest thing that can be right.
class AlertModel {
 public:
  struct Open {
    int severity = 3;
    std::uint64_t count = 0;
    std::int64_t begin_ms = 0;
    bool acked = false;
    auto operator<=>(const Open&) const = default;
  };

  void on_event(const AlertFacts& event);
  /// A transition found in the log. Those that events cause must be the ones expected, in order; an acknowledgement
  /// and a closing for want of room are news.
  void on_transition(const std::string& name, const std::string& what, bool for_room, std::vector<std::string>& wrong);
  /// After every new record of the log was told: nothing may be missing.
  void expect_none_missing(std::vector<std::string>& wrong);

  [[nodiscard]] const std::map<std::string, Open>& open() const noexcept { return open_; }

 private:
  std::map<std::string, Open> open_;
  std::map<std::string, std::deque<std::string>> expected_;
};

}  // namespace tocsin::test
