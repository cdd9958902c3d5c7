// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_push_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <ostream>

namespace tocsin::ctl {
namespace {

constexpr std::size_t kBarColumns = 30;
constexpr std::size_t kLineColumns = 79;
constexpr auto kEvery = std::chrono::milliseconds(100);

}  // namespace

std::string progress_line(std::uint64_t done, std::uint64_t total, std::uint64_t events, std::uint64_t events_per_s) {
  std::string out;
  if (total > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto filled = static_cast<std::size_t>(part * kBarColumns);
    const std::string percent = std::to_string(static_cast<int>(part * 100));
    out.append("[").append(filled, '#').append(kBarColumns - filled, '.').append("] ");
    out.append(3 - percent.size(), ' ').append(percent).append(" %  ");
  }
  out.append(std::to_string(events)).append(" events, ").append(std::to_string(events_per_s)).append("/s");
  out.resize(std::min(out.size(), kLineColumns));
  return out;
}

bool err_is_a_terminal() noexcept { return isatty(STDERR_FILENO) == 1; }

void Progress::show(std::uint64_t done, std::uint64_t total, std::uint64_t events) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_shown_ || now - shown_at_ < kEvery) return;
  shown_at_ = now;
  const std::chrono::duration<double> seconds = now - begun_;
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(events) / seconds.count());
  std::string line = progress_line(done, total, events, rate);
  const std::size_t columns = line.size();
  if (columns < columns_) line.append(columns_ - columns, ' ');
  columns_ = columns;
  err_ << "\r" << line << std::flush;
}

void Progress::hide() noexcept {
  if (columns_ == 0) return;
  err_ << "\r" << std::string(columns_, ' ') << "\r" << std::flush;
  columns_ = 0;
}

}  // namespace tocsin::ctl
