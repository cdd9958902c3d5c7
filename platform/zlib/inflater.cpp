// SPDX-License-Identifier: Apache-2.0
#include "platform/zlib/inflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace tocsin::zlib {
namespace {

using port::Coding;
using port::Inflated;
using port::InflateFault;

constexpr std::size_t kHead = alignof(std::max_align_t);  // in front of each block: its size
constexpr int kGzip = 15 + 16;                            // zlib's numbers for the two formats
constexpr int kZlib = 15;

void* take(void* memory, uInt items, uInt size) noexcept {
  const std::size_t bytes = std::size_t{items} * size + kHead;
  auto& budget = *static_cast<Budget*>(memory);
  if (!budget.try_charge(bytes)) return nullptr;
  void* const block = std::malloc(bytes);
  if (block == nullptr) {
    budget.release(bytes);
    return nullptr;
  }
  std::memcpy(block, &bytes, sizeof(bytes));
  return static_cast<std::byte*>(block) + kHead;
}

void give_back(void* memory, void* user) noexcept {
  void* const block = static_cast<std::byte*>(user) - kHead;
  std::size_t bytes = 0;
  std::memcpy(&bytes, block, sizeof(bytes));
  std::free(block);
  static_cast<Budget*>(memory)->release(bytes);
}

/// zlib's stream over one body.
class Stream {
 public:
  Stream(Coding coding, Bytes in, Budget& memory) noexcept : coding_(coding) {
    stream_.zalloc = take;
    stream_.zfree = give_back;
    stream_.opaque = &memory;
    // zlib does not write to its input; the library's type is older than const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    fits_ = in.size() <= std::numeric_limits<uInt>::max();
    stream_.avail_in = fits_ ? static_cast<uInt>(in.size()) : 0;
    is_open_ = inflateInit2(&stream_, coding == Coding::gzip ? kGzip : kZlib) == Z_OK;
  }
  ~Stream() {
    if (is_open_) inflateEnd(&stream_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return is_open_; }

  struct Step {
    InflateFault fault = InflateFault::none;
    std::size_t bytes = 0;
    bool is_end = false;
  };
  /// Fills `out` as far as the input goes.
  Step step(std::span<std::byte> out) noexcept {
    if (!fits_) return {InflateFault::corrupt};
    Step result;
    if (out.empty()) return result;
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + result.bytes);
      const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - result.bytes, kRoomMax));
      stream_.avail_out = room;
      const int said = ::inflate(&stream_, Z_FINISH);  // Z_FINISH: without a window when all goes out at once
      result.bytes += room - stream_.avail_out;
      if (said == Z_STREAM_END) {
        if (stream_.avail_in == 0) {
          result.is_end = true;
          return result;
        }
        // Behind a member of gzip only another one may follow.
        if (coding_ != Coding::gzip || inflateReset(&stream_) != Z_OK) return {InflateFault::corrupt};
        continue;
      }
      if (said == Z_MEM_ERROR) return {InflateFault::no_memory};
      if (said != Z_OK && said != Z_BUF_ERROR) return {InflateFault::corrupt};
      if (stream_.avail_out == 0) {
        if (result.bytes == out.size()) return result;
        continue;
      }
      return {InflateFault::truncated};  // room was left, so the input is at its end
    }
  }

 private:
  static constexpr std::size_t kRoomMax = std::size_t{1} << 30U;
  z_stream stream_{};
  Coding coding_;
  bool fits_ = false;
  bool is_open_ = false;
};

}  // namespace

Inflated Inflater::measure(Coding coding, Bytes in, std::size_t bytes_max, Budget& memory) noexcept {
  Stream stream(coding, in, memory);
  if (!stream.is_open()) return {InflateFault::no_memory};
  std::array<std::byte, 8 * KiB> scratch;
  for (std::size_t bytes = 0;;) {
    const auto step = stream.step(scratch);
    if (step.fault != InflateFault::none) return {step.fault};
    bytes += step.bytes;
    if (bytes > bytes_max) return {InflateFault::too_large};
    if (step.is_end) return {InflateFault::none, bytes};
  }
}

Inflated Inflater::inflate(Coding coding, Bytes in, std::span<std::byte> out, Budget& memory) noexcept {
  Stream stream(coding, in, memory);
  if (!stream.is_open()) return {InflateFault::no_memory};
  auto whole = stream.step(out);
  if (whole.fault != InflateFault::none) return {whole.fault};
  if (!whole.is_end) {
    // `out` is full: what is left of the stream may only be its end.
    std::array<std::byte, 1> more;
    const auto rest = stream.step(more);
    if (rest.fault != InflateFault::none) return {rest.fault};
    if (rest.bytes != 0 || !rest.is_end) return {InflateFault::too_large};
  }
  return {InflateFault::none, whole.bytes};
}

}  // namespace tocsin::zlib
