// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/fail_new.hpp"

#include <cstdlib>
#include <new>

namespace tocsin::test {
namespace {

// State of the whole program by nature: operator new is one.
bool armed = false;
bool failed = false;
std::uint64_t seen = 0;
std::uint64_t fail_at = 0;
FailNew::Times fail_times = FailNew::Times::once;

bool must_fail() noexcept {
  if (!armed) return false;
  ++seen;
  const bool now = fail_at != 0 && (seen == fail_at || (seen > fail_at && fail_times == FailNew::Times::for_good));
  failed = failed || now;
  return now;
}

void* allocate_or_null(std::size_t bytes) noexcept {
  return must_fail() ? nullptr : std::malloc(bytes != 0 ? bytes : 1);
}

void* allocate(std::size_t bytes) {
  void* memory = allocate_or_null(bytes);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

void* allocate(std::size_t bytes, std::align_val_t align) {
  const auto alignment = static_cast<std::size_t>(align);
  const std::size_t whole = (bytes + alignment - 1) / alignment * alignment;
  void* memory = must_fail() ? nullptr : std::aligned_alloc(alignment, whole != 0 ? whole : alignment);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

FailNew::FailNew(std::uint64_t k, Times times) noexcept {
  seen = 0;
  failed = false;
  fail_at = k;
  fail_times = times;
  armed = true;
}
FailNew::~FailNew() { armed = false; }
std::uint64_t FailNew::count() noexcept { return seen; }
bool FailNew::has_failed() noexcept { return failed; }

FailNew::Pause::Pause() noexcept : was_armed_(armed) { armed = false; }
FailNew::Pause::~Pause() { armed = was_armed_; }

}  // namespace tocsin::test

void* operator new(std::size_t bytes) { return tocsin::test::allocate(bytes); }
void* operator new[](std::size_t bytes) { return tocsin::test::allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t align) { return tocsin::test::allocate(bytes, align); }
void* operator new[](std::size_t bytes, std::align_val_t align) { return tocsin::test::allocate(bytes, align); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return tocsin::test::allocate_or_null(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return tocsin::test::allocate_or_null(bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
