// SPDX-License-Identifier: Apache-2.0
#include "src/core/core.hpp"

#include <algorithm>
#include <new>

#include "src/core/note.hpp"
#include "src/core/scrub.hpp"
#include "src/core/state.hpp"
#include "src/core/turn.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

constexpr const char* kDamaged = "the store was damaged; what could be read was kept";
constexpr const char* kMoved = "the store was written on other hardware; it has a new store id";

/// Beyond this much of the quota nothing is taken in: removal needs pages too.
constexpr std::uint64_t kRefuseShare = 92;

/// A state that could not be read again is tried again by itself: delivery goes on also when no client asks.
constexpr std::int64_t kReloadRetryMs = 1'000;

struct StoredIdentity {
  std::optional<model::Identity> identity;  ///< empty: a new store
  bool is_whole = true;                     ///< both copies were there and could be read
};

/// Both copies of the identity are looked at: with it every token of every device would be lost.
Result<StoredIdentity> read_identity(port::Store& store) {
  auto txn = store.begin_read();
  if (!txn.ok()) return txn.error();
  StoredIdentity out;
  std::optional<Error> failure;
  for (const Key& key : {Key(Table::format), Key(Table::format).u8(1)}) {
    auto value = (*txn)->get(key);
    if (!value.ok()) return value.error();
    auto identity = *value ? model::open_sealed(key, **value, [](Bytes in) { return model::decode_identity(in); })
                           : Result<model::Identity>{error(Errc::not_found, "identity")};
    out.is_whole = out.is_whole && identity.ok();
    if (identity.ok() && !out.identity) out.identity = std::move(*identity);
    if (!identity.ok() && *value && (!failure || identity.error().code == Errc::unsupported))
      failure = identity.error();
  }
  if (failure && !out.identity) return *failure;
  return out;
}

}  // namespace

Core::Core(Ports ports, Settings settings) : ports_(ports), settings_(std::move(settings)) {
  std::array<std::byte, sizeof(std::uint64_t)> salt{};
  ports_.random.fill(salt);
  state_ = std::make_unique<State>(settings_, load<std::uint64_t>(salt.data()));
}
Core::~Core() = default;

Result<Core::Origin> Core::settle_identity(Now now) {
  auto stored = read_identity(ports_.store);
  const bool is_damaged = !stored.ok() && stored.error().code == Errc::storage_corrupt;
  if (!stored.ok() && !is_damaged) return stored.error().in("reading the identity");
  auto& identity = state_->identity;
  Origin out;
  out.is_salvaged = settings_.store_was_salvaged || is_damaged;
  out.is_new = is_damaged || !stored->identity;
  out.is_hurt = !is_damaged && !stored->is_whole;
  if (out.is_new) {
    identity = {};
    ports_.random.fill(identity.appliance);
    ports_.random.fill(identity.secret);
    identity.created_ms = now.wall.unix_ms;
  } else {
    identity = std::move(*stored->identity);
    out.is_moved = !identity.hardware.empty() && !settings_.hardware.empty() && identity.hardware != settings_.hardware;
  }
  if (out.needs_store_id()) {
    ports_.random.fill(identity.store);
    identity.hardware = settings_.hardware;
  }
  return out;
}

Status Core::first_turn(const Origin& origin, Now now) {
  const std::string store = "store:" + to_hex(state_->identity.store);
  Turn turn(ports_, settings_, *state_, now);
  Status done;
  if (origin.needs_store_id() || origin.is_hurt) done = turn.put_identity(state_->identity);
  if (done.ok() && (state_->is_audit_broken || origin.is_salvaged)) {
    done = turn.begin_audit_epoch(store, kDamaged);
    if (done.ok()) done = turn.raise_own({"store salvaged", kDamaged, 1});
  }
  if (done.ok() && origin.is_new) done = turn.audit(model::AuditAction::store_created, "system", store, "");
  if (done.ok() && origin.is_moved) done = turn.raise_own({"moved disk or clone?", kMoved, 2});
  if (done.ok()) done = turn.begin_boot();
  if (done.ok()) done = turn.sync_upstreams();
  if (done.ok()) done = turn.commit();
  if (!done.ok()) return done.error().in("first commit of this boot");
  Effects none;
  turn.adopt(none);
  return {};
}

Status Core::load_in_order(bool is_salvaged) {
  const auto load = [this]() -> Status {
    auto txn = ports_.store.begin_read();
    if (!txn.ok()) return txn.error();
    return load_state(**txn, ports_, settings_, *state_);
  };
  std::uint64_t segments_removed = 0;
  const auto put_in_order = [&]() -> Status {
    auto scrubbed = scrub(ports_.store);
    if (!scrubbed.ok()) return scrubbed.error();
    state_->gauges.damaged_records += scrubbed->removed + scrubbed->moved;
    segments_removed = scrubbed->segments_removed;
    state_->is_put_in_order = true;
    return {};
  };
  if (is_salvaged) {
    if (auto done = put_in_order(); !done.ok()) return done;
    return load();
  }
  if (auto done = load(); !done.ok() || !state_->is_doubtful) return done;
  // The same store goes on: what was removed may have been the newest, and its sequences are not given again.
  if (auto done = put_in_order(); !done.ok()) return done;
  if (auto done = load(); !done.ok()) return done;
  if (segments_removed > 0) state_->next_seq += log::kSequencesPerSegmentMax;
  return {};
}

Status Core::start(Now now) try {
  const auto origin = settle_identity(now);
  if (!origin.ok()) return origin.error();
  if (auto done = load_in_order(origin->is_salvaged); !done.ok()) return done;
  state_->boot = state_->record.boot + 1;
  auto clocks = std::make_shared<BootClocks>(*state_->clocks);
  clocks->boot = state_->boot;
  state_->clocks = std::move(clocks);
  if (!now.wall.trusted) state_->began_untrusted = now;
  state_->first_alert = state_->next_alert;
  if (auto done = first_turn(*origin, now); !done.ok()) return done;
  state_->id_rebuild.until_seq = state_->next_seq;
  return recount_folds(now);
} catch (const std::bad_alloc&) {
  return error(Errc::out_of_budget, "start: memory");
}

Status Core::try_turn(std::span<Input> inputs, Now now, Effects& out) {
  Turn turn(ports_, settings_, *state_, now);
  for (Input& input : inputs) {
    if (auto done = turn.apply(input); !done.ok()) return done;
  }
  if (auto done = turn.ride_along(); !done.ok()) return done;
  const bool wrote = turn.has_writes();
  turn.make_room_for_answers(out);
  if (auto done = turn.commit(); !done.ok()) return done;
  turn.adopt(out);
  out.changed = out.changed || wrote;
  return {};
}

void Core::refuse_all(std::span<Input> inputs, Errc code, const char* why, Effects& out) noexcept {
  // A conflict is between a client's request and what is there, never something in the store.
  if (code == Errc::conflict) code = Errc::unavailable;
  for (const Input& input : inputs) {
    if (input.reply.ticket == 0) continue;
    try {
      out.answers.push_back({input.reply, code, std::string(why)});
    } catch (const std::bad_alloc&) {
      return;  // the request's own deadline answers it
    }
  }
}

void Core::recover_from(const Error& failure, Now now) noexcept {
  auto& g = state_->gauges;
  ++g.turns_failed;
  const bool is_unknown = failure.code != Errc::storage_full && failure.code != Errc::out_of_budget;
  if (is_unknown) {
    g.store_ok = ports_.store.reopen().ok();
    if (!g.store_ok) {
      state_->is_loaded = false;
      return;
    }
  }
  try {
    auto txn = ports_.store.begin_read();
    state_->is_loaded = txn.ok() && load_state(**txn, ports_, settings_, *state_).ok();
    txn = error(Errc::unavailable, "released");
    if (state_->is_loaded) state_->is_loaded = recount_folds(now).ok();
    ++g.reloads;
  } catch (const std::bad_alloc&) {
    state_->is_loaded = false;
  }
}

/// A confirmation is a fact about the broker, not about this turn: it stays known when the turn fails.
void Core::note_confirmations(std::span<const Input> inputs, Now now) noexcept {
  for (const Input& input : inputs) {
    const auto* confirm = std::get_if<Confirm>(&input.what);
    if (confirm == nullptr || confirm->upstream >= settings_.upstreams.size()) continue;
    auto& seq = state_->confirmed[confirm->upstream][static_cast<std::size_t>(confirm->lane)];
    if (confirm->seq <= seq) continue;
    seq = confirm->seq;
    if (!state_->unrecorded_since) state_->unrecorded_since = now.mono;
    state_->must_record = state_->must_record || confirm->is_urgent;
  }
}

void Core::turn(std::span<Input> inputs, Now now, Effects& out) noexcept {
  note_confirmations(inputs, now);
  state_->retry_at = now.mono.after_ms(kReloadRetryMs);
  if (!state_->is_loaded) recover_from(error(Errc::io_failed, "state lost"), now);
  if (!state_->is_loaded) {
    refuse_all(inputs, Errc::unavailable, "the store is not usable at the moment", out);
    return;
  }
  const auto use = ports_.store.use();
  const bool is_full = use.used_bytes > use.quota_bytes * kRefuseShare / 100;
  const auto attempt = [&](std::span<Input> some) -> Status {
    if (!state_->is_loaded) return error(Errc::unavailable, "state lost");  // half of it may have been read
    try {
      return try_turn(some, now, out);
    } catch (const std::bad_alloc&) {
      return error(Errc::out_of_budget, "turn: memory");
    }
  };
  const auto first_push = [](const Input& input) { return std::holds_alternative<Push>(input.what); };
  if (is_full && std::any_of(inputs.begin(), inputs.end(), first_push)) {
    for (Input& input : inputs) {
      if (first_push(input)) {
        refuse_all({&input, 1}, Errc::storage_full, "the store is full", out);
      } else if (auto done = attempt({&input, 1}); !done.ok()) {
        if (state_->is_loaded) recover_from(done.error(), now);
        refuse_all({&input, 1}, done.error().code, to_text(done.error().code), out);
      }
    }
    return;
  }
  auto done = attempt(inputs);
  if (done.ok()) {
    if (state_->unrecorded_since && next_deadline() && *next_deadline() <= now.mono) record_confirmations(now, out);
    return;
  }
  recover_from(done.error(), now);
  const bool retry = done.error().code == Errc::out_of_budget && inputs.size() > 1 && state_->is_loaded;
  if (!retry) {
    refuse_all(inputs, done.error().code, to_text(done.error().code), out);
    return;
  }
  // One input's appetite must not fail its neighbours.
  for (Input& input : inputs) {
    done = attempt({&input, 1});
    if (done.ok()) continue;
    if (state_->is_loaded) recover_from(done.error(), now);
    refuse_all({&input, 1}, done.error().code, to_text(done.error().code), out);
  }
}

void Core::record_confirmations(Now now, Effects& out) noexcept {
  if (!state_->unrecorded_since) return;
  try {
    const std::string note = encode_note(state_->identity.store, settings_.upstreams, state_->confirmed);
    if (!ports_.store.put_note(as_bytes(note)).ok()) {
      // After a crash they would be offered again, marked. Not at once again: a medium that fails is not asked without
      // end.
      state_->unrecorded_since = now.mono;
      state_->must_record = false;
      return;
    }
  } catch (const std::bad_alloc&) {
    return;
  }
  state_->durable = state_->confirmed;
  state_->unrecorded_since.reset();
  state_->must_record = false;
  out.changed = true;
}

void Core::flush(Now now, Effects& out) noexcept {
  if (!state_->is_loaded) return;
  if (state_->folds_since) {
    state_->folds_since->ns = now.mono.ns - kFoldFlushMs * 1'000'000;
    turn({}, now, out);
  }
  record_confirmations(now, out);
}

}  // namespace tocsin::core
