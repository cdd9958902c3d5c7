// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "tests/sim/clients.hpp"

namespace tocsin::test {

/// One partition of a broker, and the source that reads it as api::RecordIntake does: one batch at a time, made again
/// from the same records after a refusal, begun again where the store is after a conflict or a start.
class Partition {
 public:
  Partition(Clients& clients, const port::Crypto& crypto, Ledger& ledger, Dice& dice)
      : clients_(clients), crypto_(crypto), ledger_(ledger), dice_(dice) {}

  /// The daemon began, or the writer has another position: everything before the stored one is on flash.
  void begin(port::ReadTxn& txn);
  void crash() noexcept { is_out_ = is_begun_ = false; }
  /// The next batch; nullopt: one is out, or there is nothing to read now.
  [[nodiscard]] std::optional<Clients::Waiting> next(const core::View& view, Now now, bool is_ending);
  [[nodiscard]] bool is_mine(const core::Answer& answer) const noexcept {
    return is_out_ && answer.reply.ticket == ticket_;
  }
  /// True: the store must be asked.
  [[nodiscard]] bool on_answer(const core::Answer& answer);
  [[nodiscard]] bool has_all() const noexcept { return !is_out_ && is_begun_ && read_to_ == records_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
  [[nodiscard]] std::uint64_t conflicts() const noexcept { return conflicts_; }

 private:
  Clients& clients_;
  const port::Crypto& crypto_;
  Ledger& ledger_;
  Dice& dice_;
  std::vector<Clients::Record> records_;  ///< by offset
  std::size_t read_to_ = 0;
  std::size_t out_to_ = 0;
  std::size_t told_ = 0;  ///< the ledger knows that these are on flash
  std::uint64_t ticket_ = 0;
  std::uint64_t conflicts_ = 0;
  bool is_out_ = false;
  bool is_begun_ = false;
};

}  // namespace tocsin::test
