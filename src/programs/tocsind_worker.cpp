// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_worker.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <new>

#include "platform/linux/files.hpp"
#include "src/channel/writer.hpp"
#include "src/deliver/backoff.hpp"

namespace tocsin::programs {
namespace {

constexpr std::int64_t kPingMs = 10'000;
/// A worker that connects, resolves names and shakes hands may be silent for a while; this long it is dead.
constexpr std::int64_t kSilenceMsMax = 60'000;
constexpr std::int64_t kSteadyMs = 30'000;
constexpr std::size_t kSecretFileBytesMax = 16 * 1024;

std::uint32_t random32(port::Random& random) {
  std::array<std::byte, 4> bytes{};
  random.fill(bytes);
  return load<std::uint32_t>(bytes.data());
}

}  // namespace

std::string read_worker_files(const WorkerFileNames& names, WorkerFiles& out) {
  for (const auto& [path, text] : {std::pair{&names.password_file, &out.password}, std::pair{&names.ca_file, &out.ca},
                                   std::pair{&names.cert_file, &out.cert}, std::pair{&names.key_file, &out.key}}) {
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

WorkerRunner::WorkerRunner(const WorkerParts& parts, Program program) : parts_(parts), program_(std::move(program)) {}

WorkerRunner::~WorkerRunner() {
  parts_.loop.cancel(timer_);
  parts_.loop.cancel(restart_timer_);
  drop_link();
}

void WorkerRunner::set_state(std::string state, std::string detail) {
  if (state == state_ && detail == detail_) return;
  std::fprintf(stderr, "tocsind: %s: %s%s%s\n", program_.what.c_str(), state.c_str(), detail.empty() ? "" : ": ",
               detail.c_str());
  state_ = std::move(state);
  detail_ = std::move(detail);
  since_ms_ = parts_.clock.now().wall.unix_ms;
}

void WorkerRunner::note_state(const char* state, const char* detail, int number) noexcept {
  try {
    set_state(state, number < 0 ? detail : std::string{detail} + std::to_string(number));
  } catch (const std::bad_alloc&) {
    detail_.clear();  // the words are lost, not the worker
    state_ = state;   // too short to need memory
  }
}

void WorkerRunner::launch() noexcept {
  launched_ = heard_ = parts_.clock.now().mono;
  waits_for_files_ = false;
  const auto exited = [](void* self, linux::ChildExit how) noexcept { static_cast<WorkerRunner*>(self)->on_exit(how); };
  try {
    const linux::Process::Options options{.program = parts_.worker_dir + "/" + program_.name,
                                          .data_bytes_max = program_.data_bytes_max,
                                          .timezone = parts_.timezone};
    if (auto done = process_.start(parts_.loop, options, {this, exited}); !done.ok()) return on_exit({false, 127});
    feed_ = std::make_unique<channel::FrameFeed>(channel::Sender::worker, *this);
    link_ = std::make_unique<linux::WorkerLink>(process_.channel(), *feed_);
  } catch (const std::bad_alloc&) {
    if (!process_.running()) return on_exit({false, 127});
    return process_.kill();  // its exit starts another one later
  }
  interest_ = EPOLLIN;
  auto watch = parts_.loop.add(process_.channel(), interest_, linux::callback<&WorkerRunner::on_link>(*this));
  if (!watch.ok()) {
    process_.kill();
    return;
  }
  watch_ = *watch;
  if (auto timer = parts_.loop.add_timer(launched_.after_ms(kPingMs), linux::callback<&WorkerRunner::on_timer>(*this));
      timer.ok())
    timer_ = *timer;
  note_state("starting", "");
}

void WorkerRunner::configure() {
  std::string unreadable;
  auto frame = first_frame(unreadable);
  waits_for_files_ = frame.ok() && frame->empty();
  if (waits_for_files_) return set_state("refused", std::move(unreadable));  // on_timer tries again
  if (!frame.ok() || !link_->send_control(std::move(*frame))) process_.kill();
}

bool WorkerRunner::on_frame(channel::FrameReader& frame) {
  heard_ = parts_.clock.now().mono;
  switch (frame.type()) {
    case channel::FrameType::hello: {
      const auto hello = channel::read_hello(frame.body());
      if (!hello.ok() || hello->version != channel::kProtocolVersion) return false;
      configure();
      return true;
    }
    case channel::FrameType::pong: return channel::read_ping(frame.body()).ok();
    case channel::FrameType::log: {
      const auto log = channel::read_log(frame.body());
      if (!log.ok()) return false;
      std::fprintf(stderr, "%s %s: %.*s\n", program_.name.c_str(), program_.what.c_str(),
                   static_cast<int>(log->text.size()), log->text.data());
      return true;
    }
    default: return on_own_frame(frame);
  }
}

void WorkerRunner::note_link_state(const channel::State& state) {
  const char* name = state.state == channel::LinkState::connecting ? "connecting"
                     : state.state == channel::LinkState::refused  ? "refused"
                                                                   : "disconnected";
  std::string detail(state.broker);
  if (!state.reason.empty()) detail.append(detail.empty() ? "" : ": ").append(state.reason);
  set_state(name, std::move(detail));
}

void WorkerRunner::on_link(std::uint32_t events) noexcept {
  if (!link_) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) link_->on_readable();
  if ((events & EPOLLOUT) != 0 && !link_->closed()) link_->on_writable();
  if (link_->closed()) {
    if (link_->peer_was_wrong())
      std::fprintf(stderr, "tocsind: the worker of %s broke the protocol\n", program_.what.c_str());
    on_disconnected();
    drop_link();
    process_.kill();
    return;
  }
  pump();
}

void WorkerRunner::update_interest() noexcept {
  if (!link_) return;
  const std::uint32_t wanted = EPOLLIN | (link_->wants_write() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (wanted == interest_) return;
  if (parts_.loop.modify(watch_, wanted).ok()) interest_ = wanted;
}

void WorkerRunner::on_timer(std::uint32_t) noexcept {
  const Monotonic now = parts_.clock.now().mono;
  if (!link_) return;
  if (now >= heard_.after_ms(kSilenceMsMax)) {
    note_state("restarting", "the worker does not answer");
    process_.kill();
    return;
  }
  on_pause();
  try {
    if (waits_for_files_) configure();
    static_cast<void>(link_->send_control(channel::write_ping(static_cast<std::uint64_t>(now.ns))));
  } catch (const std::bad_alloc&) {
    return process_.kill();  // a worker that is half told what to do is started again
  }
  pump();
  if (auto timer = parts_.loop.add_timer(now.after_ms(kPingMs), linux::callback<&WorkerRunner::on_timer>(*this));
      timer.ok())
    timer_ = *timer;
}

void WorkerRunner::drop_link() noexcept {
  if (!link_) return;
  parts_.loop.remove(watch_);
  link_.reset();
  feed_.reset();
  process_.close_channel();
}

void WorkerRunner::on_exit(linux::ChildExit how) noexcept {
  on_disconnected();
  drop_link();
  parts_.loop.cancel(timer_);
  if (stopping_) return;
  ++restarts_;
  const Monotonic now = parts_.clock.now().mono;
  failures_ = now >= launched_.after_ms(kSteadyMs) ? 0 : failures_ + 1;
  const std::int64_t wait_ms =
      failures_ <= 1 ? 50 + random32(parts_.random) % 200 : deliver::backoff_ms(failures_ - 2, random32(parts_.random));
  note_state("restarting", how.by_signal ? "the worker ended by signal " : "the worker ended by status ", how.code);
  if (auto timer = parts_.loop.add_timer(now.after_ms(wait_ms), linux::callback<&WorkerRunner::on_restart>(*this));
      timer.ok())
    restart_timer_ = *timer;
}

void WorkerRunner::on_restart(std::uint32_t) noexcept { launch(); }

void WorkerRunner::begin_stop() noexcept {
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

}  // namespace tocsin::programs
