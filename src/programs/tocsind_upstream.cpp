// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_upstream.hpp"

#include <algorithm>
#include <new>

#include "src/base/hex.hpp"
#include "src/channel/writer.hpp"
#include "src/core/core.hpp"

namespace tocsin::programs {
namespace {

constexpr std::uint32_t kSmallBatchItems = 256;
constexpr std::int64_t kSmallBatchPaceMs = 5;

const char* kind_of(config::MqttProtocol protocol) noexcept {
  switch (protocol) {
    case config::MqttProtocol::mqtt_5: return "mqtt-5";
    case config::MqttProtocol::mqtt_3_1_1: return "mqtt-3.1.1";
    case config::MqttProtocol::automatic: break;
  }
  return "mqtt";
}

}  // namespace

std::array<bool, model::kLanes> UpstreamRunner::lanes_of(const config::Upstream& config) noexcept {
  const bool events = config.forward != config::Forward::alerts;
  const bool alerts = config.forward != config::Forward::events;
  return {alerts, events, events};
}

UpstreamRunner::UpstreamRunner(const WorkerParts& parts, config::Upstream config, std::uint8_t index,
                               std::size_t data_bytes_max)
    : WorkerRunner(parts, {"upstream " + config.name, "tocsin-mqtt", data_bytes_max}),
      config_(std::move(config)),
      index_(index),
      delivery_(core::Settings{}.delivery_window_bytes, lanes_of(config_)),
      self_(std::make_shared<UpstreamRunner*>(this)) {}

UpstreamRunner::~UpstreamRunner() {
  *self_ = nullptr;
  parts().loop.cancel(allowed_timer_);
}

void UpstreamRunner::start(const core::View& view) {
  delivery_.begin(view.ends, view.durable[index_], view.cursor_lost[index_]);
  launch();
}

void UpstreamRunner::on_view(const core::View& view) {
  delivery_.on_view(view.ends, view.durable[index_]);
  pump();
}

Result<std::string> UpstreamRunner::first_frame(std::string& unreadable) {
  WorkerFiles files;
  unreadable = read_worker_files({config_.password_file, config_.ca_file, config_.cert_file, config_.key_file}, files);
  if (!unreadable.empty()) return std::string{};
  const std::string appliance = to_hex(parts().identity.appliance);
  const std::string store = to_hex(parts().identity.store);
  channel::Configure frame{.upstream = config_.name,
                           .kind = kind_of(config_.protocol),
                           .topic_template = config_.topic,
                           .format = "bk",
                           .appliance_hex = appliance,
                           .store_hex = store,
                           .appliance_name = parts().appliance_name,
                           .hostname = parts().hostname,
                           .ip = parts().ip,
                           .username = config_.username,
                           .password = files.password,
                           .ca_pem = files.ca,
                           .cert_pem = files.cert,
                           .key_pem = files.key};
  for (const std::string& server : config_.servers) {
    if (frame.servers_count < channel::kServersMax) frame.servers[frame.servers_count++] = server;
  }
  return channel::write_configure(frame);
}

bool UpstreamRunner::on_own_frame(channel::FrameReader& frame) {
  switch (frame.type()) {
    case channel::FrameType::state: return on_state(frame.body());
    case channel::FrameType::credit: {
      const auto bytes = channel::read_credit(frame.body());
      if (!bytes.ok()) return false;
      delivery_.on_credit(*bytes);
      return true;
    }
    case channel::FrameType::confirm: {
      const auto confirm = channel::read_confirm(frame.body());
      if (!confirm.ok()) return false;
      const auto lane = static_cast<model::Lane>(confirm->lane);
      if (delivery_.on_confirm(lane, confirm->seq)) {
        note_success();
        forward_confirm(lane, confirm->seq);
      }
      return true;
    }
    default: return false;
  }
}

bool UpstreamRunner::on_state(Bytes body) {
  const auto state = channel::read_state(body);
  if (!state.ok()) return false;
  if (state->state == channel::LinkState::connected) {
    message_bytes_max_ = state->message_bytes_max;
    delivery_.on_connected(state->session);
    set_state("connected", std::string(state->broker));
    return true;
  }
  delivery_.on_disconnected();
  note_link_state(*state);
  return true;
}

void UpstreamRunner::forward_confirm(model::Lane lane, std::uint64_t seq) noexcept {
  core::Input input{{}, core::Confirm{index_, lane, seq, delivery_.must_record(lane)}};
  // A full intake loses nothing: the next confirmation says more.
  static_cast<void>(parts().daemon.post(std::move(input)));
}

void UpstreamRunner::pump() noexcept {
  const Monotonic now = parts().clock.now().mono;
  if (now < allowed_at_) {
    wait_until_allowed();
  } else if (link() != nullptr && !link()->closed() && !link()->data_pending()) {
    if (auto request = delivery_.next_feed()) {
      if (message_bytes_max_ != 0)
        request->batch_bytes_max =
            std::min(request->batch_bytes_max, std::max<std::uint64_t>(message_bytes_max_, 64 * 1024));
      try {
        const auto& view = parts().daemon.view();
        auto job = std::make_unique<core::FeedJob>(
            *request, view.registry, view.clocks,
            [self = self_](const core::FeedRequest& asked, const Status& outcome, const core::FeedResult& result,
                           std::string&& frame, std::uint32_t damaged) {
              if (*self == nullptr) return;
              (*self)->damaged_ += damaged;
              (*self)->take_fed(asked, outcome, result, std::move(frame));
            });
        if (!parts().daemon.post(std::move(job))) delivery_.on_feed_failed();
      } catch (const std::bad_alloc&) {
        delivery_.on_feed_failed();
      }
    }
  }
  update_interest();
}

void UpstreamRunner::take_fed(const core::FeedRequest& request, const Status& outcome, const core::FeedResult& result,
                              std::string&& frame) noexcept {
  try {
    on_fed(request, outcome, result, std::move(frame));
  } catch (const std::bad_alloc&) {
    kill();  // what was offered is offered again, marked, after the restart
  }
}

void UpstreamRunner::on_fed(const core::FeedRequest& request, const Status& outcome, const core::FeedResult& result,
                            std::string&& frame) {
  if (!outcome.ok()) {
    delivery_.on_feed_failed();
    return;  // the next event of this upstream tries again
  }
  std::optional<std::uint64_t> confirm_to;
  const std::size_t bytes = frame.size();
  if (delivery_.on_fed(request, result, bytes, confirm_to) &&
      (link() == nullptr || !link()->send_data(std::move(frame)))) {
    kill();  // what was offered is offered again, marked, after the restart
    return;
  }
  if (confirm_to) forward_confirm(request.lane, *confirm_to);
  if (result.items > 0) {
    // A message for every commit would cost the broker more than its events: small batches wait a moment for company.
    const std::int64_t pace_ms = result.items < kSmallBatchItems ? kSmallBatchPaceMs : 0;
    const std::int64_t limit_ms =
        config_.bytes_per_second > 0 ? static_cast<std::int64_t>(bytes) * 1'000 / config_.bytes_per_second : 0;
    allowed_at_ = parts().clock.now().mono.after_ms(std::max(pace_ms, limit_ms));
  }
  pump();
}

void UpstreamRunner::wait_until_allowed() noexcept {
  if (is_waiting_) return;
  auto timer = parts().loop.add_timer(allowed_at_, linux::callback<&UpstreamRunner::on_allowed>(*this));
  if (!timer.ok()) return;  // the next ping pumps again
  allowed_timer_ = *timer;
  is_waiting_ = true;
}

void UpstreamRunner::on_allowed(std::uint32_t) noexcept {
  is_waiting_ = false;
  pump();
}

/// A confirmation that found the intake full would otherwise hold its part of the window until the next one.
void UpstreamRunner::on_pause() noexcept {
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = static_cast<model::Lane>(i);
    const auto seen = delivery_.lane(lane);
    if (seen.confirmed > seen.durable) forward_confirm(lane, seen.confirmed);
  }
}

core::UpstreamStatus UpstreamRunner::status() const {
  core::UpstreamStatus out;
  out.name = config_.name;
  out.kind = "mqtt";
  tell(out);
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = delivery_.lane(static_cast<model::Lane>(i));
    out.lanes[i] = {lane.head, lane.confirmed, lane.durable, lane.offered};
  }
  out.confirmed_events = delivery_.confirmed_items();
  return out;
}

}  // namespace tocsin::programs
