// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tocsin::mosquitto {

/// Text as a file that only this process sees: the library reads certificates and keys from files only, and secrets
/// are not written to a disk for that.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) noexcept;
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] bool ok() const noexcept { return fd_ >= 0; }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace tocsin::mosquitto
