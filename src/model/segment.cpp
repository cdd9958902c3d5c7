// SPDX-License-Identifier: Apache-2.0
#include "src/model/segment.hpp"

#include <algorithm>
#include <vector>

#include "src/base/crc32c.hpp"

namespace tocsin::model {
namespace {

constexpr std::size_t kCrcBytes = sizeof(std::uint32_t);
constexpr std::int64_t kClockStepMs = 1'000;  ///< less is a clock that is being disciplined

std::uint32_t header_crc(Bytes key, const SegmentHeader& header) noexcept {
  const Bytes bytes{reinterpret_cast<const std::byte*>(&header), sizeof(header)};
  return crc32c(bytes.subspan(kCrcBytes), crc32c(key));
}

constexpr std::size_t kSaltBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);

void write_salt(std::byte* to, std::uint32_t boot, std::uint64_t seq) noexcept {
  store(to, boot);
  store(to + sizeof(boot), seq);
}

/// Salted with boot and sequence, so that an intact record in the wrong place is as wrong as a torn one.
std::uint32_t record_crc(std::uint32_t boot, std::uint64_t seq, Bytes after_crc) noexcept {
  std::array<std::byte, kSaltBytes> salt{};
  write_salt(salt.data(), boot, seq);
  return crc32c(after_crc, crc32c(salt));
}

std::size_t extra_bytes(std::uint8_t flags) noexcept {
  return ((flags & kRecordHasRequest) != 0 ? sizeof(Id128) : 0) +
         ((flags & kRecordHasId) != 0 ? sizeof(std::uint64_t) : 0);
}

std::uint32_t span_ms(std::int64_t from, std::int64_t to) noexcept {
  if (to <= from) return 0;
  const std::int64_t delta = to - from;
  return delta > 0xFFFF'FFFF ? 0xFFFF'FFFFU : static_cast<std::uint32_t>(delta);
}

}  // namespace

bool SegmentBuilder::fits(std::size_t json_bytes) const noexcept {
  return header_.count == 0 || used_ + kRecordOverheadMax + json_bytes <= kSegmentBytesMax;
}

bool SegmentBuilder::shares_clocks(Now received) const noexcept {
  if (header_.count == 0) return true;
  if (received.wall.trusted != ((header_.flags & kSegmentTrusted) != 0)) return false;
  const std::int64_t step_ms = (received.wall.unix_ms - received.mono.ms()) - (header_.wall_ms - header_.mono_ms);
  return step_ms <= kClockStepMs && step_ms >= -kClockStepMs;
}

void SegmentBuilder::add(std::uint64_t seq, std::int32_t data_id, RecordKind kind, Now received,
                         const Id128& request_id, std::uint64_t id_hash, std::string_view json) {
  if (header_.count == 0) {
    used_ = sizeof(SegmentHeader);
    header_ = {};
    header_.format = kSegmentFormat;
    header_.first_seq = seq;
    header_.boot = boot_;
    header_.wall_ms = received.wall.unix_ms;
    header_.mono_ms = received.mono.ms();
    header_.flags = received.wall.trusted ? kSegmentTrusted : 0;
  }
  RecordHeader record{};
  record.body_bytes = static_cast<std::uint32_t>(json.size());
  record.seq_delta = static_cast<std::uint32_t>(seq - header_.first_seq);
  record.data_id = data_id;
  record.time_delta_ms = span_ms(header_.mono_ms, received.mono.ms());
  record.kind = static_cast<std::uint8_t>(kind);
  const bool new_request = header_.count == 0 || request_id != last_request_;
  record.flags = static_cast<std::uint8_t>((new_request ? kRecordHasRequest : 0) | (id_hash != 0 ? kRecordHasId : 0));

  // The checksum's salt ends where the record's checksum does, so that one call sees salt and head.
  std::array<std::byte, kSaltBytes - kCrcBytes + kRecordOverheadMax> head;
  std::byte* const begin = head.data() + kSaltBytes - kCrcBytes;
  store(begin, record);
  write_salt(head.data(), boot_, seq);
  std::byte* to = begin + sizeof(record);
  if (new_request) {
    std::memcpy(to, request_id.data(), request_id.size());
    to += request_id.size();
  }
  if (id_hash != 0) {
    store(to, id_hash);
    to += sizeof(id_hash);
  }
  store(begin, crc32c(as_bytes(json), crc32c({head.data(), to})));
  const auto head_bytes = static_cast<std::size_t>(to - begin);
  const std::size_t end = used_ + head_bytes + json.size();
  if (end > buffer_.size()) buffer_.resize(std::max(end, std::min(2 * buffer_.size(), kSegmentBytesMax)));
  std::memcpy(buffer_.data() + used_, begin, head_bytes);
  if (!json.empty()) std::memcpy(buffer_.data() + used_ + head_bytes, json.data(), json.size());
  used_ = end;

  last_request_ = request_id;
  ++header_.count;
  header_.last_delta = record.seq_delta;
  if (record.time_delta_ms > header_.time_span_ms) header_.time_span_ms = record.time_delta_ms;
  if (id_hash != 0) header_.flags |= kSegmentHasIds;
  header_.plugin_mask |= 1ULL << (static_cast<std::uint32_t>(data_id) % 64U);
}

Bytes SegmentBuilder::finish() {
  header_.bytes = static_cast<std::uint32_t>(used_ - sizeof(SegmentHeader));
  header_.crc32c = header_crc(segment_key(lane_, header_.first_seq), header_);
  store(buffer_.data(), header_);
  header_.count = 0;
  return {buffer_.data(), used_};
}

Result<SegmentReader> SegmentReader::open(Bytes key, Bytes value) {
  if (value.size() < sizeof(SegmentHeader)) return error(Errc::storage_corrupt, "segment shorter than its header");
  SegmentReader out;
  out.header_ = load<SegmentHeader>(value.data());
  const auto& h = out.header_;
  if (header_crc(key, h) != h.crc32c) return error(Errc::storage_corrupt, "segment header checksum");
  if (h.format != kSegmentFormat) return error(Errc::unsupported, "segment format of another release");
  if (key.size() != 10 || load_be64(key.data() + 2) != h.first_seq || h.bytes != value.size() - sizeof(SegmentHeader)) {
    return error(Errc::storage_corrupt, "segment under a foreign key");
  }
  out.rest_ = value.subspan(sizeof(SegmentHeader));
  return out;
}

void SegmentReader::give_up() noexcept {
  damaged_ += header_.count - seen_;
  seen_ = header_.count;
}

std::optional<std::int32_t> SegmentReader::peek() noexcept {
  if (seen_ < header_.count && rest_.size() < sizeof(RecordHeader)) give_up();
  if (seen_ == header_.count) return std::nullopt;
  return load<RecordHeader>(rest_.data()).data_id;
}

void SegmentReader::skip() noexcept {
  const auto h = load<RecordHeader>(rest_.data());
  const std::size_t extra = extra_bytes(h.flags);
  request_ = {};  // those of one request are of one instance
  if (h.body_bytes > rest_.size() - sizeof(h) || extra > rest_.size() - sizeof(h) - h.body_bytes) return give_up();
  rest_ = rest_.subspan(sizeof(h) + extra + h.body_bytes);
  ++seen_;
}

std::optional<Record> SegmentReader::next(std::uint64_t from) noexcept {
  while (seen_ < header_.count) {
    if (rest_.size() < sizeof(RecordHeader)) break;
    const auto h = load<RecordHeader>(rest_.data());
    const std::size_t extra = extra_bytes(h.flags);
    if (h.body_bytes > rest_.size() - sizeof(h) || extra > rest_.size() - sizeof(h) - h.body_bytes) break;
    const Bytes whole = rest_.first(sizeof(h) + extra + h.body_bytes);
    rest_ = rest_.subspan(whole.size());
    ++seen_;
    const std::uint64_t seq = header_.first_seq + h.seq_delta;
    if (record_crc(header_.boot, seq, whole.subspan(kCrcBytes)) != h.crc32c) {
      ++damaged_;
      request_ = {};  // the lost record may have carried the id its neighbours share
      continue;
    }
    const std::byte* at = whole.data() + sizeof(h);
    if ((h.flags & kRecordHasRequest) != 0) {
      std::memcpy(request_.data(), at, request_.size());
      at += request_.size();
    }
    Record out;
    if ((h.flags & kRecordHasId) != 0) {
      out.id_hash = load<std::uint64_t>(at);
      at += sizeof(std::uint64_t);
    }
    if (seq < from) continue;
    out.seq = seq;
    out.data_id = h.data_id;
    out.kind = static_cast<RecordKind>(h.kind);
    out.wall_ms = header_.wall_ms + h.time_delta_ms;
    out.mono_ms = header_.mono_ms + h.time_delta_ms;
    out.request_id = request_;
    out.json = as_text({at, h.body_bytes});
    return out;
  }
  give_up();
  return std::nullopt;
}

}  // namespace tocsin::model
