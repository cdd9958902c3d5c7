// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/partition.hpp"

#include <algorithm>
#include <span>

#include "src/model/seal.hpp"

namespace tocsin::test {
namespace {

constexpr std::size_t kBatchMax = 8;
constexpr const char* kSource = "plant";
constexpr const char* kTopic = "events";

/// As the store has it: none is -1.
std::int64_t stored(std::size_t offset) noexcept {
  return offset == 0 ? model::kNoOffset : static_cast<std::int64_t>(offset);
}

}  // namespace

void Partition::begin(port::ReadTxn& txn) {
  const auto key = model::source_position_key(crypto_, kSource, kTopic, 0);
  const auto value = txn.get(key);
  if (!value.ok()) return;
  std::size_t position = 0;
  if (*value) {
    const auto opened = model::open_sealed(key, **value, model::decode_source_position);
    if (!opened.ok()) return ledger_.wrong().emplace_back("the position of a source is damaged"), void();
    position = static_cast<std::size_t>(opened->next_offset);
  }
  if (position < told_ || position > records_.size())
    return ledger_.wrong().emplace_back("the position of a source is none that it had"), void();
  for (; told_ < position; ++told_) ledger_.answered(records_[told_].tag);
  read_to_ = position;
  is_begun_ = true;
}

std::optional<Clients::Waiting> Partition::next(const core::View& view, Now now, bool is_ending) {
  if (is_out_ || !is_begun_) return std::nullopt;
  for (std::uint64_t n = is_ending ? 0 : dice_.below(4); n > 0; --n) {
    if (auto record = clients_.record(view, now)) records_.push_back(std::move(*record));
  }
  const std::size_t most = std::min(records_.size() - read_to_, kBatchMax);
  if (most == 0) return std::nullopt;
  const std::size_t count = 1 + static_cast<std::size_t>(dice_.below(most));
  auto out = clients_.batch(view, now, std::span(records_).subspan(read_to_, count));
  if (!out) return std::nullopt;
  out_to_ = read_to_ + count;
  auto& push = std::get<core::Push>(out->input.what);
  push.source = kSource;
  push.marks.push_back({kTopic, 0, stored(read_to_), static_cast<std::int64_t>(out_to_)});
  ticket_ = out->input.reply.ticket;
  is_out_ = true;
  return out;
}

bool Partition::on_answer(const core::Answer& answer) {
  is_out_ = false;
  if (!answer.refused) {
    read_to_ = told_ = out_to_;  // the world has told the ledger
    return false;
  }
  if (*answer.refused != Errc::conflict) return false;
  ++conflicts_;
  return true;
}

}  // namespace tocsin::test
