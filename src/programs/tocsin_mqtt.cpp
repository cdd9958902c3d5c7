// SPDX-License-Identifier: Apache-2.0
// The worker that carries events to an MQTT broker. tocsind starts it; its settings come over descriptor 3.
#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <string>

#include "platform/linux/clock.hpp"
#include "platform/linux/memory.hpp"
#include "platform/linux/random.hpp"
#include "platform/linux/worker_link.hpp"
#include "platform/linux/worker_process.hpp"
#include "platform/mosquitto/publisher.hpp"
#include "src/channel/feed.hpp"
#include "src/deliver/session.hpp"

namespace tocsin {
namespace {

enum ExitCode : int { kDone = 0, kWrongStart = 2, kProtocolError = 3, kCannotWork = 4 };

class Worker final : channel::FrameHandler, deliver::FrameOut {
 public:
  [[nodiscard]] int run() {
    if (!client_.works()) return kCannotWork;
    session_.start();
    for (;;) {
      session_.tick(moment());
      if (link_.closed()) return link_.peer_was_wrong() ? kProtocolError : kDone;
      if (session_.ended() && !link_.wants_write()) return kDone;
      turn();
    }
  }

 private:
  [[nodiscard]] deliver::Moment moment() noexcept {
    std::array<std::byte, 4> random{};
    random_.fill(random);
    return {clock_.monotonic(), load<std::uint32_t>(random.data())};
  }

  void turn() {
    std::int64_t wait_ms = client_.wait_ms_max();
    if (const auto deadline = session_.next_deadline())
      wait_ms = std::min(wait_ms, deadline->ms() - clock_.monotonic().ms() + 1);
    linux::Readiness link;
    linux::Readiness broker;
    linux::worker_wait({link_.fd(), link_.wants_write()}, {client_.fd(), client_.wants_write()}, wait_ms, link, broker);
    if (link.read || link.hung_up) link_.on_readable();
    if (link.write) link_.on_writable();
    client_.on_ready(broker.read, broker.write, broker.hung_up);
    while (const auto event = client_.next_event()) {
      session_.on_broker(*event, moment());
      // A handshake leaves holes that the largest frames would otherwise come on top of.
      if (event->kind == port::BrokerEvent::Kind::connected) linux::trim_malloc();
    }
  }

  [[nodiscard]] bool on_frame(channel::FrameReader& frame) override { return session_.on_frame(frame, moment()); }
  [[nodiscard]] bool send(std::string frame) override { return link_.send_control(std::move(frame)); }

  linux::Clock clock_{linux::Clock::Options{}};
  linux::Random random_;
  mosquitto::Publisher client_;
  deliver::Session session_{client_, *this, "tocsin-mqtt, " + mosquitto::Connection::library_name()};
  channel::FrameFeed feed_{channel::Sender::core, *this};
  linux::WorkerLink link_{linux::kWorkerFd, feed_};
};

}  // namespace
}  // namespace tocsin

int main() {
  if (!tocsin::linux::begin_worker()) {
    std::fputs("tocsin-mqtt: started by tocsind only\n", stderr);
    return tocsin::kWrongStart;
  }
  try {
    return tocsin::Worker().run();
  } catch (const std::bad_alloc&) {
    return tocsin::kCannotWork;
  }
}
