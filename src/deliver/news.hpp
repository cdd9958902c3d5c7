// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "src/channel/frames.hpp"
#include "src/deliver/mind.hpp"

namespace tocsin::deliver {

/// What the core has not been told yet and every worker tells it. Newer news replaces older, so that a core that does
/// not read costs no memory.
/// Memory: three frames, and the last kLogsMax log lines. Throws std::bad_alloc.
class News {
 public:
  static constexpr std::size_t kLogsMax = 16;

  void hello(std::string_view program);
  void state(const channel::State& state);
  void pong(std::uint64_t token) noexcept { pong_ = token; }
  void log(channel::LogLevel level, std::string_view text);

  // False: the core has no room now; ask again later. Hello is told before anything else, and the state before whatever
  // belongs to its session; what belongs to the session before it is told first.
  [[nodiscard]] bool tell_hello(FrameOut& out);
  [[nodiscard]] bool tell_state(FrameOut& out);
  [[nodiscard]] bool tell_rest(FrameOut& out);

 private:
  std::optional<std::string> hello_;
  std::optional<std::string> state_;
  std::optional<std::uint64_t> pong_;
  std::deque<std::string> logs_;
};

}  // namespace tocsin::deliver
