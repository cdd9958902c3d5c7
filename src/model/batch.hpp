// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "src/base/hex.hpp"
#include "src/base/time.hpp"
#include "src/model/byte_buffer.hpp"
#include "src/model/tables.hpp"

namespace tocsin::model {

/// What a record of the log is. Numbers are stored: append only.
enum class RecordKind : std::uint8_t {
  custom_event = 0,    ///< item of /v2/push/ after the contract's conversions
  standard_event = 1,  ///< item of /api/v1/events, normalised
  alert_transition = 2,
  gap = 3,            ///< stands for records that were evicted undelivered
  custom_metric = 4,  ///< item of /v2/push/ of a time series, after the contract's conversions
};

/// What one request may take of the intake, items and their list together: with it a board's intake still has some room
/// for small requests.
inline constexpr std::size_t kBatchBytesMax = 960 * KiB;

/// One item of a batch: its JSON as stored, then its facts (facts.hpp) when the item may touch an alert and there was
/// room for them.
struct Item {
  std::uint32_t json_bytes = 0;
  std::uint32_t facts_bytes = 0;
  std::uint64_t id_hash = 0;  ///< 56 bits; 0: the item carries no id
};

/// The checked items of one request on their way from io to the writer. Memory: the resource it was made with.
struct EventBatch {
  explicit EventBatch(std::pmr::memory_resource* memory) : bytes(memory), items(memory) {}
  std::int32_t data_id = 0;
  std::uint64_t registry_generation = 0;  ///< of the snapshot the request was checked against
  Lane lane = Lane::normal;
  RecordKind kind = RecordKind::custom_event;
  bool is_alerting = false;  ///< its items may touch alerts: facts that an item lacks are made from its JSON
  Id128 request_id{};
  Now received;
  ByteBuffer bytes;  ///< json, facts, json, facts … in item order
  std::pmr::vector<Item> items;
};

}  // namespace tocsin::model
