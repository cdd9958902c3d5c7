// SPDX-License-Identifier: Apache-2.0
#include "src/api/reject_box.hpp"

#include <algorithm>
#include <new>

#include "src/api/reject_text.hpp"
#include "src/model/facts.hpp"

namespace tocsin::api {
namespace {

std::pmr::memory_resource* resource_of(Budget* memory) noexcept {
  return memory != nullptr ? memory : std::pmr::null_memory_resource();
}

}  // namespace

RejectBox::RejectBox(Budget* memory, Activity& activity, std::uint32_t alert_percent) noexcept
    : memory_(memory), activity_(activity), alert_percent_(alert_percent), waiting_(resource_of(memory)) {}

void RejectBox::take(const Refusal& refusal, Wall now) noexcept {
  if (memory_ == nullptr) return;
  ++total_;
  activity_.on_reject(refusal.data_id);
  try {
    add(refusal, now);
  } catch (const std::bad_alloc&) {
    ++left_out_;
  }
}

void RejectBox::add(const Refusal& refusal, Wall now) {
  const std::string_view code = refusal.code.substr(0, model::kRejectCodeBytesMax);
  auto at = std::ranges::find_if(
      waiting_, [&](const core::Refused& one) { return one.data_id == refusal.data_id && one.code == code; });
  if (at == waiting_.end()) {
    if (waiting_.size() >= kRefusedWaitingMax) throw std::bad_alloc();
    waiting_.reserve(kRefusedWaitingMax);
    core::Refused fresh(memory_);
    fresh.data_id = refusal.data_id;
    fresh.code = code;
    fresh.first_ms = now.unix_ms;
    waiting_.push_back(std::move(fresh));
    at = waiting_.end() - 1;
  }
  ++at->count;
  at->last_ms = now.unix_ms;
  at->is_time_trusted = now.trusted;
  if (at->count > 1) return;  // one body between two writes is enough, and a flood of refusals costs no copies
  at->http_status = refusal.http_status;
  at->way = refusal.way;
  at->body_bytes = static_cast<std::uint32_t>(refusal.body.size());
  try {
    at->message = model::cut_utf8(refusal.message, model::kRejectMessageBytesMax);
    hide_token(refusal.token, at->message);
    at->is_whole = !refusal.body.empty() && keep_body(refusal.body, refusal.token, refusal.is_json, at->body);
  } catch (const std::bad_alloc&) {
    at->body.clear();  // that it happened is kept all the same; no half-masked body is
    ++left_out_;
  }
}

bool RejectBox::is_over(const Slot& slot, bool was_over) const noexcept {
  if (alert_percent_ == 0) return false;
  const std::uint64_t requests = slot.requests();
  // Few requests say little, so it stays as it was; a whole window without a refused one ends it.
  if (requests < kRejectRequestsMin) return was_over && (slot.rejects() > 0 || activity_.halves() < 2);
  // What is open ends at half of it, so that a share near the limit is one alert and not many.
  return slot.rejects() * 200 > requests * alert_percent_ * (was_over ? 1 : 2);
}

std::vector<core::RejectAlarm> RejectBox::alarms(const registry::Registry& registry,
                                                 const core::RejectAlarms& open) const {
  std::vector<core::RejectAlarm> out;
  const auto judge = [&](const Slot& slot, bool was_over) {
    const bool over = registry.instance(slot.data_id) != nullptr && is_over(slot, was_over);
    if (over == was_over || out.size() >= kRejectAlarmsPerWriteMax) return;
    out.push_back({slot.data_id, over, slot.requests(), slot.rejects()});
  };
  for (const Slot& slot : activity_.slots()) judge(slot, std::ranges::binary_search(open, slot.data_id));
  for (const std::int32_t data_id : open) {
    if (activity_.find(data_id) != nullptr) continue;
    Slot silent;
    silent.data_id = data_id;
    judge(silent, true);
  }
  return out;
}

std::optional<core::TakeRejects> RejectBox::take_due(Monotonic now, const registry::Registry& registry,
                                                     const core::RejectAlarms& open, bool is_last) {
  if (memory_ == nullptr) return std::nullopt;
  activity_.turn(now, registry);
  if (!is_last && written_ && now < written_->after_ms(kRejectWriteMs)) return std::nullopt;
  core::TakeRejects out(memory_);
  out.alarms = alarms(registry, open);
  if (waiting_.empty() && out.alarms.empty()) return std::nullopt;
  out.refused.swap(waiting_);
  written_ = now;
  return out;
}

void RejectBox::give_back(core::TakeRejects&& what) noexcept {
  waiting_.swap(what.refused);
  written_.reset();
}

bool post_rejects(RejectBox& box, Daemon& daemon, bool is_last) {
  const core::View& view = daemon.view();
  auto due = box.take_due(daemon.now().mono, *view.registry, *view.reject_alarms, is_last);
  if (!due) return true;
  core::Input input{{}, std::move(*due)};
  if (daemon.post(std::move(input))) return true;
  // What a full queue refuses stays with the caller. NOLINTNEXTLINE(bugprone-use-after-move)
  box.give_back(std::move(std::get<core::TakeRejects>(input.what)));
  return false;
}

}  // namespace tocsin::api
