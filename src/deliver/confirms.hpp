// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace tocsin::deliver {

/// Turns acknowledgements in any order into "everything of this lane up to here".
/// Memory: one entry a message from add() until it and all before it in its lane are acknowledged; the owner bounds
/// size().
class Confirms {
 public:
  struct Acked {
    std::uint8_t lane = 0;
    std::uint64_t confirmed_seq = 0;  ///< 0: nothing new, an earlier message of the lane is still out
    std::uint32_t cost_bytes = 0;     ///< credit that this message gives back
  };

  /// Messages of a lane are added in the order of their sequences. `message` is not out already.
  void add(int message, std::uint8_t lane, std::uint64_t last_seq, std::uint32_t cost_bytes) {
    entries_.push_back({message, lane, last_seq, cost_bytes, false});
  }

  /// nullopt: no such message is out.
  [[nodiscard]] std::optional<Acked> ack(int message) {
    Entry* found = nullptr;
    for (auto& entry : entries_)
      if (entry.message == message && !entry.acked) found = &entry;
    if (found == nullptr) return std::nullopt;
    found->acked = true;
    Acked out{found->lane, 0, found->cost_bytes};
    for (auto it = entries_.begin(); it != entries_.end();) {
      if (it->lane != out.lane) {
        ++it;
        continue;
      }
      if (!it->acked) break;
      out.confirmed_seq = it->last_seq;
      it = entries_.erase(it);
    }
    return out;
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  void clear() noexcept { entries_.clear(); }

 private:
  struct Entry {
    int message;
    std::uint8_t lane;
    std::uint64_t last_seq;
    std::uint32_t cost_bytes;
    bool acked;
  };
  std::deque<Entry> entries_;
};

}  // namespace tocsin::deliver
