// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/alert/cache.hpp"
#include "src/audit/chain.hpp"
#include "src/core/core.hpp"
#include "src/core/id_window.hpp"
#include "src/log/log.hpp"

namespace tocsin::core {

/// How far the rebuild of the id window has come. Newest ids count, so it first looks back for where to begin.
struct IdRebuild {
  std::size_t lane = 0;
  bool is_looking_back = true;
  std::uint64_t at_seq = ~0ULL;  ///< looking back: segments before it; reading: records from it
  std::uint64_t ids_seen = 0;
  std::uint64_t until_seq = 0;  ///< records from here on were taken by turns themselves
  std::uint32_t failures = 0;   ///< slices that the store refused
  bool is_done = false;
};

/// Where the search for alerts that may go has come to.
struct TrimWalk {
  std::uint64_t next = 0;   ///< number to look at next; 0: it begins at the oldest
  std::uint64_t kept = 0;   ///< alerts passed since it began
  bool met_closed = false;  ///< among them, or dropped
};

/// What is committed, as the writer holds it in memory. Changed only after a commit returned success, or thrown away
/// and read again.
struct Core::State {
  State(const Settings& settings, std::uint64_t salt) : cache(settings.alert_cache_bytes, salt) {}

  model::Identity identity;
  model::StateRecord record;  ///< as on flash
  std::uint64_t next_seq = 1;
  std::uint64_t next_alert = 1;
  std::uint32_t boot = 0;
  log::Ends ends{};
  Cursors durable{};
  CursorLost cursor_lost{};
  Cursors confirmed{};
  registry::Registry::Pointer registry = std::make_shared<const registry::Registry>();
  std::shared_ptr<const BootClocks> clocks = std::make_shared<const BootClocks>();
  audit::Head audit = audit::begin();
  bool is_audit_broken = false;  ///< stored rows do not continue the chain: a new epoch is due
  alert::AlertCache cache;
  std::shared_ptr<const std::vector<FoldNews>> folds = std::make_shared<const std::vector<FoldNews>>();
  std::shared_ptr<const RejectAlarms> reject_alarms = std::make_shared<const RejectAlarms>();
  IdWindow ids;
  IdRebuild id_rebuild;
  std::array<std::optional<log::Oldest>, model::kLanes> oldest;  ///< known oldest segment of a lane; empty: look
  std::optional<Monotonic> unrecorded_since;                     ///< a confirmation waits for company
  bool must_record = false;
  std::optional<Monotonic> old_tokens_at;  ///< when to see whether an old token of an instance ends
  std::optional<Monotonic> folds_since;    ///< the first fold that waits
  std::uint64_t folds_waiting = 0;
  std::optional<Now> began_untrusted;  ///< the clocks at the start of this boot, when they could not be believed
  std::uint64_t first_alert = 1;       ///< the first that this boot may open
  bool wrote_untrusted = false;        ///< this boot has records whose wall time cannot be believed
  std::uint64_t alerts_open = 0;
  std::uint64_t oldest_alert = 0;  ///< number of the oldest stored alert; 0: look
  std::uint64_t alerts_stored = 0;
  TrimWalk trim_walk;
  std::uint64_t generation = 1;  ///< of the state: rises with each reload
  bool is_loaded = false;
  bool is_put_in_order = false;  ///< what could be read was put back or removed: numbers kept beside it are not true
  bool is_doubtful = false;      ///< a table ends in something that is not what its key says
  Monotonic retry_at;            ///< while it is not: when to read it again
  Gauges gauges;
  /// Tells the other threads what open alerts count beyond the store. Throws bad_alloc; then nothing changed.
  void show_folds();

  log::Appender::Buffers buffers;  ///< kept between turns for their capacity
};

/// Reads everything but the log's records. The state's boot stays what it is; identity must exist.
[[nodiscard]] Status load_state(port::ReadTxn& txn, const Ports& ports, const Settings& settings, Core::State& state);

}  // namespace tocsin::core
