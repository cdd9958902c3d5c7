// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "platform/linux/handle.hpp"

namespace tocsin::linux {

namespace {

Error from_errno(Where where) noexcept {
  const int number = errno;
  if (number == ENOENT) return error(Errc::not_found, where, number);
  if (number == ENOSPC || number == EDQUOT) return error(Errc::storage_full, where, number);
  return error(Errc::io_failed, where, number);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, Bytes content) noexcept {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return from_errno("write file");
    }
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status sync_folder(const std::string& folder) noexcept {
  const Handle handle{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!handle.valid()) return from_errno("open folder");
  if (::fsync(handle.get()) != 0) return from_errno("sync folder");
  return {};
}

Status write_temporary(const std::string& path, Bytes content, mode_t mode) noexcept {
  const Handle file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)};
  if (!file.valid()) return from_errno("create file");
  if (::fchmod(file.get(), mode) != 0) return from_errno("file mode");
  if (auto status = write_all(file.get(), content); !status.ok()) return status;
  if (::fsync(file.get()) != 0) return from_errno("sync file");
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Handle file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.valid()) return from_errno("open file");
  std::string content;
  // Read to the end instead of trusting the size: files of /proc say 0.
  for (;;) {
    const std::size_t have = content.size();
    content.resize(std::min(have + 4 * KiB, bytes_max + 1));
    const ssize_t got = ::read(file.get(), content.data() + have, content.size() - have);
    if (got < 0 && errno != EINTR) return from_errno("read file");
    content.resize(have + (got < 0 ? 0 : static_cast<std::size_t>(got)));
    if (got == 0) return content;
    if (content.size() > bytes_max) return error(Errc::out_of_budget, "file too long");
  }
}

Status write_file(const std::string& path, Bytes content, mode_t mode) {
  const std::string temporary = path + ".new";
  auto status = write_temporary(temporary, content, mode);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = from_errno("rename file");
  if (!status.ok()) {
    static_cast<void>(::unlink(temporary.c_str()));
    return status;
  }
  return sync_folder(folder_of(path));
}

Status make_folders(const std::string& path, mode_t mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return from_errno("make folder");
    if (end == std::string::npos) break;
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return from_errno("make folder");
  if (!S_ISDIR(info.st_mode)) return error(Errc::conflict, "not a folder", ENOTDIR);
  return {};
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove file");
  return {};
}

}  // namespace tocsin::linux
