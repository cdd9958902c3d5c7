// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/linux/inlet.hpp"
#include "src/api/syslog.hpp"
#include "src/config/config.hpp"

namespace tocsin::programs {

/// The syslog listeners of a configuration: sockets, what makes events of their messages, and the time between them.
/// Threads: io.
class SyslogListeners {
 public:
  /// `loop` and what `parts` refers to outlive it.
  SyslogListeners(linux::Loop& loop, const api::SyslogParts& parts) : loop_(loop), parts_(parts) {}
  ~SyslogListeners() { stop(); }
  SyslogListeners(const SyslogListeners&) = delete;
  SyslogListeners& operator=(const SyslogListeners&) = delete;

  /// Opens what the configuration names. False: said why on stderr.
  [[nodiscard]] bool open(const std::vector<config::Syslog>& all, const std::string& own_host);
  /// False: this answer is not one of ours.
  [[nodiscard]] bool take_answer(const core::Answer& answer) noexcept;
  /// Closes the sockets and hands what waits to the writer.
  void stop() noexcept;
  [[nodiscard]] std::vector<core::SyslogStatus> status() const;

 private:
  struct One {
    One(linux::Loop& loop, const api::SyslogParts& parts, api::SyslogSettings settings)
        : intake(parts, std::move(settings)),
          inlet(loop, intake, ingest::kSyslogBytesMax, ingest::SyslogFrames::kWindowBytes, *parts.intake) {}
    api::SyslogIntake intake;
    linux::Inlet inlet;
  };
  [[nodiscard]] bool listen(One& one, const std::string& where);
  Monotonic on_turn_end(Monotonic now) noexcept;

  linux::Loop& loop_;
  api::SyslogParts parts_;
  std::vector<std::unique_ptr<One>> all_;
};

}  // namespace tocsin::programs
