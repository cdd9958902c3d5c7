// SPDX-License-Identifier: Apache-2.0
#include "src/api/syslog.hpp"

#include <algorithm>
#include <new>

namespace tocsin::api {
SyslogIntake::SyslogIntake(const SyslogParts& parts, SyslogSettings settings)
    : parts_(parts), settings_(std::move(settings)), instance_(settings_.plugin), writer_(parts_.crypto) {
  status_.name = settings_.name;
  status_.plugin = settings_.plugin;
}

/// Null: no instance takes messages.
const model::Instance* SyslogIntake::find_instance() noexcept {
  const model::Instance* const one = instance_.find(*parts_.daemon.view().registry);
  return one != nullptr && one->max_rate >= -1 ? one : nullptr;
}

bool SyslogIntake::is_full() const noexcept {
  return input_ && (batch().items.size() >= kMessagesMax || batch().bytes.size() >= kBatchBytes);
}

SyslogIntake::Taken SyslogIntake::take(std::string_view message, bool is_cut, std::string_view peer) noexcept {
  const model::Instance* const instance = find_instance();
  if (instance == nullptr || is_over_) {
    ++status_.dropped_no_instance;
    return Taken::dropped;
  }
  const Monotonic now = parts_.daemon.now().mono;
  retry_at_ = now.after_ms(kDelayMs);
  if (!make_room(now)) return Taken::no_room;
  try {
    begin(message.size());  // before the rate: who finds no memory is not charged
    std::uint16_t wait_s = parts_.total_rate.wait(now);
    if (wait_s == 0) {
      parts_.rate.follow(*parts_.daemon.view().registry);
      wait_s = parts_.rate.take(instance->data_id, instance->max_rate, now);
    }
    if (wait_s != 0) {
      retry_at_ = now.after_ms(1000 * std::int64_t{wait_s});
      return Taken::no_rate;
    }
    parts_.total_rate.take(now);
    return add(*instance, message, is_cut, peer);
  } catch (const std::bad_alloc&) {
    return Taken::no_room;
  }
}

void SyslogIntake::begin(std::size_t message_bytes) {
  if (!input_) {
    const Now now = parts_.daemon.now();
    input_.emplace(core::Input{{}, core::Push{model::EventBatch(parts_.intake), false}});
    batch().received = now;
    batch().registry_generation = parts_.daemon.view().registry->generation();
    parts_.random.fill(batch().request_id);
    due_ = now.mono.after_ms(kDelayMs);
  }
  ingest::SyslogWriter::reserve(message_bytes, batch());
}

SyslogIntake::Taken SyslogIntake::add(const model::Instance& instance, std::string_view message, bool is_cut,
                                      std::string_view peer) {
  const ingest::SyslogOrigin origin{.event_name = settings_.event_name,
                                    .address = peer,
                                    .own_host = settings_.own_host,
                                    .prefers_hostname = settings_.prefers_hostname,
                                    .is_cut = is_cut};
  if (!writer_.add(ingest::parse_syslog(message), origin, instance, batch())) {
    lose(1);
    return Taken::dropped;
  }
  ++status_.messages;
  status_.cut += is_cut ? 1 : 0;
  return Taken::yes;
}

/// Whether the batch takes one more message; a full one is sent first, one of another registry too.
bool SyslogIntake::make_room(Monotonic now) noexcept {
  if (!input_) return true;
  return (!is_full() && batch().registry_generation == parts_.daemon.view().registry->generation()) || flush(now);
}

/// False: the writer has one already, or takes nothing now.
bool SyslogIntake::flush(Monotonic now) noexcept {
  if (sent_messages_ != 0 && now >= sent_at_.after_ms(kAnswerMs)) {
    lose(sent_messages_);
    sent_messages_ = 0;
  }
  if (input_ && batch().items.empty()) input_.reset();
  if (!input_) return true;
  if (sent_messages_ != 0 && !is_over_) return false;
  const std::size_t messages = batch().items.size();
  input_->reply = {sent_ + 1, settings_.reply_shape, batch().request_id};
  if (!parts_.daemon.post(std::move(*input_))) return false;
  input_.reset();
  ++sent_;
  sent_messages_ = messages;
  sent_at_ = now;
  return true;
}

bool SyslogIntake::has_room() noexcept {
  if (find_instance() == nullptr) return true;
  const Monotonic now = parts_.daemon.now().mono;
  if (make_room(now)) {
    full_since_.reset();
    return true;
  }
  if (!full_since_) full_since_ = now;
  if (now >= full_since_->after_ms(kPatienceMs)) return true;
  more_waits_ = true;
  more_due_ = now.after_ms(kDelayMs);
  return false;
}

void SyslogIntake::on_datagram(Bytes message, bool is_cut, std::string_view peer) noexcept {
  const std::string_view text = as_text(message);
  if (text.find_first_not_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos) return;
  switch (take(text, is_cut, peer)) {
    case Taken::no_rate: ++status_.dropped_rate; break;
    case Taken::no_room: ++status_.dropped_no_room; break;
    case Taken::yes:
    case Taken::dropped: break;
  }
}

std::size_t SyslogIntake::on_stream(std::size_t slot, Bytes waiting, bool is_end, std::string_view peer) noexcept {
  const std::string_view text = as_text(waiting);
  ingest::SyslogFrames& frames = frames_[slot];
  std::size_t at = 0;
  while (at < text.size()) {
    const auto step = frames.next(text.substr(at), is_end);
    if (step.bytes == 0) break;
    const bool is_empty = step.message.find_first_not_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
    if (!is_empty) {
      const Taken taken = take(step.message, step.is_cut, peer);
      if (taken == Taken::no_rate || taken == Taken::no_room) {
        more_waits_ = true;
        more_due_ = retry_at_;
        break;
      }
    }
    frames.take(step);
    at += step.bytes;
  }
  return at;
}

void SyslogIntake::on_answer(const core::Answer& answer) noexcept {
  if (sent_messages_ == 0 || answer.reply.ticket != sent_) return;
  if (answer.refused) lose(sent_messages_);
  sent_messages_ = 0;
  more_due_ = {};  // there is room
}

std::optional<Monotonic> SyslogIntake::on_time(Monotonic now) noexcept {
  if (input_ && (is_full() || now >= due_) && !flush(now)) due_ = now.after_ms(kDelayMs);
  if (!input_ && !more_waits_) return std::nullopt;
  if (!input_) return more_due_;
  return more_waits_ ? std::min(due_, more_due_) : due_;
}

bool SyslogIntake::wants_more(Monotonic now) noexcept {
  if (!more_waits_ || now < more_due_) return false;
  more_waits_ = false;
  return true;
}

void SyslogIntake::finish() noexcept {
  is_over_ = true;
  static_cast<void>(flush(parts_.daemon.now().mono));
}

}  // namespace tocsin::api
