// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/store_txn.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::sim {
namespace {

constexpr std::size_t kValueBytesMax = 4 * MiB;

Error bad_key() { return error(Errc::invalid_input, "a key has 1 to 511 bytes"); }

}  // namespace

Status SimRead::enter(Bytes key) {
  if (key.size() > port::kKeyBytesMax) return bad_key();
  if (epoch_ != store_.epoch_) return error(Errc::unavailable, "the process of this transaction has died");
  if (const auto fault = store_.next_operation()) return *fault;
  return {};
}

SimRead::~SimRead() {
  const std::scoped_lock guard{store_.mutex_};
  if (epoch_ != store_.epoch_) return;
  --store_.readers_;
  store_.prune();
}

Result<std::optional<Bytes>> SimRead::get(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (key.empty()) return bad_key();
  if (auto can = enter(key); !can.ok()) return can.error();
  return store_.get(key, at_);
}

Result<std::optional<port::Entry>> SimRead::at_or_after(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (auto can = enter(key); !can.ok()) return can.error();
  return store_.at_or_after(key, at_);
}

Result<std::optional<port::Entry>> SimRead::before(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (auto can = enter(key); !can.ok()) return can.error();
  return store_.before(key, at_);
}

SimWrite::~SimWrite() {
  const std::scoped_lock guard{store_.mutex_};
  if (epoch_ == store_.epoch_ && !ended_) store_.roll_back();
}

Status SimWrite::enter(Bytes key, std::size_t key_bytes_min) {
  if (key.size() < key_bytes_min || key.size() > port::kKeyBytesMax) return bad_key();
  if (epoch_ != store_.epoch_) return error(Errc::unavailable, "the process of this transaction has died");
  if (failed_) return *failed_;
  if (ended_) return error(Errc::unavailable, "the transaction has ended");
  if (const auto fault = store_.next_operation()) {
    failed_ = *fault;
    return *fault;
  }
  return {};
}

Result<std::optional<Bytes>> SimWrite::get(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (auto can = enter(key, 1); !can.ok()) return can.error();
  return store_.get(key, now());
}

Result<std::optional<port::Entry>> SimWrite::at_or_after(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (auto can = enter(key, 0); !can.ok()) return can.error();
  return store_.at_or_after(key, now());
}

Result<std::optional<port::Entry>> SimWrite::before(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (auto can = enter(key, 0); !can.ok()) return can.error();
  return store_.before(key, now());
}

Result<std::span<std::byte>> SimWrite::reserve(Bytes key, std::size_t value_bytes) {
  const std::scoped_lock guard{store_.mutex_};
  if (value_bytes > kValueBytesMax) return error(Errc::invalid_input, "a value is too long");
  if (auto can = enter(key, 1); !can.ok()) return can.error();
  const std::uint64_t before = store_.used_bytes();
  const auto value = store_.write(key, value_bytes);
  if (store_.used_bytes() > store_.quota_bytes_ && store_.used_bytes() > before) {
    failed_ = error(Errc::storage_full, "writing an entry");
    return *failed_;
  }
  return std::span{*value};
}

Status SimWrite::put(Bytes key, Bytes value) {
  const std::vector<std::byte> copy{value.begin(), value.end()};
  auto room = reserve(key, copy.size());
  if (!room.ok()) return room.error();
  std::copy(copy.begin(), copy.end(), room->begin());
  return {};
}

Status SimWrite::erase(Bytes key) {
  const std::scoped_lock guard{store_.mutex_};
  if (auto can = enter(key, 1); !can.ok()) return can;
  if (!store_.erase(key)) return error(Errc::not_found, "erasing an entry");
  return {};
}

Status SimWrite::commit() {
  const std::scoped_lock guard{store_.mutex_};
  if (epoch_ != store_.epoch_ || ended_) return error(Errc::unavailable, "the transaction has ended");
  const auto fault = store_.next_operation();
  const CommitFault planned = std::exchange(store_.commit_fault_, CommitFault::none);
  ended_ = true;
  if (failed_ || fault || planned == CommitFault::full || planned == CommitFault::failed_not_durable) {
    store_.roll_back();
    if (failed_) return *failed_;
    if (planned == CommitFault::full) return error(Errc::storage_full, "committing");
    if (!fault || fault->code != Errc::storage_full) store_.usable_ = false;
    return fault ? *fault : error(Errc::io_failed, "committing");
  }
  store_.apply();
  if (planned == CommitFault::failed_but_durable) {
    store_.usable_ = false;
    return error(Errc::io_failed, "committing");
  }
  return {};
}

}  // namespace tocsin::sim
