// SPDX-License-Identifier: Apache-2.0
#include "src/api/look_back.hpp"

#include <algorithm>

#include "src/model/segment.hpp"
#include "src/model/tables.hpp"

namespace tocsin::api {
namespace {

std::uint64_t mask_of(const std::vector<std::int32_t>& data_ids) noexcept {
  std::uint64_t mask = 0;
  for (const std::int32_t data_id : data_ids) mask |= 1ULL << (static_cast<std::uint32_t>(data_id) % 64U);
  return mask;
}

}  // namespace

LookBack::LookBack(const Daemon& daemon, const LookedBack& from, std::vector<std::int32_t> wanted,
                   std::shared_ptr<const core::BootClocks> clocks)
    : place_(from),
      wanted_(std::move(wanted)),
      wanted_mask_(mask_of(wanted_)),
      clocks_(std::move(clocks)),
      limit_(daemon) {}

Result<bool> LookBack::step(port::ReadTxn& txn) {
  limit_.begin_slice();
  while (!limit_.is_slice_over()) {
    if (wanted_.empty() || place_.is_done()) return true;
    for (std::size_t lane = 0; lane < kEventLanes.size(); ++lane) {
      if (auto found = find_next(txn, lane); !found.ok()) return found.error();
    }
    const std::size_t lane = place_.next[0] > place_.next[1] ? 0 : 1;
    if (auto read = read_segment(txn, lane); !read.ok()) return read.error();
  }
  return limit_.is_over();
}

Result<std::optional<port::Entry>> LookBack::before(port::ReadTxn& txn, std::size_t lane) {
  limit_.count(LookLimit::kSegmentBytes);
  auto entry = txn.before(model::segment_key(kEventLanes[lane], place_.next[lane] + 1));
  if (!entry.ok()) return entry.error().in("last seen: read");
  const bool is_mine = *entry && (*entry)->key.size() == 10 && model::is_in((*entry)->key, model::Table::lane) &&
                       (*entry)->key[1] == static_cast<std::byte>(kEventLanes[lane]);
  return is_mine ? entry : std::optional<port::Entry>{};
}

/// Which lane has the newer segment is known when both were found.
Status LookBack::find_next(port::ReadTxn& txn, std::size_t lane) {
  if (is_found_[lane] || place_.next[lane] == 0) return {};
  const auto entry = before(txn, lane);
  if (!entry.ok()) return entry.error();
  is_found_[lane] = true;
  if (!*entry) {
    place_.next[lane] = 0;
    return {};
  }
  const auto segment = model::SegmentReader::open((*entry)->key, (*entry)->value);
  const std::uint64_t last_seq = segment.ok() ? segment->last_seq() : load_be64((*entry)->key.data() + 2);
  place_.next[lane] = std::min(place_.next[lane], last_seq);
  return {};
}

Status LookBack::read_segment(port::ReadTxn& txn, std::size_t lane) {
  is_found_[lane] = false;
  const auto entry = before(txn, lane);
  if (!entry.ok()) return entry.error();
  const std::uint64_t first_seq = *entry ? load_be64((*entry)->key.data() + 2) : 0;
  place_.next[lane] = first_seq <= 1 ? 0 : first_seq - 1;  // sequences begin at 1
  if (!*entry) return {};
  auto segment = model::SegmentReader::open((*entry)->key, (*entry)->value);
  if (segment.ok() && (segment->header().plugin_mask & wanted_mask_) != 0) collect(*segment);
  return {};
}

/// The last record of an instance counts.
void LookBack::collect(model::SegmentReader& segment) {
  const std::size_t before = found_.size();
  while (const auto data_id = segment.peek()) {
    limit_.count(LookLimit::kRecordBytes);
    if (!std::ranges::binary_search(wanted_, *data_id)) {
      segment.skip();
      continue;
    }
    const auto record = segment.next();
    if (!record) break;
    limit_.count(record->json.size());
    const model::SegmentHeader& header = segment.header();
    const bool is_trusted = (header.flags & model::kSegmentTrusted) != 0;
    const Wall received = clocks_ ? clocks_->date(header.boot, is_trusted, record->wall_ms, record->mono_ms)
                                  : Wall{record->wall_ms, is_trusted};
    const auto at = std::find_if(found_.begin() + static_cast<std::ptrdiff_t>(before), found_.end(),
                                 [&](const Found& one) { return one.data_id == record->data_id; });
    if (at != found_.end()) {
      at->received = received;
    } else if (std::ranges::binary_search(wanted_, record->data_id)) {
      found_.push_back({record->data_id, received});
    }
  }
  if (found_.size() == before) return;
  std::erase_if(wanted_, [&](std::int32_t data_id) {
    return std::any_of(found_.begin() + static_cast<std::ptrdiff_t>(before), found_.end(),
                       [&](const Found& one) { return one.data_id == data_id; });
  });
  wanted_mask_ = mask_of(wanted_);
}

}  // namespace tocsin::api
