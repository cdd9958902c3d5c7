// SPDX-License-Identifier: Apache-2.0
// The worker that brings in what stands in Kafka. tocsind starts it; its settings come over descriptor 3.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "platform/linux/clock.hpp"
#include "platform/linux/random.hpp"
#include "platform/linux/worker_link.hpp"
#include "platform/linux/worker_process.hpp"
#include "platform/rdkafka/consumer.hpp"
#include "src/channel/feed.hpp"
#include "src/deliver/partition_session.hpp"

namespace tocsin {
namespace {

enum ExitCode : int { kDone = 0, kWrongStart = 2, kProtocolError = 3, kCannotWork = 4 };

class Worker final : channel::FrameHandler, deliver::RecordOut {
 public:
  [[nodiscard]] int run() {
    if (!consumer_.works()) return kCannotWork;
    session_.start();
    for (;;) {
      session_.tick(moment());
      if (link_.closed()) return link_.peer_was_wrong() ? kProtocolError : kDone;
      if (session_.broken()) return kCannotWork;
      if (session_.ended() && !link_.wants_write()) return kDone;
      turn();
    }
  }

 private:
  static constexpr std::int64_t kWaitMsMax = 60'000;

  [[nodiscard]] deliver::Moment moment() noexcept {
    std::array<std::byte, 4> random{};
    random_.fill(random);
    return {clock_.monotonic(), load<std::uint32_t>(random.data())};
  }

  void turn() {
    std::int64_t wait_ms = kWaitMsMax;
    if (const auto deadline = session_.next_deadline())
      wait_ms = std::min(wait_ms, deadline->ms() - clock_.monotonic().ms() + 1);
    linux::Readiness link;
    linux::Readiness broker;
    linux::worker_wait({link_.fd(), link_.wants_write()}, {consumer_.fd(), false}, wait_ms, link, broker);
    if (link.read || link.hung_up) link_.on_readable();
    if (link.write) link_.on_writable();
    if (broker.read) consumer_.on_readable();
  }

  [[nodiscard]] bool on_frame(channel::FrameReader& frame) override { return session_.on_frame(frame, moment()); }
  [[nodiscard]] bool send(std::string frame) override { return link_.send_control(std::move(frame)); }
  [[nodiscard]] bool send_record(std::string&& frame) override { return link_.send_data(std::move(frame)); }

  linux::Clock clock_{linux::Clock::Options{}};
  linux::Random random_;
  rdkafka::Consumer consumer_;
  deliver::PartitionSession session_{consumer_, *this, "tocsin-kafka, " + rdkafka::Consumer::library_name()};
  channel::FrameFeed feed_{channel::Sender::core, *this};
  linux::WorkerLink link_{linux::kWorkerFd, feed_};
};

/// The library's end can take seconds (a name that is being resolved), and the broker is owed no goodbye: the process
/// ends under it.
[[noreturn]] void work_and_exit() {
  std::optional<Worker> worker;  // outside of the block, so that no way out of it destroys the worker
  try {
    std::_Exit(worker.emplace().run());
  } catch (const std::bad_alloc&) {
    std::_Exit(kCannotWork);
  }
}

}  // namespace
}  // namespace tocsin

int main() {
  if (!tocsin::linux::begin_worker()) {
    std::fputs("tocsin-kafka: started by tocsind only\n", stderr);
    return tocsin::kWrongStart;
  }
  tocsin::work_and_exit();
}
