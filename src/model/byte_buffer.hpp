// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <memory_resource>
#include <utility>

#include "src/base/bytes.hpp"

namespace tocsin::model {

/// Bytes that grow at the end. A std::pmr::vector<std::byte> would copy and clear them one by one; here a piece is one
/// memcpy and new room is left as it is.
///
/// Memory: one block of the resource it was made with, doubled when full; a move takes the block along with its
///         resource. Every function that grows throws std::bad_alloc; the bytes are then as before.
class ByteBuffer {
 public:
  explicit ByteBuffer(std::pmr::memory_resource* memory) noexcept : memory_(memory) {}
  ByteBuffer(ByteBuffer&& other) noexcept : memory_(other.memory_) { swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    ByteBuffer(std::move(other)).swap(*this);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { drop(); }

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Bytes view() const noexcept { return {data_, size_}; }

  /// What holds nothing gives its block back before it takes the larger one.
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    if (size_ == 0) drop();
    move_to(capacity);
  }
  /// `from` may not lie in this buffer.
  void append(const void* from, std::size_t size) {
    if (size > capacity_ - size_) move_to(std::max(capacity_ + capacity_, size_ + size));
    if (size != 0) std::memcpy(data_ + size_, from, size);
    size_ += size;
  }
  /// Drops what is behind the first `size` bytes. Precondition: there are as many.
  void truncate(std::size_t size) noexcept { size_ = size; }
  void clear() noexcept { size_ = 0; }

 private:
  void move_to(std::size_t capacity) {
    auto* const block = static_cast<std::byte*>(memory_->allocate(capacity, 1));
    if (data_ != nullptr) {
      std::memcpy(block, data_, size_);
      memory_->deallocate(data_, capacity_, 1);
    }
    data_ = block;
    capacity_ = capacity;
  }
  void drop() noexcept {
    if (data_ != nullptr) memory_->deallocate(data_, capacity_, 1);
    data_ = nullptr;
    capacity_ = 0;
  }
  void swap(ByteBuffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  std::pmr::memory_resource* memory_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tocsin::model
