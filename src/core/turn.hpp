// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "src/alert/document.hpp"
#include "src/alert/engine.hpp"
#include "src/core/state.hpp"

namespace tocsin::core {

inline constexpr std::int64_t kOldTokenLookMs = 60'000;

/// One attempt at a commit. apply() writes into the store's transaction and stages what must change in memory;
/// nothing of the state is touched before adopt(). Dropped without commit: nothing happened.
/// Throws std::bad_alloc from apply() and commit(); the turn can then only be dropped.
class Core::Turn {
 public:
  Turn(Ports& ports, const Settings& settings, State& state, Now now);

  /// An error fails the whole turn. A refused input is an answer, not an error.
  [[nodiscard]] Status apply(Input& input);
  /// Housekeeping that rides along: cursors, folds, removal, the clock of this boot.
  [[nodiscard]] Status ride_along();
  [[nodiscard]] bool has_writes() const noexcept { return txn_ != nullptr; }
  /// Puts what is staged and commits. Success: on flash.
  [[nodiscard]] Status commit();
  /// After a successful commit (or when nothing was written): takes the staged state over and lets the effects out.
  /// Cannot fail: what is on flash counts and must never be tried again.
  void adopt(Effects& out) noexcept;
  /// Before commit(), so that adopt() needs no memory for them. Throws bad_alloc.
  void make_room_for_answers(Effects& out);

  /// A row of the audit log in this turn.
  [[nodiscard]] Status audit(model::AuditAction action, std::string_view actor, std::string_view object,
                             std::string_view detail);
  /// An alert of the box itself (moved disk, salvaged store …).
  struct OwnAlert {
    std::string_view name;
    std::string_view description;
    std::uint8_t severity = 2;
    std::int32_t about_data_id = 0;  ///< 0: the box as a whole; each instance has one of its own
  };
  [[nodiscard]] Status raise_own(const OwnAlert& what);
  /// Ends it, if it is open.
  [[nodiscard]] Status recover_own(const OwnAlert& what);
  [[nodiscard]] Status put_identity(const model::Identity& identity);
  [[nodiscard]] Status begin_boot();
  /// The chain cannot be continued (salvage, damage): a new epoch begins with the row store_salvaged, in a block of its
  /// own, so that the next start does not find the same damage at the chain's end.
  [[nodiscard]] Status begin_audit_epoch(std::string_view object, std::string_view detail);
  [[nodiscard]] Status sync_upstreams();

 private:
  struct Staged {
    model::Alert alert;
    bool is_dirty = false;  ///< a fold that is not written
  };
  struct Outcome {
    alert::Outcome what{};
    std::uint64_t alert_number = 0;
    std::int64_t alert_create_ms = 0;
  };

  struct RequestMark {  ///< of a request with a key, as the id window has it
    std::uint64_t bucket = 0;
    std::uint64_t id_hash = 0;
  };

  [[nodiscard]] Status need_txn();
  [[nodiscard]] Status put_block(const model::AuditBlock& block);
  void answer(Input& input, std::string data = {});
  void refuse(Input& input, Errc code, std::string_view why);

  // turn_push.cpp
  [[nodiscard]] Status apply_push(Input& input, Push& push);
  [[nodiscard]] Status append_items(const Push& push, const model::Instance& instance, std::vector<Outcome>& outcomes);
  [[nodiscard]] Status append(model::Lane lane, const log::Appender::Entry& entry);
  /// False: one of them does not go on where the store is; nothing was written.
  [[nodiscard]] Result<bool> put_marks(const Push& push);
  /// Whether a push may go on; false: it was refused or answered.
  [[nodiscard]] bool is_admitted(Input& input, const model::EventBatch& batch);
  [[nodiscard]] bool is_repeat(std::uint64_t id_hash) const noexcept;
  /// What is held of the request's key: its id hash, with the body that came first; 0: nothing.
  [[nodiscard]] std::uint64_t held_of_key(const model::EventBatch& batch) const noexcept;
  [[nodiscard]] std::string outcomes_json(const Push& push, const std::vector<Outcome>& outcomes) const;

  // turn_alert.cpp
  [[nodiscard]] Result<Outcome> touch_alert(const model::EventFacts& facts, const alert::Arrival& arrival,
                                            const Id128& request_id);
  [[nodiscard]] Result<Staged*> find_open(const Id128& dedupe);
  [[nodiscard]] Result<std::optional<model::Alert>> read_alert(std::uint64_t number);
  [[nodiscard]] Status transition(model::Alert& alert, alert::Transition what, model::AuditAction action,
                                  std::string_view actor, const Id128& request_id);
  [[nodiscard]] Status put_alert(const model::Alert& alert);
  [[nodiscard]] Status apply_ack(Input& input, AckAlerts& ack);
  [[nodiscard]] Id128 own_dedupe(const OwnAlert& what) const;
  /// Ends an open alert without an event.
  [[nodiscard]] Status end_alert(Staged& staged, model::AlertState to, std::string_view why);
  [[nodiscard]] Status flush_folds();
  void mark_folds() noexcept;
  [[nodiscard]] Staged& stage(Staged staged);
  [[nodiscard]] std::size_t dirty_bytes() const noexcept;
  void adopt_alerts() noexcept;
  [[nodiscard]] Status trim_alerts();
  [[nodiscard]] bool is_expired(const model::Alert& alert) const noexcept;
  [[nodiscard]] Status drop_alert(std::uint64_t number);
  [[nodiscard]] Status close_oldest_alert();

  // turn_admin.cpp
  [[nodiscard]] Status apply_change(Input& input, ChangeInstance& change);
  [[nodiscard]] Status apply_change(Input& input, ImportInstances& import);
  struct Refusal {
    Errc code{};
    std::string why;
  };
  [[nodiscard]] Result<std::optional<Refusal>> refusal_of(const ChangeInstance& change, const model::Instance* old);
  [[nodiscard]] Result<model::Profile> merge_profile(const ChangeInstance& change, const model::Instance* old);
  [[nodiscard]] Result<std::optional<Refusal>> refusal_of(const ImportInstances& import);
  /// Makes `change.instance` what is to be stored and stores it, with its audit rows. The registry stays as it was.
  [[nodiscard]] Status carry_out(ChangeInstance& change, const model::Instance* old);
  [[nodiscard]] Status audit_change(const ChangeInstance& change, const model::Instance* old);
  [[nodiscard]] Status record_highest_data_id();
  [[nodiscard]] Status end_old_tokens();
  [[nodiscard]] Status apply_change(Input& input, ChangeUser& change);
  [[nodiscard]] Status apply_change(Input& input, ChangeApiToken& change);
  [[nodiscard]] Status apply_clock(Input& input, SetClock& set);

  // turn_reject.cpp
  [[nodiscard]] Status apply_rejects(const TakeRejects& take);
  [[nodiscard]] Status keep_refused(std::span<const Refused> refused);
  [[nodiscard]] Status apply_alarm(const RejectAlarm& alarm);

  // turn_room.cpp
  [[nodiscard]] Status trim_log();
  [[nodiscard]] Status keep_folds_of(std::uint64_t last_seq);
  [[nodiscard]] Result<bool> trim_lane(model::Lane lane, bool is_over_share);
  [[nodiscard]] bool is_expired(const log::Oldest& what) const noexcept;
  [[nodiscard]] std::uint64_t delivered_to(model::Lane lane) const noexcept;
  [[nodiscard]] Status record_cursors();
  [[nodiscard]] Status learn_clock();
  [[nodiscard]] Status extend_clock();
  [[nodiscard]] std::uint64_t log_share_bytes() const noexcept;
  [[nodiscard]] std::uint64_t log_used_bytes() const noexcept;
  [[nodiscard]] std::uint64_t others_bytes() const noexcept;

  Ports& ports_;
  const Settings& settings_;
  State& state_;
  Now now_;
  std::unique_ptr<port::WriteTxn> txn_;
  std::optional<log::Appender> appender_;
  std::array<std::uint64_t, model::kLanes> lane_last_{};  ///< last sequence appended here; 0: none

  // Staged: what adopt() takes over.
  std::uint64_t next_seq_;
  std::uint64_t next_alert_;
  model::StateRecord record_;
  bool record_changed_ = false;
  audit::Head audit_;
  registry::Registry::Pointer registry_;
  std::shared_ptr<const BootClocks> clocks_;
  std::shared_ptr<const RejectAlarms> reject_alarms_;
  Cursors durable_;
  bool cursors_recorded_ = false;
  std::vector<std::unique_ptr<Staged>> alerts_;
  std::map<Id128, Staged*> newest_;  ///< of each identity; ordered, so that no sender can choose a bad hash
  std::vector<std::uint64_t> ids_;
  std::vector<RequestMark> keys_;
  std::vector<Answer> answers_;
  std::array<std::optional<log::Oldest>, model::kLanes> oldest_;
  std::uint64_t oldest_alert_;
  std::uint64_t alerts_stored_;
  TrimWalk trim_walk_;
  std::uint64_t alerts_open_;
  std::uint64_t folds_floor_;  ///< a recount that begins because of this turn begins here
  std::uint64_t accepted_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t opened_ = 0;
  std::uint64_t damaged_ = 0;
  bool folds_flushed_ = false;
  bool wrote_untrusted_ = false;
  std::optional<std::int64_t> set_clock_ms_;
  bool trust_clock_ = false;
};

}  // namespace tocsin::core
