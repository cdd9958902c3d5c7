// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace tocsin::ctl {

/// "[#####.....]  50 %  1234 events, 400/s"; without a total no bar. At most 79 columns.
[[nodiscard]] std::string progress_line(std::uint64_t done, std::uint64_t total, std::uint64_t events,
                                        std::uint64_t events_per_s);

/// Whether standard error is a terminal: a progress bar is for people only.
[[nodiscard]] bool err_is_a_terminal() noexcept;

/// One line on a terminal that is written over and over, at most ten times a second, and gone at the end.
class Progress {
 public:
  Progress(std::ostream& err, bool is_shown) noexcept
      : err_(err), is_shown_(is_shown), begun_(std::chrono::steady_clock::now()), shown_at_(begun_) {}
  ~Progress() { hide(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done, std::uint64_t total, std::uint64_t events);
  /// Before anything else is written to the terminal.
  void hide() noexcept;

 private:
  std::ostream& err_;
  bool is_shown_;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point shown_at_;
  std::size_t columns_ = 0;  ///< of the line that is there now
};

}  // namespace tocsin::ctl
