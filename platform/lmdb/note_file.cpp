// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/note_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "src/base/crc32c.hpp"

namespace tocsin::lmdb {
namespace {

constexpr std::uint32_t kMagic = 0x31544E54;
constexpr std::size_t kSlotBytes = 512;
constexpr std::size_t kTextAt = 18;
constexpr std::uint64_t kSlotStride = 4 * KiB;
constexpr std::uint64_t kFileBytes = 2 * kSlotStride;
static_assert(kTextAt + port::kNoteBytesMax <= kSlotBytes);

using Slot = std::array<std::byte, kSlotBytes>;

constexpr std::uint64_t place_of(std::uint64_t counter) { return (counter & 1) * kSlotStride; }

struct Read {
  std::uint64_t counter = 0;
  std::size_t size = 0;
};

std::optional<Read> judge(const Slot& slot) {
  const Read read{load<std::uint64_t>(&slot[8]), load<std::uint16_t>(&slot[16])};
  if (load<std::uint32_t>(slot.data()) != kMagic || read.size > port::kNoteBytesMax || read.counter == 0) return {};
  if (load<std::uint32_t>(&slot[4]) != crc32c(Bytes{slot}.subspan(8))) return {};
  return read;
}

/// Fills `slot` with the newest good slot.
Result<std::optional<Read>> newest(int fd, Slot& slot) {
  std::optional<Read> best;
  for (std::uint64_t place = 0; place < kFileBytes; place += kSlotStride) {
    Slot candidate{};
    const auto got = read_at(fd, candidate, place);
    if (!got.ok()) return got.error().in("reading the note");
    const auto read = judge(candidate);
    if (!read || (best && best->counter > read->counter) || place_of(read->counter) != place) continue;
    best = read;
    slot = candidate;
  }
  return best;
}

}  // namespace

Result<NoteFile> NoteFile::open(const Fd& dir) {
  auto fd = open_in(dir, "note", O_RDWR | O_CREAT | O_DSYNC);
  if (!fd.ok()) return fd.error().in("opening the note");
  const auto size = size_of(*fd);
  if (!size.ok()) return size.error();
  if (*size < kFileBytes) {  // new, or cut while it was made: written blocks need no allocation later
    const std::array<std::byte, kSlotStride> zeros{};
    for (std::uint64_t at = 0; at < kFileBytes; at += kSlotStride) {
      if (auto done = write_at(fd->get(), zeros, at); !done.ok()) return done.error().in("making the note");
    }
    if (auto done = sync(*fd); !done.ok()) return done.error();
    if (auto done = sync(dir); !done.ok()) return done.error();
  }
  NoteFile note{std::move(*fd)};
  Slot slot{};
  const auto read = newest(note.fd_.get(), slot);
  if (!read.ok()) return read.error();
  if (*read) note.counter_ = (*read)->counter;
  return note;
}

Status NoteFile::put(Bytes note) {
  if (note.size() > port::kNoteBytesMax) return error(Errc::invalid_input, "note longer than its slot");
  Slot slot{};
  const std::uint64_t counter = counter_ + 1;
  store(slot.data(), kMagic);
  store(&slot[8], counter);
  store(&slot[16], static_cast<std::uint16_t>(note.size()));
  std::copy(note.begin(), note.end(), slot.begin() + kTextAt);
  store(&slot[4], crc32c(Bytes{slot}.subspan(8)));
  if (auto done = write_at(fd_.get(), slot, place_of(counter)); !done.ok()) {
    return Error{Errc::io_failed, done.error().os_errno, {"writing the note"}};
  }
  counter_ = counter;
  return {};
}

Result<std::size_t> NoteFile::get(std::span<std::byte, port::kNoteBytesMax> out) const {
  Slot slot{};
  const auto read = newest(fd_.get(), slot);
  if (!read.ok()) return read.error();
  if (!*read) return std::size_t{0};
  std::copy_n(slot.begin() + kTextAt, (*read)->size, out.begin());
  return (*read)->size;
}

}  // namespace tocsin::lmdb
