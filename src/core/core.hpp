// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/core/effects.hpp"
#include "src/core/input.hpp"
#include "src/model/identity.hpp"
#include "src/port/random.hpp"
#include "src/port/store.hpp"

namespace tocsin::core {

inline constexpr std::size_t kTurnInputsMax = 256;
inline constexpr std::size_t kTurnBytesMax = 1024 * 1024;
inline constexpr std::int64_t kConfirmFlushMs = 5'000;  ///< an unrecorded confirmation waits this long for company
inline constexpr std::int64_t kFoldFlushMs = 30'000;    ///< folds live in the cache this long
inline constexpr std::uint64_t kFoldFlushEvents = 100'000;

struct Upstream {
  std::string name;
  std::array<bool, model::kLanes> wants{true, true, true};
};

struct Settings {
  std::vector<Upstream> upstreams;  ///< at most kUpstreamsMax; the index is the id
  std::int64_t retention_ms = 168LL * 3'600'000;
  std::size_t alert_cache_bytes = 384 * KiB;
  std::uint64_t delivery_window_bytes = 1 * MiB;  ///< W of the design: nothing is offered beyond cursor + W
  std::string hardware;                           ///< fingerprint of the box; empty: none
  bool store_is_new = false;                      ///< created or salvaged by this start: a new store id
  bool store_was_salvaged = false;
};

struct Ports {
  port::Store& store;
  port::Crypto& crypto;
  port::Random& random;
};

/// The writer's side of Tocsin: a deterministic function of (state, inputs, now). Reads no clock, opens no socket,
/// starts no thread. Threads: one owner, the writer. Every byte it promises is on flash when turn() returns.
class Core {
 public:
  Core(Ports ports, Settings settings);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// The start path: makes the identity of a new store, reads the state of an old one, begins a boot.
  /// unsupported: a store of a newer release (nothing was changed).
  [[nodiscard]] Status start(Now now);

  /// One turn: applies the inputs in order, commits once, then fills `out`. Every input with a reply gets exactly one
  /// answer here. Nothing to write: no commit. Never throws.
  /// Takes at most what limits allow: callers pass at most kTurnInputsMax inputs and kTurnBytesMax of items.
  void turn(std::span<Input> inputs, Now now, Effects& out) noexcept;

  /// Bounded background work (rebuild of the id window, recount of folds); true while there is more.
  [[nodiscard]] bool background(Now now) noexcept;

  /// When turn() wants to run without inputs; nullopt: only inputs matter.
  [[nodiscard]] std::optional<Monotonic> next_deadline() const noexcept;

  /// Writes everything that waits for company (confirmations, folds). Before a planned end.
  void flush(Now now, Effects& out) noexcept;

  [[nodiscard]] View view() const;
  [[nodiscard]] Gauges gauges() const noexcept;
  [[nodiscard]] const model::Identity& identity() const noexcept;

  class Turn;    ///< one attempt at a commit; turn.hpp
  struct State;  ///< state.hpp

 private:
  [[nodiscard]] Status try_turn(std::span<Input> inputs, Now now, Effects& out);
  void refuse_all(std::span<Input> inputs, Errc code, const char* why, Effects& out) noexcept;
  void record_confirmations(Now now, Effects& out) noexcept;
  void recover_from(const Error& failure, Now now) noexcept;
  /// What start() found of the store's past.
  struct Origin {
    bool is_new = false;
    bool is_hurt = false;  ///< one copy of the identity is gone
    bool is_salvaged = false;
    bool is_moved = false;  ///< other hardware wrote it
    [[nodiscard]] bool needs_store_id() const noexcept { return is_new || is_salvaged || is_moved; }
  };
  [[nodiscard]] Result<Origin> settle_identity(Now now);
  /// Reads the state; a damaged store is put in order before.
  [[nodiscard]] Status load_in_order(bool is_salvaged);
  [[nodiscard]] Status first_turn(const Origin& origin, Now now);
  void note_confirmations(std::span<const Input> inputs, Now now) noexcept;

  // recount.cpp: what the cache counted and the store lacks, derived again from the log.
  [[nodiscard]] Status recount_folds(Now now);
  /// Goes on at `from`; 0 afterwards: the end was reached, else the cache wants to be written first.
  [[nodiscard]] Status recount_slice(std::uint64_t& from, Now now);
  [[nodiscard]] Status refold(port::ReadTxn& txn, const model::Record& record, Wall received, Now now);
  [[nodiscard]] Status write_folds();
  Ports ports_;
  Settings settings_;
  std::unique_ptr<State> state_;
};

/// Bytes of items a Push brings to a turn; 0 for other inputs.
[[nodiscard]] std::size_t item_bytes(const Input& input) noexcept;

}  // namespace tocsin::core
