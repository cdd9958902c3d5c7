// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_syslog.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "platform/linux/files.hpp"
#include "src/config/address.hpp"

namespace tocsin::programs {
namespace {

/// In the shape of an answer: above the numbers of api::Shape.
constexpr std::uint32_t kSyslogReplies = 0x5359'0000;

const char* why_not(const Error& failure) {
  if (failure.os_errno > 0) return std::strerror(failure.os_errno);
  if (failure.code == Errc::conflict) return "something else is there, perhaps another tocsind";
  return to_text(failure.code);
}

}  // namespace

bool SyslogListeners::listen(One& one, const std::string& where) {
  const auto parsed = config::parse_message_listen(where);
  if (!parsed.ok()) return false;  // the configuration was checked
  if (const auto slash = parsed->unix_path.rfind('/'); slash != std::string::npos && slash > 0)
    static_cast<void>(linux::make_folders(parsed->unix_path.substr(0, slash), 0755));
  const auto port = one.inlet.listen({.is_stream = parsed->is_stream,
                                      .host = parsed->address.host,
                                      .port = parsed->address.port,
                                      .unix_path = parsed->unix_path});
  const std::string key = "syslog." + one.intake.settings().name + ".listen";
  if (!port.ok()) {
    std::fprintf(stderr, "tocsind: cannot listen on %s: %s\n", where.c_str(), why_not(port.error()));
    const int number = port.error().os_errno;
    std::fprintf(stderr,
                 number == EACCES || number == EPERM
                     ? "tocsind: this user may not use that place: ports below 1024 are root's, 5514 is not; see %s\n"
                     : "tocsind: change %s\n",
                 key.c_str());
    return false;
  }
  const std::string shown =
      parsed->unix_path.empty() ? where.substr(0, where.rfind(':') + 1) + std::to_string(*port) : where;
  std::fprintf(stderr, "tocsind: listening on %s\n", shown.c_str());
  return true;
}

bool SyslogListeners::open(const std::vector<config::Syslog>& all, const std::string& own_host) {
  if (all.empty()) return true;
  for (const config::Syslog& from : all) {
    api::SyslogSettings settings{.name = from.name,
                                 .plugin = from.plugin,
                                 .event_name = from.event_name,
                                 .own_host = own_host,
                                 .prefers_hostname = from.target == config::SyslogTarget::hostname,
                                 .reply_shape = kSyslogReplies + static_cast<std::uint32_t>(all_.size())};
    all_.push_back(std::make_unique<One>(loop_, parts_, std::move(settings)));
    for (const std::string& where : from.listen) {
      if (!listen(*all_.back(), where)) return false;
    }
  }
  if (loop_.add_turn_end(linux::turn_end<&SyslogListeners::on_turn_end>(*this)).ok()) return true;
  std::fputs("tocsind: no place left for the syslog listeners\n", stderr);
  return false;
}

Monotonic SyslogListeners::on_turn_end(Monotonic now) noexcept {
  Monotonic next = linux::kNever;
  for (auto& one : all_) {
    auto due = one->intake.on_time(now);
    if (one->intake.wants_more(now)) {
      one->inlet.resume();
      due = one->intake.on_time(now);
    }
    if (due) next = std::min(next, *due);
  }
  return next;
}

bool SyslogListeners::take_answer(const core::Answer& answer) noexcept {
  const std::uint32_t index = answer.reply.shape - kSyslogReplies;
  if (index >= all_.size()) return false;
  all_[index]->intake.on_answer(answer);
  return true;
}

void SyslogListeners::stop() noexcept {
  loop_.remove_turn_end(this);
  for (auto& one : all_) {
    one->inlet.close();
    one->intake.finish();
  }
}

std::vector<core::SyslogStatus> SyslogListeners::status() const {
  std::vector<core::SyslogStatus> out;
  for (const auto& one : all_) {
    const auto sockets = one->inlet.counters();
    core::SyslogStatus status = one->intake.status();
    status.dropped_by_kernel = sockets.lost_in_kernel;
    status.connections = sockets.connections;
    status.connections_refused = sockets.refused;
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace tocsin::programs
