// SPDX-License-Identifier: Apache-2.0
#include "platform/microhttpd/body.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace tocsin::microhttpd {

namespace {

constexpr std::size_t kMappedFrom = 64U * 1024U;

void* take(std::size_t bytes) noexcept {
  if (bytes < kMappedFrom) return std::malloc(bytes);
  void* block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? nullptr : block;
}

void give_back(void* block, std::size_t bytes) noexcept {
  if (bytes < kMappedFrom) return std::free(block);
  static_cast<void>(::munmap(block, bytes));
}

}  // namespace

Body& Body::operator=(Body&& other) noexcept {
  if (this == &other) return *this;
  reset();
  budget_ = std::exchange(other.budget_, nullptr);
  data_ = std::exchange(other.data_, nullptr);
  capacity_ = std::exchange(other.capacity_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

bool Body::reserve(Budget& budget, std::size_t bytes) noexcept {
  const std::size_t block = bytes + kPadding;
  if (block < bytes || !budget.try_charge(block)) return false;
  data_ = static_cast<std::byte*>(take(block));
  if (data_ == nullptr) {
    budget.release(block);
    return false;
  }
  budget_ = &budget;
  capacity_ = bytes;
  size_ = 0;
  std::memset(data_, 0, block < kMappedFrom ? kPadding : 0);  // mapped blocks are zero already
  return true;
}

bool Body::grow(std::size_t bytes) noexcept {
  const std::size_t before = capacity_ + kPadding;
  if (before >= kMappedFrom) {
    const std::size_t block = bytes + kPadding;
    if (block < bytes || !budget_->try_charge(block - before)) return false;
    void* const moved = ::mremap(data_, before, block, MREMAP_MAYMOVE);  // what is added is zero
    if (moved == MAP_FAILED) {
      budget_->release(block - before);
      return false;
    }
    data_ = static_cast<std::byte*>(moved);
    capacity_ = bytes;
    return true;
  }
  Body larger;
  if (!larger.reserve(*budget_, bytes)) return false;
  larger.append({data_, size_});
  *this = std::move(larger);
  return true;
}

void Body::append(std::span<const std::byte> part) noexcept {
  if (part.empty()) return;
  std::memcpy(data_ + size_, part.data(), part.size());
  size_ += part.size();
  // Whoever reads ahead of the end must not see what an earlier request left in the heap.
  if (capacity_ + kPadding < kMappedFrom) std::memset(data_ + size_, 0, kPadding);
}

void Body::reset() noexcept {
  if (data_ == nullptr) return;
  give_back(data_, capacity_ + kPadding);
  budget_->release(capacity_ + kPadding);
  budget_ = nullptr;
  data_ = nullptr;
  capacity_ = size_ = 0;
}

}  // namespace tocsin::microhttpd
