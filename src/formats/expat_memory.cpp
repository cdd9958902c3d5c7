// SPDX-License-Identifier: Apache-2.0
#include "src/formats/expat_memory.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace tocsin::formats {
namespace {

// Not state of its own: null but for the time of one call of xml_to_json().
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
thread_local std::pmr::memory_resource* t_memory = nullptr;

/// Before each block, for the deallocation.
struct alignas(std::max_align_t) Head {
  std::size_t bytes;  ///< with this
};

Head* head_of(void* block) noexcept { return static_cast<Head*>(block) - 1; }

void* take(std::size_t bytes) noexcept {
  if (bytes > SIZE_MAX - sizeof(Head)) return nullptr;
  try {
    void* const raw = t_memory->allocate(bytes + sizeof(Head), alignof(Head));
    return new (raw) Head{bytes + sizeof(Head)} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void give_back(void* block) noexcept {
  if (block == nullptr) return;
  Head* const head = head_of(block);
  t_memory->deallocate(head, head->bytes, alignof(Head));
}

void* resize(void* block, std::size_t bytes) noexcept {
  void* const moved = take(bytes);
  if (moved == nullptr || block == nullptr) return moved;
  std::memcpy(moved, block, std::min(bytes, head_of(block)->bytes - sizeof(Head)));
  give_back(block);
  return moved;
}

}  // namespace

ExpatMemory::ExpatMemory(std::pmr::memory_resource& memory) noexcept {
  assert(t_memory == nullptr);
  t_memory = &memory;
}

ExpatMemory::~ExpatMemory() { t_memory = nullptr; }

const XML_Memory_Handling_Suite& ExpatMemory::suite() noexcept {
  static constexpr XML_Memory_Handling_Suite kSuite{take, resize, give_back};
  return kSuite;
}

}  // namespace tocsin::formats
