// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "src/base/budget.hpp"

namespace tocsin::microhttpd {

/// Memory of one request's body, charged to a budget while it lives. 64 bytes more than asked are readable and zero.
/// Blocks of 64 KiB and more go straight back to the kernel when freed.
class Body {
 public:
  static constexpr std::size_t kPadding = 64;

  Body() = default;
  Body(Body&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Body& operator=(Body&& other) noexcept;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  ~Body() { reset(); }

  /// False: the budget or the system has no room; nothing changed. Precondition: empty.
  [[nodiscard]] bool reserve(Budget& budget, std::size_t bytes) noexcept;
  /// Enlarges to `bytes`, keeping the content. A block of 64 KiB and more is moved by its pages and only what is added
  /// is charged; a smaller one exists beside the new one for a moment. False: nothing changed.
  /// Precondition: not empty, bytes >= capacity().
  [[nodiscard]] bool grow(std::size_t bytes) noexcept;
  /// Precondition: size() + part.size() <= capacity().
  void append(std::span<const std::byte> part) noexcept;
  void reset() noexcept;

  [[nodiscard]] bool empty() const noexcept { return data_ == nullptr; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<std::byte> content() noexcept { return {data_, size_}; }
  [[nodiscard]] const Budget* budget() const noexcept { return budget_; }

 private:
  Budget* budget_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace tocsin::microhttpd
