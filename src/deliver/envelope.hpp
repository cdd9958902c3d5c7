// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "src/channel/reader.hpp"

namespace tocsin::deliver {

/// Who speaks, as the messages say it.
struct Origin {
  std::string appliance;  ///< hex
  std::string store;      ///< hex
  std::string hostname;
  std::string ip;
};

inline constexpr std::uint32_t kMessageItemsMax = 4'096;
inline constexpr std::size_t kSeqPropertyBytesMax = 4'096;

/// One upstream message in format `bk`.
struct Message {
  std::string payload;
  std::string seqs;  ///< "a-b,c"; empty when longer than kSeqPropertyBytesMax: the payload has them always
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
};

[[nodiscard]] const char* lane_name(std::uint8_t lane) noexcept;

/// Makes the messages of one data frame, in order. Events: as many items a message as the limits allow, normally all.
/// Alert transitions and gap records: one message an item, the item's object with `tocsin` as its last member.
/// Memory: the frame until its last item is taken, and the message that next() makes (sized exactly, once).
class Packer {
 public:
  /// invalid_input: `body` is no data frame, or an item that must be an object is none.
  [[nodiscard]] static Result<Packer> make(std::string body);

  [[nodiscard]] const channel::DataHead& head() const noexcept { return frame_->head(); }
  [[nodiscard]] std::uint64_t first_seq() const noexcept { return frame_->first_seq(); }
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return frame_->last_seq(); }
  [[nodiscard]] bool done() const noexcept { return items_left_ == 0; }

  /// `payload_bytes_max`: 0 no limit; one item goes out even when it does not fit. Precondition: !done().
  /// When the last item has been taken the frame's memory is gone, and head().plugin_id with it: use it before.
  [[nodiscard]] Message next(const Origin& origin, std::size_t payload_bytes_max);

  Packer(Packer&& other) noexcept = default;
  Packer& operator=(Packer&& other) noexcept = default;

 private:
  Packer() = default;
  [[nodiscard]] Message next_events(const Origin& origin, std::size_t payload_bytes_max);
  [[nodiscard]] Message next_object(const Origin& origin);

  std::unique_ptr<std::string> body_;  ///< on the heap: the frame's views must survive a move
  std::optional<channel::DataFrame> frame_;
  std::uint32_t items_left_ = 0;
};

}  // namespace tocsin::deliver
