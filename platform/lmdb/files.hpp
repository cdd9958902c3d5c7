// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::lmdb {

/// Owns a descriptor; closes it at destruction.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int raw) noexcept : raw_(raw) {}
  Fd(Fd&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const noexcept { return raw_; }
  [[nodiscard]] bool open() const noexcept { return raw_ >= 0; }

 private:
  int raw_ = -1;
};

/// Makes the directory (0700, its parent synced) unless it exists, and opens it.
[[nodiscard]] Result<Fd> open_dir(const std::string& path);

/// openat with O_CLOEXEC and mode 0600; not_found when the file does not exist.
[[nodiscard]] Result<Fd> open_in(const Fd& dir, const std::string& name, int flags);

[[nodiscard]] Status sync(const Fd& fd);
[[nodiscard]] Result<std::uint64_t> size_of(const Fd& fd);
[[nodiscard]] bool exists_in(const Fd& dir, const std::string& name);
/// Success also when there is no such file.
[[nodiscard]] Status remove_in(const Fd& dir, const std::string& name);
/// Replaces `to`; does not sync the directory.
[[nodiscard]] Status rename_in(const Fd& dir, const std::string& from, const std::string& to);

/// Reads up to out.size() bytes; fewer only at the end of the file. Never through a map, so a failing medium is an
/// error.
[[nodiscard]] Result<std::size_t> read_at(int fd, std::span<std::byte> out, std::uint64_t offset);
/// Writes all of `bytes` or fails; after a failure part of it may be there.
[[nodiscard]] Status write_at(int fd, Bytes bytes, std::uint64_t offset);

}  // namespace tocsin::lmdb
