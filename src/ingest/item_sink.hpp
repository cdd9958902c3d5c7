// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "src/model/batch.hpp"

namespace tocsin::ingest {

/// Writes items at the end of a batch. Unless keep() is called, everything written is taken back at destruction,
/// so that a refusal or std::bad_alloc half way leaves the batch as it was.
class ItemSink {
 public:
  explicit ItemSink(model::EventBatch& batch) noexcept
      : batch_(batch), bytes_before_(batch.bytes.size()), items_before_(batch.items.size()), part_(bytes_before_) {}
  ~ItemSink() {
    if (kept_) return;
    batch_.bytes.truncate(bytes_before_);
    batch_.items.resize(items_before_);
  }
  ItemSink(const ItemSink&) = delete;
  ItemSink& operator=(const ItemSink&) = delete;

  /// One allocation instead of doubling; an estimate is enough.
  void reserve(std::size_t bytes, std::size_t items) {
    batch_.bytes.reserve(bytes_before_ + bytes);
    batch_.items.reserve(items_before_ + items);
  }
  void append(const char* from, std::size_t size) { batch_.bytes.append(from, size); }
  void append(std::string_view text) { append(text.data(), text.size()); }

  /// Ends the JSON of one item and returns it; valid until the next append.
  std::string_view end_json(std::uint64_t id_hash) {
    const std::size_t size = batch_.bytes.size() - part_;
    batch_.items.push_back({static_cast<std::uint32_t>(size), 0, id_hash});
    const std::string_view json{reinterpret_cast<const char*>(batch_.bytes.data()) + part_, size};
    part_ = batch_.bytes.size();
    return json;
  }
  void add_facts(std::string_view encoded) {
    append(encoded);
    batch_.items.back().facts_bytes = static_cast<std::uint32_t>(encoded.size());
    part_ = batch_.bytes.size();
  }
  void keep() noexcept { kept_ = true; }

 private:
  model::EventBatch& batch_;
  std::size_t bytes_before_;
  std::size_t items_before_;
  std::size_t part_;  ///< where the JSON being written begins
  bool kept_ = false;
};

}  // namespace tocsin::ingest
