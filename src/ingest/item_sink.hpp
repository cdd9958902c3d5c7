// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include "src/ingest/refusal.hpp"
#include "src/model/batch.hpp"

namespace tocsin::ingest {

/// Facts that go along with the items of one request: for all of a few events, for those of usual size of many. The
/// writer makes those that found no room.
inline constexpr std::size_t kFactsRoomMin = 4 * KiB;
inline constexpr std::size_t kFactsRoomMax = 128 * KiB;
[[nodiscard]] constexpr std::size_t facts_room(std::size_t items, std::size_t usual_bytes, std::size_t json_bytes) {
  constexpr std::size_t kNumbersBytes = 64;  // everything else stands in the JSON too
  const std::size_t most = std::min(json_bytes + items * kNumbersBytes, kFactsRoomMin);
  return std::min(std::max(items * usual_bytes, most), kFactsRoomMax);
}

/// What the items of one request may need. `json_bytes` may turn out to be too little.
struct ItemRoom {
  std::size_t items = 0;
  std::size_t json_bytes = 0;
  std::size_t facts_bytes = 0;
};

/// Writes items at the end of a batch, in room that is taken once. JSON that finds none left is counted and not
/// written, and nothing else is written from there on. Unless keep() is called, everything written is taken back at
/// destruction, so that a refusal or std::bad_alloc half way leaves the batch as it was.
class ItemSink {
 public:
  /// Throws std::bad_alloc.
  ItemSink(model::EventBatch& batch, const ItemRoom& room)
      : batch_(batch),
        bytes_before_(batch.bytes.size()),
        items_before_(batch.items.size()),
        part_(bytes_before_),
        json_room_(room.json_bytes),
        facts_room_(room.facts_bytes) {
    batch_.bytes.reserve(bytes_before_ + room.json_bytes + room.facts_bytes);
    batch_.items.reserve(items_before_ + room.items);
  }
  ~ItemSink() {
    if (kept_) return;
    batch_.bytes.truncate(bytes_before_);
    batch_.items.resize(items_before_);
  }
  ItemSink(const ItemSink&) = delete;
  ItemSink& operator=(const ItemSink&) = delete;

  void append(const char* from, std::size_t size) {
    json_bytes_ += size;
    fits_ = fits_ && json_bytes_ <= json_room_;
    if (fits_) batch_.bytes.append(from, size);
  }
  void append(std::string_view text) { append(text.data(), text.size()); }

  /// Ends the JSON of one item and returns it; valid until the next append. Empty when it did not fit.
  std::string_view end_json(std::uint64_t id_hash) {
    if (!fits_) return {};
    const std::string_view json = written();
    batch_.items.push_back({static_cast<std::uint32_t>(json.size()), 0, id_hash});
    part_ = batch_.bytes.size();
    return json;
  }
  /// Of the item that was ended last; left out when there is no room for them.
  void add_facts(std::string_view encoded) {
    if (encoded.size() > facts_room_) return;
    facts_room_ -= encoded.size();
    batch_.bytes.append(encoded.data(), encoded.size());
    batch_.items.back().facts_bytes = static_cast<std::uint32_t>(encoded.size());
    part_ = batch_.bytes.size();
  }
  /// The JSON being written, as far as it fits; it does not move.
  [[nodiscard]] std::string_view written() const noexcept {
    return {reinterpret_cast<const char*>(batch_.bytes.data()) + part_, batch_.bytes.size() - part_};
  }
  [[nodiscard]] std::size_t facts_room() const noexcept { return facts_room_; }
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] std::size_t json_bytes() const noexcept { return json_bytes_; }  ///< the counted ones too
  void keep() noexcept { kept_ = true; }

 private:
  model::EventBatch& batch_;
  std::size_t bytes_before_;
  std::size_t items_before_;
  std::size_t part_;  ///< where the JSON being written begins
  std::size_t json_room_;
  std::size_t facts_room_;
  std::size_t json_bytes_ = 0;
  bool fits_ = true;
  bool kept_ = false;
};

/// Has `write` write all items of a request into `out`: once where the guess is good, else a second time with the room
/// that was counted. Never takes more than kBatchBytesMax: what is larger as it is stored is refused in words.
/// `write` takes an ItemSink and answers Checked<void>; on a refusal `out` is as before. Throws std::bad_alloc
/// likewise.
template <class Write>
[[nodiscard]] Checked<void> write_items(model::EventBatch& out, const ItemRoom& guess, Write&& write) {
  const auto max = [&guess] {
    const std::size_t items_bytes = guess.items * sizeof(model::Item);
    return model::kBatchBytesMax - std::min(items_bytes, model::kBatchBytesMax);
  }();
  ItemRoom room;  // none when the guess is too large: then it is only counted at first
  if (guess.json_bytes <= max) {
    room = guess;
    room.facts_bytes = std::min(guess.facts_bytes, max - guess.json_bytes);
  }
  for (int pass = 0; pass < 2; ++pass) {
    ItemSink sink{out, room};
    if (auto good = write(sink); !good) return good;
    if (sink.fits()) {
      sink.keep();
      return {};
    }
    if (sink.json_bytes() > max) break;
    room = {guess.items, sink.json_bytes(), std::min(guess.facts_bytes, max - sink.json_bytes())};
  }
  return refuse("items_too_large", "the items are too large in the form they are stored in: send fewer at once", 413);
}

}  // namespace tocsin::ingest
