// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tocsin::test {

/// The k-th operator new of the program throws bad_alloc, counted while one of these lives and nothing pauses it.
/// One thread; one at a time. Linking fail_new.cpp replaces the program's operator new.
class FailNew {
 public:
  enum class Times : std::uint8_t { once, for_good };
  /// k 0: only counts.
  explicit FailNew(std::uint64_t k, Times times = Times::once) noexcept;
  ~FailNew();
  FailNew(const FailNew&) = delete;
  FailNew& operator=(const FailNew&) = delete;
  [[nodiscard]] static std::uint64_t count() noexcept;  ///< since the last one was made
  [[nodiscard]] static bool has_failed() noexcept;      ///< since the last one was made

  /// What others allocate here neither counts nor fails.
  class Pause {
   public:
    Pause() noexcept;
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    bool was_armed_;
  };
};

}  // namespace tocsin::test
