// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "platform/lmdb/files.hpp"
#include "src/port/store.hpp"

namespace tocsin::lmdb {

/// The note beside the table: two slots in two different 4 KiB blocks, written in turn, so that a cut in the middle
/// of one write leaves the other. A slot is 512 bytes, little-endian:
///   0 magic u32 "TNT1" | 4 crc32c u32 of bytes 8..511 | 8 counter u64 | 16 size u16 | 18 text | zeros
/// One thread at a time.
class NoteFile {
 public:
  /// Opens, or makes and zeroes, the file. Errors: io_failed, storage_full.
  [[nodiscard]] static Result<NoteFile> open(const Fd& dir);
  /// Durable on return. io_failed: old or new. invalid_input: longer than port::kNoteBytesMax.
  [[nodiscard]] Status put(Bytes note);
  /// The newest slot whose checksum holds; 0 when neither does.
  [[nodiscard]] Result<std::size_t> get(std::span<std::byte, port::kNoteBytesMax> out) const;

 private:
  explicit NoteFile(Fd fd) noexcept : fd_(std::move(fd)) {}
  Fd fd_;
  std::uint64_t counter_ = 0;  ///< of the newest good slot
};

}  // namespace tocsin::lmdb
