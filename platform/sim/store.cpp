// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/store.hpp"

#include <algorithm>

#include "platform/sim/store_txn.hpp"

namespace tocsin::sim {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kSharedMax = 2030;  ///< an entry larger than this has pages of its own, as on flash
constexpr std::uint64_t kEntryOverhead = 16;

constexpr std::uint64_t whole_pages(std::uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

}  // namespace

SimStore::~SimStore() = default;

std::optional<Error> SimStore::next_operation() {
  ++operations_;
  if (fail_at_ == 0 || operations_ < fail_at_) return {};
  if (operations_ > fail_at_ && fail_repeat_ == Repeat::once) return {};
  return error(fail_code_, "simulated fault");
}

const SimStore::Version* SimStore::visible(const std::vector<Version>& versions, std::uint64_t at) const {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->commit <= at) return version->value == nullptr ? nullptr : &*version;
  }
  return nullptr;
}

std::optional<Bytes> SimStore::get(Bytes key, std::uint64_t at) const {
  const auto found = table_.find(as_text(key));
  if (found == table_.end()) return {};
  const Version* version = visible(found->second, at);
  if (version == nullptr) return {};
  return Bytes{*version->value};
}

std::optional<port::Entry> SimStore::at_or_after(Bytes key, std::uint64_t at) const {
  for (auto it = table_.lower_bound(as_text(key)); it != table_.end(); ++it) {
    const Version* version = visible(it->second, at);
    if (version != nullptr) return port::Entry{as_bytes(it->first), Bytes{*version->value}};
  }
  return {};
}

std::optional<port::Entry> SimStore::before(Bytes key, std::uint64_t at) const {
  for (auto it = table_.lower_bound(as_text(key)); it != table_.begin();) {
    --it;
    const Version* version = visible(it->second, at);
    if (version != nullptr) return port::Entry{as_bytes(it->first), Bytes{*version->value}};
  }
  return {};
}

void SimStore::account(std::string_view key, const Version* version, std::int64_t sign) {
  if (version == nullptr || version->value == nullptr) return;
  const std::uint64_t bytes = key.size() + version->value->size() + kEntryOverhead;
  std::uint64_t& sum = bytes > kSharedMax ? own_page_bytes_ : shared_bytes_;
  const std::uint64_t weight = bytes > kSharedMax ? whole_pages(bytes) : bytes;
  sum = sign > 0 ? sum + weight : sum - weight;
}

std::uint64_t SimStore::used_bytes() const { return 2 * kPageBytes + whole_pages(shared_bytes_) + own_page_bytes_; }

std::shared_ptr<std::vector<std::byte>> SimStore::write(Bytes key, std::size_t value_bytes) {
  auto& versions = table_.try_emplace(std::string{as_text(key)}).first->second;
  touched_.emplace(as_text(key));
  if (!versions.empty()) account(as_text(key), &versions.back(), -1);
  if (versions.empty() || versions.back().commit != committed_ + 1) versions.push_back({committed_ + 1, nullptr});
  versions.back().value = std::make_shared<std::vector<std::byte>>(value_bytes);
  account(as_text(key), &versions.back(), +1);
  return versions.back().value;
}

bool SimStore::erase(Bytes key) {
  const auto found = table_.find(as_text(key));
  if (found == table_.end() || found->second.back().value == nullptr) return false;
  touched_.emplace(as_text(key));
  auto& versions = found->second;
  account(as_text(key), &versions.back(), -1);
  if (versions.back().commit != committed_ + 1) versions.push_back({committed_ + 1, nullptr});
  versions.back().value = nullptr;
  return true;
}

/// The undo log is the list of touched keys: a transaction costs what it changed, never a copy of the table.
void SimStore::roll_back() {
  for (const auto& key : touched_) {
    const auto found = table_.find(key);
    auto& versions = found->second;
    account(key, &versions.back(), -1);
    versions.pop_back();
    if (versions.empty()) {
      table_.erase(found);
    } else {
      account(key, &versions.back(), +1);
    }
  }
  touched_.clear();
  writing_ = false;
}

void SimStore::apply() {
  if (!touched_.empty()) {
    ++committed_;
    ++commits_;
  }
  for (const auto& key : touched_) {
    const Version& newest = table_.find(key)->second.back();
    written_bytes_ += key.size() + kEntryOverhead + (newest.value == nullptr ? 0 : newest.value->size());
  }
  written_bytes_ = whole_pages(written_bytes_);
  to_prune_.merge(touched_);
  touched_.clear();
  writing_ = false;
  prune();
}

void SimStore::prune() {
  if (readers_ > 0) return;
  for (auto key = to_prune_.begin(); key != to_prune_.end();) {
    const auto found = table_.find(*key);
    if (found != table_.end()) {
      auto& versions = found->second;
      if (versions.back().commit > committed_) {  // the open transaction is at it; its end brings us here again
        ++key;
        continue;
      }
      versions.erase(versions.begin(), versions.end() - 1);
      if (versions.back().value == nullptr) table_.erase(found);
    }
    key = to_prune_.erase(key);
  }
}

Result<std::unique_ptr<port::WriteTxn>> SimStore::begin_write() {
  const std::scoped_lock guard{mutex_};
  if (const auto fault = next_operation()) return *fault;
  if (!usable_) return error(Errc::unavailable, "the store is closed until it was reopened");
  if (writing_) return error(Errc::conflict, "a write transaction is open already");
  writing_ = true;
  return std::unique_ptr<port::WriteTxn>{new SimWrite{*this}};
}

Result<std::unique_ptr<port::ReadTxn>> SimStore::begin_read() {
  const std::scoped_lock guard{mutex_};
  if (const auto fault = next_operation()) return *fault;
  if (!usable_) return error(Errc::unavailable, "the store is closed until it was reopened");
  ++readers_;
  return std::unique_ptr<port::ReadTxn>{new SimRead{*this, committed_}};
}

port::StoreUse SimStore::use() const {
  const std::scoped_lock guard{mutex_};
  return {used_bytes(), quota_bytes_, kPageBytes, written_bytes_};
}

Status SimStore::reopen() {
  const std::scoped_lock guard{mutex_};
  if (writing_) return error(Errc::conflict, "a write transaction is open");
  usable_ = false;
  if (const auto fault = next_operation()) return *fault;
  usable_ = true;
  return {};
}

Status SimStore::put_note(Bytes note) {
  const std::scoped_lock guard{mutex_};
  if (note.size() > port::kNoteBytesMax) return error(Errc::invalid_input, "note longer than its slot");
  if (const auto fault = next_operation()) return *fault;
  note_.assign(note.begin(), note.end());
  written_bytes_ += kPageBytes;
  return {};
}

Result<std::size_t> SimStore::get_note(std::span<std::byte, port::kNoteBytesMax> out) {
  const std::scoped_lock guard{mutex_};
  if (const auto fault = next_operation()) return *fault;
  std::copy(note_.begin(), note_.end(), out.begin());
  return note_.size();
}

void SimStore::crash() {
  const std::scoped_lock guard{mutex_};
  if (writing_) roll_back();
  ++epoch_;
  readers_ = 0;
  usable_ = true;
  fail_at_ = 0;
  commit_fault_ = CommitFault::none;
  prune();
}

void SimStore::fail_operation(std::uint64_t k, Repeat repeat, Errc code) {
  const std::scoped_lock guard{mutex_};
  fail_at_ = k == 0 ? 0 : operations_ + k;
  fail_repeat_ = repeat;
  fail_code_ = code;
}

void SimStore::fail_next_commit(CommitFault fault) {
  const std::scoped_lock guard{mutex_};
  commit_fault_ = fault;
}

void SimStore::set_quota(std::uint64_t quota_bytes) {
  const std::scoped_lock guard{mutex_};
  quota_bytes_ = quota_bytes;
}

std::uint64_t SimStore::operations() const {
  const std::scoped_lock guard{mutex_};
  return operations_;
}

std::uint64_t SimStore::commits() const {
  const std::scoped_lock guard{mutex_};
  return commits_;
}

std::size_t SimStore::entries() const {
  const std::scoped_lock guard{mutex_};
  return static_cast<std::size_t>(std::count_if(
      table_.begin(), table_.end(), [this](const auto& row) { return visible(row.second, committed_) != nullptr; }));
}

}  // namespace tocsin::sim
