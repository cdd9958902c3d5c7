// SPDX-License-Identifier: Apache-2.0
#include "platform/mosquitto/memory_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace tocsin::mosquitto {

MemoryFile::MemoryFile(std::string_view text) noexcept : fd_(::memfd_create("tocsin", MFD_CLOEXEC)) {
  while (fd_ >= 0 && !text.empty()) {
    const auto written = ::write(fd_, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      ::close(fd_);
      fd_ = -1;
    }
  }
}

MemoryFile::~MemoryFile() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace tocsin::mosquitto
