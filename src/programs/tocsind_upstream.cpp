// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_upstream.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <new>

#include "platform/linux/files.hpp"
#include "src/base/hex.hpp"
#include "src/channel/writer.hpp"
#include "src/core/core.hpp"
#include "src/deliver/backoff.hpp"

namespace tocsin::programs {
namespace {

constexpr std::int64_t kPingMs = 10'000;
/// A worker that connects, resolves names and shakes hands may be silent for a while; this long it is dead.
constexpr std::int64_t kSilenceMsMax = 60'000;
constexpr std::int64_t kSteadyMs = 30'000;
constexpr std::uint32_t kSmallBatchItems = 256;
constexpr std::int64_t kSmallBatchPaceMs = 5;
constexpr std::size_t kSecretFileBytesMax = 16 * 1024;

std::uint32_t random32(port::Random& random) {
  std::array<std::byte, 4> bytes{};
  random.fill(bytes);
  return load<std::uint32_t>(bytes.data());
}

const char* kind_of(config::MqttProtocol protocol) noexcept {
  switch (protocol) {
    case config::MqttProtocol::mqtt_5: return "mqtt-5";
    case config::MqttProtocol::mqtt_3_1_1: return "mqtt-3.1.1";
    case config::MqttProtocol::automatic: break;
  }
  return "mqtt";
}

/// What the worker gets by value, because it may not be able to read the files.
struct Files {
  std::string password, ca, cert, key;
};

/// Empty, or why one of them cannot be read, by its name.
std::string read_files(const config::Upstream& config, Files& out) {
  for (const auto& [path, text] : {std::pair{&config.password_file, &out.password}, std::pair{&config.ca_file, &out.ca},
                                   std::pair{&config.cert_file, &out.cert}, std::pair{&config.key_file, &out.key}}) {
    if (path->empty()) continue;
    auto read = linux::read_file(*path, kSecretFileBytesMax);
    if (!read.ok()) {
      return "cannot read " + *path + ": " +
             (read.error().os_errno != 0 ? std::strerror(read.error().os_errno) : "larger than 16 KiB");
    }
    *text = std::move(*read);
  }
  out.password.resize(std::min(out.password.size(), out.password.find_first_of("\r\n")));
  return {};
}

}  // namespace

std::array<bool, model::kLanes> UpstreamRunner::lanes_of(const config::Upstream& config) noexcept {
  const bool events = config.forward != config::Forward::alerts;
  const bool alerts = config.forward != config::Forward::events;
  return {alerts, events, events};
}

UpstreamRunner::UpstreamRunner(const UpstreamParts& parts, config::Upstream config, std::uint8_t index)
    : parts_(parts),
      config_(std::move(config)),
      index_(index),
      delivery_(core::Settings{}.delivery_window_bytes, lanes_of(config_)),
      self_(std::make_shared<UpstreamRunner*>(this)) {}

UpstreamRunner::~UpstreamRunner() {
  *self_ = nullptr;
  parts_.loop.cancel(timer_);
  parts_.loop.cancel(restart_timer_);
  parts_.loop.cancel(allowed_timer_);
  drop_link();
}

void UpstreamRunner::start(const core::View& view) {
  delivery_.begin(view.ends, view.durable[index_], view.cursor_lost[index_]);
  launch();
}

void UpstreamRunner::on_view(const core::View& view) {
  delivery_.on_view(view.ends, view.durable[index_]);
  pump();
}

void UpstreamRunner::set_state(std::string state, std::string detail) {
  if (state == state_ && detail == detail_) return;
  std::fprintf(stderr, "tocsind: upstream %s: %s%s%s\n", config_.name.c_str(), state.c_str(),
               detail.empty() ? "" : ": ", detail.c_str());
  state_ = std::move(state);
  detail_ = std::move(detail);
  since_ms_ = parts_.clock.now().wall.unix_ms;
}

void UpstreamRunner::note_state(const char* state, const char* detail, int number) noexcept {
  try {
    set_state(state, number < 0 ? detail : std::string{detail} + std::to_string(number));
  } catch (const std::bad_alloc&) {
    detail_.clear();  // the words are lost, not the worker
    state_ = state;   // too short to need memory
  }
}

void UpstreamRunner::launch() noexcept {
  launched_ = heard_ = parts_.clock.now().mono;
  waits_for_files_ = false;
  const auto exited = [](void* self, linux::ChildExit how) noexcept {
    static_cast<UpstreamRunner*>(self)->on_exit(how);
  };
  try {
    const linux::Process::Options options{.program = parts_.worker_dir + "/tocsin-mqtt",
                                          .data_bytes_max = parts_.worker_data_bytes_max,
                                          .timezone = parts_.timezone};
    if (auto done = process_.start(parts_.loop, options, {this, exited}); !done.ok()) return on_exit({false, 127});
    feed_ = std::make_unique<channel::FrameFeed>(channel::Sender::worker, *this);
    link_ = std::make_unique<linux::WorkerLink>(process_.channel(), *feed_);
  } catch (const std::bad_alloc&) {
    if (!process_.running()) return on_exit({false, 127});
    return process_.kill();  // its exit starts another one later
  }
  interest_ = EPOLLIN;
  auto watch = parts_.loop.add(process_.channel(), interest_, linux::callback<&UpstreamRunner::on_link>(*this));
  if (!watch.ok()) {
    process_.kill();
    return;
  }
  watch_ = *watch;
  if (auto timer =
          parts_.loop.add_timer(launched_.after_ms(kPingMs), linux::callback<&UpstreamRunner::on_timer>(*this));
      timer.ok())
    timer_ = *timer;
  note_state("starting", "");
}

void UpstreamRunner::configure() {
  Files files;
  std::string unreadable = read_files(config_, files);
  waits_for_files_ = !unreadable.empty();
  if (waits_for_files_) return set_state("refused", std::move(unreadable));  // on_timer tries again
  const std::string appliance = to_hex(parts_.identity.appliance);
  const std::string store = to_hex(parts_.identity.store);
  channel::Configure frame{.upstream = config_.name,
                           .kind = kind_of(config_.protocol),
                           .topic_template = config_.topic,
                           .format = "bk",
                           .appliance_hex = appliance,
                           .store_hex = store,
                           .appliance_name = parts_.appliance_name,
                           .hostname = parts_.hostname,
                           .ip = parts_.ip,
                           .username = config_.username,
                           .password = files.password,
                           .ca_pem = files.ca,
                           .cert_pem = files.cert,
                           .key_pem = files.key};
  for (const std::string& server : config_.servers) {
    if (frame.servers_count < channel::kServersMax) frame.servers[frame.servers_count++] = server;
  }
  auto bytes = channel::write_configure(frame);
  if (!bytes.ok() || !link_->send_control(std::move(*bytes))) process_.kill();
}

bool UpstreamRunner::on_frame(channel::FrameReader& frame) {
  heard_ = parts_.clock.now().mono;
  switch (frame.type()) {
    case channel::FrameType::hello: {
      const auto hello = channel::read_hello(frame.body());
      if (!hello.ok() || hello->version != channel::kProtocolVersion) return false;
      configure();
      return true;
    }
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
        failures_ = 0;  // it carried something: the next end is not one more in a row
        forward_confirm(lane, confirm->seq);
      }
      return true;
    }
    case channel::FrameType::pong: return channel::read_ping(frame.body()).ok();
    case channel::FrameType::log: {
      const auto log = channel::read_log(frame.body());
      if (!log.ok()) return false;
      std::fprintf(stderr, "tocsin-mqtt %s: %.*s\n", config_.name.c_str(), static_cast<int>(log->text.size()),
                   log->text.data());
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
  const char* name = state->state == channel::LinkState::connecting ? "connecting"
                     : state->state == channel::LinkState::refused  ? "refused"
                                                                    : "disconnected";
  std::string detail(state->broker);
  if (!state->reason.empty()) detail.append(detail.empty() ? "" : ": ").append(state->reason);
  set_state(name, std::move(detail));
  return true;
}

void UpstreamRunner::forward_confirm(model::Lane lane, std::uint64_t seq) noexcept {
  core::Input input{{}, core::Confirm{index_, lane, seq, delivery_.must_record(lane)}};
  // A full intake loses nothing: the next confirmation says more.
  static_cast<void>(parts_.daemon.post(std::move(input)));
}

void UpstreamRunner::on_link(std::uint32_t events) noexcept {
  if (!link_) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) link_->on_readable();
  if ((events & EPOLLOUT) != 0 && !link_->closed()) link_->on_writable();
  if (link_->closed()) {
    if (link_->peer_was_wrong())
      std::fprintf(stderr, "tocsind: worker of %s broke the protocol\n", config_.name.c_str());
    delivery_.on_disconnected();
    drop_link();
    process_.kill();
    return;
  }
  pump();
}

void UpstreamRunner::update_interest() noexcept {
  if (!link_) return;
  const std::uint32_t wanted = EPOLLIN | (link_->wants_write() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (wanted == interest_) return;
  if (parts_.loop.modify(watch_, wanted).ok()) interest_ = wanted;
}

void UpstreamRunner::pump() noexcept {
  const Monotonic now = parts_.clock.now().mono;
  if (now < allowed_at_) {
    wait_until_allowed();
  } else if (link_ && !link_->closed() && !link_->data_pending()) {
    if (auto request = delivery_.next_feed()) {
      if (message_bytes_max_ != 0)
        request->batch_bytes_max =
            std::min(request->batch_bytes_max, std::max<std::uint64_t>(message_bytes_max_, 64 * 1024));
      try {
        const auto& view = parts_.daemon.view();
        auto job = std::make_unique<core::FeedJob>(
            *request, view.registry, view.clocks,
            [self = self_](const core::FeedRequest& asked, const Status& outcome, const core::FeedResult& result,
                           std::string&& frame, std::uint32_t damaged) {
              if (*self == nullptr) return;
              (*self)->damaged_ += damaged;
              (*self)->take_fed(asked, outcome, result, std::move(frame));
            });
        if (!parts_.daemon.post(std::move(job))) delivery_.on_feed_failed();
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
    process_.kill();  // what was offered is offered again, marked, after the restart
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
  if (delivery_.on_fed(request, result, bytes, confirm_to) && (!link_ || !link_->send_data(std::move(frame)))) {
    process_.kill();  // what was offered is offered again, marked, after the restart
    return;
  }
  if (confirm_to) forward_confirm(request.lane, *confirm_to);
  if (result.items > 0) {
    // A message for every commit would cost the broker more than its events: small batches wait a moment for company.
    const std::int64_t pace_ms = result.items < kSmallBatchItems ? kSmallBatchPaceMs : 0;
    const std::int64_t limit_ms =
        config_.bytes_per_second > 0 ? static_cast<std::int64_t>(bytes) * 1'000 / config_.bytes_per_second : 0;
    allowed_at_ = parts_.clock.now().mono.after_ms(std::max(pace_ms, limit_ms));
  }
  pump();
}

void UpstreamRunner::wait_until_allowed() noexcept {
  if (is_waiting_) return;
  auto timer = parts_.loop.add_timer(allowed_at_, linux::callback<&UpstreamRunner::on_allowed>(*this));
  if (!timer.ok()) return;  // the next ping pumps again
  allowed_timer_ = *timer;
  is_waiting_ = true;
}

void UpstreamRunner::on_allowed(std::uint32_t) noexcept {
  is_waiting_ = false;
  pump();
}

void UpstreamRunner::on_timer(std::uint32_t) noexcept {
  const Monotonic now = parts_.clock.now().mono;
  if (!link_) return;
  if (now >= heard_.after_ms(kSilenceMsMax)) {
    note_state("restarting", "the worker does not answer");
    process_.kill();
    return;
  }
  // A confirmation that found the intake full would otherwise hold its part of the window until the next one.
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = static_cast<model::Lane>(i);
    const auto seen = delivery_.lane(lane);
    if (seen.confirmed > seen.durable) forward_confirm(lane, seen.confirmed);
  }
  try {
    if (waits_for_files_) configure();
    static_cast<void>(link_->send_control(channel::write_ping(static_cast<std::uint64_t>(now.ns))));
  } catch (const std::bad_alloc&) {
    return process_.kill();  // a worker that is half told what to do is started again
  }
  pump();
  if (auto timer = parts_.loop.add_timer(now.after_ms(kPingMs), linux::callback<&UpstreamRunner::on_timer>(*this));
      timer.ok())
    timer_ = *timer;
}

void UpstreamRunner::drop_link() noexcept {
  if (!link_) return;
  parts_.loop.remove(watch_);
  link_.reset();
  feed_.reset();
  process_.close_channel();
}

void UpstreamRunner::on_exit(linux::ChildExit how) noexcept {
  delivery_.on_disconnected();
  drop_link();
  parts_.loop.cancel(timer_);
  if (stopping_) return;
  ++restarts_;
  const Monotonic now = parts_.clock.now().mono;
  failures_ = now >= launched_.after_ms(kSteadyMs) ? 0 : failures_ + 1;
  const std::int64_t wait_ms =
      failures_ <= 1 ? 50 + random32(parts_.random) % 200 : deliver::backoff_ms(failures_ - 2, random32(parts_.random));
  note_state("restarting", how.by_signal ? "the worker ended by signal " : "the worker ended by status ", how.code);
  if (auto timer = parts_.loop.add_timer(now.after_ms(wait_ms), linux::callback<&UpstreamRunner::on_restart>(*this));
      timer.ok())
    restart_timer_ = *timer;
}

void UpstreamRunner::on_restart(std::uint32_t) noexcept { launch(); }

void UpstreamRunner::begin_stop() noexcept {
  stopping_ = true;
  parts_.loop.cancel(restart_timer_);
  parts_.loop.cancel(timer_);
  if (!link_) return;
  try {
    static_cast<void>(link_->send_control(channel::write_stop()));
  } catch (const std::bad_alloc&) {
    return process_.kill();
  }
  update_interest();
}

core::UpstreamStatus UpstreamRunner::status() const {
  core::UpstreamStatus out;
  out.name = config_.name;
  out.kind = "mqtt";
  out.state = state_;
  out.detail = detail_;
  out.since_ms = since_ms_;
  out.restarts = restarts_;
  out.worker_pid = process_.running() ? process_.pid() : 0;
  for (std::size_t i = 0; i < model::kLanes; ++i) {
    const auto lane = delivery_.lane(static_cast<model::Lane>(i));
    out.lanes[i] = {lane.head, lane.confirmed, lane.durable, lane.offered};
  }
  out.confirmed_events = delivery_.confirmed_items();
  return out;
}

}  // namespace tocsin::programs
