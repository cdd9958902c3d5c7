// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/lmdb/errors.hpp"

namespace tocsin::lmdb {

Fd::~Fd() {
  if (raw_ >= 0) ::close(raw_);
}

Result<Fd> open_dir(const std::string& path) {
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return from_errno(errno, "making the store directory");
  Fd dir{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!dir.open()) return from_errno(errno, "opening the store directory");
  if (made) {
    const Fd parent{::openat(dir.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!parent.open() || ::fsync(parent.get()) != 0) return from_errno(errno, "syncing above the store directory");
  }
  return dir;
}

Result<Fd> open_in(const Fd& dir, const std::string& name, int flags) {
  Fd fd{::openat(dir.get(), name.c_str(), flags | O_CLOEXEC, 0600)};
  if (fd.open()) return fd;
  if (errno == ENOENT) return error(Errc::not_found, "opening a store file", ENOENT);
  return from_errno(errno, "opening a store file");
}

Status sync(const Fd& fd) {
  if (::fsync(fd.get()) != 0) return from_errno(errno, "syncing a store file");
  return {};
}

Result<std::uint64_t> size_of(const Fd& fd) {
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return from_errno(errno, "asking for the size of a store file");
  return static_cast<std::uint64_t>(facts.st_size);
}

bool exists_in(const Fd& dir, const std::string& name) {
  return ::faccessat(dir.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Status remove_in(const Fd& dir, const std::string& name) {
  if (::unlinkat(dir.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return from_errno(errno, "removing a store file");
  }
  return {};
}

Status rename_in(const Fd& dir, const std::string& from, const std::string& to) {
  if (::renameat(dir.get(), from.c_str(), dir.get(), to.c_str()) != 0) {
    return from_errno(errno, "renaming a store file");
  }
  return {};
}

Result<std::size_t> read_at(int fd, std::span<std::byte> out, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno(errno, "reading a store file");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Status write_at(int fd, Bytes bytes, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return from_errno(put == 0 ? ENOSPC : errno, "writing a store file");
    done += static_cast<std::size_t>(put);
  }
  return {};
}

}  // namespace tocsin::lmdb
