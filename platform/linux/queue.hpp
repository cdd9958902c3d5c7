// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "platform/linux/loop.hpp"

namespace tocsin::linux {

/// Ring of at most `capacity` items; memory is taken at construction. Not thread-safe by itself.
template <class T>
class Ring {
 public:
  explicit Ring(std::size_t capacity) : items_(capacity) {}
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool full() const noexcept { return count_ == items_.size(); }
  void push(T&& item) noexcept {
    items_[(first_ + count_) % items_.size()].emplace(std::move(item));
    ++count_;
  }
  [[nodiscard]] T pop() noexcept {
    T item = std::move(*items_[first_]);
    items_[first_].reset();
    first_ = (first_ + 1) % items_.size();
    --count_;
    return item;
  }

 private:
  std::vector<std::optional<T>> items_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

/// Bounded queue from many threads to one that may sleep on it. A push wakes the consumer only when it sleeps.
/// T moves without throwing.
template <class T>
class Queue {
 public:
  explicit Queue(std::size_t capacity) : ring_(capacity) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  /// Any thread. False: full or closed, and `item` is untouched.
  [[nodiscard]] bool push(T&& item) noexcept {
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      if (closed_ || ring_.full()) return false;
      ring_.push(std::move(item));
      wake = std::exchange(sleeping_, false);
    }
    if (wake) ready_.notify_one();
    return true;
  }

  /// Consumer only. Appends at most `max` items to `out`, which has room reserved; waits until `deadline` when there is
  /// none, and returns early with nothing after poke() or close(). Returns how many came.
  [[nodiscard]] std::size_t drain(std::vector<T>& out, std::size_t max,
                                  std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    if (ring_.size() == 0 && !closed_ && !poked_) {
      sleeping_ = true;
      ready_.wait_until(lock, deadline, [this] { return ring_.size() != 0 || closed_ || poked_; });
      sleeping_ = false;
    }
    poked_ = false;
    const std::size_t count = std::min(max, ring_.size());
    for (std::size_t i = 0; i < count; ++i) out.push_back(ring_.pop());
    return count;
  }

  /// Wakes a sleeping consumer without an item.
  void poke() noexcept {
    {
      const std::lock_guard lock{mutex_};
      poked_ = true;
    }
    ready_.notify_one();
  }

  /// Refuses all further items; what is inside can still be drained.
  void close() noexcept {
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
    }
    ready_.notify_one();
  }

  [[nodiscard]] bool closed() const noexcept {
    const std::lock_guard lock{mutex_};
    return closed_;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    const std::lock_guard lock{mutex_};
    return ring_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  Ring<T> ring_;
  bool sleeping_ = false;
  bool poked_ = false;
  bool closed_ = false;
};

/// Bounded queue from many threads to the loop's thread. The first push since the last drain signals the loop.
template <class T>
class LoopQueue {
 public:
  explicit LoopQueue(std::size_t capacity) : ring_(capacity) {}

  /// Before the first push. `callback` runs on the loop's thread; it drains.
  [[nodiscard]] Status open(Loop& loop, Callback callback) noexcept { return wakeup_.open(loop, callback); }

  /// Any thread. False: full, and `item` is untouched.
  [[nodiscard]] bool push(T&& item) noexcept {
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      if (ring_.full()) return false;
      ring_.push(std::move(item));
      wake = !std::exchange(signalled_, true);
    }
    if (wake) wakeup_.signal();
    return true;
  }

  /// Loop's thread. When more than `max` waited, the loop is signalled again by itself.
  [[nodiscard]] std::size_t drain(std::vector<T>& out, std::size_t max) {
    const std::lock_guard lock{mutex_};
    const std::size_t count = std::min(max, ring_.size());
    for (std::size_t i = 0; i < count; ++i) out.push_back(ring_.pop());
    signalled_ = ring_.size() != 0;
    if (signalled_) wakeup_.signal();
    return count;
  }

 private:
  std::mutex mutex_;
  Ring<T> ring_;
  bool signalled_ = false;
  Wakeup wakeup_;
};

}  // namespace tocsin::linux
