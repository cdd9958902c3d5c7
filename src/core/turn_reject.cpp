// SPDX-License-Identifier: Apache-2.0
// The reject box: what was refused of senders that are known. FORMAT.md "refusals" has its bytes.
#include <algorithm>

#include "src/core/rejects.hpp"
#include "src/core/turn.hpp"
#include "src/model/codec.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

/// Above this much of the quota the box takes nothing: what is left is for what was promised.
constexpr std::uint64_t kRejectsUntilShare = 90;

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kOwnPagesFrom = 2000;  ///< a value of this size or more has pages of its own
constexpr std::uint64_t kEntryBytes = 96;      ///< key and bookkeeping of one entry, generous

std::uint64_t bytes_on_flash(std::size_t value_bytes) noexcept {
  if (value_bytes < kOwnPagesFrom) return value_bytes + kEntryBytes;
  return (value_bytes + kEntryBytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

/// One entry of the box while a turn looks for the oldest.
struct InBox {
  std::string key;
  std::uint64_t order = 0;
  std::uint64_t bytes = 0;
};

struct Box {
  std::vector<InBox> entries;
  std::vector<std::string> damaged;
};

Result<Box> read_box(port::ReadTxn& txn) {
  Box box;
  std::string next{as_text(Key(Table::reject))};
  for (;;) {
    auto entry = txn.at_or_after(as_bytes(next));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::reject)) return box;
    const std::string key{as_text((*entry)->key)};
    next = key;
    next.push_back('\0');
    if (key.size() == Bytes(model::reject_alarm_key(0)).size()) continue;
    const auto reject = model::open_sealed((*entry)->key, (*entry)->value, model::decode_reject);
    if (reject.ok()) {
      box.entries.push_back({key, reject->order, bytes_on_flash((*entry)->value.size())});
    } else {
      box.damaged.push_back(key);
    }
  }
}

void merge(const Refused& from, model::Reject& into) {
  if (into.count == 0) into.first_ms = from.first_ms;
  into.data_id = from.data_id;
  into.code = from.code;
  into.message = from.message;
  into.http_status = from.http_status;
  into.is_time_trusted = from.is_time_trusted;
  into.count += from.count;
  into.last_ms = from.last_ms;
  // An older body is better than none, and one that can be sent again better than a part of one.
  if (from.body.empty() && !into.body.empty()) return;
  if (into.is_whole && !from.is_whole) return;
  into.way = from.way;
  into.is_whole = from.is_whole;
  into.body_bytes = from.body_bytes;
  into.body = from.body;
}

}  // namespace

Status Core::Turn::apply_rejects(const TakeRejects& take) {
  if (auto done = keep_refused(take.refused); !done.ok()) return done.error().in("reject box");
  for (const RejectAlarm& alarm : take.alarms) {
    if (auto done = apply_alarm(alarm); !done.ok()) return done.error().in("alert about rejects");
  }
  return {};
}

Status Core::Turn::keep_refused(std::span<const Refused> refused) {
  const auto use = ports_.store.use();
  if (refused.empty() || use.used_bytes > use.quota_bytes / 100 * kRejectsUntilShare) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  auto box = read_box(*txn_);
  if (!box.ok()) return box.error();
  for (const std::string& key : box->damaged) {
    ++damaged_;
    if (auto done = txn_->erase(as_bytes(key)); !done.ok()) return done;
  }
  auto& entries = box->entries;
  std::uint64_t order = 0;
  for (const InBox& one : entries) order = std::max(order, one.order);
  for (const Refused& one : refused) {
    const Key key = model::reject_key(one.data_id, one.code);
    auto stored = txn_->get(key);
    if (!stored.ok()) return stored.error();
    model::Reject reject;
    if (*stored) {
      auto opened = model::open_sealed(key, **stored, model::decode_reject);
      if (opened.ok()) reject = std::move(*opened);
    }
    merge(one, reject);
    reject.order = ++order;
    std::string value;
    model::encode(reject, value);
    model::seal(key, value);
    if (auto done = txn_->put(key, as_bytes(value)); !done.ok()) return done;
    std::erase_if(entries, [&](const InBox& other) { return other.key == as_text(key); });
    entries.push_back({std::string{as_text(key)}, order, bytes_on_flash(value.size())});
  }
  std::ranges::sort(entries, {}, &InBox::order);
  std::uint64_t bytes = 0;
  for (const InBox& one : entries) bytes += one.bytes;
  std::size_t count = entries.size();
  for (const InBox& oldest : entries) {
    if (count <= kRejectBoxEntriesMax && bytes <= use.quota_bytes / 100 * kRejectBoxShare) break;
    if (auto done = txn_->erase(as_bytes(oldest.key)); !done.ok()) return done;
    bytes -= oldest.bytes;
    --count;
  }
  return {};
}

Status Core::Turn::apply_alarm(const RejectAlarm& alarm) {
  const RejectAlarms& known = *reject_alarms_;
  const auto at = std::ranges::lower_bound(known, alarm.data_id);
  const bool was_over = at != known.end() && *at == alarm.data_id;
  if (was_over == alarm.is_over) return {};
  if (auto done = need_txn(); !done.ok()) return done;
  auto next = std::make_shared<RejectAlarms>(known);
  const auto place = next->begin() + (at - known.begin());
  const std::string id = std::to_string(alarm.data_id);
  const std::string share = std::to_string(alarm.rejects) + " of the last " + std::to_string(alarm.requests) +
                            " requests of data id " + id + " were refused";
  const Key key = model::reject_alarm_key(alarm.data_id);
  Status done;
  if (alarm.is_over) {
    std::string since;
    model::Encoder(since).put(now_.wall.unix_ms);
    model::seal(key, since);
    done = txn_->put(key, as_bytes(since));
    const std::string hint = share + "; tocsinctl reject list --plugin " + id + " says why";
    if (done.ok()) done = raise_own({kRejectAlertName, hint, 2, alarm.data_id});
    next->insert(place, alarm.data_id);
  } else {
    done = txn_->erase(key);
    if (done.ok() || done.error().code == Errc::not_found)
      done =
          recover_own({kRejectAlertName, alarm.requests == 0 ? "it sends nothing any more" : share, 2, alarm.data_id});
    next->erase(place);
  }
  if (!done.ok()) return done;
  reject_alarms_ = std::move(next);
  return {};
}

}  // namespace tocsin::core
