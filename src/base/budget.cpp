// SPDX-License-Identifier: Apache-2.0
#include "src/base/budget.hpp"

#include <new>

namespace tocsin {

bool Budget::try_charge(std::size_t bytes) noexcept {
  std::size_t used = used_bytes_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_bytes_ - used) {  // cannot wrap: used <= limit always
      refusals_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  std::size_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (peak < used + bytes && !peak_bytes_.compare_exchange_weak(peak, used + bytes, std::memory_order_relaxed)) {
  }
  return true;
}

void* Budget::do_allocate(std::size_t bytes, std::size_t align) {
  if (!try_charge(bytes)) throw std::bad_alloc{};
  try {
    return upstream_.allocate(bytes, align);
  } catch (...) {
    release(bytes);
    throw;
  }
}

void Budget::do_deallocate(void* p, std::size_t bytes, std::size_t align) {
  upstream_.deallocate(p, bytes, align);
  release(bytes);
}

}  // namespace tocsin
