// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "platform/sim/worker.hpp"
#include "src/log/log.hpp"
#include "src/port/store.hpp"
#include "tests/sim/alert_model.hpp"

namespace tocsin::test {

/// What became of one event of a client.
struct Sent {
  AlertFacts facts;
  std::string id;              ///< of the sender; empty: none
  bool answered = false;       ///< a success was said
  bool may_be_stored = false;  ///< the outcome is unknown
  std::uint64_t seq = 0;       ///< seen in the log
  model::Lane lane{};
};

/// The book that the world is checked against: what clients were promised, what the log held at any time, what left and
/// what arrived. Every broken promise is a line in wrong().
class Ledger {
 public:
  /// A new event; its tag goes into its text and finds it again wherever it turns up.
  [[nodiscard]] std::uint64_t add(Sent sent);
  [[nodiscard]] static std::string tag_text(std::uint64_t tag) { return "#" + std::to_string(tag) + "#"; }
  void answered(std::uint64_t tag) { sent_[tag].answered = true, fresh_.push_back(tag); }
  /// Said to be there already: then it is.
  void answered_as_repeat(std::uint64_t tag);
  void may_be_stored(std::uint64_t tag) { sent_[tag].may_be_stored = true; }
  [[nodiscard]] Sent& of(std::uint64_t tag) { return sent_[tag]; }

  /// Reads what the log has gained. Call after each turn while the store can be read.
  void read_news(port::ReadTxn& txn);
  /// Everything answered is in the log, at the broker or inside a gap; gaps count right; nothing changed its payload.
  void check_all(port::ReadTxn& txn);
  /// Every record of the log is at the broker.
  void check_delivered(port::ReadTxn& txn);

  void on_run(const log::Ends& ends);  ///< a daemon began to offer; the log ends there
  void on_offered(const sim::Batch& batch);
  void on_arrived(const sim::Batch& batch);

  /// Ids of the newest alerts, as the log told them.
  [[nodiscard]] const std::vector<std::string>& alert_ids() const noexcept { return alert_ids_; }
  [[nodiscard]] AlertModel& alerts() noexcept { return alerts_; }
  [[nodiscard]] std::vector<std::string>& wrong() noexcept { return wrong_; }
  [[nodiscard]] std::size_t events() const noexcept { return sent_.size(); }
  [[nodiscard]] std::uint64_t arrivals() const noexcept { return arrivals_; }
  [[nodiscard]] std::uint64_t gaps() const noexcept { return gaps_; }
  [[nodiscard]] std::uint64_t repeats() const noexcept { return repeats_; }
  /// Events that check_all() found delivered and no longer in the log, without a gap.
  [[nodiscard]] std::uint64_t removed() const noexcept { return removed_; }

 private:
  struct Seen {
    std::uint64_t hash = 0;  ///< of lane, kind and JSON
    model::Lane lane{};
    bool offered = false;
    bool arrived = false;
  };
  struct New {
    std::uint64_t seq = 0;
    model::Lane lane{};
    model::RecordKind kind{};
    std::string json;
  };
  void take(const New& record);
  void take_event(const New& record);
  void take_gap(model::Lane lane, std::string_view json, std::uint64_t seq);
  [[nodiscard]] bool is_in_gap(model::Lane lane, std::uint64_t seq) const;

  std::map<std::uint64_t, Sent> sent_;
  std::vector<std::uint64_t> fresh_;  ///< answered since the log was read
  std::vector<std::string> said_repeat_;
  std::map<std::uint64_t, Seen> seen_;
  std::map<std::string, std::uint64_t> ids_;
  std::vector<std::pair<model::Lane, std::uint64_t>> twice_;             ///< where an id was stored before
  std::array<std::map<std::uint64_t, log::Gap>, model::kLanes> gap_of_;  ///< by last sequence; the widest one
  std::set<std::pair<std::uint64_t, std::uint64_t>> gap_offered_;        ///< last, first
  std::array<std::uint64_t, model::kLanes> read_to_{};
  std::array<std::uint64_t, model::kLanes> start_end_{};
  std::array<std::uint64_t, model::kLanes> arrived_to_{};
  AlertModel alerts_;
  std::vector<std::string> alert_ids_;
  std::vector<std::string> wrong_;
  std::uint64_t tags_ = 0;
  std::uint64_t arrivals_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t removed_ = 0;
};

}  // namespace tocsin::test
