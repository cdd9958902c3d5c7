// SPDX-License-Identifier: Apache-2.0
#include "src/deliver/news.hpp"

#include "src/channel/writer.hpp"

namespace tocsin::deliver {
namespace {

bool told(std::optional<std::string>& frame, FrameOut& out) {
  if (!frame) return true;
  if (!out.send(*frame)) return false;
  frame.reset();
  return true;
}

}  // namespace

void News::hello(std::string_view program) { hello_ = channel::write_hello({.program = program}); }

void News::state(const channel::State& state) { state_ = channel::write_state(state); }

void News::log(channel::LogLevel level, std::string_view text) {
  if (logs_.size() == kLogsMax) logs_.pop_front();
  logs_.push_back(channel::write_log({level, text}));
}

bool News::tell_hello(FrameOut& out) { return told(hello_, out); }

bool News::tell_state(FrameOut& out) { return told(state_, out); }

bool News::tell_rest(FrameOut& out) {
  if (pong_) {
    if (!out.send(channel::write_pong(*pong_))) return false;
    pong_.reset();
  }
  while (!logs_.empty()) {
    if (!out.send(logs_.front())) return false;
    logs_.pop_front();
  }
  return true;
}

}  // namespace tocsin::deliver
