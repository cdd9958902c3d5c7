// SPDX-License-Identifier: Apache-2.0
// The worker that carries events to an MQTT broker, or reads messages from one. tocsind starts it; its settings come
// over descriptor 3.
#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <optional>
#include <string>

#include "platform/linux/clock.hpp"
#include "platform/linux/memory.hpp"
#include "platform/linux/random.hpp"
#include "platform/linux/worker_link.hpp"
#include "platform/linux/worker_process.hpp"
#include "platform/mosquitto/publisher.hpp"
#include "platform/mosquitto/reader.hpp"
#include "src/channel/feed.hpp"
#include "src/deliver/session.hpp"
#include "src/deliver/source_session.hpp"

namespace tocsin {
namespace {

enum ExitCode : int { kDone = 0, kWrongStart = 2, kProtocolError = 3, kCannotWork = 4 };

/// What reading may take beyond an idle worker: one message of deliver::SourceSession::kMessageBytesMax, which the
/// library holds twice, beside TLS and the records on their way. A larger message fails to find memory, which is
/// survived.
constexpr std::size_t kReadingBytesMax = 2 * MiB;

/// One program, two minds: the first frame says whether this worker publishes or reads.
class Worker final : channel::FrameHandler, deliver::RecordOut {
  template <class Use>
  auto with_mind(Use use) {
    return source_ ? use(*source_) : use(session_);
  }

 public:
  [[nodiscard]] int run() {
    if (!publisher_.works()) return kCannotWork;
    session_.start();
    for (;;) {
      with_mind([&](auto& mind) { mind.tick(moment()); });
      if (link_.closed()) return link_.peer_was_wrong() ? kProtocolError : kDone;
      if (with_mind([](auto& mind) { return mind.ended(); }) && !link_.wants_write()) return kDone;
      turn();
    }
  }

 private:
  [[nodiscard]] mosquitto::Connection& connection() noexcept {
    if (source_) return reader_;
    return publisher_;
  }
  [[nodiscard]] deliver::Moment moment() noexcept {
    std::array<std::byte, 4> random{};
    random_.fill(random);
    return {clock_.monotonic(), load<std::uint32_t>(random.data())};
  }

  void turn() {
    auto& broker = connection();
    std::int64_t wait_ms = broker.wait_ms_max();
    if (const auto deadline = with_mind([](auto& mind) { return mind.next_deadline(); }))
      wait_ms = std::min(wait_ms, deadline->ms() - clock_.monotonic().ms() + 1);
    linux::Readiness core;
    linux::Readiness ready;
    linux::worker_wait({link_.fd(), link_.wants_write()}, {broker.fd(), broker.wants_write(), broker.wants_read()},
                       wait_ms, core, ready);
    if (core.read || core.hung_up) link_.on_readable();
    if (core.write) link_.on_writable();
    broker.on_ready(ready.read, ready.write, ready.hung_up);
    while (const auto event = broker.next_event()) {
      with_mind([&](auto& mind) { mind.on_broker(*event, moment()); });
      // A handshake leaves holes that the largest frames would otherwise come on top of.
      if (event->kind == port::BrokerEvent::Kind::connected) linux::trim_malloc();
    }
  }

  [[nodiscard]] bool on_frame(channel::FrameReader& frame) override {
    const bool is_source = frame.type() == channel::FrameType::source;
    if (is_source && !is_configured_) {
      source_.emplace(reader_, static_cast<deliver::RecordOut&>(*this));
      linux::tighten_data_limit(kReadingBytesMax);
    }
    is_configured_ = is_configured_ || is_source || frame.type() == channel::FrameType::configure;
    return with_mind([&](auto& mind) { return mind.on_frame(frame, moment()); });
  }
  [[nodiscard]] bool send(std::string frame) override { return link_.send_control(std::move(frame)); }
  [[nodiscard]] bool send_record(std::string&& frame) override { return link_.send_data(std::move(frame)); }

  linux::Clock clock_{linux::Clock::Options{}};
  linux::Random random_;
  mosquitto::Publisher publisher_;
  mosquitto::Reader reader_;
  deliver::Session session_{publisher_, *this, "tocsin-mqtt, " + mosquitto::Connection::library_name()};
  std::optional<deliver::SourceSession> source_;
  bool is_configured_ = false;
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
