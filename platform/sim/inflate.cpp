// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/inflate.hpp"

#include <cstring>

namespace tocsin::sim {
namespace {

using port::Coding;
using port::Inflated;
using port::InflateFault;

constexpr std::string_view kGzipHead{"\x1F\x8B\x08\0\0\0\0\0\0\x03", 10};
constexpr std::string_view kZlibHead{"\x78\x01", 2};

/// The check sum at the end of a stream: CRC-32 for gzip, Adler-32 for zlib.
class Sum {
 public:
  explicit Sum(Coding coding) noexcept : is_crc_(coding == Coding::gzip), value_(is_crc_ ? ~0U : 1U) {}
  void add(Bytes bytes) noexcept {
    for (const std::byte byte : bytes) is_crc_ ? add_crc(byte) : add_adler(byte);
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return is_crc_ ? ~value_ : value_; }

 private:
  void add_crc(std::byte byte) noexcept {
    value_ ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) value_ = (value_ >> 1U) ^ ((value_ & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  void add_adler(std::byte byte) noexcept {
    const std::uint32_t low = ((value_ & 0xFFFFU) + std::to_integer<std::uint32_t>(byte)) % 65521U;
    value_ = ((((value_ >> 16U) + low) % 65521U) << 16U) | low;
  }
  bool is_crc_;
  std::uint32_t value_;
};

/// Reads one body; `out` is where the text goes, or nothing.
class StoredReader {
 public:
  StoredReader(Coding coding, Bytes in, std::size_t bytes_max, std::byte* out) noexcept
      : coding_(coding), in_(in), bytes_max_(bytes_max), out_(out) {}

  Inflated run() noexcept {
    do {
      if (const auto fault = member(); fault != InflateFault::none) return {fault};
    } while (coding_ == Coding::gzip && !in_.empty());
    if (!in_.empty()) return {InflateFault::corrupt};
    return {InflateFault::none, bytes_};
  }

 private:
  InflateFault member() noexcept {
    const std::string_view head = coding_ == Coding::gzip ? kGzipHead : kZlibHead;
    const std::string_view given = as_text(in_).substr(0, head.size());
    if (!head.starts_with(given)) return InflateFault::corrupt;
    if (given.size() < head.size()) return InflateFault::truncated;
    in_ = in_.subspan(head.size());
    Sum sum(coding_);
    const std::size_t before = bytes_;
    for (bool is_last = false; !is_last;) {
      if (const auto fault = block(sum, is_last); fault != InflateFault::none) return fault;
    }
    if (coding_ == Coding::deflate) return number(4, true) == sum.value() ? end() : wrong();
    const bool same = number(4, false) == sum.value();
    return same && number(4, false) == static_cast<std::uint32_t>(bytes_ - before) ? end() : wrong();
  }

  InflateFault block(Sum& sum, bool& is_last) noexcept {
    const std::uint32_t kind = number(1, false);
    const std::uint32_t size = number(2, false);
    const std::uint32_t inverse = number(2, false);
    if (is_short_) return InflateFault::truncated;
    if ((kind & 6U) != 0 || (size ^ inverse) != 0xFFFFU) return InflateFault::corrupt;
    is_last = (kind & 1U) != 0;
    if (size > in_.size()) return bytes_ + in_.size() > bytes_max_ ? InflateFault::too_large : InflateFault::truncated;
    if (size > bytes_max_ - bytes_) return InflateFault::too_large;
    sum.add(in_.first(size));
    if (out_ != nullptr && size != 0) std::memcpy(out_ + bytes_, in_.data(), size);
    bytes_ += size;
    in_ = in_.subspan(size);
    return InflateFault::none;
  }

  std::uint32_t number(std::size_t count, bool is_big_endian) noexcept {
    if (in_.size() < count) {
      is_short_ = true;
      return 0;
    }
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < count; ++i) {
      out |= std::to_integer<std::uint32_t>(in_[is_big_endian ? count - 1 - i : i]) << (8 * i);
    }
    in_ = in_.subspan(count);
    return out;
  }
  [[nodiscard]] InflateFault end() const noexcept { return is_short_ ? InflateFault::truncated : InflateFault::none; }
  [[nodiscard]] InflateFault wrong() const noexcept {
    return is_short_ ? InflateFault::truncated : InflateFault::corrupt;
  }

  Coding coding_;
  Bytes in_;
  std::size_t bytes_max_;
  std::byte* out_;
  std::size_t bytes_ = 0;
  bool is_short_ = false;
};

Inflated run_charged(StoredReader reader, std::size_t working_bytes, Budget& memory) noexcept {
  if (!memory.try_charge(working_bytes)) return {InflateFault::no_memory};
  const Inflated out = reader.run();
  memory.release(working_bytes);
  return out;
}

void append_number(std::string& out, std::uint32_t value, std::size_t count, bool is_big_endian) {
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(static_cast<char>((value >> (8 * (is_big_endian ? count - 1 - i : i))) & 0xFFU));
  }
}

}  // namespace

Inflated StoredInflater::measure(Coding coding, Bytes in, std::size_t bytes_max, Budget& memory) noexcept {
  return run_charged({coding, in, bytes_max, nullptr}, port::kMeasureBytesMax, memory);
}

Inflated StoredInflater::inflate(Coding coding, Bytes in, std::span<std::byte> out, Budget& memory) noexcept {
  return run_charged({coding, in, out.size(), out.data()}, port::kInflateBytesMax, memory);
}

std::string stored_stream(Coding coding, std::string_view text) {
  std::string out{coding == Coding::gzip ? kGzipHead : kZlibHead};
  Sum sum(coding);
  sum.add(as_bytes(text));
  std::string_view rest = text;
  do {
    const std::string_view part = rest.substr(0, 65'535);
    rest.remove_prefix(part.size());
    const auto size = static_cast<std::uint32_t>(part.size());
    append_number(out, rest.empty() ? 1 : 0, 1, false);
    append_number(out, size, 2, false);
    append_number(out, size ^ 0xFFFFU, 2, false);
    out.append(part);
  } while (!rest.empty());
  append_number(out, sum.value(), 4, coding == Coding::deflate);
  if (coding == Coding::gzip) append_number(out, static_cast<std::uint32_t>(text.size()), 4, false);
  return out;
}

}  // namespace tocsin::sim
