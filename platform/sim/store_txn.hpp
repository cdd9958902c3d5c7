// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "platform/sim/store.hpp"

namespace tocsin::sim {

class SimRead final : public port::ReadTxn {
 public:
  /// The caller holds the store's mutex and has counted the reader.
  SimRead(SimStore& store, std::uint64_t at) : store_(store), epoch_(store.epoch_), at_(at) {}
  ~SimRead() override;
  SimRead(const SimRead&) = delete;
  SimRead& operator=(const SimRead&) = delete;
  [[nodiscard]] Result<std::optional<Bytes>> get(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> at_or_after(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> before(Bytes key) override;

 private:
  [[nodiscard]] Status enter(Bytes key);
  SimStore& store_;
  std::uint64_t epoch_;
  std::uint64_t at_;
};

class SimWrite final : public port::WriteTxn {
 public:
  /// The caller holds the store's mutex.
  explicit SimWrite(SimStore& store) : store_(store), epoch_(store.epoch_) {}
  ~SimWrite() override;
  SimWrite(const SimWrite&) = delete;
  SimWrite& operator=(const SimWrite&) = delete;
  [[nodiscard]] Result<std::optional<Bytes>> get(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> at_or_after(Bytes key) override;
  [[nodiscard]] Result<std::optional<port::Entry>> before(Bytes key) override;
  [[nodiscard]] Status put(Bytes key, Bytes value) override;
  [[nodiscard]] Result<std::span<std::byte>> reserve(Bytes key, std::size_t value_bytes) override;
  [[nodiscard]] Status erase(Bytes key) override;
  [[nodiscard]] Status commit() override;

 private:
  [[nodiscard]] Status enter(Bytes key, std::size_t key_bytes_min);
  [[nodiscard]] std::uint64_t now() const { return store_.committed_ + 1; }

  SimStore& store_;
  std::uint64_t epoch_;
  bool ended_ = false;
  std::optional<Error> failed_;  ///< every later call answers the same
};

}  // namespace tocsin::sim
