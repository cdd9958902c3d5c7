// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace tocsin::linux {

namespace {
constexpr std::uint64_t pack(std::uint32_t slot, std::uint32_t generation) noexcept {
  return (std::uint64_t{generation} << 32) | slot;
}
}  // namespace

Loop::Loop(const port::Clock& clock)
    : clock_(clock), epoll_(::epoll_create1(EPOLL_CLOEXEC)), watches_(kWatchesMax), timers_(kTimersMax) {
  now_ = clock_.monotonic();
}

Result<Loop::Watch> Loop::add(int fd, std::uint32_t events, Callback callback) noexcept {
  const auto free = std::ranges::find(watches_, -1, &WatchSlot::fd);
  if (free == watches_.end()) return error(Errc::out_of_budget, "loop watch");
  const auto slot = static_cast<std::uint32_t>(free - watches_.begin());
  const std::uint32_t generation = next_generation_++;
  if (next_generation_ == 0) next_generation_ = 1;
  epoll_event event{};
  event.events = events;
  event.data.u64 = pack(slot, generation);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return error(Errc::io_failed, "loop watch", errno);
  *free = {callback, fd, generation};
  return Watch{slot, generation};
}

Status Loop::modify(Watch watch, std::uint32_t events) noexcept {
  if (watch.generation == 0 || watches_[watch.slot].generation != watch.generation)
    return error(Errc::not_found, "loop modify");
  epoll_event event{};
  event.events = events;
  event.data.u64 = pack(watch.slot, watch.generation);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watches_[watch.slot].fd, &event) != 0)
    return error(Errc::io_failed, "loop modify", errno);
  return {};
}

void Loop::remove(Watch watch) noexcept {
  if (watch.generation == 0) return;
  WatchSlot& slot = watches_[watch.slot];
  if (slot.generation != watch.generation) return;
  static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot.fd, nullptr));
  slot = {};
}

Result<Loop::Timer> Loop::add_timer(Monotonic due, Callback callback) noexcept {
  const auto free = std::ranges::find(timers_, 0U, &TimerSlot::generation);
  if (free == timers_.end()) return error(Errc::out_of_budget, "loop timer");
  const std::uint32_t generation = next_generation_++;
  if (next_generation_ == 0) next_generation_ = 1;
  *free = {callback, due, generation};
  timer_due_ = std::min(timer_due_, due);
  return Timer{static_cast<std::uint32_t>(free - timers_.begin()), generation};
}

void Loop::cancel(Timer timer) noexcept {
  if (timer.generation != 0 && timers_[timer.slot].generation == timer.generation) timers_[timer.slot] = {};
}

Status Loop::add_turn_end(TurnEnd hook) noexcept {
  for (auto& slot : turn_ends_) {
    if (slot.hook.call != nullptr) continue;
    slot = {hook, now_};  // due at once: the first turn asks for its real deadline
    return {};
  }
  return error(Errc::out_of_budget, "loop turn end");
}

void Loop::remove_turn_end(const void* self) noexcept {
  for (auto& slot : turn_ends_) {
    if (slot.hook.self == self) slot = {};
  }
}

int Loop::wait_ms(int wait_ms_max) const noexcept {
  Monotonic due = timer_due_;
  for (const auto& slot : turn_ends_) {
    if (slot.hook.call != nullptr) due = std::min(due, slot.due);
  }
  if (due == kNever) return wait_ms_max;
  const std::int64_t left_ns = due.ns - clock_.monotonic().ns;
  // Rounded up: waking a fraction of a millisecond early would spin until the deadline.
  const std::int64_t left_ms = left_ns <= 0 ? 0 : std::min<std::int64_t>((left_ns + 999'999) / 1'000'000, 60'000);
  if (wait_ms_max >= 0 && wait_ms_max < left_ms) return wait_ms_max;
  return static_cast<int>(left_ms);
}

void Loop::fire_timers() noexcept {
  if (timer_due_ > now_) return;
  for (auto& slot : timers_) {
    if (slot.generation == 0 || slot.due > now_) continue;
    const Callback callback = slot.callback;
    slot = {};
    callback.call(callback.self, 0);
  }
  timer_due_ = kNever;
  for (const auto& slot : timers_) {
    if (slot.generation != 0) timer_due_ = std::min(timer_due_, slot.due);
  }
}

Status Loop::run_once(int wait_ms_max) noexcept {
  std::array<epoll_event, 32> ready;
  const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), wait_ms(wait_ms_max));
  if (count < 0 && errno != EINTR) return error(Errc::io_failed, "loop wait", errno);
  now_ = clock_.monotonic();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    const WatchSlot& slot = watches_[static_cast<std::uint32_t>(event.data.u64)];
    if (slot.generation != static_cast<std::uint32_t>(event.data.u64 >> 32)) continue;  // removed meanwhile
    const Callback callback = slot.callback;
    callback.call(callback.self, event.events);
  }
  fire_timers();
  for (auto& slot : turn_ends_) {
    if (slot.hook.call == nullptr) continue;
    const TurnEnd hook = slot.hook;
    const Monotonic due = hook.call(hook.self, now_);
    if (slot.hook.self == hook.self) slot.due = due;
  }
  return {};
}

Status Wakeup::open(Loop& loop, Callback callback) noexcept {
  event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.valid()) return error(Errc::io_failed, "wakeup", errno);
  callback_ = callback;
  const auto watch = loop.add(event_.get(), EPOLLIN, linux::callback<&Wakeup::on_ready>(*this));
  if (!watch.ok()) return watch.error().in("wakeup");
  loop_ = &loop;
  watch_ = *watch;
  return {};
}

Wakeup::~Wakeup() {
  if (loop_ != nullptr) loop_->remove(watch_);
}

void Wakeup::signal() noexcept {
  const std::uint64_t one = 1;
  // A full counter already means "awake": the result does not matter.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void Wakeup::on_ready(std::uint32_t) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(event_.get(), &count, sizeof count);
  callback_.call(callback_.self, 0);
}

}  // namespace tocsin::linux
