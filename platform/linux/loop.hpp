// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "platform/linux/handle.hpp"
#include "src/base/result.hpp"
#include "src/base/time.hpp"
#include "src/port/clock.hpp"

namespace tocsin::linux {

/// A function and the object it belongs to; two pointers, no allocation. The object outlives the registration.
/// `events` are EPOLL* bits for descriptors and 0 for timers.
struct Callback {
  void* self = nullptr;
  void (*call)(void* self, std::uint32_t events) noexcept = nullptr;
};

/// callback<&Server::on_ready>(server), for a member `void on_ready(std::uint32_t events) noexcept`.
template <auto Method, class T>
[[nodiscard]] Callback callback(T& object) noexcept {
  return {&object, [](void* self, std::uint32_t events) noexcept { (static_cast<T*>(self)->*Method)(events); }};
}

/// Called once at the end of every turn of the loop; says when it wants to be called next at the latest.
struct TurnEnd {
  void* self = nullptr;
  Monotonic (*call)(void* self, Monotonic now) noexcept = nullptr;
};

template <auto Method, class T>
[[nodiscard]] TurnEnd turn_end(T& object) noexcept {
  return {&object, [](void* self, Monotonic now) noexcept { return (static_cast<T*>(self)->*Method)(now); }};
}

inline constexpr Monotonic kNever{INT64_MAX};

/// One thread's wait for descriptors and time. Level-triggered epoll.
/// Everything but Wakeup::signal belongs to the loop's own thread. Callbacks may add, modify and remove anything,
/// themselves included: an event of a removed watch that was already fetched is dropped.
/// Bounds: kWatchesMax descriptors, kTimersMax timers, kTurnEndsMax turn ends; memory is taken at construction.
class Loop {
 public:
  static constexpr std::size_t kWatchesMax = 128;
  static constexpr std::size_t kTimersMax = 64;
  static constexpr std::size_t kTurnEndsMax = 8;

  struct Watch {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  ///< 0: nothing
  };
  struct Timer {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  ///< 0: nothing
  };

  /// `clock` outlives the loop.
  explicit Loop(const port::Clock& clock);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Errors: out_of_budget (too many), io_failed (the kernel refused the descriptor).
  [[nodiscard]] Result<Watch> add(int fd, std::uint32_t events, Callback callback) noexcept;
  [[nodiscard]] Status modify(Watch watch, std::uint32_t events) noexcept;
  /// Before the descriptor is closed. A watch that is gone already is ignored.
  void remove(Watch watch) noexcept;

  /// Fires once, at or after `due`. Errors: out_of_budget.
  [[nodiscard]] Result<Timer> add_timer(Monotonic due, Callback callback) noexcept;
  void cancel(Timer timer) noexcept;

  [[nodiscard]] Status add_turn_end(TurnEnd hook) noexcept;
  void remove_turn_end(const void* self) noexcept;

  /// One turn: waits at most until the next deadline or `wait_ms_max` (negative: no limit of its own),
  /// runs what is ready and due, then the turn ends. io_failed: epoll itself failed.
  [[nodiscard]] Status run_once(int wait_ms_max = -1) noexcept;

  /// The time at which this turn's wait ended; one clock reading a turn.
  [[nodiscard]] Monotonic now() const noexcept { return now_; }

 private:
  struct WatchSlot {
    Callback callback;
    int fd = -1;
    std::uint32_t generation = 0;
  };
  struct TimerSlot {
    Callback callback;
    Monotonic due = kNever;
    std::uint32_t generation = 0;
  };
  struct TurnEndSlot {
    TurnEnd hook;
    Monotonic due = kNever;
  };
  [[nodiscard]] int wait_ms(int wait_ms_max) const noexcept;
  void fire_timers() noexcept;

  const port::Clock& clock_;
  Handle epoll_;
  std::vector<WatchSlot> watches_;
  std::vector<TimerSlot> timers_;
  std::array<TurnEndSlot, kTurnEndsMax> turn_ends_{};
  Monotonic now_{};
  Monotonic timer_due_ = kNever;
  std::uint32_t next_generation_ = 1;
};

/// Wakes a loop from another thread. Signals before the loop looks are one wake-up.
class Wakeup {
 public:
  Wakeup() = default;
  /// `callback` runs on the loop's thread. Errors: io_failed, out_of_budget.
  [[nodiscard]] Status open(Loop& loop, Callback callback) noexcept;
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  /// Any thread; also safe in a signal handler.
  void signal() noexcept;

 private:
  void on_ready(std::uint32_t events) noexcept;
  Loop* loop_ = nullptr;
  Loop::Watch watch_;
  Handle event_;
  Callback callback_;
};

}  // namespace tocsin::linux
