// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "src/base/hex.hpp"
#include "src/base/result.hpp"
#include "src/model/batch.hpp"

namespace tocsin::model {

/// A value under segment_key(): header, then records back to back. At most kSegmentBytesMax, or exactly one larger
/// record.
inline constexpr std::size_t kSegmentBytesMax = 65'520;
inline constexpr std::uint16_t kSegmentFormat = 1;

/// FORMAT.md "segment". Little-endian, no padding.
struct SegmentHeader {
  std::uint32_t crc32c;     ///< over the key and every later byte of the header
  std::uint16_t format;     ///< kSegmentFormat
  std::uint16_t flags;      ///< bit 0: wall clock trusted at writing; bit 1: some record has an id hash
  std::uint64_t first_seq;  ///< as in the key
  std::uint32_t count;      ///< records
  std::uint32_t boot;
  std::uint32_t last_delta;    ///< last sequence - first sequence
  std::uint32_t bytes;         ///< of the records
  std::int64_t wall_ms;        ///< received time of the first record, as believed
  std::int64_t mono_ms;        ///< the same on this boot's monotonic clock
  std::uint32_t time_span_ms;  ///< newest received time - first
  std::uint32_t reserved;
  std::uint64_t plugin_mask;  ///< bit (data id mod 64) is set for each data id inside
};
static_assert(sizeof(SegmentHeader) == 64 && std::is_trivially_copyable_v<SegmentHeader>);
inline constexpr std::uint16_t kSegmentTrusted = 1;
inline constexpr std::uint16_t kSegmentHasIds = 2;

struct RecordHeader {
  std::uint32_t crc32c;      ///< over boot, sequence, and every later byte of the record
  std::uint32_t body_bytes;  ///< of the JSON
  std::uint32_t seq_delta;   ///< from the segment's first sequence
  std::int32_t data_id;
  std::uint32_t time_delta_ms;  ///< received time - the segment's
  std::uint8_t kind;            ///< RecordKind
  std::uint8_t flags;           ///< bit 0: request id follows; bit 1: id hash follows
  std::uint16_t reserved;
};
static_assert(sizeof(RecordHeader) == 24 && std::is_trivially_copyable_v<RecordHeader>);
inline constexpr std::uint8_t kRecordHasRequest = 1;  ///< absent: that of the record before it in the segment
inline constexpr std::uint8_t kRecordHasId = 2;
inline constexpr std::size_t kRecordOverheadMax = sizeof(RecordHeader) + 16 + 8;

/// A record as read. Views into the segment.
struct Record {
  std::uint64_t seq = 0;
  std::int32_t data_id = 0;
  RecordKind kind{};
  std::int64_t wall_ms = 0;  ///< received, as believed when it was written
  std::int64_t mono_ms = 0;
  std::uint64_t id_hash = 0;
  Id128 request_id{};
  std::string_view json;
};

/// Builds one segment into caller memory, which it grows as needed. One turn, one lane.
class SegmentBuilder {
 public:
  SegmentBuilder(Lane lane, std::uint32_t boot, std::vector<std::byte>& buffer)
      : lane_(lane), boot_(boot), buffer_(buffer) {}
  /// True when a record with that JSON still fits (an empty segment takes one of any size).
  [[nodiscard]] bool fits(std::size_t json_bytes) const noexcept;
  /// True when the record's clocks run like those of the segment's first: the same trust, and no step of the wall
  /// clock between them. An empty segment takes any.
  [[nodiscard]] bool shares_clocks(Now received) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return header_.count == 0; }
  [[nodiscard]] std::uint64_t first_seq() const noexcept { return header_.first_seq; }
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return header_.first_seq + header_.last_delta; }
  /// Precondition: fits() and shares_clocks(); sequences rise.
  void add(std::uint64_t seq, std::int32_t data_id, RecordKind kind, Now received, const Id128& request_id,
           std::uint64_t id_hash, std::string_view json);
  /// The finished value; the builder is then empty again.
  [[nodiscard]] Bytes finish();

 private:
  Lane lane_;
  std::uint32_t boot_;
  std::vector<std::byte>& buffer_;  ///< grows and is not cleared: what lies behind used_ is old
  std::size_t used_ = 0;
  SegmentHeader header_{};
  Id128 last_request_{};
};

/// Reads one segment. Every record is checked before it is handed out; a damaged one is skipped and counted when its
/// neighbours can still be told, else the rest of the segment counts as damaged.
class SegmentReader {
 public:
  /// storage_corrupt: the header cannot be believed. unsupported: a newer format.
  [[nodiscard]] static Result<SegmentReader> open(Bytes key, Bytes value);
  [[nodiscard]] const SegmentHeader& header() const noexcept { return header_; }
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return header_.first_seq + header_.last_delta; }
  [[nodiscard]] bool may_hold(std::int32_t data_id) const noexcept {
    return ((header_.plugin_mask >> (static_cast<std::uint32_t>(data_id) % 64U)) & 1U) != 0;
  }
  /// The data id of the record that next() looks at first, as it is written and not checked; nullopt: no more.
  [[nodiscard]] std::optional<std::int32_t> peek() noexcept;
  /// Moves behind that record without looking at it: it may be damaged and is not counted. Precondition: peek().
  void skip() noexcept;
  /// The next intact record with seq >= `from`; nullopt: no more.
  [[nodiscard]] std::optional<Record> next(std::uint64_t from = 0) noexcept;
  /// Records that had to be skipped so far.
  [[nodiscard]] std::uint32_t damaged() const noexcept { return damaged_; }

 private:
  void give_up() noexcept;  ///< the rest is damaged
  SegmentHeader header_{};
  Bytes rest_;
  std::uint32_t seen_ = 0;
  std::uint32_t damaged_ = 0;
  Id128 request_{};
};

}  // namespace tocsin::model
