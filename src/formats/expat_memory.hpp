// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expat.h>

#include <memory_resource>

namespace tocsin::formats {

/// Gives expat its memory from `memory` while it lives, on this thread; when that throws, expat is told that there is
/// none. expat's hooks carry no context, so the resource is found through the thread: one at a time on each, and
/// everything that expat took must be given back before.
class ExpatMemory {
 public:
  explicit ExpatMemory(std::pmr::memory_resource& memory) noexcept;
  ~ExpatMemory();
  ExpatMemory(const ExpatMemory&) = delete;
  ExpatMemory& operator=(const ExpatMemory&) = delete;

  /// For XML_ParserCreate_MM().
  [[nodiscard]] static const XML_Memory_Handling_Suite& suite() noexcept;
};

}  // namespace tocsin::formats
